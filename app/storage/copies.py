"""A consistent copy of one database while others write to it, and a database made anew from such a copy.

Shape: an SQLite copy is a database file (SQLite's online back-up), a PostgreSQL copy is `pg_dump`'s custom format of
the one schema that the URL names. URLs are those of `Settings.database_url`.
INVARIANT: what `pg_restore` says is not passed on: it may quote a row.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
from asyncio import to_thread
from contextlib import closing
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from app.errors import Unavailable, UsageError
from app.storage.engines import open_engine


def is_postgresql(url: str) -> bool:
    """Whether the database is PostgreSQL's."""
    return make_url(url).get_backend_name() == "postgresql"


async def copy_out(url: str, file: Path) -> None:
    """Copy a database, as it is at one moment, into a new file. Raises: Unavailable, UsageError."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        await _dump(parsed, await _schema(url), file)
    else:
        await to_thread(_copy_file, Path(parsed.database or ""), file)


async def copy_in(file: Path, url: str) -> None:
    """Make a database from a copy; its place is empty. Raises: Unavailable, UsageError, OSError."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        await _load(parsed, file, await _schema(url, make=True))
        return
    target = Path(parsed.database or "")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.link(file, target)  # unlike a renaming, it overwrites nothing


async def is_empty(url: str) -> bool:
    """Whether nothing is kept there yet. Raises: Unavailable."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        return not Path(parsed.database or "").exists()
    tables = text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
    engine = open_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            return not await connection.scalar(tables)
    except (SQLAlchemyError, OSError) as error:
        raise _silent(parsed, error) from None
    finally:
        await engine.dispose()


def _copy_file(source: Path, file: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as one,
            closing(sqlite3.connect(file)) as two,
        ):
            one.backup(two)  # in one step: all from one moment, and no writer waits for it
            two.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
    except sqlite3.Error as error:
        raise Unavailable(f"{source} cannot be copied ({type(error).__name__}). Check that it is there.") from None


async def _schema(url: str, *, make: bool = False) -> str:
    """The schema that a URL's tables stand in."""
    engine = open_engine(url, pool_size=1)
    named = make_url(url).query.get("schema")
    try:
        async with engine.begin() as connection:
            if make and named:
                quoted = engine.dialect.identifier_preparer.quote_identifier(str(named))
                await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))
            found = await connection.scalar(text("SELECT current_schema()"))
    except (SQLAlchemyError, OSError) as error:
        raise _silent(make_url(url), error) from None
    finally:
        await engine.dispose()
    if found is None:
        raise Unavailable(f"The database {_shown(make_url(url))} has no schema of that name. Check its URL.")
    return str(found)


async def _dump(url: URL, schema: str, file: Path) -> None:
    command = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password", "--strict-names"]
    await _run(url, [*command, f"--schema={_quoted(schema)}", f"--file={file}"], "copied")


async def _load(url: URL, file: Path, schema: str) -> None:
    command = ["pg_restore", "--no-owner", "--no-privileges", "--no-password", "--single-transaction"]
    # With --schema what the schema holds is made, and not the schema, which is there.
    await _run(url, [*command, "--exit-on-error", f"--schema={schema}", os.fspath(file)], "restored")


async def _run(url: URL, command: list[str], done: str) -> None:
    """Run one of PostgreSQL's own programs on a database; its password is in no list of processes."""
    program = command[0]
    if shutil.which(program) is None:
        shown = " ".join(part for part in command if not part.startswith("--file="))
        raise UsageError(
            f"{program} is not on this machine. Install PostgreSQL's client programs (Debian: postgresql-client), or "
            f"leave PostgreSQL to its own back-ups with --skip-postgresql: {shown} --dbname={_shown(url)}"
        )
    address = url._replace(drivername="postgresql", password=None).difference_update_query(["schema"])
    environment = {**os.environ, "PGAPPNAME": "homeroom"} | ({"PGPASSWORD": str(url.password)} if url.password else {})
    process = await asyncio.create_subprocess_exec(
        *command,
        f"--dbname={address.render_as_string()}",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        why = f" ({said.decode(errors='replace').splitlines()[0]})" if said and program == "pg_dump" else ""
        raise Unavailable(
            f"{_shown(url)} cannot be {done}: {program} ended with status {process.returncode}{why}. "
            "Check that it can be reached, the role's rights, and that the program is no older than the server."
        )


def _quoted(name: str) -> str:
    """A name that pg_dump takes for no pattern."""
    return '"' + name.replace('"', '""') + '"'


def _shown(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _silent(url: URL, error: Exception) -> Unavailable:
    return Unavailable(f"The database {_shown(url)} does not answer ({type(error).__name__}). Check its URL.")
