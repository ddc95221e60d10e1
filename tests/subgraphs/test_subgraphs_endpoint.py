"""What a subgraph may do to the gateway, over a real socket: nothing but answer, in time and within bounds."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.errors import ConfigurationError
from app.subgraphs.endpoint import Bounds, Connections, Endpoint, SubgraphFailed, check_target
from app.subgraphs.resolver import Resolver

pytestmark = pytest.mark.anyio
MACHINERY = [
    "169.254.169.254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fd00:ec2::254",
    "100.100.100.200",
]
Serve = Callable[[int], bytes]


@asynccontextmanager
async def subgraph(
    answer: Serve, bounds: Bounds | None = None, *, pause: float = 0
) -> AsyncIterator[tuple[Endpoint, list[bytes]]]:
    """An endpoint of a server that answers the n-th request with these bytes, and what it was sent."""
    heard: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                heard.append(head + await reader.readexactly(length))
                await asyncio.sleep(pause)
                answered = answer(len(heard))
                writer.write(answered)
                await writer.drain()
                if not answered:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Connections() as connections:
        yield Endpoint("lms", f"http://127.0.0.1:{port}/graphql", connections, bounds or Bounds(seconds=5)), heard
    server.close()


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


GOOD = http(b'{"data":{"a":1}}')


async def fails(endpoint: Endpoint) -> str:
    with pytest.raises(SubgraphFailed) as failure:
        await endpoint.ask(b"{}")
    return str(failure.value)


async def test_it_answers_and_is_told_nothing_of_a_caller() -> None:
    async with subgraph(lambda _: GOOD) as (endpoint, heard):
        assert (await endpoint.ask(b"{}")).data == {"a": 1}
        assert b"authorization" not in heard[0].lower()
        assert b"cookie" not in heard[0].lower()


async def test_threat_27_a_redirect_is_not_followed() -> None:
    async with subgraph(lambda _: http(b"", "302 Found", "location: http://127.0.0.1:1/elsewhere")) as (
        endpoint,
        heard,
    ):
        assert "status 302" in await fails(endpoint)
        assert len(heard) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://lms.example/graphql",
        "http://169.254.169.254/latest",
        "https://169.254.169.254/latest",
        "https://[fe80::1]/graphql",
        "https://[::ffff:169.254.169.254]/graphql",
        "https://[::ffff:a9fe:a9fe]/graphql",
        "https://[lms.example/graphql",
        "https://lms.example:port/graphql",
        "ftp://lms.example/graphql",
        "https://user:word@lms.example/graphql",
        "file:///etc/passwd",
        "https:///graphql",
    ],
)
def test_threat_27_a_target_is_https_or_loopback_and_no_link_local_address(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"homeroom\.toml"):
        check_target(url, file="homeroom.toml", key="url")


@pytest.mark.parametrize("address", MACHINERY)
def test_threat_27_in_no_guise_is_a_machines_own_address_a_target(address: str) -> None:
    with pytest.raises(ConfigurationError, match="keep their secrets"):
        check_target(f"https://{f'[{address}]' if ':' in address else address}/", file="homeroom.toml")


@pytest.mark.parametrize("url", ["https://lms.example/graphql", "http://127.0.0.1:9/g", "http://localhost/g"])
def test_threat_27_what_is_safe_may_be_named(url: str) -> None:
    check_target(url, file="homeroom.toml")


@pytest.mark.parametrize("url", ["http://lms.internal/graphql", "http://169.254.10.10/graphql"])
def test_what_is_declared_to_be_a_network_of_ones_own_is_taken(url: str) -> None:
    check_target(url, file="homeroom.toml", insecure=True)


@pytest.mark.parametrize("address", MACHINERY)
async def test_threat_27_a_name_that_stands_for_a_link_local_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    real = socket.getaddrinfo

    def named(host: str, *rest: Any, **more: Any) -> list[Any]:
        link_local = real(address, 443, type=socket.SOCK_STREAM)
        here = real("127.0.0.1", rest[0], type=socket.SOCK_STREAM)
        return {"lms.example": link_local, "both.example": link_local + here}.get(host) or real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", named)
    async with Connections() as connections:
        assert "cannot be reached (OSError)" in await fails(Endpoint("lms", "https://lms.example/", connections))
        async with subgraph(lambda _: GOOD) as (endpoint, _):
            url = endpoint.url.replace("127.0.0.1", "both.example")
            assert (await Endpoint("lms", url, connections).ask(b"{}")).data == {"a": 1}
    assert len(await Resolver({"lms.example"}).resolve("lms.example", 443)) == 1


async def test_threat_28_an_answer_is_bounded_after_it_is_inflated() -> None:
    bomb = gzip.compress(b" " * 5_000_000)
    bounds = Bounds(seconds=5, answer_bytes=100_000)
    assert len(bomb) < bounds.answer_bytes
    async with subgraph(lambda _: http(bomb, "200 OK", "content-encoding: gzip"), bounds) as (endpoint, _):
        assert "more than 100000 bytes" in await fails(endpoint)
    async with subgraph(lambda _: http(b'{"data": "' + b"x" * 200_000), bounds) as (endpoint, _):
        assert "more than 100000 bytes" in await fails(endpoint)
    small = http(gzip.compress(b'{"data":{"a":1}}'), "200 OK", "content-encoding: gzip")
    async with subgraph(lambda _: small, bounds) as (endpoint, _):
        assert (await endpoint.ask(b"{}")).data == {"a": 1}


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        pytest.param(b'{"data":{"a":1}}', "gzip", id="not what it says"),
        pytest.param(gzip.compress(b'{"data":{"a":1}}')[:-12], "gzip", id="cut off"),
        pytest.param(gzip.compress(b'{"data":{"a":1}}'), "br", id="not asked for"),
        pytest.param(gzip.compress(gzip.compress(b'{"data":{"a":1}}')), "gzip, gzip", id="twice"),
    ],
)
async def test_threat_28_what_cannot_be_inflated_is_a_subgraph_that_failed(body: bytes, coding: str) -> None:
    async with subgraph(lambda _: http(body, "200 OK", f"content-encoding: {coding}")) as (endpoint, _):
        assert "data" not in await fails(endpoint)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"7", b"{", b'{"data": 7}', b'{"data": null}', b"\xff\xfe", b"[" * 5000]
)
async def test_what_is_no_graphql_is_a_failure_that_quotes_nothing(body: bytes) -> None:
    async with subgraph(lambda _: http(body)) as (endpoint, _):
        said = await fails(endpoint)
        assert "status 200" in said
        assert "html" not in said


async def test_who_does_not_answer_in_time_has_failed() -> None:
    async with subgraph(lambda _: GOOD, Bounds(seconds=0.1), pause=2) as (endpoint, _):
        assert "within 0.1 seconds" in await fails(endpoint)


async def test_a_connection_that_broke_before_the_answer_is_tried_once_more() -> None:
    async with subgraph(lambda number: GOOD if number > 1 else b"") as (endpoint, heard):
        assert (await endpoint.ask(b"{}")).data == {"a": 1}
        assert len(heard) == 2
    async with subgraph(lambda _: b"") as (endpoint, heard):
        with pytest.raises(SubgraphFailed, match="cannot be reached"):
            await endpoint.ask(b"{}", again=False)
        assert len(heard) == 1


async def test_who_fails_again_and_again_is_left_alone_for_a_while() -> None:
    async with subgraph(lambda _: http(b"{"), Bounds(seconds=5, rest=0.3)) as (endpoint, heard):
        for _ in range(5):
            assert "status 200" in await fails(endpoint)
        assert "left alone" in await fails(endpoint)
        assert len(heard) == 5
        await asyncio.sleep(0.4)
        assert "status 200" in await fails(endpoint)
        assert "left alone" in await fails(endpoint)  # until it answers, a single failure is enough
        assert len(heard) == 6


async def test_no_more_requests_are_under_way_than_it_may_be_asked_at_once() -> None:
    async with subgraph(lambda _: GOOD, Bounds(seconds=5, at_once=2), pause=0.1) as (endpoint, heard):
        asking: list[Awaitable[object]] = [asyncio.ensure_future(endpoint.ask(b"{}")) for _ in range(6)]
        await asyncio.sleep(0.05)
        assert len(heard) <= 2
        await asyncio.gather(*asking)
        assert len(heard) == 6
