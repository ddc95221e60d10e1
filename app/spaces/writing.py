"""One transaction in a space: all of a change or nothing of it, one import or deletion at a time."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import Unavailable
from app.spaces.state import set_mark

FAILURES = (SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


@asynccontextmanager
async def writing(engine: AsyncEngine, *, dry_run: bool = False, alone: bool = True) -> AsyncIterator[AsyncConnection]:
    """A connection whose transaction is committed at the end; rolled back on any failure and on a dry run.

    Answers go on meanwhile. `alone`: no import and no other such change runs beside it.
    Raises: Unavailable when the database fails; the space is then as it was.
    """
    try:
        async with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif alone:
                await connection.exec_driver_sql("LOCK TABLE ssn_met IN SHARE ROW EXCLUSIVE MODE")
            try:
                yield connection
                if dry_run:
                    await connection.rollback()
                else:
                    await set_mark(connection)
                    await connection.commit()
            except BaseException:
                await connection.rollback()
                raise
    except FAILURES as error:
        # INVARIANT: a database's own message may quote a row, so only its kind is told.
        raise Unavailable(
            f"The space's database failed ({type(error).__name__}). Nothing was stored; "
            "run the command again when it answers."
        ) from None
