"""One kept-alive connection to a subgraph: a request goes out, its answer comes in, bounded on the way.

INVARIANT: what was not asked for, what is larger than allowed and what is no HTTP ends the connection, and so does a
request that is given up: no answer is ever taken for that of another request. Spec: RFC 9112. Units: bytes.
"""

import asyncio
import zlib
from dataclasses import dataclass
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

HEAD_BYTES = 65_536
"""The head of an answer has at most as many."""

PIECES = 1_000
"""How many pieces of a body are kept apart."""


class SubgraphFailed(Exception):  # noqa: N818 - it reads as what is the case
    """A subgraph did not answer, or not with GraphQL. The text says how, and holds nothing of its answer."""


class HungUp(SubgraphFailed):
    """The connection ended before anything of an answer had come: the request may be sent once more."""


@dataclass(slots=True)
class Tally:
    """How much was heard, of one request or of all into which one was parted. Units: bytes."""

    heard: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """Asks one request after another."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._parser = HttpResponseParser(self)
        self._reset(0, Tally())

    def _reset(self, most: int, tally: Tally) -> None:
        self._most, self._tally = most, tally
        self._parts: list[bytes] = []
        self._whole = bytearray()
        self._head = 0
        self._in_head = True
        self._begun = False
        self._bounded = False
        self._encoding = "identity"
        self._inflate: Any = None

    def ask(self, request: bytes, most: int, tally: Tally) -> "asyncio.Future[Response]":
        """Send a request. The answer's body adds to the tally, which may come to `most`.

        Raises, in the future: SubgraphFailed.
        """
        waiting = asyncio.get_running_loop().create_future()
        self._reset(most, tally)
        self._waiting = waiting
        if self._transport is None or self._transport.is_closing():
            self._fail(HungUp("It cannot be reached (it hung up)."))
        else:
            self._transport.write(request)
        return waiting

    @property
    def is_open(self) -> bool:
        """Whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        if self._waiting is None:
            self.close()
            return
        self._begun = True
        if self._in_head:
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail(SubgraphFailed("It answered with something that is no HTTP."))
            return
        if self._in_head and self._head > HEAD_BYTES:
            self._fail(SubgraphFailed("It answered with too long a head."))

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended. An answer without a length ends with it. Spec: RFC 9112 §6.3."""
        if self._waiting is None:
            return
        if self._begun and not self._in_head and not self._bounded and exc is None:
            self._answer()
        elif self._begun:
            self._fail(SubgraphFailed("It hung up in the middle of its answer."))
        else:
            self._fail(HungUp("It cannot be reached (it hung up)."))

    def on_message_begin(self) -> None:
        """An answer begins."""
        if self._waiting is None:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the answer."""
        match name.lower():
            case b"content-encoding" if self._in_head:
                # Named twice is no encoding that was asked for.
                said = value.decode("latin-1").strip().lower()
                self._encoding = said if self._encoding == "identity" else f"{self._encoding}, {said}"
            case b"content-length" | b"transfer-encoding":
                self._bounded = True
            case _:
                pass

    def on_headers_complete(self) -> None:
        """The body follows, perhaps compressed: it is inflated here, so that it is bounded after inflation too."""
        self._in_head = False
        if self._encoding == "gzip":
            self._inflate = zlib.decompressobj(31)
        elif self._encoding != "identity":
            self._fail(SubgraphFailed("It answered in an encoding that was not asked for."))

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._waiting is None:
            return
        if self._inflate is not None:
            try:
                body = self._inflate.decompress(body, max(self._most + 1 - self._tally.heard, 1))
            except zlib.error:
                self._fail(SubgraphFailed("Its answer cannot be inflated."))
                return
        self._tally.heard += len(body)
        if self._tally.heard > self._most:
            self._fail(SubgraphFailed(f"It answered with more than {self._most} bytes."))
        else:
            self._parts.append(body)
            if len(self._parts) >= PIECES:  # in pieces of two bytes an answer would take twenty times its size
                self._whole += b"".join(self._parts)
                self._parts.clear()

    def on_message_complete(self) -> None:
        """The answer is whole, unless it only announces one. Spec: RFC 9110 §15.2."""
        if self._parser.get_status_code() < 200:
            self._in_head, self._bounded = True, False
            return
        if self._waiting is not None and not self._parser.should_keep_alive():
            self._answer()
            self.close()
        else:
            self._answer()

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            body = (
                self._parts[0] if len(self._parts) == 1 and not self._whole else b"".join((self._whole, *self._parts))
            )
            waiting.set_result(Response(self._parser.get_status_code(), body))
        self._parts, self._whole = [], bytearray()

    def _fail(self, error: SubgraphFailed) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
        self._parts, self._whole = [], bytearray()
        self.close()
