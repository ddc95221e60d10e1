"""Read the summary of a ledger: what a page shows of a million entries, without reading them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import reduce
from operator import or_

from pyroaring import BitMap
from sqlalchemy import and_, func, select
from sqlalchemy import or_ as either
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger.earlier import eve_of, of_one
from app.ledger.entry import EPOCH, MICROSECOND
from app.ledger.reading import fetch
from app.ledger.report import Received, telling
from app.ledger.store import activity, entry, field_set, reach, summarized, usage
from app.ledger.summary import BATCH, fold

AT_ONCE = 8
"""How many batches a reader takes in before it reads: what is left is told as a number of entries."""

BEGINNING = date(1970, 1, 1).toordinal()
"""The day that a bit 0 stands for where days are bits of one number."""

Use = tuple[str, str, str]
"""A client, a purpose, a coordinate."""


@dataclass(frozen=True, slots=True)
class Used:
    """When a field left to a client for a purpose, and on how many days."""

    first: datetime
    last: datetime
    days: int


@dataclass(frozen=True, slots=True)
class Day:
    """How often a client asked on one day."""

    day: date
    answers: int
    refusals: int


async def catch_up(engine: AsyncEngine, zone: tzinfo) -> int:
    """Take in what has come since; gives how many entries are left to be taken in. Raises: Unavailable."""
    try:
        for _ in range(AT_ONCE):
            if await fold(engine, zone) < BATCH:
                return 0
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"The ledger's summary cannot be written ({type(error).__name__}).") from None
    through = select(summarized.c.through).scalar_subquery()
    rows = await fetch(engine, select(func.max(entry.c.sequence) - through))
    return int(rows[0][0] or 0)


async def used_fields(engine: AsyncEngine, client: str | None = None) -> Mapping[Use, Used]:
    """What left to whom, or to one client. Raises: Unavailable."""
    query = select(usage) if client is None else select(usage).where(usage.c.client == client)
    return {
        (row.client, row.purpose, row.coordinate): Used(
            EPOCH + row.first * MICROSECOND, EPOCH + row.last * MICROSECOND, row.days
        )
        for row in await fetch(engine, query)
    }


async def active(engine: AsyncEngine) -> frozenset[str]:
    """Every client that ever asked. Raises: Unavailable."""
    return frozenset(row.client for row in await fetch(engine, select(activity.c.client).distinct()))


async def asked_on(engine: AsyncEngine, client: str, since: date) -> Sequence[Day]:
    """How often a client asked, day by day, from a day on. Raises: Unavailable."""
    wanted = select(activity).where(activity.c.client == client, activity.c.day >= since.toordinal())
    rows = await fetch(engine, wanted.order_by(activity.c.day))
    return [Day(date.fromordinal(row.day), row.answers, row.refusals) for row in rows]


async def received(engine: AsyncEngine, students: Collection[int]) -> list[Received]:
    """What left of the student with those row numbers: for each vendor the same fields once, with the days.

    Exact: a day is told iff an answer of that day held these fields of the student. Raises: Unavailable.
    """
    if not students:
        return []
    # INVARIANT: days that are over are read last: what is laid out in between is then met twice, and never missed.
    seen = [*await _lately(engine, students), *await _earlier(engine, students)]
    sets = {row.number: tuple(row.coordinates) for row in await fetch(engine, select(field_set))}
    reached: dict[tuple[str, str, str], dict[tuple[str, ...], int]] = {}
    for client, purpose, basis, fields, days in seen:
        told = telling(sets[fields])
        if told or not sets[fields]:
            of_vendor = reached.setdefault((client, purpose, basis), {})
            of_vendor[told] = of_vendor.get(told, 0) | days
    return [
        Received(client, purpose, basis or None, fields, days, len(days))
        for (client, purpose, basis), of_vendor in sorted(reached.items())
        for fields, days in sorted((fields, _days(mask)) for fields, mask in _together(of_vendor).items())
    ]


Reached = tuple[str, str, str, int, int]
"""Client, purpose, basis, a set of fields, and the days on which they left: a bit for each, by ordinal."""


async def _lately(engine: AsyncEngine, students: Collection[int]) -> list[Reached]:
    between = either(*(and_(reach.c.least <= one, reach.c.greatest >= one) for one in students))
    found = []
    for row in await fetch(engine, select(reach).where(between)):
        held = BitMap.deserialize(row.students)
        if any(one in held for one in students):
            found.append((row.client, row.purpose, row.basis, row.fields, 1 << (row.day - BEGINNING)))
    return found


async def _earlier(engine: AsyncEngine, students: Collection[int]) -> list[Reached]:
    found = []
    for student in students:
        for row in await fetch(engine, of_one(student)):
            if days := int.from_bytes(row.days, "little"):
                shift = eve_of(row.month) - BEGINNING
                found.append((row.client, row.purpose, row.basis, row.fields, days << shift))
    return found


def _together(reached: Mapping[tuple[str, ...], int]) -> Mapping[tuple[str, ...], int]:
    """Sets of fields that left on the same days, put together: for each day one set, and the days of each set."""
    parts: dict[frozenset[str], int] = {}
    for fields, days in reached.items():
        if not fields:
            continue  # that it was told to remove what it holds is told beside what left on the same day
        split: dict[frozenset[str], int] = {}
        for part, of_part in [*parts.items(), (frozenset(), days & ~reduce(or_, parts.values(), 0))]:
            for named, some in ((part, of_part & ~days), (part.union(fields), of_part & days)):
                if some:
                    split[named] = split.get(named, 0) | some
        parts = split
    told = {tuple(sorted(part)): days for part, days in parts.items()}
    return {(): reached[()], **told} if () in reached else told


def _days(mask: int) -> tuple[date, ...]:
    """The days whose bits are set, in order."""
    first = (mask & -mask).bit_length() - 1
    bits = enumerate(reversed(f"{mask >> first:b}"), BEGINNING + first)
    return tuple(date.fromordinal(day) for day, bit in bits if bit == "1")
