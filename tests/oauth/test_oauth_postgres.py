"""The same promises where PostgreSQL keeps the control database."""

import json

import pytest
from joserfc import jws

from app.errors import Unauthenticated

from . import test_oauth_assertion as assertion
from . import test_oauth_token as token
from .conftest import RESOURCE, Served

pytestmark = pytest.mark.anyio


@pytest.fixture
def control_url(postgres_url: str) -> str:
    return postgres_url


async def test_a_token_is_got_used_and_revoked(served: Served) -> None:
    header = f"Bearer {await served.token()}"
    assert served.authorization.caller(header).client == "readwell"
    assert (await served.ask("/oauth/revoke", token=header.partition(" ")[2])).status_code == 200
    with pytest.raises(Unauthenticated):
        served.authorization.caller(header)


async def test_an_assertion_is_good_once(served: Served) -> None:
    await assertion.test_threat_13_of_many_servers_at_once_one_alone_takes_an_assertion(served)


async def test_failures_are_counted(served: Served) -> None:
    await token.test_too_many_failures_must_wait_for_the_next_minute(served)


async def test_a_client_id_that_the_database_could_not_even_hold_is_unknown(served: Served) -> None:
    answer = await served.ask(grant_type="client_credentials", resource=RESOURCE, auth=("a\0b", "x"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_an_assertion_s_jti_may_hold_anything(served: Served) -> None:
    await assertion.signer(served)
    for jti in ("a\0b", "\ud800", "x" * 5000):
        claims = json.dumps(assertion.claims(served, jti=jti))
        proof = jws.serialize_compact({"alg": "ES256"}, claims, assertion.KEY, algorithms=["ES256"])
        assert (await assertion.present(served, proof)).status_code == 200
