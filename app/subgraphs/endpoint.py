"""One subgraph over HTTP: asked by POST, held to a time, a size and a number of requests at once.

INVARIANT: a target stands in the configuration; redirects are not followed, no name leads to a link-local address
that was not declared, and nothing of a caller's headers is passed on. Spec: GraphQL over HTTP.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from app.addresses import is_machinery, written_as
from app.errors import ConfigurationError
from app.subgraphs.connection import SubgraphFailed, Tally
from app.subgraphs.connections import Connections, Target, target

if TYPE_CHECKING:
    import aiohttp  # where it is used alone: it takes a while to be read

T = TypeVar("T")

FAILURES = 5
"""How many requests in a row fail before a subgraph is left alone for a while."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one subgraph may take. Units: seconds, bytes, objects."""

    seconds: float = 10.0
    answer_bytes: int = 64_000_000
    at_once: int = 64
    batch: int = 1_000  # of how many objects one request tells at most
    rest: float = 5.0  # how long it is left alone after failing again and again


class Answered(msgspec.Struct):
    """What a subgraph answered."""

    data: dict[str, Any] | None = None
    errors: list[dict[str, Any]] | None = None


def answered(body: bytes) -> Answered:
    """Read an answer. Raises: ValueError if it is no GraphQL."""
    found = _DECODER.decode(body)
    if found.data is None and not found.errors:
        raise ValueError("It has neither data nor errors.")
    return found


_DECODER = msgspec.json.Decoder(Answered)
_HEADERS = {
    "content-type": "application/json",
    "accept": "application/graphql-response+json, application/json;q=0.9",
    "accept-encoding": "gzip",
}


def check_target(url: str, *, file: str, key: str | None = None, insecure: bool = False) -> None:
    """Refuse what no subgraph is reached by. Raises: ConfigurationError."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        good = parts.scheme in {"http", "https"} and bool(host) and parts.username is None and parts.port != 0
        target(url, {})
    except ValueError:  # brackets that hold no address, a port that is no number, a name with too long a part
        good = False
    if not good:
        raise ConfigurationError(
            "A subgraph is reached by an https:// address without a user. Write one.", file=file, key=key
        )
    address = written_as(host)
    loopback = host == "localhost" or (address is not None and address.is_loopback)
    if parts.scheme == "http" and not (loopback or insecure):
        raise ConfigurationError(
            "Student data travels over TLS: write https://, or declare `insecure = true` for a network of your own.",
            file=file,
            key=key,
        )
    if address is not None and is_machinery(address) and not insecure:
        raise ConfigurationError(
            "This is a link-local address, where cloud machines keep their secrets. Name the subgraph's own address.",
            file=file,
            key=key,
        )


@dataclass(slots=True)
class Endpoint:
    """One subgraph's address, with the connections to it."""

    name: str
    url: str
    connections: Connections
    bounds: Bounds = Bounds()
    headers: Mapping[str, str] = field(default_factory=dict)
    _target: Target = field(init=False)
    _places: asyncio.Semaphore = field(init=False)
    _failed: int = field(init=False, default=0)
    _until: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._target = target(self.url, {**_HEADERS, **self.headers})
        self._places = asyncio.Semaphore(self.bounds.at_once)

    def check_awake(self) -> None:
        """Refuse to ask while it is left alone. Raises: SubgraphFailed."""
        if self._until > monotonic():
            raise SubgraphFailed("It failed again and again, and is left alone for some seconds.")

    async def ask(self, body: bytes, *, again: bool = True, tally: Tally | None = None) -> Answered:
        """Send one request. `again`: whether it may be sent a second time if the connection broke before an answer.

        `tally`: of what was heard already, where one answer comes in several.
        Raises: SubgraphFailed.
        """
        return await self.read(body, answered, again=again, tally=tally)

    async def read(
        self, body: bytes, reading: Callable[[bytes], T], *, again: bool = True, tally: Tally | None = None
    ) -> T:
        """The same, for who reads the answer otherwise. `reading` raises ValueError at what is no GraphQL."""
        self.check_awake()
        counted = tally or Tally()
        try:
            async with asyncio.timeout(self.bounds.seconds), self._places:
                most = self.bounds.answer_bytes
                response = await self.connections.post(self._target, body, most=most, again=again, tally=counted)
            try:
                found = reading(response.body)
            except (ValueError, RecursionError):
                raise SubgraphFailed(f"It answered with status {response.status} and not with GraphQL.") from None
        except TimeoutError:
            self._failure()
            raise SubgraphFailed(f"It did not answer within {self.bounds.seconds:g} seconds.") from None
        except OSError as error:
            self._failure()
            raise SubgraphFailed(f"It cannot be reached ({type(error).__name__}).") from None
        except SubgraphFailed:
            self._failure()
            raise
        self._failed = 0
        return found

    def _failure(self) -> None:
        self._failed += 1
        if self._failed >= FAILURES:  # until it answers, one failure more is enough
            self._until = monotonic() + self.bounds.rest


def open_session(declared: Collection[str] = (), *, outside: bool = False) -> "aiohttp.ClientSession":
    """Connections that are kept alive. No cookies, no proxies from the environment, no inflation on the way.

    `declared`: the hosts that may be at a link-local address. `outside`: no other name leads into a private network.
    """
    import aiohttp

    from app.subgraphs.resolver import Resolver

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, resolver=Resolver(declared, outside=outside)),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("user-agent",),
        timeout=aiohttp.ClientTimeout(total=None),
    )


__all__ = ["Answered", "Bounds", "Connections", "Endpoint", "SubgraphFailed", "Tally", "answered", "check_target"]
__all__ += ["open_session"]
