"""Bring a database to the newest revision of its tables.

Shape: each kind of database has its own line of revisions, in `migrations/KIND/`, and its own table that says how
far it has come, so that kinds may share one PostgreSQL schema. Alembic is read only where there is something to do.
"""

from pathlib import Path
from typing import Literal, TypeAlias

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable

Kind: TypeAlias = Literal["control", "space", "ledger", "registry"]

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x686F6D65726F6F6D  # one number for all migrations of one PostgreSQL database: "homeroom" in ASCII


async def migrate(engine: AsyncEngine, kind: Kind) -> None:
    """Make or upgrade the tables of one database. Two processes at once are safe: the second finds nothing to do.

    Raises: Unavailable, when the database does not answer or refuses.
    """
    try:
        async with engine.connect() as connection:
            if await connection.run_sync(_revision, kind) == newest(kind):
                return
        from app.storage.upgrade import upgrade

        async with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # INVARIANT: one transaction around all statements, taken before the revision is read.
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                await connection.run_sync(_create_schema)
            await connection.run_sync(upgrade, FOLDER, kind)
            await connection.commit()
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(
            f"The {kind} database cannot be opened or upgraded ({type(error).__name__}). Check its URL and its rights."
        ) from error


async def pending(engine: AsyncEngine, kind: Kind) -> bool:
    """Whether a database lacks a revision. Changes nothing. Raises: Unavailable."""
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(_revision, kind)
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(
            f"The {kind} database does not answer ({type(error).__name__}). Check its URL and its rights."
        ) from error
    return found != newest(kind)


def newest(kind: Kind) -> str:
    """The last revision of a line. A revision bears the number of its file: `space_0004` stands in `r0004_….py`."""
    last = max(file.name for file in (FOLDER / kind).glob("r[0-9]*.py"))
    return f"{kind}_{last[1:5]}"


def _revision(connection: Connection, kind: Kind) -> str | None:
    """How far a database has come; None where nothing was made yet."""
    table = f"{kind}_version"
    if not inspect(connection).has_table(table):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {table}"))  # noqa: S608 - a name of ours
    return found


def _create_schema(connection: Connection) -> None:
    """Make the schema that the URL names, where it is not there yet."""
    if connection.scalar(text("SELECT current_schema()")) is None:
        name = connection.scalar(text("SELECT (parse_ident(current_setting('search_path')))[1]"))
        connection.execute(
            text(f"CREATE SCHEMA IF NOT EXISTS {connection.dialect.identifier_preparer.quote(str(name))}")
        )
