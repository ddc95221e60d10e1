"""A client that signs for itself: each assertion is its own, for us, for now, and good once."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from joserfc import jwk, jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette

from app.oauth.clients import add_client, rotate
from app.web.oauth import routes

from .conftest import ISSUER, RESOURCE, SCOPES, Served

pytestmark = pytest.mark.anyio

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {
    "grant_type": "client_credentials",
    "resource": RESOURCE,
    "purpose": "instruction",
    "client_assertion_type": TYPE,
}
KEY = ECKey.generate_key("P-256", private=True)
RSA = RSAKey.generate_key(2048, private=True)
PUBLIC = {"keys": [KEY.as_dict(private=False)]}

Change = Callable[[dict[str, Any], Served], None]


async def signer(served: Served, jwks: object = PUBLIC) -> None:
    assert await add_client(served.control, "signer", scopes=SCOPES, jwks=jwks, now=served.clock()) is None


def claims(served: Served, **changed: object) -> dict[str, Any]:
    now = int(served.clock())
    good = {"iss": "signer", "sub": "signer", "aud": f"{ISSUER}/oauth/token", "iat": now, "exp": now + 60}
    return {**good, "jti": secrets.token_hex(8), **changed}


def signed(payload: dict[str, Any], key: Any = KEY, alg: str = "ES256", **header: object) -> str:
    return jwt.encode({"alg": alg, **header}, payload, key, algorithms=[alg])


async def present(served: Served, assertion: str, path: str = "/oauth/token", **form: str) -> httpx.Response:
    return await served.http.post(path, data={**FORM, **form, "client_assertion": assertion})


async def test_an_assertion_for_issuer_or_endpoint_gets_a_token(served: Served) -> None:
    await signer(served)
    for audience in (ISSUER, f"{ISSUER}/oauth/token", [ISSUER]):
        answer = await present(served, signed(claims(served, aud=audience)))
        assert answer.status_code == 200, answer.text
        assert served.authorization.caller(f"Bearer {answer.json()['access_token']}").client == "signer"


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
async def test_a_client_may_sign_by_rsa(served: Served, alg: str) -> None:
    await signer(served, {"keys": [RSA.as_dict(private=False)]})
    assert (await present(served, signed(claims(served), RSA, alg))).status_code == 200


async def test_threat_13_an_assertion_is_good_once(served: Served) -> None:
    await signer(served)
    assertion = signed(claims(served))
    assert (await present(served, assertion)).status_code == 200
    assert (await present(served, assertion)).status_code == 401
    for path in ("/oauth/introspect", "/oauth/revoke"):  # nor at another door
        assert (await present(served, assertion, path, token="x")).status_code == 401
    same = claims(served, jti="again", exp=int(served.clock()) + 90)
    assert (await present(served, signed(same))).status_code == 200
    assert (await present(served, signed({**same, "exp": same["exp"] + 1}))).status_code == 401


async def test_threat_13_of_many_servers_at_once_one_alone_takes_an_assertion(served: Served) -> None:
    await signer(served)
    assertion, statuses = signed(claims(served)), []

    async def one() -> None:
        transport = httpx.ASGITransport(Starlette(routes=routes(served.another())))
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
            answer = await http.post("/oauth/token", data={**FORM, "client_assertion": assertion})
            statuses.append(answer.status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(one)
    assert sorted(statuses) == [200, 401, 401, 401, 401]


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": [ISSUER, "https://elsewhere.example"]},
        {"aud": RESOURCE},
        {"iss": "other"},
        {"sub": "other", "iss": "other"},
        {"sub": 7, "iss": 7},
        {"sub": "readwell", "iss": "readwell"},  # known, but has a secret and no key
        {"jti": None},
        {"jti": 5},
        {"jti": ""},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": float("nan")},
        {"exp": 10**30},
        {"nbf": 10**10},
        {"iat": 10**10},
    ],
    ids=str,
)
async def test_an_assertion_that_is_not_its_own_for_us_and_for_now_is_refused(
    served: Served, changed: dict[str, object]
) -> None:
    await signer(served)
    payload = {name: value for name, value in claims(served, **changed).items() if value is not None}
    answer = await present(served, signed(payload))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_threat_14_no_other_key_and_no_other_algorithm_will_do(served: Served) -> None:
    await signer(served)
    other = ECKey.generate_key("P-256", private=True)
    embedded: Any = other.as_dict(private=False)
    unsigned = f"{jws_part({'alg': 'none'})}.{jws_part(claims(served))}."
    forged = [
        signed(claims(served), other),
        by_hmac(claims(served)),
        signed(claims(served), other, jwk=embedded),
        signed(claims(served), kid="another"),
        by_hand({"alg": "ES256", "kid": ["another"]}, claims(served)),
        by_hand({"alg": "ES256", "crit": ["homeroom"], "homeroom": 1}, claims(served)),
        by_hand({"alg": "ES256", "crit": ["b64"], "b64": False}, claims(served)),
        by_hand({"alg": "none"}, claims(served)),
        unsigned,
        f"{jws_part({'alg': 'ES256'})}.{jws_part(claims(served))}.",
        "",
        "....",
        "é.é.é",
        "[" * 5000 + "." + "[" * 5000 + ".",
        f"{jws_part({'alg': 'ES256'})}.{'W' * 6000}.AAAA",
        f"{jws_part({'alg': ['ES256']})}.{jws_part(claims(served))}.AAAA",
        f"{jws_part(7)}.{jws_part([1])}.AAAA",
    ]
    assert (await present(served, by_hand({"alg": "ES256"}, claims(served)))).status_code == 200
    for number, assertion in enumerate(forged):
        served.clock.now += 60 if number % 4 == 0 else 0
        answer = await present(served, assertion)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), number


def jws_part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], payload: dict[str, Any]) -> str:
    """Whatever the header says, signed by the client's own key."""
    text = f"{jws_part(header)}.{jws_part(payload)}"
    signature = JWSRegistry.algorithms["ES256"].sign(text.encode(), KEY)
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def by_hmac(payload: dict[str, Any]) -> str:
    """HS256 with the public key for a secret. No library of today signs so; an attacker does."""
    text = f"{jws_part({'alg': 'HS256'})}.{jws_part(payload)}"
    digest = hmac.digest(KEY.as_pem(private=False), text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


async def test_one_proof_at_a_time(served: Served) -> None:
    await signer(served)
    bare = {name: value for name, value in FORM.items() if name != "client_assertion_type"}
    for more in (
        {"client_assertion_type": TYPE, "client_assertion": signed(claims(served))},
        {"client_assertion_type": TYPE},
        {"client_secret": served.secret},
    ):
        answer = await served.http.post("/oauth/token", data=bare | more, auth=("readwell", served.secret))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_new_keys_take_over_from_the_old_ones_after_a_while(served: Served) -> None:
    await signer(served)
    new = ECKey.generate_key("P-256", private=True)
    jwks = {"keys": [new.as_dict(private=False)]}
    assert await rotate(served.control, "signer", now=served.clock(), overlap=60, jwks=jwks) is None
    for named in ({}, {"kid": "thumbprint"}):
        for key in (KEY, new):  # whether or not the assertion says which key signed it
            header = {name: key.thumbprint() for name in named}
            assert (await present(served, signed(claims(served), key, **header))).status_code == 200
    assert (await present(served, signed(claims(served), KEY, kid=new.thumbprint()))).status_code == 401
    served.clock.now += 61
    assert (await present(served, signed(claims(served), KEY))).status_code == 401
    assert (await present(served, signed(claims(served), new))).status_code == 200


async def test_a_client_goes_from_a_secret_to_keys_and_back(served: Served) -> None:
    form = {"grant_type": "client_credentials", "resource": RESOURCE}
    assert await rotate(served.control, "readwell", now=served.clock(), overlap=60, jwks=PUBLIC) is None
    mine = {"iss": "readwell", "sub": "readwell"}
    assert (await served.ask(**form)).status_code == 200
    assert (await present(served, signed(claims(served, **mine)))).status_code == 200
    served.clock.now += 61
    assert (await served.ask(**form)).status_code == 401
    secret = await rotate(served.control, "readwell", now=served.clock(), overlap=0)
    assert (await served.ask(**form, auth=("readwell", secret))).status_code == 200
    assert (await present(served, signed(claims(served, **mine)))).status_code == 401


async def test_a_client_may_have_several_keys_at_once(served: Served) -> None:
    await signer(served, {"keys": [KEY.as_dict(private=False), RSA.as_dict(private=False)]})
    assert (await present(served, signed(claims(served)))).status_code == 200
    assert (await present(served, signed(claims(served), RSA, "PS256"))).status_code == 200


async def test_threat_13_a_used_assertion_is_remembered_for_as_long_as_it_could_be_used(served: Served) -> None:
    await signer(served)
    lasting = signed(claims(served, exp=int(served.clock()) + 3600))
    assert (await present(served, lasting)).status_code == 200
    for minutes in (30, 29, 1):
        served.clock.now += minutes * 60
        await present(served, signed(claims(served)))  # which takes out what is over
        assert (await present(served, lasting)).status_code == 401


async def test_a_client_revokes_by_assertion_too(served: Served) -> None:
    await signer(served)
    token = (await present(served, signed(claims(served)))).json()["access_token"]
    proof = signed(claims(served, aud=f"{ISSUER}/oauth/revoke"))
    assert (await present(served, proof, "/oauth/revoke", token=token)).status_code == 200


@pytest.mark.parametrize(
    "jwks",
    [
        [],
        {},
        {"keys": []},
        {"keys": "x"},
        {"keys": [{}]},
        {"keys": [7]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        {"keys": [KEY.as_dict(private=True)]},
        {"keys": [KEY.as_dict(private=False)] * 9},
        {"keys": [KEY.as_dict(private=False) | {"kid": "a\nb"}]},
        {"keys": [KEY.as_dict(private=False) | {"kid": "a" * 200}]},
        {"keys": [ECKey.generate_key("P-521").as_dict(private=False)]},
        {"keys": [jwk.generate_key("OKP", "Ed25519").as_dict(private=False)]},
    ],
    ids=[
        "a list",
        "empty",
        "no keys",
        "a text",
        "no key",
        "a number",
        "secret",
        "private",
        "nine",
        "line break",
        "long name",
        "another curve",
        "Ed25519",
    ],
)
async def test_a_key_that_must_not_be_or_cannot_be_used_is_not_registered(served: Served, jwks: object) -> None:
    from app.errors import UsageError

    with pytest.raises(UsageError) as refused:
        await signer(served, jwks)
    assert refused.value.message.endswith(".")
