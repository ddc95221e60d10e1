"""Opening databases."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate

pytestmark = pytest.mark.anyio


async def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'control.db'}")
    await migrate(engine, "control")
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
    await engine.dispose()
    assert set(modes.values()) == {"0o600"}, modes


async def test_a_connection_that_the_server_ended_is_replaced_unnoticed(postgres_url: str) -> None:
    engine, other = (open_engine(Settings().database_url(postgres_url)) for _ in range(2))
    async with engine.connect() as connection:
        idle = (await connection.get_raw_connection()).driver_connection
    assert idle is not None
    async with other.connect() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": idle.get_server_pid()})
    async with asyncio.timeout(10):
        while not idle.is_closed():
            await asyncio.sleep(0.01)
    for _ in range(3):
        async with engine.connect() as one, engine.connect() as two:
            assert [await each.scalar(text("SELECT 1")) for each in (one, two)] == [1, 1]
    await engine.dispose()
    await other.dispose()


async def test_a_schema_of_any_name_is_found_again(postgres_url: str) -> None:
    engine = open_engine(Settings().database_url(f"{postgres_url}?schema=Tx-Grand%20Bend"))
    await migrate(engine, "space")
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT current_schema()")) == "Tx-Grand Bend"
    await engine.dispose()
