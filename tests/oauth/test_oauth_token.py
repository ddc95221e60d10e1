"""What a vendor gets at the token endpoint, and what it gets refused."""

import base64
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet

from app.errors import UsageError
from app.oauth.clients import State, add_client, rotate, set_state

from .conftest import ISSUER, RESOURCE, SCOPES, Served

pytestmark = pytest.mark.anyio

GOOD = {"grant_type": "client_credentials", "resource": RESOURCE}


def refusal(answer: httpx.Response, status: int, error: str) -> str:
    """The sentence of a refusal, which is well-formed throughout."""
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    sentence: str = answer.json()["error_description"]
    assert sentence.endswith((".", "here."))
    assert " " in sentence
    return sentence


async def test_a_token_says_who_may_ask_what_where_and_why_for_five_minutes(served: Served) -> None:
    answer = await served.ask(**GOOD)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    token = body.pop("access_token")
    assert body == {
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "section/schedule.read student/name.read",
        "purpose": "instruction",
    }
    published: Any = (await served.http.get("/oauth/jwks")).json()
    decoded = jwt.decode(token, KeySet.import_key_set(published), algorithms=["ES256"])
    assert {name: value for name, value in decoded.header.items() if name != "kid"} == {"alg": "ES256", "typ": "at+jwt"}
    claims = decoded.claims
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": "readwell",
        "client_id": "readwell",
        "scope": "section/schedule.read student/name.read",
        "purpose": "instruction",
        "iat": served.clock(),
        "exp": served.clock() + 300,
    }


async def test_the_published_keys_are_public_alone(served: Served) -> None:
    keys = (await served.http.get("/oauth/jwks")).json()["keys"]
    assert keys
    assert all("d" not in key and key["alg"] == "ES256" and key["kid"] for key in keys)


async def test_a_client_may_ask_for_less_than_it_holds(served: Served) -> None:
    answer = await served.ask(**GOOD, scope="student/name.read")
    assert answer.json()["scope"] == "student/name.read"


@pytest.mark.parametrize(
    "scope",
    [
        "student/ssn.read",
        "student/name.read student/ssn.read",
        "student/name.read student/name.read",
        "Student/Name.read",
        "student/name.READ",
        "student/nаme.read",  # a Cyrillic letter
        "ſtudent/name.read",  # a long s, which folds to an s
        "student/ｎame.read",  # a full-width letter, which normalises to an n
        "student/name.read\u0301",
        "student/name.read\u200b",
        "student/name.read\0",
        "student/name.read,section/schedule.read",
        "student/name.read  section/schedule.read",
        " student/name.read",
        "student/name.read ",
        "student/name.read\tsection/schedule.read",
        "student/name",
        "*",
        " ",
    ],
)
async def test_threat_16_a_scope_not_held_exactly_is_refused_and_never_narrowed(served: Served, scope: str) -> None:
    refusal(await served.ask(**GOOD, scope=scope), 400, "invalid_scope")


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scope=st.text(min_size=1, max_size=40).filter(lambda text: not set(text.split(" ")) <= SCOPES))
async def test_threat_16_no_text_but_registered_scopes_gives_a_token(served: Served, scope: str) -> None:
    answer = await served.ask(**GOOD, scope=scope.encode("utf-8", "replace").decode())
    refusal(answer, 400, "invalid_scope")


async def test_threat_16_one_client_is_no_other_whose_id_looks_alike(served: Served) -> None:
    for name in ("Readwell", "readwelĺ", "rеadwell", "readwell ", "readwell%20", "readwell\0"):
        text = base64.b64encode(f"{quote(name)}:{served.secret}".encode()).decode()
        answer = await served.http.post("/oauth/token", data=GOOD, headers={"Authorization": f"Basic {text}"})
        refusal(answer, 401, "invalid_client")
        served.clock.now += 60
    with pytest.raises(UsageError, match="readwell"):
        await add_client(served.control, "ReadWell", scopes=SCOPES, now=served.clock())


async def test_threat_16_what_is_registered_twice_is_held_once(served: Served) -> None:
    scopes = [*SCOPES, *SCOPES]
    secret = await add_client(served.control, "mathlab", scopes=scopes, now=served.clock())
    answer = await served.ask(**GOOD, purpose="instruction", auth=("mathlab", secret))
    assert answer.json()["scope"].split() == sorted(SCOPES)


@pytest.mark.parametrize(
    "resource",
    [
        None,
        "",
        f"{ISSUER}/spaces/tx/other",
        f"{RESOURCE}/",
        f"{RESOURCE}?a=1",
        RESOURCE.upper(),
        "tx/grand-bend",
        "https://elsewhere.example/spaces/tx/grand-bend",
    ],
)
async def test_a_token_is_for_a_known_space_and_no_other(served: Served, resource: str | None) -> None:
    form = {"grant_type": "client_credentials"} | ({} if resource is None else {"resource": resource})
    refusal(await served.ask(**form), 400, "invalid_target")


async def test_the_purpose_may_be_left_out_when_there_is_one_grant(served: Served) -> None:
    served.purposes[RESOURCE.partition("/spaces/")[2], "readwell"] = ("instruction", "rostering")
    assert "instruction, rostering" in refusal(await served.ask(**GOOD), 400, "invalid_request")
    assert (await served.ask(**GOOD, purpose="rostering")).json()["purpose"] == "rostering"


async def test_without_a_grant_the_purpose_must_be_named_and_the_token_is_given(served: Served) -> None:
    served.purposes.clear()
    assert "no grant" in refusal(await served.ask(**GOOD), 400, "invalid_request")
    assert (await served.ask(**GOOD, purpose="instruction")).status_code == 200
    refusal(await served.ask(**GOOD, purpose="two words"), 400, "invalid_request")


async def test_threat_17_whoever_is_not_authenticated_gets_one_and_the_same_answer(served: Served) -> None:
    await add_client(served.control, "gone", scopes=SCOPES, now=served.clock())
    await set_state(served.control, "gone", State.REVOKED)
    text = base64.b64encode(b"readwell").decode()
    proofs: list[dict[str, Any]] = [
        {"auth": ("readwell", "wrong")},
        {"auth": ("readwell", "")},
        {"auth": ("nobody", served.secret)},
        {"auth": ("gone", "wrong")},
        {"auth": ("", "")},
        {"auth": ("no client\u0000", "x")},
        {"headers": {}},
        {"headers": {"Authorization": f"Basic {text}"}},
        {"headers": {"Authorization": "Basic ????"}},
        {"headers": {"Authorization": "Basic /////w=="}},
        {"headers": {"Authorization": "Bearer x"}},
        {"client_id": "readwell", "client_secret": served.secret},  # only Basic is offered
        {"client_id": "readwell"},
        {
            "client_assertion": "a.b.c",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        },
        {"client_id": "other", "auth": ("readwell", served.secret)},
    ]
    seen = set()
    for number, proof in enumerate(proofs):
        served.clock.now += 60 * number  # never past the limit
        sent = {name: proof.pop(name) for name in ("auth", "headers") if name in proof}
        answer = await served.http.post("/oauth/token", data=GOOD | proof, **sent)
        refusal(answer, 401, "invalid_client")
        seen.add((answer.text, tuple(answer.headers.items())))
    assert len(seen) == 1
    assert dict(next(iter(seen))[1])["www-authenticate"].startswith("Basic ")


async def test_a_suspended_client_gets_no_token_until_it_is_resumed(served: Served) -> None:
    await set_state(served.control, "readwell", State.SUSPENDED)
    refusal(await served.ask(**GOOD), 400, "unauthorized_client")
    refusal(await served.ask(**GOOD, auth=("readwell", "wrong")), 401, "invalid_client")  # only itself is told
    await set_state(served.control, "readwell", State.ACTIVE)
    await served.token()


async def test_a_new_secret_takes_over_from_the_old_one_after_a_while(served: Served) -> None:
    new = await rotate(served.control, "readwell", now=served.clock(), overlap=60)
    assert (await served.ask(**GOOD)).status_code == 200
    assert (await served.ask(**GOOD, auth=("readwell", new))).status_code == 200
    served.clock.now += 59
    newest = await rotate(served.control, "readwell", now=served.clock(), overlap=60)  # which puts no end off
    assert (await served.ask(**GOOD)).status_code == 200
    served.clock.now += 1
    refusal(await served.ask(**GOOD), 401, "invalid_client")
    for secret in (new, newest):
        assert (await served.ask(**GOOD, auth=("readwell", secret))).status_code == 200


async def test_a_secret_that_leaked_ends_at_once(served: Served) -> None:
    new = await rotate(served.control, "readwell", now=served.clock(), overlap=0)
    refusal(await served.ask(**GOOD), 401, "invalid_client")
    assert (await served.ask(**GOOD, auth=("readwell", new))).status_code == 200


async def test_too_many_failures_must_wait_for_the_next_minute(served: Served) -> None:
    served.clock.now += 60 - served.clock.now % 60
    for _ in range(5):
        refusal(await served.ask(**GOOD, auth=("readwell", "wrong")), 401, "invalid_client")
    answer = await served.ask(**GOOD)
    refusal(answer, 429, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "60"
    assert (await served.ask(**GOOD, auth=("other", "x"))).status_code == 401  # another client from there may try
    served.clock.now += 60
    await served.token()


async def test_the_limit_is_the_installation_s_and_not_a_worker_s(served: Served) -> None:
    from starlette.applications import Starlette

    from app.web.oauth import routes

    for _ in range(5):
        await served.ask(**GOOD, auth=("readwell", "wrong"))
    other = httpx.ASGITransport(Starlette(routes=routes(served.another())))
    async with httpx.AsyncClient(transport=other, base_url=ISSUER) as http:
        answer = await http.post("/oauth/token", data=GOOD, auth=("readwell", served.secret))
    refusal(answer, 429, "temporarily_unavailable")


async def test_an_address_that_guesses_at_many_clients_must_wait_too(served: Served) -> None:
    statuses = [(await served.ask(**GOOD, auth=(f"client-{n}", "x"))).status_code for n in range(51)]
    assert statuses == [401] * 50 + [429]


async def test_a_stranger_elsewhere_cannot_lock_a_vendor_out(served: Served) -> None:
    elsewhere = httpx.ASGITransport(served.application, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url=ISSUER) as http:
        for _ in range(8):
            await http.post("/oauth/token", data=GOOD, auth=("readwell", "wrong"))
    await served.token()


async def test_forms_are_forms_and_every_parameter_stands_once(served: Served) -> None:
    http, proof = served.http, ("readwell", served.secret)
    form = f"grant_type=client_credentials&resource={RESOURCE}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    refusal(await http.post("/oauth/token", json=GOOD, auth=proof), 415, "invalid_request")
    refusal(await http.post("/oauth/token", content=form, auth=proof), 415, "invalid_request")
    zipped = kind | {"Content-Encoding": "gzip"}
    refusal(await http.post("/oauth/token", content=form, headers=zipped, auth=proof), 415, "invalid_request")
    for more in ("&scope=student/name.read&scope=student/name.read", f"&resource={RESOURCE}", "&grant_type=x"):
        refusal(await http.post("/oauth/token", content=form + more, headers=kind, auth=proof), 400, "invalid_request")
    refusal(await http.post("/oauth/token", content=form + "&a=%ff", headers=kind, auth=proof), 400, "invalid_request")
    many = "&".join(f"a{n}=1" for n in range(40))
    refusal(await http.post("/oauth/token", content=many, headers=kind, auth=proof), 400, "invalid_request")
    refusal(
        await http.post("/oauth/token", content="a=" + "b" * 70_000, headers=kind, auth=proof), 413, "invalid_request"
    )
    refusal(await http.post("/oauth/token?scope=a", content=form, headers=kind, auth=proof), 400, "invalid_request")
    for method in ("GET", "PUT", "OPTIONS", "TRACE", "FORGE"):
        answer = await http.request(method, "/oauth/token")
        refusal(answer, 405, "invalid_request")
        assert answer.headers["allow"] == "POST"


async def test_the_grant_type_is_client_credentials(served: Served) -> None:
    refusal(await served.ask(resource=RESOURCE), 400, "invalid_request")
    for grant_type in ("password", "authorization_code", "refresh_token", 'x"\u00e9'):
        refusal(await served.ask(grant_type=grant_type, resource=RESOURCE), 400, "unsupported_grant_type")


async def test_an_empty_parameter_counts_as_left_out(served: Served) -> None:
    assert (await served.ask(**GOOD, scope="", purpose="", client_id="")).status_code == 200


async def test_a_control_database_that_does_not_answer_gives_503_and_says_nothing_of_itself(served: Served) -> None:
    from sqlalchemy import text

    async with served.control.begin() as connection:
        await connection.execute(text("ALTER TABLE client RENAME TO elsewhere"))
    answer = await served.ask(**GOOD)
    sentence = refusal(answer, 503, "temporarily_unavailable")
    assert "client" not in sentence.replace("tell the operator", "")
    assert answer.headers["retry-after"]


async def test_no_secret_is_kept_in_clear(served: Served) -> None:
    for file in served.settings.home.glob("control.db*"):
        assert served.secret.encode() not in file.read_bytes()
