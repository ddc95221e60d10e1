"""The connections to every subgraph, kept alive between requests.

INVARIANT: they lead to no link-local address that was not declared, by whatever name; what goes over them is what the
configuration says and a body. No cookies, no redirects, no proxies from the environment. Units: seconds, bytes.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Self
from urllib.parse import quote, urlsplit

from app.addresses import reachable
from app.subgraphs.connection import Connection, HungUp, Response, Tally

IDLE = 30.0
"""How long a connection is kept that nobody needs."""

EACH = 2.0
"""How long one of several addresses of a name is tried."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and how they begin."""

    host: str
    port: int
    secure: bool
    head: bytes  # up to the length of the body


def target(url: str, headers: Mapping[str, str]) -> Target:
    """The target of an address that `check_target` has let pass."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" not in host:
        host = host.encode("idna").decode()
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    named = f"[{host}]" if ":" in host else host
    if parts.port is not None:
        named += f":{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        path += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    lines = [f"POST {path} HTTP/1.1", f"host: {named}", *(f"{name}: {value}" for name, value in headers.items())]
    return Target(host, port, secure, ("\r\n".join(lines) + "\r\ncontent-length: ").encode("latin-1"))


@dataclass(slots=True)
class Connections:
    """Connections by where they lead. `declared`: the hosts that may be at a link-local address."""

    declared: Collection[str] = ()
    _idle: dict[tuple[str, int, bool], deque[Connection]] = field(default_factory=dict)
    _context: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()

    async def post(self, to: Target, body: bytes, *, most: int, again: bool, tally: Tally) -> Response:
        """Send one request. `again`: whether it may be sent once more if the connection ends before an answer comes;
        what may not goes over a connection of its own, which nobody can have closed meanwhile.

        Raises: SubgraphFailed, OSError.
        """
        request = b"%b%d\r\n\r\n%b" % (to.head, len(body), body)
        connection = self._kept(to) if again else None
        while True:
            try:
                return await self._over(connection or await self._open(to), to, request, most, tally)
            except (HungUp, OSError):
                if not again:
                    raise
            again, connection = False, None

    async def _over(self, connection: Connection, to: Target, request: bytes, most: int, tally: Tally) -> Response:
        try:
            response = await connection.ask(request, most, tally)
        except BaseException:
            connection.close()
            raise
        if connection.is_open:
            self._keep(to, connection)
        return response

    def _kept(self, to: Target) -> Connection | None:
        """The connection that was used last."""
        kept = self._idle.get((to.host, to.port, to.secure))
        while kept:
            connection = kept.pop()
            if connection.is_open and monotonic() - connection.idle_since < IDLE:
                return connection
            connection.close()
        return None

    def _keep(self, to: Target, connection: Connection) -> None:
        kept = self._idle.setdefault((to.host, to.port, to.secure), deque())
        now = connection.idle_since = monotonic()
        kept.append(connection)
        while now - kept[0].idle_since >= IDLE or not kept[0].is_open:
            kept.popleft().close()

    async def _open(self, to: Target) -> Connection:
        """A new connection, to the first of its addresses that takes it. Raises: OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
        addresses = [str(place[0]) for *_, place in found]
        if to.host not in self.declared:
            addresses = reachable(addresses)
        tls, name = (self._tls(), to.host) if to.secure else (None, None)
        while True:
            address = addresses.pop(0)
            try:
                async with asyncio.timeout(EACH if addresses else None):
                    _, connection = await loop.create_connection(
                        Connection, address, to.port, ssl=tls, server_hostname=name
                    )
            except OSError:  # a TimeoutError is one
                if not addresses:
                    raise
            else:
                return connection

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context
