"""Connections to one place, shared by clients: so many at once, and one client has at most half of them.

Its long answers hold them for long, and nobody else shall wait for those.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from app.errors import TooMany, Unavailable


class Shares:
    """The connections to one place. `place` is how a sentence names it."""

    def __init__(self, place: str, size: int) -> None:
        self._place = place
        self._half = max(size // 2, 1)
        self._all = asyncio.Semaphore(size)
        self._each: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def admit(self, client: str | None, patience: float) -> Callable[[], None]:
        """Wait for a connection, `patience` seconds at most; gives what lets it go again. No client has no share.

        Raises: TooMany if the client's half is in use all that time, Unavailable if everything is.
        """
        share = asyncio.Semaphore() if client is None else self._each.get(client)
        if share is None:
            share = self._each.setdefault(str(client), asyncio.Semaphore(self._half))
        try:
            await _acquire(share, patience)
        except TimeoutError:
            raise TooMany(
                "Long answers of this client are under way already. Read them to their end first.",
                code="TOO_MANY_AT_ONCE",
                wait=5,
            ) from None
        try:
            await _acquire(self._all, patience)
        except BaseException as error:
            share.release()
            if isinstance(error, TimeoutError):
                raise Unavailable(f"Every connection to {self._place} is in use. Try again.") from None
            raise

        def let_go() -> None:
            self._all.release()
            share.release()

        return let_go


async def _acquire(semaphore: asyncio.Semaphore, patience: float) -> None:
    if semaphore.locked():
        async with asyncio.timeout(patience):
            await semaphore.acquire()
    else:
        await semaphore.acquire()  # at once
