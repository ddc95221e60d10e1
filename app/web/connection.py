"""One connection of uvicorn's, with what it leaves out: a slow caller does not hold a place for ever.

Units: seconds and bytes.
"""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ENDED = b"connection: close\r\ncontent-length: 0\r\n\r\n"


class Together:
    """A transport that hands on at once what is written in one go: an answer's head leaves with its body."""

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it before the loop turns to anything new."""
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(data)

    def close(self) -> None:
        """Send what is held, and no more."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():
            self._transport.writelines(held)


class Connection(HttpToolsProtocol):
    """HTTP/1.1 with a time for a request to arrive in, a time for an answer to be read in, and a size for headers."""

    arrive_seconds: float = 20.0
    """A connection's first request must be whole by then; a later one counts from its first byte."""

    stall_seconds: float = 30.0
    """A caller that takes nothing of a waiting answer for so long is cut off."""

    header_bytes: int = 65_536

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arriving: TimerHandle | None = None
        self._stalled: TimerHandle | None = None
        self._in_headers = True
        self._ended = False
        self._header_bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the clock: a caller that connects and says nothing is cut off too."""
        super().connection_made(cast(Transport, Together(transport, self.loop)))
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        for timer in (self._arriving, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before a body begins. Spec: RFC 6585 §5.

        What came together with the end of headers or of a body is not counted: most of it may be that body.
        """
        self._ended = False
        super().data_received(data)
        if self._in_headers and not self._ended:
            self._header_bytes += len(data)
            if self._header_bytes > self.header_bytes and not self.transport.is_closing():
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request's first byte."""
        super().on_message_begin()
        if self._arriving is None:
            self._await_request()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. INVARIANT: what stands after the body is no header: it could add credentials to a request."""
        if self._in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """What follows is a body."""
        self._in_headers = False
        self._ended = True
        self._header_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_headers = self._ended = True
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The caller reads more slowly than we write."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The caller has read what was waiting."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _await_request(self) -> None:
        self._arriving = self.loop.call_later(self.arrive_seconds, self._is_late)

    def _is_late(self) -> None:
        self._arriving = None
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._await_request()  # an earlier answer of this connection still leaves, and reading waits for it
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()  # an earlier answer of this connection must not get a second head in its middle
            return
        self.transport.write(f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() + _ENDED)
        self.transport.close()
