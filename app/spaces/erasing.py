"""Erase a student: everything of theirs leaves the space, and imports leave them out until the district readmits them.

What was disclosed before stays answerable: the row number that the ledger names is kept under a keyed hash of each
key that the district knew the student by, and never under the key itself.
"""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Table, and_, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import Unavailable
from app.names import Row
from app.spaces.removal import Removal, Removed
from app.spaces.staging import Stage
from app.spaces.tables import erased, opt_out, student


def key_hash(secret: bytes, key: str) -> str:
    """What stands for a key of an erased student. Without the space's secret nobody can try keys on it."""
    return hmac.digest(secret, b"homeroom\nerased\n" + key.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Erased:
    """The erased students whom the district has not readmitted."""

    hashes: frozenset[str]
    secret: bytes = field(repr=False)

    def names(self, key: str | None) -> bool:
        """Whether a key is one of theirs."""
        return key is not None and key_hash(self.secret, key) in self.hashes


async def erase(connection: AsyncConnection, row: Row, *, secret: bytes, at: str) -> list[Removed]:
    """Take a student and all that is theirs out of the space, inside a transaction. Answers what went."""
    found = await connection.execute(
        select(student.c.source_key, student.c.student_unique_id).where(student.c.row == row)
    )
    keys = {key for key in found.one() if key}
    removal = Removal(connection)
    await removal.doom("Student", student.c.row == row)
    await removal.doom_all_dependents()
    await removal.doom_emptied_incidents()
    removed = await removal.carry_out()
    await connection.execute(delete(opt_out).where(opt_out.c.student_key.in_(keys)))
    values = [{"key_hash": key_hash(secret, key), "student": row, "at": at, "kept_out": True} for key in sorted(keys)]
    await connection.execute(insert(erased), values)
    return removed


async def readmit(connection: AsyncConnection, hashed: str) -> list[Row]:
    """Let imports bring an erased student back. Answers the row numbers that the student had; none: nobody was."""
    query = select(erased.c.student).where(erased.c.key_hash == hashed, erased.c.kept_out)
    rows = [Row(row) for row in (await connection.execute(query)).scalars()]
    # All keys of the student: else one of them would go on keeping the record out.
    await connection.execute(update(erased).where(erased.c.student.in_(rows)).values(kept_out=False))
    return rows


async def kept_out(connection: AsyncConnection, secret: bytes) -> Erased:
    """Whom imports leave out."""
    query = select(erased.c.key_hash).where(erased.c.kept_out)
    return Erased(frozenset((await connection.execute(query)).scalars()), secret)


async def erased_rows(engine: AsyncEngine, hashed: str) -> tuple[Row, ...]:
    """The row numbers that an erased student had, in their order. Raises: Unavailable."""
    try:
        async with engine.connect() as connection:
            query = select(erased.c.student).where(erased.c.key_hash == hashed).order_by(erased.c.student)
            return tuple(Row(row) for row in (await connection.execute(query)).scalars())
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(
            f"The space's database cannot be read ({type(error).__name__}). Check that it is there and up to date."
        ) from None


async def theirs(
    connection: AsyncConnection, stage: Stage, out: Erased
) -> AsyncIterator[tuple[Table, ColumnElement[bool]]]:
    """The staged rows that are an erased student's, some hundred keys at a time."""
    if not out.hashes:
        return
    gone: set[str] = set()
    for part, staged in stage.tables.values():
        if part.type == "Student":
            columns = [staged.c[name] for name in ("source_key", "student_unique_id") if name in staged.c]
            found = await connection.execute(select(staged.c.source_key, *columns).distinct())
            gone |= {key for key, *names in found if any(out.names(name) for name in names)}
    for part, staged in stage.tables.values():
        column = staged.c.source_key if part.type == "Student" else staged.c.get("student_key")
        if column is not None:
            keys = (await connection.execute(select(column).distinct())).scalars().all()
            named = [key for key in keys if key in gone or out.names(key)]
            for start in range(0, len(named), 500):
                yield staged, and_(staged.c.refusal.is_(None), column.in_(named[start : start + 500]))


def left_out(count: int) -> str:
    """Why so many rows of a file were not taken."""
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return f"{rows} of erased students were left out. `homeroom erase --readmit` lets a student in again."
