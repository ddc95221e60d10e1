"""Clients that we did not write get their tokens over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import requests
import uvicorn
from anyio.to_thread import run_sync
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey
from oauthlib.oauth2 import BackendApplicationClient, InvalidScopeError
from requests_oauthlib import OAuth2Session

from app.oauth.clients import add_client

from .conftest import ISSUER, RESOURCE, SCOPES, Served

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url(served: Served) -> AsyncIterator[str]:
    """The authorization server on a real socket. It is known by its issuer's name, as behind a proxy."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(served.application, lifespan="off", log_config=None, ws="none"))
    running = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await running


async def test_authlib_s_client_gets_and_revokes_a_token(served: Served, url: str) -> None:
    async with AsyncOAuth2Client("readwell", served.secret, scope="student/name.read") as client:
        token = await client.fetch_token(f"{url}/oauth/token", resource=RESOURCE)
        caller = served.authorization.caller(f"Bearer {token['access_token']}")
        assert (caller.client, caller.scopes) == ("readwell", {"student/name.read"})
        assert token["expires_in"] == 300
        assert (await client.revoke_token(f"{url}/oauth/revoke")).status_code == 200
        with pytest.raises(OAuthError) as refused:
            await client.fetch_token(f"{url}/oauth/token", resource=f"{ISSUER}/spaces/tx/other")
        assert refused.value.error == "invalid_target"


async def test_authlib_s_client_signs_for_itself(served: Served, url: str) -> None:
    key = ECKey.generate_key("P-256", private=True)
    jwks = {"keys": [key.as_dict(private=False)]}
    await add_client(served.control, "signer", scopes=SCOPES, jwks=jwks, now=served.clock())
    async with AsyncOAuth2Client("signer", key, token_endpoint_auth_method="private_key_jwt") as client:
        client.register_client_auth_method(PrivateKeyJWT(f"{ISSUER}/oauth/token", alg="ES256"))
        token = await client.fetch_token(f"{url}/oauth/token", resource=RESOURCE, purpose="instruction")
    assert served.authorization.caller(f"Bearer {token['access_token']}").client == "signer"


async def test_requests_oauthlib_gets_a_token(served: Served, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # loopback

    def fetch(**more: str) -> str:
        with OAuth2Session(client=BackendApplicationClient("readwell")) as session:
            proof = {"client_id": "readwell", "client_secret": served.secret}
            token: str = session.fetch_token(f"{url}/oauth/token", **proof, resource=RESOURCE, **more)["access_token"]
            return token

    caller = served.authorization.caller(f"Bearer {await run_sync(fetch)}")
    assert (caller.client, caller.purpose, caller.scopes) == ("readwell", "instruction", SCOPES)
    with pytest.raises(InvalidScopeError):
        await run_sync(lambda: fetch(scope="student/ssn.read"))


async def test_a_client_finds_everything_by_itself(served: Served, url: str) -> None:
    """From a space's metadata to the server's, to the token endpoint, as RFC 9728 §5 has it."""

    def discover() -> tuple[dict[str, object], dict[str, object]]:
        space = requests.get(f"{url}/.well-known/oauth-protected-resource/spaces/tx/grand-bend", timeout=5).json()
        assert space["authorization_servers"] == [ISSUER]
        server = requests.get(f"{url}/.well-known/oauth-authorization-server", timeout=5).json()
        return space, server

    space, server = await run_sync(discover)
    assert (space["resource"], server["token_endpoint"]) == (RESOURCE, f"{ISSUER}/oauth/token")
