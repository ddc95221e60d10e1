"""Read the summary of a ledger: what a page shows of a million entries, without reading them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from pyroaring import BitMap
from sqlalchemy import and_, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger.entry import EPOCH, MICROSECOND
from app.ledger.reading import fetch
from app.ledger.report import Received
from app.ledger.store import activity, entry, field_set, reach, summarized, usage
from app.ledger.summary import BATCH, fold

AT_ONCE = 8
"""How many batches a reader takes in before it reads: what is left is told as a number of entries."""

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
    between = or_(*(and_(reach.c.least <= one, reach.c.greatest >= one) for one in students))
    names = (reach.c.client, reach.c.purpose, reach.c.basis, reach.c.day)
    rows = await fetch(engine, select(*names, reach.c.fields, reach.c.students).where(between).order_by(*names))
    sets = {row.number: tuple(row.coordinates) for row in await fetch(engine, select(field_set))}
    left: dict[tuple[str, str, str, int, bool], set[str]] = {}
    for row in rows:
        held = BitMap.deserialize(row.students)
        if any(one in held for one in students):
            # That it was told to remove what it holds is told beside what left on the same day.
            key = row.client, row.purpose, row.basis, row.day, not sets[row.fields]
            left[key] = {*(left.get(key) or ()), *sets[row.fields]}
    days: dict[tuple[str, str, str, tuple[str, ...]], list[date]] = {}
    for (client, purpose, basis, day, _), coordinates in left.items():
        fields = tuple(sorted(coordinates))
        days.setdefault((client, purpose, basis, fields), []).append(date.fromordinal(day))
    return [
        Received(client, purpose, basis or None, coordinates, tuple(each), len(each))
        for (client, purpose, basis, coordinates), each in sorted(days.items())
    ]
