"""The premises that keep a space, over HTTP: asked for one operation, and read as fast as the vendor reads.

INVARIANT: the target stands in the configuration; redirects are not followed; of a vendor's headers nothing is passed
on; an answer that does not come to its own end never looks as if it had.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from app.addresses import host_of
from app.elsewhere import Premises
from app.errors import Unavailable
from app.names import ClientId, SpaceId
from app.oauth.assertion import Posted, audience
from app.oauth.authorization import Authorization, Elsewhere
from app.oauth.caller import Caller
from app.settings import Settings
from app.subgraphs.endpoint import check_target, open_session
from app.subgraphs.replies import Purposes, parsed
from app.traffic.shares import Shares

if TYPE_CHECKING:
    import aiohttp  # where it is used alone: it takes a while to be read

PATH = "/subgraph"
"""Where premises answer the gateway that they trust."""

CHECK = f"{PATH}/check"
"""Where they say whether they would, and with which schema."""

PURPOSES = f"{PATH}/purposes"
"""Where they say for which purposes a client has grants."""

ASK = f"{PATH}/requests"
"""Where a client's request for access is taken in."""

ASKED = f"{ASK}/one"
"""Where they say what became of one."""

COST = "homeroom-cost"
"""The header in which premises say what an operation weighs."""

CONNECT = 5.0
"""Units: seconds to reach the premises in."""

WHOLE = 1_000_000
"""Units: bytes. An answer that says to be no longer is read whole before any of it leaves."""

BUFFER = 65_536
"""Units: bytes that are read ahead of a vendor, about twice over."""

MEDIA = "application/graphql-response+json"
_HEADERS = {"content-type": "application/json", "accept": MEDIA, "accept-encoding": "identity"}

StatementFor: TypeAlias = Callable[[str], str]
"""Who asks, stated for one posting to a path. Made anew for each: premises believe it once."""


@dataclass(frozen=True, slots=True)
class Told:
    """A short answer of the premises, whole."""

    status: int
    body: bytes


class Reply:
    """What premises answered: its head, and the rest as it comes. To be closed."""

    def __init__(self, response: "aiohttp.ClientResponse", seconds: float, let_go: Callable[[], None]) -> None:
        self.status = response.status
        self.is_graphql = response.content_type == MEDIA and "content-encoding" not in response.headers
        self.is_bounded = (
            response.content_length is not None or response.headers.get("transfer-encoding", "").lower() == "chunked"
        )
        self.is_short = response.content_length is not None and response.content_length <= WHOLE
        self._response = response
        self._seconds = seconds
        self._let_go: Callable[[], None] | None = let_go

    @property
    def cost(self) -> int:
        """What the operation weighs, as the premises say; 0 if they do not."""
        said = self._response.headers.get(COST, "")
        return int(said) if said.isascii() and said.isdigit() and len(said) <= 18 else 0

    async def whole(self) -> bytes:
        """The body, if it is short. Raises: Unavailable."""
        parts = bytearray()
        async for piece in self.pieces():
            parts += piece
            if len(parts) > WHOLE:
                raise Unavailable("The premises answered with more than was said.")
        return bytes(parts)

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The body as it comes; nothing is read ahead of whoever takes it but a buffer. Raises: Unavailable.

        The time is ours to keep: of a chunk that is none aiohttp tells nobody who waits.
        """
        import aiohttp

        try:
            while True:
                async with asyncio.timeout(self._seconds):
                    piece = await self._response.content.readany()
                if not piece:
                    return
                yield piece
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"The premises broke off ({type(error).__name__}).") from error

    def close(self) -> None:
        """Let the connection go: it serves again if the answer was read to its end, and is cut off if not."""
        if self._let_go is not None:
            let_go, self._let_go = self._let_go, None
            self._response.close()
            let_go()


class Site:
    """One space's premises, with the connections to them."""

    def __init__(self, space: SpaceId, premises: Premises, session: "aiohttp.ClientSession") -> None:
        self.space = space
        self.at = premises.at
        self._session = session
        self._seconds = premises.seconds
        self._shares = Shares("the premises", premises.at_once)

    async def ask(self, client: str, statement: StatementFor, body: bytes) -> Reply:
        """Send an operation with a statement of who asks. Raises: Unavailable, TooMany."""
        let_go = await self._shares.admit(client, CONNECT)
        try:
            return Reply(await self._send(PATH, statement, body), self._seconds, let_go)
        except BaseException:
            let_go()
            raise

    async def tell(self, path: str, statement: StatementFor, body: bytes) -> Told:
        """What the premises say to anything but an operation. Raises: Unavailable."""
        response = await self._send(path, statement, body)
        reply = Reply(response, self._seconds, lambda: None)
        try:
            async with asyncio.timeout(self._seconds):
                return Told(reply.status, await reply.whole())
        except TimeoutError as error:
            raise Unavailable(f"The premises of {self.space} did not come to an end.") from error
        finally:
            reply.close()

    async def _send(self, path: str, statement: StatementFor, body: bytes) -> "aiohttp.ClientResponse":
        import aiohttp

        try:
            # A connection that was kept may have been closed meanwhile. What was said of the request is used up then.
            if path != ASK:  # which is kept there: it might be kept twice
                with suppress(aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError):
                    return await self._once(path, statement(path), body)
            return await self._once(path, statement(path), body)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"The premises of {self.space} cannot be reached ({type(error).__name__}).") from error

    async def _once(self, path: str, statement: str, body: bytes) -> "aiohttp.ClientResponse":
        import aiohttp

        return await self._session.post(
            self.at + path,
            data=body,
            headers={**_HEADERS, "authorization": f"Bearer {statement}"},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT, sock_connect=CONNECT, sock_read=self._seconds),
            read_bufsize=BUFFER,
        )


def purposes_at(premises: Mapping[SpaceId, Site], authorization: Authorization) -> Elsewhere:
    """Asks premises for which purposes a client has grants there."""

    async def ask(space: SpaceId, client: ClientId) -> Collection[str]:
        site, standing = premises[space], authorization.standing(client, space)
        caller, where = Caller(client, space, "", standing.registered, "", 0.0), audience(site.at, space)
        told = await site.tell(PURPOSES, lambda path: authorization.state(caller, Posted(path, b""), where), b"")
        if told.status != HTTPStatus.OK:
            raise Unavailable(f"The premises do not say which purposes there are (status {told.status}).")
        return parsed(told.body, Purposes).purposes

    return ask


@asynccontextmanager
async def open_premises(settings: Settings) -> AsyncIterator[Mapping[SpaceId, Site]]:
    """The premises of every space that is kept elsewhere, open until the end. Raises: ConfigurationError."""
    if not settings.premises:
        yield {}
        return
    file = str(settings.home / "homeroom.toml")
    declared = {host for one in settings.premises.values() if one.insecure and (host := host_of(one.at))}
    async with open_session(declared) as session:
        found: dict[SpaceId, Site] = {}
        for name, one in settings.premises.items():
            check_target(one.at, file=file, key=f"premises.{name}.at", insecure=one.insecure)
            found[SpaceId(name)] = Site(SpaceId(name), one, session)
        yield found
