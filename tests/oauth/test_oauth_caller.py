"""A caller is known by a token of ours alone, for as long as it stands."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from app.errors import Unauthenticated
from app.names import ClientId
from app.oauth import authorization as room
from app.oauth import keys as keys_room
from app.oauth.caller import Caller, Standing
from app.oauth.clients import State, add_client, set_state
from app.oauth.keys import OVERLAP, add_key, drop_others, read_keys

from .conftest import ISSUER, RESOURCE, SCOPES, SPACE, Served

pytestmark = pytest.mark.anyio

CLIENT = ClientId("readwell")


def refused(served: Served, header: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        served.authorization.caller(header)
    assert error.value.challenge == "invalid_token"
    return error.value.message


def by_hmac(header: dict[str, Any], claims: dict[str, Any], key: ECKey) -> str:
    """HS256 with the public key for a secret. No library of today signs so; an attacker does."""
    text = f"{part(header)}.{part(claims)}"
    digest = hmac.digest(key.as_pem(private=False), text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_a_caller_is_what_its_token_says(served: Served) -> None:
    token = await served.token(scope="student/name.read")
    caller = served.authorization.caller(f"Bearer {token}")
    assert caller == Caller(
        CLIENT, SPACE, "instruction", frozenset({"student/name.read"}), caller.jti, served.clock() + 300
    )
    assert served.authorization.caller(f"bearer {token}") is caller


async def test_no_header_is_told_from_a_bad_token_and_nothing_else_is(served: Served) -> None:
    with pytest.raises(Unauthenticated) as error:
        served.authorization.caller(None)
    assert error.value.challenge is None
    token = await served.token()
    wrong = ["", "Bearer", "Bearer ", f"Basic {token}", token, f"Bearer {token}x", f"Bearer  {token}"]
    wrong += [
        "Bearer a.b.c",
        "Bearer ..",
        "Bearer é",
        "Bearer " + "a" * 100_000,
        f"Bearer {'W3tb' * 1000}.{'W' * 999}.x",
    ]
    assert len({refused(served, header) for header in wrong}) == 1


async def test_threat_13_a_token_ends_to_the_second_and_no_later_than_five_minutes(served: Served) -> None:
    header = f"Bearer {await served.token()}"
    for wait in (0, 299):
        served.clock.now += wait
        assert served.authorization.caller(header)
    served.clock.now += 1
    refused(served, header)


async def test_threat_34_a_token_of_the_future_is_refused_when_the_clock_jumps_back(served: Served) -> None:
    header = f"Bearer {await served.token()}"
    served.clock.now -= 3600
    refused(served, header)


async def test_threat_14_every_header_but_our_own_is_refused(served: Served) -> None:
    token = await served.token()
    _, body, signature = token.split(".")
    keys = read_keys(served.settings.keys_folder, 300)
    key = keys.signing(served.clock())
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    good = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    other = ECKey.generate_key("P-256", private=True)

    def signed(header: dict[str, Any], by: ECKey = key) -> str:
        return jwt.encode(header, claims, by, algorithms=["ES256"], default_type=None)

    assert (
        served.authorization.caller(f"Bearer {signed(good)}").client == CLIENT
    )  # so that each below fails by its header
    headers: list[dict[str, Any]] = [
        {**good, "typ": "JWT"},
        {**good, "typ": "application/at+jwt"},
        {**good, "typ": "AT+JWT"},
        {name: value for name, value in good.items() if name != "typ"},
        {name: value for name, value in good.items() if name != "kid"},
        {**good, "cty": "JWT"},
        {**good, "jwk": dict(other.as_dict(private=False))},
        {**good, "jku": "https://elsewhere.example/jwks"},
        {**good, "b64": True, "crit": ["b64"]},
        {**good, "kid": "unknown"},
    ]
    forged = [signed(header) for header in headers]
    forged += [signed(good, other), by_hmac({**good, "alg": "HS256"}, claims, key)]
    forged += [f"{part({**good, 'alg': 'none'})}.{body}.", f"{part({**good, 'alg': 'none'})}.{body}.{signature}"]
    forged += [f"{part(good)}.{part({**claims, 'client_id': 'other'})}.{signature}", f"{part(good)}.{body}."]
    assert len({refused(served, f"Bearer {token}") for token in forged}) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": ISSUER},
        {"aud": f"{ISSUER}/spaces/tx/other"},
        {"aud": [RESOURCE]},
        {"client_id": "unknown"},
        {"exp": "300"},
        {"exp": None},
        {"exp": 10**20 + 0.5},
        {"scope": 7},
        {"scope": ["student/name.read"]},
        {"purpose": None},
        {"jti": None},
    ],
    ids=str,
)
async def test_threat_13_what_our_key_signed_for_another_end_is_refused(
    served: Served, changed: dict[str, object]
) -> None:
    token = await served.token()
    key = read_keys(served.settings.keys_folder, 300).signing(served.clock())
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")) | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    refused(served, "Bearer " + jwt.encode(header, claims, key, algorithms=["ES256"]))


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.one_of(
        st.text(max_size=60), st.text(max_size=60).map("Bearer ".__add__), st.from_regex(r"Bearer \S*\.\S*\.\S*")
    )
)
async def test_no_header_is_anything_but_refused(served: Served, header: str) -> None:
    refused(served, header)


async def test_a_revoked_token_is_refused_at_once_here_and_elsewhere_when_it_follows(served: Served) -> None:
    token = await served.token()
    elsewhere = served.another()
    await elsewhere.follow()
    assert elsewhere.caller(f"Bearer {token}")
    answer = await served.ask("/oauth/revoke", token=token, token_type_hint="access_token")
    assert (answer.status_code, answer.json(), answer.headers["cache-control"]) == (200, {}, "no-store")
    refused(served, f"Bearer {token}")
    assert elsewhere.caller(f"Bearer {token}")
    await elsewhere.follow()
    with pytest.raises(Unauthenticated):
        elsewhere.caller(f"Bearer {token}")
    await served.token()  # the client itself goes on


async def test_a_client_revokes_its_own_tokens_alone(served: Served) -> None:
    other = await add_client(served.control, "mathlab", scopes=SCOPES, now=served.clock())
    token = await served.token()
    answer = await served.ask("/oauth/revoke", auth=("mathlab", other), token=token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert served.authorization.caller(f"Bearer {token}")
    assert (await served.ask("/oauth/revoke", auth=("mathlab", "wrong"), token=token)).status_code == 401
    assert (await served.ask("/oauth/revoke")).json()["error"] == "invalid_request"
    for garbage in ("x", "a.b.c", "é", token + "x"):
        assert (await served.ask("/oauth/revoke", token=garbage, token_type_hint="refresh_token")).status_code == 200


async def test_a_suspended_client_is_known_and_stands_suspended_and_a_revoked_one_is_unknown(served: Served) -> None:
    header = f"Bearer {await served.token()}"
    for state, standing in ((State.SUSPENDED, Standing(SCOPES, True)), (State.ACTIVE, Standing(SCOPES, False))):
        await set_state(served.control, CLIENT, state)
        await served.authorization.follow()
        assert served.authorization.standing(CLIENT) == standing
        assert served.authorization.caller(header)
    await set_state(served.control, CLIENT, State.REVOKED)
    await served.authorization.follow()
    refused(served, header)
    assert served.authorization.standing(CLIENT) == Standing(frozenset(), True)


async def test_a_client_added_just_now_can_use_its_token_at_once(served: Served) -> None:
    secret = await add_client(served.control, "newcomer", scopes=SCOPES, now=served.clock())
    answer = await served.ask(
        grant_type="client_credentials", resource=RESOURCE, purpose="p", auth=("newcomer", secret)
    )
    assert served.authorization.caller(f"Bearer {answer.json()['access_token']}").client == "newcomer"


async def test_before_it_has_followed_it_knows_nobody(served: Served) -> None:
    token = await served.token()
    with pytest.raises(Unauthenticated):
        served.another().caller(f"Bearer {token}")


async def test_remembered_tokens_are_bounded(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CACHED", 3)
    headers = [f"Bearer {await served.token()}" for _ in range(5)]
    first = [served.authorization.caller(header) for header in headers]
    again = [served.authorization.caller(header) for header in reversed(headers)]
    assert again == list(reversed(first))
    assert sum(one is other for one, other in zip(again, reversed(first), strict=True)) == 3


async def test_threat_15_a_new_key_takes_over_while_the_old_one_still_verifies(served: Served) -> None:
    old = await served.token()
    before = (await served.http.get("/oauth/jwks")).json()["keys"]
    kid = add_key(served.settings.keys_folder, now=served.clock())
    await served.authorization.follow()
    after = (await served.http.get("/oauth/jwks")).json()["keys"]
    assert {key["kid"] for key in after} == {key["kid"] for key in before} | {kid}
    assert signing_kid(await served.token()) != kid  # other servers may not know it yet
    served.clock.now += OVERLAP
    new = await served.token()
    assert signing_kid(new) == kid
    assert served.authorization.caller(f"Bearer {old}").client == served.authorization.caller(f"Bearer {new}").client


def signing_kid(token: str) -> str:
    kid: str = json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))["kid"]
    return kid


async def test_threat_15_a_flood_of_unknown_keys_reads_no_key_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await served.token()
    _, body, signature = token.split(".")
    reads: list[object] = []
    read, stamp = keys_room._read, keys_room._stamp
    monkeypatch.setattr(keys_room, "_read", lambda *given: reads.append(given) or read(*given))
    monkeypatch.setattr(keys_room, "_stamp", lambda *given: reads.append(given) or stamp(*given))
    for number in range(500):
        header = {"alg": "ES256", "typ": "at+jwt", "kid": f"flood-{number}"}
        forged = f"{part(header)}.{body}.{signature}"
        refused(served, f"Bearer {forged}")
        if number % 50 == 0:
            assert (await served.ask("/oauth/introspect", token=forged)).json() == {"active": False}
            assert (await served.ask("/oauth/revoke", token=forged)).status_code == 200
    assert len(reads) == 10  # a revocation follows what changed: one look at the folder's files, which reads none
    assert served.authorization.caller(f"Bearer {token}")


async def test_threat_15_a_key_that_is_taken_away_takes_its_tokens_with_it(served: Served) -> None:
    header = f"Bearer {await served.token()}"
    assert served.authorization.caller(header)  # remembered
    new = add_key(served.settings.keys_folder, now=served.clock())
    drop_others(served.settings.keys_folder, new)
    await served.authorization.follow()
    refused(served, header)
    assert served.authorization.caller(f"Bearer {await served.token()}")


async def test_keys_that_cannot_be_read_leave_those_before_in_use(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    token = await served.token()
    (served.settings.keys_folder / "oauth" / "broken.json").write_text("{")
    for _ in range(5):
        await served.authorization.follow()
    assert [record.message for record in caplog.records] == ["signing keys not read"]  # said once
    assert served.authorization.caller(f"Bearer {token}")
    await served.token()


async def test_the_operator_mints_a_token_that_is_like_any(served: Served) -> None:
    token = await served.authorization.mint("readwell", SPACE)
    caller = served.authorization.caller(f"Bearer {token}")
    assert (caller.client, caller.space, caller.purpose, caller.scopes) == (CLIENT, SPACE, "instruction", SCOPES)
