"""Read the index: a page of what is asked for, resources by id, resources for courses."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.registry import text
from app.registry.resource import Resource, folded, grade_levels
from app.registry.store import batches
from app.registry.tables import resource, resource_term

decode = msgspec.json.Decoder(Resource).decode


class CursorError(ValueError):
    """A cursor that was not made for this list."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which resources are asked for; all that is given must hold."""

    search: str | None = None
    subject: str | None = None
    grade_level: str | None = None
    standard: str | None = None

    @property
    def digest(self) -> str:
        """What binds a cursor to its list."""
        asked = repr((self.search, self.subject, self.grade_level, self.standard))
        return sha256(asked.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Placed:
    """A resource with its place in a list."""

    resource: Resource
    cursor: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and whether there is more after it."""

    placed: tuple[Placed, ...]
    more: bool


class _Place(msgspec.Struct, array_like=True):
    digest: str
    rank: float
    number: int


_PLACE = msgspec.json.Decoder(_Place)


async def page(engine: AsyncEngine, asked: Asked, first: int, after: str | None) -> Page:
    """Resources, the best found first; in the order in which they came where nothing is searched for.

    Raises: CursorError.
    """
    place = _read_cursor(after, asked) if after is not None else None
    statement = select(resource.c.number, resource.c.body)
    if asked.search is not None:
        found = text.finding(engine.dialect.name, asked.search)
        if found is None:
            return Page((), more=False)
        rank, number = found.c.rank, resource.c.number
        statement = statement.add_columns(rank).join(found, found.c.resource == number).order_by(rank, number)
        if place is not None:
            statement = statement.where(or_(rank > place.rank, and_(rank == place.rank, number > place.number)))
    else:
        statement = statement.order_by(resource.c.number)
        if place is not None:
            statement = statement.where(resource.c.number > place.number)
    for condition in _conditions(asked):
        statement = statement.where(condition)
    async with engine.connect() as connection:
        rows = (await connection.execute(statement.limit(first + 1))).all()
    digest = asked.digest
    placed = (Placed(decode(row.body), _cursor(digest, getattr(row, "rank", 0.0), row.number)) for row in rows[:first])
    return Page(tuple(placed), more=len(rows) > first)


def _conditions(asked: Asked) -> Iterable[ColumnElement[bool]]:
    value = resource_term.c.value
    if asked.subject is not None:
        yield _has("subject", value == folded(asked.subject))
    if asked.grade_level is not None:
        yield _has("grade", value.in_([folded(level) for level in grade_levels(asked.grade_level)]))
    if asked.standard is not None:
        standard = folded(asked.standard)
        yield _has("standard", or_(value == standard, value.startswith(f"{standard}.", autoescape=True)))


def _has(kind: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    term = resource_term.c
    return select(1).where(term.resource == resource.c.number, term.kind == kind, condition).exists()


def _cursor(digest: str, rank: float, number: int) -> str:
    return urlsafe_b64encode(msgspec.json.encode(_Place(digest, rank, number))).decode().rstrip("=")


def _read_cursor(cursor: str, asked: Asked) -> _Place:
    try:
        place = _PLACE.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:  # what base64, UTF-8 and msgspec raise are ValueErrors
        raise CursorError from None
    if place.digest != asked.digest or not 0 < place.number < 2**63:
        raise CursorError
    return place


async def by_ids(engine: AsyncEngine, ids: Sequence[str]) -> dict[str, Resource]:
    """The resources that have those ids."""
    found: dict[str, Resource] = {}
    async with engine.connect() as connection:
        for some in batches(list(dict.fromkeys(ids))):
            rows = await connection.execute(select(resource.c.id, resource.c.body).where(resource.c.id.in_(some)))
            found |= {row.id: decode(row.body) for row in rows}
    return found


async def for_courses(engine: AsyncEngine, codes: Sequence[str], first: int) -> dict[str, list[Resource]]:
    """The resources that are for courses, by SCED code: for each the most used first, and no more than `first`."""
    found: dict[str, list[Resource]] = {}
    async with engine.connect() as connection:
        for some in batches(list(dict.fromkeys(folded(code) for code in codes))):
            for row in await connection.execute(_of_courses(some, first)):
                found.setdefault(row.value, []).append(decode(row.body))
    return {code: found.get(folded(code), []) for code in codes}


def _of_courses(codes: list[str], first: int) -> Select[tuple[str, bytes]]:
    term = resource_term.c
    order = (resource.c.uses.desc(), resource.c.number)
    place = func.row_number().over(partition_by=term.value, order_by=order).label("place")
    ranked = (
        select(term.value, resource.c.body, place)
        .join(resource, resource.c.number == term.resource)
        .where(term.kind == "course", term.value.in_(codes))
        .subquery()
    )
    return select(ranked.c.value, ranked.c.body).where(ranked.c.place <= first).order_by(ranked.c.value, ranked.c.place)
