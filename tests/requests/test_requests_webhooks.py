"""A vendor that registered an address is told what was decided, by a token that it can check; nobody waits for it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet

from app.errors import UsageError
from app.requests.store import by_number, of_client
from app.requests.webhooks import EVENT, Webhooks, register
from app.subgraphs.endpoint import open_session
from tests.console.office import SPACE
from tests.requests.asking import Asking
from tests.requests.decisions import sent

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def listening(*statuses: int) -> AsyncIterator[tuple[str, list[tuple[str, str, str]]]]:
    """A vendor's server, which answers so, one after the other, and keeps what it was sent."""
    heard: list[tuple[str, str, str]] = []
    left = [*statuses]

    async def take(request: web.Request) -> web.Response:
        heard.append((request.path, request.headers["content-type"], await request.text()))
        status = left.pop(0) if left else 202
        return web.Response(status=status, headers={"location": "/elsewhere"} if status == 302 else {})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = site._server.sockets[0].getsockname()  # type: ignore[union-attr]
        yield f"http://127.0.0.1:{address[1]}/hook", heard
    finally:
        await runner.cleanup()


async def until(heard: list[Any], count: int = 1) -> None:
    async with asyncio.timeout(10):
        while len(heard) < count:
            await asyncio.sleep(0.02)


async def test_a_decision_is_told_in_a_token_that_the_published_keys_verify(here: Asking) -> None:
    async with listening() as (url, heard):
        await register(here.rooms.control, "readwell", url, now=0)
        number = await here.asked()
        await sent(await here.officer(), number, {"deed": "refuse", "reason": "Not needed."})
        await until(heard)
    (path, kind, body), made = heard[0], await by_number(here.rooms.control, SPACE, number)
    assert made
    assert (path, kind) == ("/hook", "application/secevent+jwt")
    token = jwt.decode(body, KeySet.import_key_set(here.rooms.authorization.jwks()), algorithms=["ES256"])  # type: ignore[arg-type]
    assert token.header["typ"] == "secevent+jwt"
    assert (token.claims["iss"], token.claims["aud"]) == (here.rooms.settings.issuer, "readwell")
    assert token.claims["events"][EVENT]["id"] == made.id
    assert token.claims["events"][EVENT]["state"] == "REFUSED"
    assert "Not needed" not in str(token.claims)
    async with await here.vendor() as vendor:
        vendor.headers["authorization"] = f"Bearer {body}"
        assert (await vendor.post("/graphql", json={"query": "{ grant { purpose } }"})).status_code == 401


async def test_what_is_not_taken_is_sent_again_a_few_times_and_a_redirect_is_not_followed(here: Asking) -> None:
    async with listening(500, 302, 202) as (url, heard):
        await register(here.rooms.control, "readwell", url, now=0)
        await here.asked()
        (made,) = await of_client(here.rooms.control, SPACE, "readwell")  # type: ignore[arg-type]
        quick = Webhooks(here.rooms.control, here.rooms.settings, pauses=(0, 0.01, 0.01, 0.01))
        quick.tell(made)
        await until(heard, 3)
        await asyncio.sleep(0.2)
        assert [path for path, _, _ in heard] == ["/hook"] * 3
        await quick.close()


@pytest.mark.parametrize("inward", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "fd12::1", "64:ff9b::a01:203", "0.0.0.0"])
async def test_threat_27_a_name_that_leads_into_this_network_is_not_told(
    monkeypatch: pytest.MonkeyPatch, inward: str
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **more: real(inward, *rest, **more))
    async with open_session({"localhost"}, outside=True) as session:
        with pytest.raises(aiohttp.ClientConnectorDNSError) as failure:
            await session.post("https://vendor.example/hook", data=b"x")
    assert "no address that may be connected to" in str(failure.value.__cause__)


async def test_a_vendor_that_does_not_listen_holds_nothing_up(here: Asking) -> None:
    await register(here.rooms.control, "readwell", "http://127.0.0.1:9/hook", now=0)
    number = await here.asked()
    async with asyncio.timeout(3):
        answer = await sent(await here.officer(), number, {"deed": "refuse", "reason": "No."})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "url",
    [
        "http://vendor.example/hook",
        "https://169.254.169.254/latest",
        "https://u:p@vendor.example/",
        "ftp://vendor.example",
    ],
)
async def test_only_tls_and_loopback_are_told_and_nothing_link_local(here: Asking, url: str) -> None:
    with pytest.raises(UsageError, match="https://"):
        await register(here.rooms.control, "readwell", url, now=0)
