"""Change the summary in turn: one at a time takes in entries, lays out days or begins anew."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@asynccontextmanager
async def in_turn(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction on a ledger that is there, committed at the end. Raises: SQLAlchemyError, OSError.

    On SQLite it waits here; on PostgreSQL at the row of `summarized`, which each locks first.
    """
    sqlite = engine.dialect.name == "sqlite"
    if sqlite and not Path(engine.url.database or "").is_file():
        raise FileNotFoundError("The ledger's file is missing.")  # opening it would make an empty one
    async with engine.connect() as connection:
        if sqlite:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        await connection.commit()
