"""Read the ledger, page by page: no answer waits for a reader, and memory stays flat."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, false, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger.entry import Recorded, Unlinked, microseconds, read_entry
from app.ledger.store import entry

PAGE = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries are asked for: all that is given must hold."""

    client: str | None = None
    since: datetime | None = None  # inclusive
    until: datetime | None = None  # exclusive
    students: tuple[int, ...] | None = None  # row numbers: entries that concern one of them


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the table, unread."""

    sequence: int
    hash: bytes
    unlinked: Unlinked


async def entries(engine: AsyncEngine, filters: Filters, *, page: int = PAGE) -> AsyncIterator[Recorded]:
    """The entries that pass the filters, newest first. Raises: Unavailable."""
    before: tuple[int, int] | None = None
    while True:
        query = select(entry).where(*conditions(filters)).order_by(entry.c.at.desc(), entry.c.sequence.desc())
        if before is not None:
            query = query.where(tuple_(entry.c.at, entry.c.sequence) < before)
        rows = await fetch(engine, query.limit(page))
        for row in rows:
            recorded = read(row)
            if filters.students is None or any(names(recorded, student) for student in filters.students):
                yield recorded
        if len(rows) < page:
            return
        before = rows[-1].at, rows[-1].sequence


@dataclass(frozen=True, slots=True)
class Found:
    """Some entries, the newest first, and from where to go on: what was looked through is older than that by now."""

    entries: tuple[Recorded, ...]
    onward: tuple[int, int] | None  # None: that is all
    unreadable: tuple[int, ...] = ()  # the numbers of those that somebody has spoilt: whether they pass is not known


async def search(
    engine: AsyncEngine,
    filters: Filters,
    *,
    field: str | None = None,
    before: tuple[int, int] | None = None,
    limit: int = 50,
    most: int = 5_000,
    seconds: float = inf,
) -> Found:
    """The newest entries that pass the filters and, if one is named, told of a field.

    `most` are looked through, and no further page once `seconds` have passed: entries lie far apart on a disk.
    Raises: Unavailable.
    """
    over = monotonic() + seconds
    found: list[Recorded] = []
    unreadable: list[int] = []
    looked = 0
    while looked < most:
        query = select(entry).where(*conditions(filters)).order_by(entry.c.at.desc(), entry.c.sequence.desc())
        if before is not None:
            query = query.where(tuple_(entry.c.at, entry.c.sequence) < before)
        rows = await fetch(engine, query.limit(PAGE))
        for row in rows:
            before = row.at, row.sequence
            try:
                recorded = Recorded(row.sequence, row.hash, read_entry(row.body))
            except ValueError:
                unreadable.append(row.sequence)
                continue
            if _passes(recorded, filters, field):
                found.append(recorded)
                if len(found) == limit:
                    return Found(tuple(found), before, tuple(unreadable))
        looked += len(rows)
        if len(rows) < PAGE:
            return Found(tuple(found), None, tuple(unreadable))
        if monotonic() >= over:
            break
    return Found(tuple(found), before, tuple(unreadable))


def _passes(recorded: Recorded, filters: Filters, field: str | None) -> bool:
    if filters.students is not None and not any(names(recorded, student) for student in filters.students):
        return False
    made = recorded.entry
    return (
        field is None
        or any(field in whose.coordinates for whose in made.disclosed)
        or any(field == coordinate for coordinate, _ in made.denied)
    )


async def head(engine: AsyncEngine) -> int:
    """The number of the last entry; 0 if there is none."""
    rows = await fetch(engine, select(entry.c.sequence).order_by(entry.c.sequence.desc()).limit(1))
    return rows[0].sequence if rows else 0


async def stored(engine: AsyncEngine, *, page: int = PAGE) -> AsyncIterator[Stored]:
    """Every row as it stands, in the order of the chain. Raises: Unavailable."""
    query = select(entry).order_by(entry.c.sequence).limit(page)
    rows = await fetch(engine, query)
    while rows:
        for row in rows:
            yield _stored(row)
        rows = await fetch(engine, query.where(entry.c.sequence > rows[-1].sequence))


async def stored_at(engine: AsyncEngine, numbers: Collection[int]) -> Mapping[int, Stored]:
    """The rows of these numbers as they stand; one that is not there is not among them. Raises: Unavailable."""
    rows = await fetch(engine, select(entry).where(entry.c.sequence.in_(numbers)))
    return {row.sequence: _stored(row) for row in rows}


def _stored(row: Row[Any]) -> Stored:
    columns = Unlinked(row.at, row.client, row.first_student, row.last_student, row.body)
    return Stored(row.sequence, row.hash, columns)


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The filters in SQL. A student is looked for between the least and the greatest row of each entry."""
    found: list[ColumnElement[bool]] = []
    if filters.client is not None:
        found.append(entry.c.client == filters.client)
    if filters.since is not None:
        found.append(entry.c.at >= microseconds(filters.since))
    if filters.until is not None:
        found.append(entry.c.at < microseconds(filters.until))
    if filters.students is not None:
        between = (and_(entry.c.first_student <= one, entry.c.last_student >= one) for one in filters.students)
        found.append(or_(false(), *between))
    return found


def names(recorded: Recorded, student: int) -> bool:
    """Whether an entry concerns the student: something of theirs left, was to be removed, or was the district's act."""
    whose = (*recorded.entry.disclosed, *recorded.entry.removed, *recorded.entry.concerned)
    return any(one.students is not None and student in one.students for one in whose)


def read(row: Row[Any]) -> Recorded:
    """The entry in a row. Raises: Unavailable, if someone has spoilt it."""
    try:
        return Recorded(row.sequence, row.hash, read_entry(row.body))
    except ValueError:
        raise Unavailable(
            f"Entry {row.sequence} of the ledger cannot be read. Run `homeroom disclosures verify`."
        ) from None


async def fetch(engine: AsyncEngine, query: Select[Any]) -> Sequence[Row[Any]]:
    """One page. Raises: Unavailable, if the ledger's database does not answer."""
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
        raise Unavailable(
            "The ledger's file is missing. Put it back from a copy."
        )  # opening it would make an empty one
    try:
        async with engine.connect() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return rows
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(
            f"The ledger cannot be read ({type(error).__name__}). Check that its database is there and up to date."
        ) from None
