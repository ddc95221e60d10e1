"""Bring a database to the newest revision of its tables, with Alembic.

Shape: each kind of database has its own line of revisions, in `migrations/KIND/`, and its own table that says how
far it has come, so that kinds may share one PostgreSQL schema.
"""

from pathlib import Path
from typing import Literal, TypeAlias

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable

Kind: TypeAlias = Literal["control", "space", "ledger", "registry"]

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x686F6D65726F6F6D  # one number for all migrations of one PostgreSQL database: "homeroom" in ASCII


async def migrate(engine: AsyncEngine, kind: Kind) -> None:
    """Make or upgrade the tables of one database. Two processes at once are safe: the second finds nothing to do.

    Raises: Unavailable, when the database does not answer or refuses.
    """
    try:
        async with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # INVARIANT: one transaction around all statements, taken before the revision is read.
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                await connection.run_sync(_create_schema)
            await connection.run_sync(_upgrade, kind)
            await connection.commit()
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(
            f"The {kind} database cannot be opened or upgraded ({type(error).__name__}). Check its URL and its rights."
        ) from error


async def pending(engine: AsyncEngine, kind: Kind) -> bool:
    """Whether a database lacks a revision. Changes nothing. Raises: Unavailable."""
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(lambda sync: _context(sync, kind).get_current_revision())
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(
            f"The {kind} database does not answer ({type(error).__name__}). Check its URL and its rights."
        ) from error
    return found != _scripts(kind).get_current_head()


def _scripts(kind: Kind) -> ScriptDirectory:
    return ScriptDirectory(_FOLDER, version_locations=[_FOLDER / kind])


def _context(connection: Connection, kind: Kind) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": f"{kind}_version"})


def _create_schema(connection: Connection) -> None:
    """Make the schema that the URL names, where it is not there yet."""
    if connection.scalar(text("SELECT current_schema()")) is None:
        name = connection.scalar(text("SELECT (parse_ident(current_setting('search_path')))[1]"))
        connection.execute(
            text(f"CREATE SCHEMA IF NOT EXISTS {connection.dialect.identifier_preparer.quote(str(name))}")
        )


def _upgrade(connection: Connection, kind: Kind) -> None:
    scripts = _scripts(kind)
    with EnvironmentContext(Config(), scripts, fn=lambda found, _: scripts._upgrade_revs("head", found)) as environment:
        environment.configure(connection=connection, version_table=f"{kind}_version")
        environment.run_migrations()
