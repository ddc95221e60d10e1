"""Record what leaves, durably, before it leaves.

While one commit is under way the next entries gather and then share the next commit; an entry that comes alone is
committed at once. Whatever fails fails the requests that waited for it: nothing of theirs may leave.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger.checkpoints import Checkpoints
from app.ledger.entry import Entry, Receipt, Unlinked, beginning, prepare
from app.ledger.holding import Keeping
from app.ledger.holdings import Holdings
from app.ledger.postgres import PostgresEnd
from app.ledger.sqlite import SqliteEnd
from app.ledger.summary import Summary
from app.names import SpaceId
from app.settings import Changes

logger = logging.getLogger(__name__)


class End(Protocol):
    """Where entries are added. Whatever it raises, a batch that it did not answer for may be added again."""

    async def head(self) -> Receipt:
        """The last entry that stands."""
        ...

    async def append(self, entries: Sequence[Unlinked]) -> list[Receipt]:
        """Add entries in one commit, all or none; they are durable when this returns."""
        ...

    async def close(self) -> None:
        """Let go of whatever is held open."""
        ...


def open_end(engine: AsyncEngine, space: SpaceId, deadline: float) -> End:
    """The end of a space's ledger, in the database that the engine names."""
    if engine.dialect.name == "postgresql":
        return PostgresEnd(engine, beginning(space), deadline)
    return SqliteEnd(Path(engine.url.database or ""), beginning(space), deadline)


class Ledger:
    """A space's disclosures, as one process records them. Several processes may: they keep one chain."""

    def __init__(
        self,
        engine: AsyncEngine,
        space: SpaceId,
        checkpoints: Checkpoints,
        *,
        deadline: float = 10.0,
        pace: float = 1.0,
        end: End | None = None,
        holdings: Holdings | None = None,
        summary: Summary | None = None,
    ) -> None:
        """Units: `deadline`, how long an entry may take, and `pace`, between two checkpoints, are seconds."""
        self.holdings = holdings or Holdings(engine, Changes())
        self.summary = summary
        self._space = space
        self._checkpoints = checkpoints
        self._deadline = deadline
        self._pace = pace
        self._end = end or open_end(engine, space, deadline)
        self._waiting: dict[asyncio.Future[Receipt], Unlinked] = {}
        self._writer: asyncio.Task[None] | None = None
        self._begun = False
        self._last: Receipt | None = None
        self._vouched = 0
        self._sealer: asyncio.Task[None] | None = None
        self._closed = False

    async def record(self, entry: Entry, keeping: Sequence[Keeping] = ()) -> Receipt:
        """Keep an entry for ever, and with it what its vendor then holds; both are durable when this returns.

        An entry whose caller gave up or was told `Unavailable` may stand nevertheless: the ledger may say more than
        what left, never less.
        Raises: Unavailable, if the entry cannot be written, or not in time.
        """
        if self._closed:
            raise Unavailable(f"The ledger of {self._space} is closed. Nothing was disclosed.")
        unlinked = prepare(entry, keeping)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        self._waiting[future] = unlinked
        if self._writer is None:
            self._writer = loop.create_task(self._write())
        timer = loop.call_later(self._deadline, self._give_up, future)
        try:
            return await future
        finally:
            timer.cancel()
            self._waiting.pop(future, None)

    def _give_up(self, future: asyncio.Future[Receipt]) -> None:
        if not future.done():
            future.set_exception(self._unavailable("it took too long"))

    async def close(self) -> None:
        """Finish what is under way, vouch for all of it, and let the database go."""
        self._closed = True
        if self._writer is not None:
            await asyncio.wait([self._writer])
        if self._sealer is not None:
            self._sealer.cancel()
            await asyncio.wait([self._sealer])
        await self.holdings.close()
        if self.summary is not None:
            await self.summary.close()
        await self._vouch()
        await self._end.close()

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, {}
                await self._commit(batch)
        finally:
            self._writer = None

    async def _commit(self, batch: dict[asyncio.Future[Receipt], Unlinked]) -> None:
        try:
            await self._begin()
            receipts = await self._end.append(list(batch.values()))
        except BaseException as error:
            # The text of a database's error may quote what was written: only its kind is told.
            logger.error("The ledger of %s cannot be written (%s).", self._space, type(error).__name__)
            for future in batch:
                if not future.done():
                    future.set_exception(self._unavailable(type(error).__name__))
            if not isinstance(error, Exception):
                raise
            return
        for future, receipt in zip(batch, receipts, strict=True):
            if not future.done():  # else its caller gave up
                future.set_result(receipt)
        self._last = receipts[-1]
        if any(each.keeping for each in batch.values()):
            self.holdings.prune_soon()
        if self.summary is not None:
            self.summary.soon()
        if self._sealer is None:
            self._sealer = asyncio.get_running_loop().create_task(self._seal())

    async def _begin(self) -> None:
        # INVARIANT: the file of checkpoints is there before the first entry is, so that its absence tells something.
        if not self._begun:
            if not self._checkpoints.begun():
                await asyncio.to_thread(self._checkpoints.append, await self._end.head())
            self._begun = True

    async def _seal(self) -> None:
        try:
            while self._last is not None and self._last.sequence > self._vouched:
                await self._vouch()
                await asyncio.sleep(self._pace)
        finally:
            self._sealer = None

    async def _vouch(self) -> None:
        last = self._last
        if last is None or last.sequence <= self._vouched:
            return
        try:
            await asyncio.to_thread(self._checkpoints.append, last)
        except OSError as error:
            # The entries stand; the next checkpoint vouches for them too.
            logger.error("A checkpoint of %s cannot be written (%s).", self._space, type(error).__name__)
        else:
            self._vouched = last.sequence

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(
            f"The ledger of {self._space} cannot be written ({why}), and nothing leaves unrecorded. "
            "Check its database and the disk, then ask again."
        )
