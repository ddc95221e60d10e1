"""A client that costs next to nothing, so that what is measured is the server.

Shape: requests are prepared bytes; answers are read whole, and taken apart only when someone asks for their content.
"""

import contextlib
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

BIGGEST = 1 << 20
SECONDS = 600


def get(path: str) -> bytes:
    """A GET request, ready to send."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def graphql(path: str, document: str, variables: dict[str, object] | None = None, token: str | None = None) -> bytes:
    """A GraphQL request, ready to send."""
    body = msgspec.json.encode({"query": document, "variables": variables or {}})
    head = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        "Accept: application/graphql-response+json, application/json;q=0.9",
        f"Content-Length: {len(body)}",
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class WrongAnswerError(Exception):
    """A server did not answer 200, or hung up in the middle."""


@dataclass(slots=True)
class Reading:
    """One answer as it comes in."""

    parts: list[bytes]
    length: int = 0
    wanted: int | None = None  # the whole length with its head; None for a chunked answer, or before the head has come
    chunked: bool = False
    any_status: bool = False

    def add(self, part: bytes) -> bool:
        """Take what came; whether the answer is whole now."""
        self.parts.append(part)
        self.length += len(part)
        if self.wanted is None and not self.chunked:
            self._read_head()
        if self.chunked:
            # No JSON text holds a bare CR LF, so this can only be the end.
            tail = part if len(part) >= 5 else b"".join(self.parts[-6:])
            return tail.endswith(b"0\r\n\r\n")
        return self.wanted is not None and self.length >= self.wanted

    def _read_head(self) -> None:
        whole = b"".join(self.parts)
        end = whole.find(b"\r\n\r\n")
        if end < 0:
            return
        head = whole[:end].lower()
        if not self.any_status and not head.startswith(b"http/1.1 200"):
            raise WrongAnswerError(whole[:2000].decode(errors="replace"))
        self.chunked = b"transfer-encoding: chunked" in head
        if not self.chunked:
            self.wanted = end + 4 + int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])

    def body(self) -> bytes:
        """The answer's body, chunks put together."""
        _, _, rest = b"".join(self.parts).partition(b"\r\n\r\n")
        if not self.chunked:
            return rest
        body, at = bytearray(), 0
        while True:
            end = rest.index(b"\r\n", at)
            size = int(rest[at:end].split(b";")[0], 16)
            if size == 0:
                return bytes(body)
            body += rest[end + 2 : end + 2 + size]
            at = end + 4 + size


class Line:
    """One kept-alive connection to a server on loopback."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> Reading:
        """Send a request and read its answer whole. Raises: WrongAnswerError."""
        reading = Reading([])
        self.socket.sendall(request)
        while True:
            part = self.socket.recv(BIGGEST)
            if not part:
                raise WrongAnswerError("The server hung up in the middle of an answer.")
            if reading.add(part):
                return reading

    def timed(self, request: bytes) -> float:
        """Seconds from the request's first byte to the answer's last."""
        begin = time.perf_counter()
        self.ask(request)
        return time.perf_counter() - begin

    def close(self) -> None:
        self.socket.close()


@contextlib.contextmanager
def line(port: int) -> Iterator[Line]:
    """A connection that is closed afterwards."""
    opened = Line(port)
    try:
        yield opened
    finally:
        opened.close()


def throughput(port: int, requests: Sequence[bytes], *, at_once: int, seconds: float) -> float:
    """Answers per second while so many connections each send the next request as soon as they are answered."""
    took, _ = latencies(port, requests, at_once=at_once, seconds=seconds)
    return len(took) / seconds


def latencies(port: int, requests: Sequence[bytes], *, at_once: int, seconds: float) -> tuple[list[float], list[float]]:
    """How long each answer took within so many seconds, and how long those requests waited that have none yet."""
    lines = [Line(port) for _ in range(at_once)]
    readings = {one.socket.fileno(): Reading([]) for one in lines}
    began: dict[int, float] = {}
    took: list[float] = []
    sent = 0
    with selectors.DefaultSelector() as selector:
        try:
            begin = time.perf_counter()
            for one in lines:
                selector.register(one.socket, selectors.EVENT_READ, one)
                began[one.socket.fileno()] = time.perf_counter()
                one.socket.sendall(requests[sent % len(requests)])
                sent += 1
            while (left := begin + seconds - time.perf_counter()) > 0:
                for key, _ in selector.select(timeout=left):
                    one = key.data
                    part = one.socket.recv(BIGGEST)
                    if not part:
                        raise WrongAnswerError("The server hung up under load.")
                    if readings[key.fd].add(part):
                        now = time.perf_counter()
                        took.append(now - began[key.fd])
                        readings[key.fd], began[key.fd] = Reading([]), now
                        one.socket.sendall(requests[sent % len(requests)])
                        sent += 1
            ended = time.perf_counter()
            return took, [ended - since for since in began.values()]
        finally:
            for one in lines:
                one.close()
