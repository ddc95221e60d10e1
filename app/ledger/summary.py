"""A summary of the ledger, kept beside the chain as entries are written: who used which fields, how often, of whom.

What pages need of a million entries is a few thousand rows. The summary proves nothing and can be made anew: it says up
to which entry it was made, and whoever reads it first takes in what has come since.

Shape: days are days of the district, as ordinals (`date.toordinal`). Of a record it holds what an entry holds: its
student's row number, in a bitmap.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

import msgspec
from pyroaring import BitMap
from sqlalchemy import Connection, Row, case, delete, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger.earlier import lay_out
from app.ledger.entry import EPOCH, MICROSECOND, Entry, Kind, read_entry
from app.ledger.report import told_by
from app.ledger.store import SUMMARY, activity, entry, field_set, reach, summarized, usage
from app.ledger.turn import in_turn
from app.storage.upsert import upsert

logger = logging.getLogger(__name__)

BATCH = 500
"""How many entries are taken in with one commit: whoever records one waits no longer than that."""

PACE = 1.0
"""Units: seconds between two commits, while entries come."""

Zone = Callable[[], tzinfo]
ReachKey = tuple[str, str, str, int, int]


@dataclass(slots=True)
class Taken:
    """What some entries say, added up."""

    used: dict[tuple[str, str, str], tuple[int, int, set[int]]] = field(default_factory=dict)
    asked: dict[tuple[str, int], list[int]] = field(default_factory=dict)  # answers, refusals
    reached: dict[ReachKey, BitMap] = field(default_factory=dict)
    sets: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def take(self, made: Entry, at: int, zone: tzinfo) -> None:
        """Add an entry."""
        day = (EPOCH + at * MICROSECOND).astimezone(zone).date().toordinal()
        if made.kind in {Kind.ANSWER, Kind.OPENING, Kind.REFUSAL}:
            self.asked.setdefault((made.client, day), [0, 0])[made.kind is Kind.REFUSAL] += 1
        told = told_by(made)
        if told is None:
            return
        for whose in made.disclosed:
            for coordinate in whose.coordinates if told == made.client else ():
                key = made.client, made.purpose, coordinate
                first, last, days = self.used.get(key, (at, at, set()))
                days.add(day)
                self.used[key] = min(first, at), max(last, at), days
            if whose.students:
                self._reach(made, told, day, whose.coordinates, whose.students)
        for whose in made.removed:
            if whose.students:
                self._reach(made, told, day, (), whose.students)

    def _reach(self, made: Entry, told: str, day: int, coordinates: Iterable[str], students: BitMap) -> None:
        named = tuple(sorted(coordinates))
        number = number_of(named)
        self.sets[number] = named
        key = told, made.purpose, made.basis or "", number, day
        kept = self.reached.get(key)
        if kept is None:
            self.reached[key] = students.copy()
        else:
            kept |= students


def number_of(coordinates: Sequence[str]) -> int:
    """What a set of coordinates is known by."""
    return int.from_bytes(hashlib.sha256("\n".join(coordinates).encode()).digest()[:8], "big", signed=True)


class Summary:
    """Keeps the summary of one space's ledger abreast of its entries, beside the answers."""

    def __init__(self, engine: AsyncEngine, zone: Zone, *, pace: float = PACE) -> None:
        self._engine = engine
        self._zone = zone
        self._pace = pace
        self._task: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """Take in what there is, shortly."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._follow())

    async def _follow(self) -> None:
        try:
            while True:
                await asyncio.sleep(self._pace)
                taken = await fold(self._engine, self._zone())
                if not taken and not await lay_out(self._engine):
                    return
                while taken == BATCH or await lay_out(self._engine):
                    await asyncio.sleep(self._pace / 50)  # those who record entries come first
                    taken = await fold(self._engine, self._zone())
        except (SQLAlchemyError, OSError) as error:
            logger.warning("The summary of the ledger is behind (%s).", type(error).__name__)
        finally:
            self._task = None

    async def close(self) -> None:
        """Stop; what is not taken in yet will be."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


async def fold(engine: AsyncEngine, zone: tzinfo) -> int:
    """Take in the next entries, in one commit; gives how many. Raises: SQLAlchemyError, OSError."""
    async with in_turn(engine) as connection:
        return await connection.run_sync(_fold, zone)


async def make_anew(engine: AsyncEngine, zone: tzinfo) -> int:
    """Forget the summary, and make it from the first entry on; gives of how many. Raises: Unavailable."""
    try:
        async with in_turn(engine) as connection:
            await connection.execute(update(summarized).values(through=0))  # whoever takes in entries waits for this
            for table in SUMMARY:
                if table is not summarized:
                    await connection.execute(delete(table))
        count = 0
        while taken := await fold(engine, zone):
            count += taken
            await lay_out(engine)
        while await lay_out(engine):
            pass
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"The ledger's summary cannot be made ({type(error).__name__}). Run it again.") from None
    return count


def _fold(connection: Connection, zone: tzinfo) -> int:
    connection.execute(upsert(connection, summarized).values(id=1, through=0).on_conflict_do_nothing())
    through = connection.execute(select(summarized.c.through).with_for_update()).scalar_one()
    following = select(entry.c.sequence, entry.c.at, entry.c.body).where(entry.c.sequence > through)
    rows = connection.execute(following.order_by(entry.c.sequence).limit(BATCH)).all()
    if not rows:
        return 0
    taken = Taken()
    for row in rows:
        with suppress(ValueError, msgspec.DecodeError):  # somebody has spoilt it: `verify` says so
            taken.take(read_entry(row.body), row.at, zone)
    _keep_usage(connection, taken)
    _keep_activity(connection, taken)
    _keep_reach(connection, taken)
    connection.execute(update(summarized).values(through=rows[-1].sequence))
    return len(rows)


def _keep_usage(connection: Connection, taken: Taken) -> None:
    if not taken.used:
        return
    rows = [
        {
            **dict(zip(("client", "purpose", "coordinate"), key, strict=True)),
            **{"first": first, "last": last, "days": len(days), "first_day": min(days), "last_day": max(days)},
        }
        for key, (first, last, days) in taken.used.items()
    ]
    new = upsert(connection, usage)
    given = new.excluded
    values = {
        "first": case((given.first < usage.c.first, given.first), else_=usage.c.first),
        "last": case((given.last > usage.c.last, given.last), else_=usage.c.last),
        "days": usage.c.days + given.days - case((given.first_day <= usage.c.last_day, 1), else_=0),
        "last_day": case((given.last_day > usage.c.last_day, given.last_day), else_=usage.c.last_day),
    }
    keys = ["client", "purpose", "coordinate"]
    connection.execute(new.on_conflict_do_update(index_elements=keys, set_=values), rows)


def _keep_activity(connection: Connection, taken: Taken) -> None:
    if not taken.asked:
        return
    rows = [
        {"client": client, "day": day, "answers": answers, "refusals": refusals}
        for (client, day), (answers, refusals) in taken.asked.items()
    ]
    new = upsert(connection, activity)
    more = {name: activity.c[name] + new.excluded[name] for name in ("answers", "refusals")}
    connection.execute(new.on_conflict_do_update(index_elements=["client", "day"], set_=more), rows)


def _keep_reach(connection: Connection, taken: Taken) -> None:
    if not taken.reached:
        return
    sets = [{"number": number, "coordinates": list(named)} for number, named in taken.sets.items()]
    connection.execute(upsert(connection, field_set).on_conflict_do_nothing(), sets)
    keys = list(taken.reached)
    names = ("client", "purpose", "basis", "fields", "day")
    for start in range(0, len(keys), 100):
        some = keys[start : start + 100]
        kept: Iterable[Row[Any]] = connection.execute(
            select(reach).where(tuple_(*(reach.c[name] for name in names)).in_(some))
        )
        for row in kept:
            taken.reached[row.client, row.purpose, row.basis, row.fields, row.day] |= BitMap.deserialize(row.students)
    rows = [
        {
            **dict(zip(names, key, strict=True)),
            **{"least": students.min(), "greatest": students.max(), "students": bytes(students.serialize())},
        }
        for key, students in taken.reached.items()
    ]
    new = upsert(connection, reach)
    values = {name: new.excluded[name] for name in ("least", "greatest", "students")}
    connection.execute(new.on_conflict_do_update(index_elements=list(names), set_=values), rows)
