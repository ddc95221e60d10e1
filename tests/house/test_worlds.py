"""The hand-written world stands on both databases, and concerns whom it says it does."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.spaces.tables import BY_TYPE, school, student
from tests import worlds

pytestmark = pytest.mark.anyio


async def test_the_world_is_stored_whole_and_its_records_belong_together(database: AsyncEngine) -> None:
    await worlds.build(database)
    async with database.connect() as connection:
        for name, table in BY_TYPE.items():
            stored = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            assert stored == len(worlds.WORLD[name])


async def test_the_next_record_gets_a_number_of_its_own(database: AsyncEngine) -> None:
    await worlds.build(database)
    async with database.begin() as connection:
        await connection.execute(school.insert().values(source_key="ash"))
        row = (await connection.execute(select(school.c.row).where(school.c.source_key == "ash"))).scalar_one()
        assert row > worlds.MIDDLE


async def test_the_blocked_directory_entries_are_those_that_are_named(database: AsyncEngine) -> None:
    await worlds.build(database)
    async with database.connect() as connection:
        blocked = await connection.execute(select(student.c.row).where(student.c.directory_information_block))
        assert tuple(blocked.scalars()) == worlds.BLOCKED_DIRECTORY
