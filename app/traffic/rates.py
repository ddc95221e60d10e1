"""How much a client may ask in a minute, counted by each process for itself or in one store for all of them.

A request that finds points left is answered, whatever it weighs. If the store does not answer, each process counts for
itself until it does: nobody is refused for a store.
Spec: RFC 6585 §4; draft-ietf-httpapi-ratelimit-headers (`RateLimit`, `RateLimit-Policy`).
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import cast

from limits.aio.storage import MemoryStorage, Storage

from app.errors import TooMany
from app.settings import Traffic
from app.telemetry.metrics import store_up

LOGGER = logging.getLogger("homeroom")

MINUTE = 60
POINT = 20_000
"""A request spends one point, and one more for every so much of its cost."""

ADDRESS_FACTOR = 10
"""Many clients may share one address: it may ask so many times as often for tokens as one of them."""

PAUSE = 1.0
"""Units: seconds that a refusal of a token is held back: who asks again at once shall not live on refusals."""

PATIENCE = 0.5
"""Units: seconds that the store has to answer in."""

AGAIN = 5.0
"""Units: seconds until a store that did not answer is tried again."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left to a client. Units: `wait` is seconds until all of it is there again."""

    policy: str
    limit: int
    left: int
    wait: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        """As a caller reads it."""
        return [
            (b"ratelimit-policy", f'"{self.policy}";q={self.limit};w={MINUTE}'.encode()),
            (b"ratelimit", f'"{self.policy}";r={self.left};t={self.wait}'.encode()),
        ]


class Counts:
    """Counts by key in windows of a minute, which begin with the first one."""

    def __init__(self, store: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._memory: Storage = MemoryStorage()
        self._shared = None if store == "memory" else shared(store)
        self._down_until: float | None = None
        store_up.set(1)

    async def add(self, key: str, amount: int) -> tuple[int, float]:
        """Count so many more; gives the sum, and when its window ends."""
        if self._shared is not None and (self._down_until is None or self._clock() >= self._down_until):
            counted = await self._add_shared(self._shared, key, amount)
            if counted is not None:
                return counted
        return await _add(self._memory, key, amount)

    async def _add_shared(self, store: Storage, key: str, amount: int) -> tuple[int, float] | None:
        """Count in the store of all processes; None if it does not answer."""
        from redis.exceptions import RedisError  # where it is used alone: it takes a while to be read

        try:
            async with asyncio.timeout(PATIENCE):
                counted = await _add(store, key, amount)
        except (RedisError, OSError, TimeoutError) as error:
            self._lose(error)
            return None
        if self._down_until is not None:
            self._down_until = None
            store_up.set(1)
            LOGGER.warning("the store of rates answers again")
        return counted

    async def close(self) -> None:
        """Let the store's connections go."""
        if self._shared is not None:
            await self._shared.bridge.get_connection().aclose()  # type: ignore[attr-defined]

    def _lose(self, error: Exception) -> None:
        if self._down_until is None:
            LOGGER.error(
                "the store of rates does not answer: each process counts for itself",
                extra={"kind": type(error).__name__},
            )
        self._down_until = self._clock() + AGAIN
        store_up.set(0)


async def _add(storage: Storage, key: str, amount: int) -> tuple[int, float]:
    return await storage.incr(key, MINUTE, amount), await storage.get_expiry(key)


def shared(store: str) -> Storage:
    """The store that an address names. Valkey speaks as Redis does."""
    from limits.storage import storage_from_string

    address = store.replace("valkey", "redis", 1)
    options = {"implementation": "redispy", "socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    return cast(Storage, storage_from_string(f"async+{address}", key_prefix="homeroom", **options))  # type: ignore[arg-type]


class Rates:
    """The rates of an installation."""

    def __init__(self, requests: Counts, tokens: Counts, traffic: Traffic) -> None:
        self._requests = requests
        self._tokens = tokens
        self._traffic = traffic

    @classmethod
    def of(cls, traffic: Traffic) -> "Rates":
        """As the configuration has them."""
        # What strangers may ask for is counted apart: however many they say to be, no request waits for their sum.
        return cls(Counts(traffic.store), Counts(traffic.store), traffic)

    async def spend(self, client: str, points: int = 1) -> Quota:
        """Take points of a client's minute. Raises: TooMany if there were none."""
        sentence = "This client has spent its points of this minute. Wait for as long as Retry-After says."
        limit = self._traffic.points_per_minute
        return _quota("client", limit, points, await self._requests.add(f"graph/{client}", points), sentence)

    async def weigh(self, client: str, quota: Quota, cost: int) -> Quota:
        """Take what a request costs beyond its first point. Raises: TooMany."""
        return await self.spend(client, cost // POINT) if cost >= POINT else quota

    async def ask_for_token(self, client: str, address: str) -> None:
        """Count a request for a token, of a client and of the address that it comes from. Raises: TooMany."""
        sentence = "There were too many requests for tokens. One is good for minutes: keep it, and ask again later."
        each = self._traffic.tokens_per_minute
        where = hashlib.sha256(address.encode()).hexdigest()
        who = hashlib.sha256(client.encode("utf-8", "surrogatepass")).hexdigest()
        try:
            for policy, key, limit in (
                ("address", f"tokens/{where}", each * ADDRESS_FACTOR),
                ("tokens", f"tokens/{where}/{who}", each),
            ):
                _quota(policy, limit, 1, await self._tokens.add(key, 1), sentence)
        except TooMany:
            await asyncio.sleep(PAUSE)
            raise

    async def close(self) -> None:
        """Let the store go."""
        await self._requests.close()
        await self._tokens.close()


def _quota(policy: str, limit: int, taken: int, counted: tuple[int, float], sentence: str) -> Quota:
    count, ends = counted
    quota = Quota(policy, limit, max(limit - count, 0), min(max(ceil(ends - time.time()), 1), MINUTE))
    if count - taken >= limit:
        raise TooMany(sentence, code="RATE_LIMITED", wait=quota.wait, headers=quota.headers())
    return quota
