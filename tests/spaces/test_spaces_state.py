"""A space's mark is another one after every write, and the same one until then."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.spaces.state import CURRENT, set_mark
from app.spaces.store import storing
from tests import worlds

pytestmark = pytest.mark.anyio
SECRET = bytes(range(32))


async def mark(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        found: str | None = await connection.scalar(CURRENT)
        return found


async def failing(engine: AsyncEngine) -> None:
    async with storing(engine, secret=SECRET) as store:
        await store.finish()
        raise ZeroDivisionError


async def test_each_writing_transaction_leaves_another_mark(database: AsyncEngine) -> None:
    await worlds.build(database)
    seen = [await mark(database)]
    for _ in range(3):
        async with database.begin() as connection:
            await set_mark(connection)
        seen.append(await mark(database))
    assert seen[0] is None
    assert len(set(seen)) == 4


async def test_an_import_leaves_another_mark_and_a_dry_run_or_a_failed_one_the_same(database: AsyncEngine) -> None:
    await worlds.build(database)
    async with storing(database, secret=SECRET):
        pass
    stored = await mark(database)
    assert stored is not None
    async with storing(database, secret=SECRET, dry_run=True):
        pass
    with pytest.raises(ZeroDivisionError):
        await failing(database)
    assert await mark(database) == stored
