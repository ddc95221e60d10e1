"""Send a long answer in chunks, as fast as the caller reads and no faster.

A caller takes a well-formed end for the whole. So an answer that breaks off after its first byte is aborted: the
connection closes without the end that HTTP asks for.
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Message, Receive, Send

from app.web.edge import Aborted
from app.web.failure import fail
from app.web.log import note


async def stream(
    body: AsyncIterator[bytes | bytearray],
    start: Message,
    receive: Receive,
    send: Send,
    *,
    request: str,
    seconds: float,
) -> None:
    """Send `start` and then the chunks. Whatever happens, the iterator is closed when this returns.

    Raises: what the iterator raised before its first chunk; Aborted after that, and when `seconds` are over.
    """
    pump = _Pump(body, start, send)
    sending = asyncio.create_task(pump.run())
    leaving = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({sending, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Also when we are cancelled ourselves: the iterator has a reader's snapshot and a ledger entry to close.
        for task in (sending, leaving):
            task.cancel()
        await asyncio.wait({sending, leaving})
    if sending.cancelled():
        if leaving.cancelled():
            note("broken-off", request=request, reason="out-of-time")
            raise Aborted from None
        note("broken-off", request=request, reason="caller-left")
        return
    error = sending.exception()
    if error is None:
        return
    if pump.started and isinstance(error, Exception):
        fail(error, request)
        raise Aborted from None
    raise error


class _Pump:
    def __init__(self, body: AsyncIterator[bytes | bytearray], start: Message, send: Send) -> None:
        self.body = body
        self.start = start
        self.send = send
        self.started = False

    async def run(self) -> None:
        try:
            async for chunk in self.body:
                await self._send(chunk)
        finally:
            close = getattr(self.body, "aclose", None)
            if close is not None:
                await close()
        # INVARIANT: the end is sent only when the iterator came to its own end and was closed without a fault.
        if not self.started:
            await self._send(b"")
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, chunk: bytes | bytearray) -> None:
        if not self.started:
            self.started = True
            await self.send(self.start)
        await self.send({"type": "http.response.body", "body": chunk, "more_body": True})
        await asyncio.sleep(0)  # to a caller that has left, sending is immediate: let the news of it in


async def _gone(receive: Receive) -> None:
    """Wait until the caller has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
