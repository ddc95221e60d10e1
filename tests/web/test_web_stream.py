"""Long answers over a real socket: whole, or visibly broken; never faster than the caller reads."""

import asyncio
import io
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from app.errors import Unavailable
from app.gateway import Answer, Request
from app.web.connection import Connection
from tests.web.asgi import Gateway, app_of, served

pytestmark = pytest.mark.anyio
QUERY = {"query": "{ students { nodes { id } } }"}


def streaming(chunks: AsyncIterator[bytes]) -> Gateway:
    async def answer(_: Request) -> Answer:
        return Answer(chunks)

    return answer


async def ask(port: int) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        return await client.post("/graphql", json=QUERY)


async def test_chunks_arrive_in_order_and_whole() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(1_000):
            yield b"%d," % number

    async with served(app_of(streaming(chunks()))) as port:
        answer = await ask(port)
    assert answer.status_code == 200
    assert answer.content == b"".join(b"%d," % number for number in range(1_000))
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["cache-control"] == "no-store"


async def test_threat_25_what_breaks_off_after_its_first_byte_is_never_well_formed() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"data":['
        yield b'"first"'
        raise Unavailable("The space does not answer.")

    async with served(app_of(streaming(chunks()))) as port:
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            await ask(port)


async def test_a_broken_answer_lacks_its_last_chunk_and_the_log_the_faults_text(log: io.StringIO) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"[1,2"
        raise ValueError("987-65-4320")

    async with served(app_of(streaming(chunks()))) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /graphql?query=a HTTP/1.1\r\nHost: h\r\n\r\n")
        received = await reader.read()
        writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b"4\r\n[1,2\r\n"
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["kind"] for line in lines if line["event"] == "failure"] == ["ValueError"]
    assert [line["whole"] for line in lines if line["event"] == "request"] == [False]
    assert "987-65" not in log.getvalue()


async def test_a_fault_before_the_first_byte_has_a_status_of_its_own() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        raise Unavailable("The space does not answer.")
        yield b""

    async with served(app_of(streaming(chunks()))) as port:
        answer = await ask(port)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_a_fault_while_closing_is_a_broken_answer_too() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"[1]"
        finally:
            raise Unavailable("The closing entry cannot be written.")

    async with served(app_of(streaming(chunks()))) as port:
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            await ask(port)


async def test_a_caller_that_leaves_closes_the_iterator() -> None:
    closed = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()  # for ever
        finally:
            closed.set()

    async with served(app_of(streaming(chunks()))) as port:
        _, writer = await _begin(port)
        writer.transport.abort()
        await asyncio.wait_for(closed.wait(), 5)


async def test_a_caller_that_leaves_between_two_chunks_closes_the_iterator() -> None:
    closed = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            closed.set()

    async with served(app_of(streaming(chunks()))) as port:
        _, writer = await _begin(port)
        writer.transport.abort()
        await asyncio.wait_for(closed.wait(), 5)


async def test_threat_29_a_caller_that_reads_slowly_slows_the_iterator_down() -> None:
    made, stalled = 0, asyncio.Event()
    size, count = 100_000, 400

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(count):
            made += 1
            watch.reschedule()
            yield b"x" * size

    class Watch:
        """Sets `stalled` when no chunk was made for a while."""

        timer: asyncio.TimerHandle | None = None

        def reschedule(self) -> None:
            if self.timer:
                self.timer.cancel()
            self.timer = asyncio.get_running_loop().call_later(0.5, stalled.set)

    watch = Watch()
    async with served(app_of(streaming(chunks()))) as port:
        reader, writer = await _begin(port)
        await asyncio.wait_for(stalled.wait(), 10)
        assert made < count / 2  # what the sockets' buffers took, and then no more
        received = await _read_chunked(reader)
        writer.close()
    assert made == count
    assert received == size * count


async def test_threat_29_a_caller_that_reads_nothing_is_cut_off() -> None:
    closed = asyncio.Event()

    class Hasty(Connection):
        stall_seconds = 0.3

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1_000_000
        finally:
            closed.set()

    async with served(app_of(streaming(chunks())), Hasty) as port:
        _, writer = await _begin(port)
        await asyncio.wait_for(closed.wait(), 5)
        writer.transport.abort()


async def test_threat_29_a_stream_past_its_time_is_broken_off() -> None:
    closed = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with served(app_of(streaming(chunks()), stream_seconds=0.3)) as port:
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            await ask(port)
    assert closed.is_set()


async def test_a_server_that_stops_breaks_off_what_is_left_after_its_grace() -> None:
    closed = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with served(app_of(streaming(chunks()))) as port:
        reader, writer = await _begin(port)
    rest = await reader.read()
    writer.close()
    await asyncio.wait_for(closed.wait(), 5)
    assert not rest.endswith(b"0\r\n\r\n")


async def _begin(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask, and read no further than the head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2_000)
    writer.write(b"GET /graphql?query=a HTTP/1.1\r\nHost: h\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    return reader, writer


async def _read_chunked(reader: asyncio.StreamReader) -> int:
    received = 0
    while size := int(await reader.readline(), 16):
        received += len(await reader.readexactly(size))
        await reader.readexactly(2)
    return received
