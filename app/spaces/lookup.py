"""Find records by the keys that the district itself uses."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import Unavailable
from app.names import Row
from app.spaces.tables import school, student


async def student_row(engine: AsyncEngine, key: str) -> Row | None:
    """The row number of the student whose `source_key`, or else `student_unique_id`, is the key; None if none is.

    Raises: Unavailable.
    """
    try:
        async with engine.connect() as connection:
            return await row_of(connection, key)
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(
            f"The space's database cannot be read ({type(error).__name__}). Check that it is there and up to date."
        ) from None


async def student_name(engine: AsyncEngine, row: Row) -> str:
    """A student's first and last name, as far as the space has them. Raises: Unavailable."""
    try:
        async with engine.connect() as connection:
            wanted = select(student.c.first_name, student.c.last_surname).where(student.c.row == row)
            found = (await connection.execute(wanted)).first()
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"The space's database cannot be read ({type(error).__name__}).") from None
    return " ".join(part for part in found or () if part)


async def row_of(connection: AsyncConnection, key: str) -> Row | None:
    """The same, on a connection that is open."""
    for column in (student.c.source_key, student.c.student_unique_id):
        rows = (await connection.execute(select(student.c.row).where(column == key).limit(2))).scalars().all()
        if len(rows) == 1:
            return Row(rows[0])
    return None


async def school_keys(engine: AsyncEngine) -> set[str]:
    """The district's own keys of its schools. Raises: Unavailable."""
    return {*await school_names(engine)}


async def school_names(engine: AsyncEngine) -> Mapping[str, str]:
    """The district's schools by its own keys; one without a name by its key. Raises: Unavailable."""
    try:
        async with engine.connect() as connection:
            rows = await connection.execute(select(school.c.source_key, school.c.name_of_institution))
            return {row.source_key: row.name_of_institution or row.source_key for row in rows}
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(
            f"The space's database cannot be read ({type(error).__name__}). Check that it is there and up to date."
        ) from None
