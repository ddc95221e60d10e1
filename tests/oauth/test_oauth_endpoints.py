"""A client looks at its own tokens and takes them back; of another's it learns nothing."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.oauth.clients import State, add_client, set_state
from app.oauth.keys import OVERLAP, add_key
from app.storage import control as tables
from app.storage.published import change_number

from .conftest import ISSUER, RESOURCE, SCOPES, Served
from .test_oauth_assertion import TYPE, claims, signed, signer

pytestmark = pytest.mark.anyio

INACTIVE = {"active": False}


async def look(served: Served, token: str, auth: Any = None, **more: str) -> dict[str, Any]:
    answer = await served.ask("/oauth/introspect", auth=auth, token=token, **more)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
    body: dict[str, Any] = answer.json()
    return body


async def other(served: Served) -> tuple[str, str]:
    """Another client, by its proof."""
    secret = await add_client(served.control, "mathlab", scopes=SCOPES, now=served.clock())
    assert secret is not None
    return "mathlab", secret


async def test_a_client_sees_all_that_its_own_token_says(served: Served) -> None:
    token = await served.token(scope="student/name.read")
    caller = served.authorization.caller(f"Bearer {token}")
    for hint in ({}, {"token_type_hint": "access_token"}, {"token_type_hint": "refresh_token"}):
        assert await look(served, token, **hint) == {
            "active": True,
            "token_type": "Bearer",
            "client_id": "readwell",
            "sub": "readwell",
            "iss": ISSUER,
            "aud": RESOURCE,
            "scope": "student/name.read",
            "purpose": "instruction",
            "iat": served.clock(),
            "exp": served.clock() + 300,
            "jti": caller.jti,
        }


async def test_another_s_token_and_every_one_that_is_not_good_look_alike(served: Served) -> None:
    mathlab = await other(served)
    revoked, token = await served.token(), await served.token()
    await served.ask("/oauth/revoke", token=revoked)
    answers = [await look(served, text) for text in ("x", "a.b.c", "é", token + "x", "[" * 9000, revoked)]
    answers.append(await look(served, token, auth=mathlab))
    answers.append(await look(served, revoked, auth=mathlab))
    served.clock.now += 299
    assert (await look(served, token))["active"]
    served.clock.now += 1
    answers.append(await look(served, token))
    assert answers == [INACTIVE] * len(answers)


async def test_introspection_says_what_the_graph_would_say(served: Served) -> None:
    header = f"Bearer {await served.token()}"
    token = header.removeprefix("Bearer ")
    elsewhere = served.another()
    await elsewhere.follow()
    assert elsewhere.caller(header)
    served.clock.now -= 3600  # a clock that jumps back
    assert await look(served, token) == INACTIVE
    served.clock.now += 3600
    await set_state(served.control, "readwell", State.SUSPENDED)
    assert await look(served, token) == INACTIVE
    await set_state(served.control, "readwell", State.ACTIVE)
    assert (await look(served, token))["active"]


async def test_introspection_of_one_server_knows_at_once_what_another_took_back(served: Served) -> None:
    token = await served.token()
    await served.another().follow()
    await served.ask("/oauth/revoke", token=token)
    assert await look(served, token) == INACTIVE


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
async def test_nobody_but_a_registered_client_with_its_own_proof_may_ask_about_tokens(
    served: Served, path: str
) -> None:
    token = await served.token()
    await add_client(served.control, "gone", scopes=SCOPES, now=served.clock())
    await set_state(served.control, "gone", State.REVOKED)
    proofs: list[dict[str, Any]] = [
        {"auth": ("readwell", "wrong")},
        {"auth": ("nobody", served.secret)},
        {"auth": ("gone", "x")},
        {"headers": {"Authorization": f"Bearer {token}"}},  # a token proves nothing here
        {"data": {"token": token, "client_id": "readwell"}},
        {"data": {"token": token, "client_id": "readwell", "client_secret": served.secret}},
        {"data": {"token": token, "client_assertion_type": TYPE, "client_assertion": token}},
    ]
    answers = [await served.http.post(path, **{"data": {"token": token}, **proof}) for proof in proofs]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert served.authorization.caller(f"Bearer {token}")


async def test_a_client_that_signs_for_itself_looks_and_takes_back(served: Served) -> None:
    await signer(served)

    async def present(path: str, audience: str, **form: str) -> httpx.Response:
        proof = {"client_assertion_type": TYPE, "client_assertion": signed(claims(served, aud=audience))}
        return await served.http.post(path, data=form | proof)

    form = {"grant_type": "client_credentials", "resource": RESOURCE, "purpose": "instruction"}
    token = (await present("/oauth/token", ISSUER, **form)).json()["access_token"]
    assert (await present("/oauth/introspect", ISSUER, token=token)).json()["active"]
    assert (await present("/oauth/introspect", f"{ISSUER}/oauth/introspect", token=token)).json()["active"]
    assert (await present("/oauth/revoke", f"{ISSUER}/oauth/revoke", token=token)).status_code == 200
    assert (await present("/oauth/introspect", ISSUER, token=token)).json() == INACTIVE


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
async def test_the_token_must_be_named_once(served: Served, path: str) -> None:
    answer = await served.ask(path, token="")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = await served.http.post(
        path, content="token=a&token=b", headers=kind, auth=httpx.BasicAuth("readwell", served.secret)
    )
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert (await served.http.get(path)).status_code == 405


async def test_what_is_not_good_any_more_is_taken_back_alike_and_stirs_no_server(served: Served) -> None:
    mathlab = await other(served)
    token = await served.token()
    answers = [await served.ask("/oauth/revoke", token=token)]
    number = await change_number(served.control)
    for text in (token, "x", "a.b.c", "é", "[" * 9000):
        answers.append(await served.ask("/oauth/revoke", token=text))
        answers.append(await served.ask("/oauth/revoke", auth=mathlab, token=text))
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "{}")}
    assert await change_number(served.control) == number


async def test_a_client_that_is_suspended_may_still_take_its_tokens_back(served: Served) -> None:
    token = await served.token()
    await set_state(served.control, "readwell", State.SUSPENDED)
    assert (await served.ask("/oauth/revoke", token=token)).status_code == 200
    await set_state(served.control, "readwell", State.ACTIVE)
    assert await look(served, token) == INACTIVE


async def test_what_was_taken_back_is_kept_for_as_long_as_it_could_be_used(served: Served) -> None:
    await served.ask("/oauth/revoke", token=await served.token())
    served.clock.now += 301
    await served.ask("/oauth/revoke", token=await served.token())
    async with served.control.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(tables.revoked_jti)) == 1


async def test_a_token_of_a_former_key_is_looked_at_and_taken_back_until_it_ends(served: Served) -> None:
    add_key(served.settings.keys_folder, now=served.clock())
    await served.authorization.follow()
    served.clock.now += OVERLAP - 1
    tokens = [await served.token() for _ in range(2)]
    served.clock.now += 299  # the other key signs by now
    await served.token()
    assert (await look(served, tokens[0]))["active"]
    assert (await served.ask("/oauth/revoke", token=tokens[1])).status_code == 200
    assert await look(served, tokens[1]) == INACTIVE
