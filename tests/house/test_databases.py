"""What the databases that tests are given promise."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.spaces import tables

pytestmark = pytest.mark.anyio


async def test_a_fresh_database_is_empty_and_takes_the_tables_of_a_space(database: AsyncEngine) -> None:
    async with database.begin() as connection:
        await connection.run_sync(tables.metadata.create_all, checkfirst=False)
        await connection.execute(tables.student.insert().values(source_key="s1", first_name="Zoë"))
        assert (await connection.execute(text("SELECT first_name FROM student"))).scalars().all() == ["Zoë"]
