"""Opt-outs: the families' decisions that the district records, in force from the next statement on.

Kept by the district's own key, so that an import, a deletion and a return leave them standing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, Select, delete, func, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import Unavailable
from app.names import DIRECTORY_INFORMATION, EVERY_VENDOR, ClientId, Row
from app.spaces.tables import opt_out, student

AT_ONCE = 500
"""How many keys one statement names."""


@dataclass(frozen=True, slots=True, order=True)
class OptOut:
    """One family's decision: this student, and this client, every vendor, or directory information."""

    student_key: str
    client: str = EVERY_VENDOR


@dataclass(frozen=True, slots=True)
class Standing:
    """An opt-out that is recorded; `student` is absent while the space has no record of that key."""

    student_key: str
    client: str
    at: str
    student: Row | None
    name: str = ""  # first and last, as far as the space has them


def opted_out(client: ClientId) -> Select[tuple[int]]:
    """The row numbers of the students whose opt-outs concern a client."""
    return _students(or_(opt_out.c.client == EVERY_VENDOR, opt_out.c.client == client))


def blocked(table: FromClause) -> ColumnElement[bool]:
    """Whether a student's directory information is blocked: by the roster, or because the family opted out of it."""
    opted = _students(opt_out.c.client == DIRECTORY_INFORMATION)
    return or_(table.c.directory_information_block.is_(True), table.c.row.in_(opted))


def _students(decided: ColumnElement[bool]) -> Select[tuple[int]]:
    # From the few opt-outs to their students, whatever a database makes of it: a join may be read from the many.
    # INVARIANT: never null, for nothing is outside a set with a null in it. 0 is nobody's row number.
    row = select(student.c.row).where(student.c.source_key == opt_out.c.student_key).scalar_subquery()
    return select(func.coalesce(row, 0).label("row")).where(decided)


async def student_keys(connection: AsyncConnection, keys: Iterable[str]) -> Mapping[str, str]:
    """The `source_key` that each of these keys means, itself or a unique id; what means none, or several, is left out.

    A student who is gone, and whose opt-out stands, is known by it.
    """
    wanted = list(dict.fromkeys(keys))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        unique = student.c.student_unique_id
        by_id = select(unique, func.min(student.c.source_key)).where(unique.in_(some)).group_by(unique)
        found.update((a, b) for a, b in await connection.execute(by_id.having(func.count() == 1)))
        for own in (opt_out.c.student_key, student.c.source_key):
            found.update((key, key) for key in (await connection.execute(select(own).where(own.in_(some)))).scalars())
    return found


async def standing(connection: AsyncConnection, keys: Collection[str] | None = None) -> list[Standing]:
    """The opt-outs that are recorded, of some students or of all, by key and client."""
    query = (
        select(
            opt_out.c.student_key,
            opt_out.c.client,
            opt_out.c.at,
            student.c.row,
            student.c.first_name,
            student.c.last_surname,
        )
        .select_from(opt_out.outerjoin(student, student.c.source_key == opt_out.c.student_key))
        .order_by(opt_out.c.student_key, opt_out.c.client)
    )
    if keys is None:
        return [_standing(*row) for row in await connection.execute(query)]
    wanted, found = sorted(keys), []
    for start in range(0, len(wanted), AT_ONCE):
        some = query.where(opt_out.c.student_key.in_(wanted[start : start + AT_ONCE]))
        found += [_standing(*row) for row in await connection.execute(some)]
    return found


def _standing(key: str, client: str, at: str, row: Row | None, *names: str | None) -> Standing:
    return Standing(key, client, at, row, " ".join(filter(None, names)))


async def standing_of(engine: AsyncEngine, key: str) -> list[Standing]:
    """The opt-outs of the student that a key means, by client. Raises: Unavailable."""
    try:
        async with engine.connect() as connection:
            keys = await student_keys(connection, [key])
            return await standing(connection, keys.values())
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"The space's database cannot be read ({type(error).__name__}).") from None


async def opt_students_out(connection: AsyncConnection, wanted: Sequence[OptOut], at: str) -> list[Standing]:
    """Record opt-outs. Answers those that did not stand before."""
    keys = {one.student_key for one in wanted}
    before = {OptOut(one.student_key, one.client) for one in await standing(connection, keys)}
    fresh = [one for one in dict.fromkeys(wanted) if one not in before]
    if fresh:
        rows = [{"student_key": one.student_key, "client": one.client, "at": at} for one in fresh]
        await connection.execute(insert(opt_out), rows)
    return [one for one in await standing(connection, keys) if OptOut(one.student_key, one.client) not in before]


async def opt_students_in(connection: AsyncConnection, wanted: Sequence[OptOut]) -> list[Standing]:
    """Take opt-outs back. Answers those that stood."""
    asked = frozenset(wanted)
    before = await standing(connection, {one.student_key for one in wanted})
    stood = [one for one in before if OptOut(one.student_key, one.client) in asked]
    for one in stood:
        is_it = (opt_out.c.student_key == one.student_key, opt_out.c.client == one.client)
        await connection.execute(delete(opt_out).where(*is_it))
    return stood


async def all_standing(engine: AsyncEngine) -> tuple[list[Standing], int]:
    """Every opt-out, and how many students' directory information is blocked. Raises: Unavailable."""
    try:
        async with engine.connect() as connection:
            return await standing(connection), await count_blocked(connection)
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"The space's database cannot be read ({type(error).__name__}).") from None


async def count_blocked(connection: AsyncConnection) -> int:
    """How many students' directory information is blocked."""
    one = student.alias()
    return (await connection.execute(select(func.count()).select_from(one).where(blocked(one)))).scalar_one()
