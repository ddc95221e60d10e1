"""Ask a database whether it answers, on a connection of its own: one that was opened long ago may outlive its file."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from app.storage.postgresql import arguments

PATIENCE = 3.0
"""Units: seconds that a database has to answer in."""


async def answers(url: str, table: str) -> bool:
    """Whether the database that a URL names has that table, and reads it in time."""
    parsed = make_url(url)
    try:
        async with asyncio.timeout(PATIENCE):
            if parsed.get_backend_name() == "postgresql":
                connection = await asyncpg.connect(**arguments(parsed))
                try:
                    await connection.fetchval(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - a name of ours
                finally:
                    connection.terminate()
            else:
                await asyncio.to_thread(_read, Path(parsed.database or ""), table)
    except (sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        return False
    return True


def _read(file: Path, table: str) -> None:
    # mode=rw: a database that is missing is a fault, not the beginning of a new one.
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE)) as connection:
        connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608 - a name of ours
