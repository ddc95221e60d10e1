"""Slow and greedy callers: a connection is a place, and none may hold it for ever."""

import asyncio
import contextlib
import json

import pytest

from app.gateway import Answer, Request
from app.web.connection import Connection
from tests.web.asgi import app_of, served

pytestmark = pytest.mark.anyio
BODY = json.dumps({"query": "{ __typename }"}).encode()
HEAD = b"POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"


class Hasty(Connection):
    arrive_seconds = 0.4


async def answer(request: Request) -> Answer:
    return Answer(json.dumps({"data": request.authorization}).encode())


async def converse(port: int, sent: bytes) -> bytes:
    """Send, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"POST /gra", id="half a line"),
        pytest.param(HEAD, id="half its headers"),
        pytest.param(HEAD + b"Content-Length: 26\r\n\r\n" + BODY[:9], id="half its body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\n{  \r\n", id="half its chunks"),
    ],
)
async def test_threat_29_a_request_that_does_not_arrive_in_time_loses_its_place(sent: bytes) -> None:
    async with served(app_of(answer), Hasty) as port:
        received = await converse(port, sent)
    assert received == b"" or received.startswith(b"HTTP/1.1 408 ")


async def test_threat_29_a_caller_that_trickles_loses_its_place_too() -> None:
    async with served(app_of(answer), Hasty) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def trickle() -> None:
            writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b" ")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 5)
        trickling.cancel()
        writer.close()


async def test_a_second_request_has_its_own_time() -> None:
    async with served(app_of(answer), Hasty) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY))
            await asyncio.sleep(Hasty.arrive_seconds * 0.6)
            writer.write(BODY)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await reader.readuntil(b"}")
        writer.close()


async def test_threat_29_endless_headers_are_refused() -> None:
    async with served(app_of(answer)) as port:
        for filler in (b"x: " + b"a" * 200_000, b"".join(b"x%d: a\r\n" % number for number in range(20_000))):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + filler)
            with contextlib.suppress(ConnectionError):  # closed with our bytes unread
                received = await asyncio.wait_for(reader.read(), 5)
                assert received.startswith(b"HTTP/1.1 431 ")
            writer.close()


async def test_a_large_body_is_no_header_in_whatever_pieces_it_comes() -> None:
    body = b'{"query":"{ __typename }","variables":{"x":"%s"}}' % (b"a" * 200_000)
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    async with served(app_of(answer, body_bytes=262_144)) as port:
        for first in (len(whole), len(whole) - len(body), 100_000, 10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for piece in (whole[:first], whole[first:], whole):  # and once more, over the same connection
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.02)
            writer.write(HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
            received = await asyncio.wait_for(reader.read(), 5)
            assert received.count(b'{"data": null}') == 2, first
            writer.close()


async def test_what_follows_a_body_is_no_header() -> None:
    chunked = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"%x\r\n%s\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n" % (len(BODY), BODY)
    async with served(app_of(answer)) as port:
        received = await converse(port, chunked + body)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b'{"data": null}')


async def test_threat_23_an_upgrade_to_a_websocket_is_not_taken() -> None:
    async with served(app_of(answer)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /graphql?query=a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        line = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
    assert line.startswith(b"HTTP/1.1 200 ")


async def test_threat_29_beyond_the_limit_of_connections_a_caller_is_told_to_come_back() -> None:
    async with served(app_of(answer), connections=5) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        received = await converse(port, HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        assert received.startswith(b"HTTP/1.1 503 ")
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.05)
        received = await converse(port, HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        assert received.startswith(b"HTTP/1.1 200 ")
