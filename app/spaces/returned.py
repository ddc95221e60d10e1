"""A space that was put back from a copy: what was given out after the copy was made must never come to mean another.

Vendors hold ids of records that the copy does not know. Their row numbers are passed over, so that no record to come
gets one of them; and the space's mark is drawn anew.
"""

from sqlalchemy import Table, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import Unavailable
from app.spaces.state import set_mark
from app.spaces.tables import BY_TYPE

GAP = 1_000_000
"""How many row numbers of each table are passed over; as many as there were, if those were more."""


async def pass_over(engine: AsyncEngine) -> None:
    """Leave the gap in the table of every type. Raises: Unavailable."""
    step = _step_postgresql if engine.dialect.name == "postgresql" else _step_sqlite
    try:
        async with engine.begin() as connection:
            for table in BY_TYPE.values():
                await step(connection, table)
            await set_mark(connection)
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"The restored space cannot be written ({type(error).__name__}).") from None


async def _step_sqlite(connection: AsyncConnection, table: Table) -> None:
    known = "SELECT name FROM sqlite_sequence"
    first = f"INSERT INTO sqlite_sequence (name, seq) SELECT :name, 0 WHERE :name NOT IN ({known})"
    await connection.execute(text(first), {"name": table.name})
    further = "UPDATE sqlite_sequence SET seq = seq + max(seq, :gap) WHERE name = :name"
    await connection.execute(text(further), {"name": table.name, "gap": GAP})


async def _step_postgresql(connection: AsyncConnection, table: Table) -> None:
    name = await connection.scalar(text("SELECT pg_get_serial_sequence(:table, 'row')"), {"table": table.name})
    last = await connection.scalar(text("SELECT nextval(:name)"), {"name": name})
    await connection.execute(text("SELECT setval(:name, :number)"), {"name": name, "number": last + max(last, GAP)})
