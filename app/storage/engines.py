"""Engines: one per database, opened once, each for one purpose.

Shape: a URL as `Settings.database_url` gives it. `?schema=NAME` on a PostgreSQL URL keeps a database's tables in a
schema of their own, so that a space, its ledger and the control tables can share one server.
"""

import os
import sqlite3
from contextlib import nullcontext, suppress
from typing import Any

import aiosqlite
import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.storage.postgresql import arguments


def open_engine(url: str, *, durable: bool = True, pool_size: int = 8) -> AsyncEngine:
    """Open the database that a URL names. `durable` is SQLite's `synchronous=FULL`: a commit survives a power cut."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed, pool_size)
    engine = create_async_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        connect_args={"async_creator_fn": _connect},
    )
    pragmas = (
        "PRAGMA busy_timeout=10000",  # first: the others may have to wait
        WAL,
        f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}",
        "PRAGMA foreign_keys=ON",
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            # Who finds a new file locked finds another one who is turning it to WAL, which then holds for both.
            with suppress(sqlite3.OperationalError) if pragma == WAL else nullcontext():
                cursor.execute(pragma)
        cursor.close()

    return engine


def _postgresql(url: URL, pool_size: int) -> AsyncEngine:
    given = arguments(url)

    async def connect(*_args: Any, **_kwargs: Any) -> Any:
        return await asyncpg.connect(**given)

    engine = create_async_engine(
        url.set(query={}),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        connect_args={"async_creator_fn": connect},
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _look(connection: Any, _record: Any, _fairy: Any) -> None:
        if connection.driver_connection.is_closed():  # the server ended it while nobody used it: another is opened
            raise DisconnectionError

    return engine


WAL = "PRAGMA journal_mode=WAL"


async def _connect(*args: Any, **kwargs: Any) -> aiosqlite.Connection:
    """Open an SQLite file. One that cannot be opened has no thread left behind, to speak to a loop that has ended."""
    with suppress(OSError):  # a new file is its owner's alone; what cannot be made fails below
        os.close(os.open(args[0], os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = aiosqlite.connect(*args, **kwargs)
    connection._thread.daemon = True  # as SQLAlchemy has it where it opens the file itself
    try:
        return await connection
    except BaseException:
        connection._thread.join()
        raise
