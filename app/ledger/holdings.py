"""The holdings of a space's clients, kept in its ledger's database: found, read, grown, and let go in time."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import RequestError
from app.ledger.entry import microseconds
from app.ledger.holding import BITS, Holding, Keeping, drawn, read_part, write_part
from app.ledger.pruning import prune
from app.ledger.reading import fetch
from app.ledger.store import holding, holding_part, holding_place
from app.names import ClientId
from app.settings import Changes

logger = logging.getLogger(__name__)

BATCH = 256
"""How many parts are read in one go."""

PACE = 60.0
"""Units: seconds between two looks at what may go."""


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def expired() -> RequestError:
    """A holding that is not kept: it was let go, or its answer never left whole."""
    return RequestError(
        "What this client holds is not kept any longer. Sync from the beginning, without this cursor.",
        code="CHANGES_EXPIRED",
    )


class Holdings:
    """What the clients of one space hold. The ledger writes them, with the entries that they belong to."""

    def __init__(self, engine: AsyncEngine, changes: Changes, clock: Callable[[], datetime] = now) -> None:
        self.engine = engine
        self.changes = changes
        self.clock = clock
        self._pruner: asyncio.Task[None] | None = None

    async def find(self, id_: bytes, client: ClientId, query: bytes) -> Holding:
        """The holding of that id. Raises: RequestError (CHANGES_EXPIRED), Unavailable."""
        oldest = microseconds(self.clock() - timedelta(days=self.changes.days))
        # INVARIANT: one statement, and so one moment: a holding without its parts would be one of nothing.
        query_ = (
            select(holding, holding_place.c.place, holding_place.c.part, holding_part.c.size)
            .join_from(holding, holding_place, holding_place.c.holding == holding.c.id, isouter=True)
            .join(holding_part, holding_part.c.id == holding_place.c.part, isouter=True)
            .where(holding.c.id == id_, holding.c.client == client, holding.c.query == query, holding.c.used >= oldest)
        )
        rows = await fetch(self.engine, query_)
        if not rows or any(row.part is not None and row.size is None for row in rows):
            raise expired()
        header = rows[0]
        return Holding(
            client=client,
            query=query,
            id=id_,
            through=header.through,
            state=header.state,
            last=header.last,
            records=header.records,
            places={row.place: row.part for row in rows if row.part is not None},
        )

    async def digests(self, of: Holding, places: Iterable[int]) -> dict[int, bytes]:
        """The digests at some places of a holding, by row. Raises: RequestError (CHANGES_EXPIRED), Unavailable."""
        wanted = {of.places[place]: place for place in places if place in of.places}
        digests: dict[int, bytes] = {}
        ids = list(wanted)
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            query = select(holding_part.c.id, holding_part.c.body).where(holding_part.c.id.in_(batch))
            rows = await fetch(self.engine, query)
            if len(rows) < len(batch):
                raise expired()  # it was let go meanwhile
            for row in rows:
                digests |= read_part(wanted[row.id], row.body)
        return digests

    async def grown(
        self, former: Holding, sent: Mapping[int, bytes], gone: Collection[int], **header: object
    ) -> Keeping:
        """The former holding with what was sent and without what is gone, under a header of its own.

        Raises: RequestError (CHANGES_EXPIRED, CHANGES_TOO_LARGE), Unavailable.
        """
        touched = {row >> BITS for row in (*sent, *gone)}
        digests = await self.digests(former, touched)
        records = former.records - len(digests)
        for row in gone:
            digests.pop(row, None)
        digests |= sent
        parted: dict[int, dict[int, bytes]] = {place: {} for place in touched}
        for row, digest in digests.items():
            parted[row >> BITS][row] = digest
        parts = {place: (drawn(), write_part(inside)) for place, inside in parted.items() if inside}
        places = {place: part for place, part in former.places.items() if place not in touched}
        places |= {place: part for place, (part, _) in parts.items()}
        made = replace(former, records=records + len(digests), places=places, **header)  # type: ignore[arg-type]
        if made.size > self.changes.client_bytes:
            raise RequestError(
                "The list is too long to keep what this client holds of it. Narrow it with `where`, or sync whole.",
                code="CHANGES_TOO_LARGE",
                extensions={"limit": self.changes.client_bytes},
            )
        last = max(places, default=0)
        ending = parted[last] if last in touched and last in places else await self.digests(former, [last])
        return Keeping(replace(made, last=max(ending, default=0)), dict(parts.values()))

    def prune_soon(self) -> None:
        """Let go of what need not be kept, soon, and beside the answers."""
        if self._pruner is None:
            self._pruner = asyncio.get_running_loop().create_task(self._prune())

    async def prune(self) -> None:
        """Let go of what need not be kept. Raises: SQLAlchemyError, OSError."""
        await prune(self.engine, self.changes, microseconds(self.clock()))

    async def _prune(self) -> None:
        try:
            await self.prune()
            await asyncio.sleep(PACE)
        except (SQLAlchemyError, OSError) as error:
            # What should have gone stands a while longer.
            logger.warning("What clients hold could not be pruned (%s).", type(error).__name__)
        finally:
            self._pruner = None

    async def close(self) -> None:
        """Leave the rest to the next time."""
        if self._pruner is not None:
            self._pruner.cancel()
            with suppress(asyncio.CancelledError):
                await self._pruner
