"""Databases are made by migrations alone, and look exactly as the rooms that use them say."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger import store as ledger
from app.settings import Settings
from app.spaces import tables as space
from app.storage import control
from app.storage.engines import open_engine
from app.storage.migrate import FOLDER, Kind, migrate, newest, pending
from app.storage.upgrade import scripts
from tests.postgres import Server

pytestmark = pytest.mark.anyio

KINDS: Sequence[tuple[Kind, MetaData]] = [
    ("control", control.metadata),
    ("space", space.metadata),
    ("ledger", ledger.metadata),
]

SQLITE_SHAPE = (
    "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%\\_version' ESCAPE '\\' AND sql IS NOT NULL"
)
POSTGRES_SHAPE = """
SELECT 'column', table_name, column_name,
       concat_ws(' ', data_type, is_nullable, is_identity, identity_generation, column_default, ordinal_position)
FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '%\\_version'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
  AND conrelid::regclass::text NOT LIKE '%\\_version'
UNION ALL
SELECT 'index', tablename, indexname, indexdef
FROM pg_indexes WHERE schemaname = current_schema() AND tablename NOT LIKE '%\\_version'
"""


async def shape(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    """Every table, column, constraint and index of a database, as it says itself."""
    query = SQLITE_SHAPE if engine.dialect.name == "sqlite" else POSTGRES_SHAPE
    async with engine.connect() as connection:
        return sorted(tuple(row) for row in await connection.execute(text(query)))


async def twins(request: pytest.FixtureRequest, tmp_path: Path, server: str) -> tuple[AsyncEngine, AsyncEngine]:
    """Two new empty databases on the same kind of server."""
    if server == "sqlite":
        urls = [f"sqlite:///{tmp_path / name}.db" for name in ("one", "two")]
    else:
        postgres: Server = request.getfixturevalue("postgres")
        urls = [postgres.fresh(), postgres.fresh()]
    one, two = (open_engine(Settings().database_url(url)) for url in urls)
    return one, two


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
@pytest.mark.parametrize(("kind", "metadata"), KINDS, ids=[kind for kind, _ in KINDS])
async def test_migrations_make_exactly_the_tables_that_the_rooms_declare(
    request: pytest.FixtureRequest, tmp_path: Path, server: str, kind: Kind, metadata: MetaData
) -> None:
    migrated, declared = await twins(request, tmp_path, server)
    await migrate(migrated, kind)
    async with declared.begin() as connection:
        await connection.run_sync(metadata.create_all)

    def differences(connection: Connection) -> list[Any]:
        options = {"version_table": f"{kind}_version"}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with migrated.connect() as connection:
        assert await connection.run_sync(differences) == []
    found = await shape(migrated)
    assert found == await shape(declared)
    assert {table for row in found for table in row if table in metadata.tables} == set(metadata.tables)
    await migrated.dispose()
    await declared.dispose()


async def test_a_new_database_is_pending_until_it_is_migrated(database: AsyncEngine) -> None:
    assert await pending(database, "space")
    await migrate(database, "space")
    assert not await pending(database, "space")
    await migrate(database, "space")  # nothing to do, and nothing fails


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_newest_revision_is_known_by_its_file(kind: Kind) -> None:
    assert newest(kind) == scripts(FOLDER, kind).get_current_head()


def test_what_is_up_to_date_is_found_so_without_alembic(sqlite_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from app.storage.engines import open_engine\n"
        "from app.storage.migrate import migrate\n"
        "asyncio.run(migrate(open_engine(sys.argv[1]), 'control'))\n"
        "print('alembic' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, Settings().database_url(sqlite_url)]
    said = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)]
    assert said == ["True", "False"]


async def test_a_space_and_its_ledger_may_share_one_database(database: AsyncEngine) -> None:
    await migrate(database, "space")
    assert await pending(database, "ledger")
    await migrate(database, "ledger")
    assert not await pending(database, "space")
    assert not await pending(database, "ledger")


async def test_a_schema_named_in_the_url_is_made_and_kept_apart(postgres_url: str) -> None:
    url = Settings().database_url(postgres_url)
    engines = [open_engine(f"{url}?schema={name}") for name in ("tx-grand-bend", "tx-other")]
    for engine in engines:
        await migrate(engine, "space")
    async with engines[0].begin() as connection:
        assert await connection.scalar(text("SELECT current_schema()")) == "tx-grand-bend"
        await connection.execute(text("INSERT INTO student (source_key) VALUES ('a')"))
    async with engines[1].connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM student")) == 0
    for engine in engines:
        await engine.dispose()


async def test_many_may_migrate_at_once(database_url: str) -> None:
    url = Settings().database_url(database_url)
    engines = [open_engine(url) for _ in range(4)]
    async with anyio.create_task_group() as tasks:
        for engine in engines:
            tasks.start_soon(migrate, engine, "control")
    assert not await pending(engines[0], "control")
    for engine in engines:
        await engine.dispose()


def test_two_processes_may_migrate_at_once(sqlite_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from app.storage.engines import open_engine\n"
        "from app.storage.migrate import migrate\n"
        "asyncio.run(migrate(open_engine(sys.argv[1]), 'space'))\n"
    )
    command = [sys.executable, "-c", program, Settings().database_url(sqlite_url)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in running] == [("", 0)] * 3


async def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/space.db")
    with pytest.raises(Unavailable, match="cannot be opened"):
        await migrate(engine, "space")
    with pytest.raises(Unavailable, match="does not answer"):
        await pending(engine, "space")
    await engine.dispose()


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    engine = open_engine("postgresql+asyncpg://homeroom:secret@127.0.0.1:1/none")
    with pytest.raises(Unavailable) as refused:
        await migrate(engine, "space")
    assert "secret" not in refused.value.message
    await engine.dispose()
