"""The index is made by its migration, and looks as the room that uses it says."""

from pathlib import Path

import pytest

from app.registry import tables
from app.storage.migrate import migrate
from tests.storage.test_migrate import shape, twins

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
async def test_the_migration_makes_the_tables_that_the_room_declares_and_the_words(
    request: pytest.FixtureRequest, tmp_path: Path, server: str
) -> None:
    migrated, declared = await twins(request, tmp_path, server)
    await migrate(migrated, "registry")
    async with declared.begin() as connection:
        await connection.run_sync(tables.metadata.create_all)
    extra = set(await shape(migrated)) - set(await shape(declared))
    assert set(await shape(declared)) <= set(await shape(migrated))
    assert extra
    assert all("resource_text" in str(row) for row in extra)
    await migrated.dispose()
    await declared.dispose()
