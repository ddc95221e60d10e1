"""What is in force is what was published last, whole, and every revision is kept."""

import anyio
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.storage.published import change_number, current, publish, revision, revision_of

pytestmark = pytest.mark.anyio


async def test_before_anything_is_published_no_policy_is_in_force(database: AsyncEngine) -> None:
    await migrate(database, "control")
    found = await current(database)
    assert (found.number, dict(found.files)) == (0, {})


async def test_what_was_published_last_is_in_force_and_what_was_before_is_kept(database: AsyncEngine) -> None:
    await migrate(database, "control")
    first, second = {"tx/state.toml": b"max_days = 1", "tx/a/district.toml": b""}, {"tx/state.toml": b"max_days = 2"}
    one = await publish(database, first)
    two = await publish(database, second)
    assert two > one
    found = await current(database)
    assert (found.number, dict(found.files)) == (two, second)
    assert await revision(database, revision_of(b"max_days = 1")) == b"max_days = 1"
    assert await revision(database, revision_of(b"")) == b""
    assert await revision(database, "0" * 64) is None


async def test_publishing_what_is_in_force_changes_nothing(database: AsyncEngine) -> None:
    await migrate(database, "control")
    number = await publish(database, {"tx/state.toml": b"a"})
    before = await change_number(database)
    assert await publish(database, {"tx/state.toml": b"a"}) == number
    assert await change_number(database) == before


async def test_going_back_to_an_earlier_set_is_a_change_like_any(database: AsyncEngine) -> None:
    await migrate(database, "control")
    before = await change_number(database)
    numbers = [await publish(database, {"f": content}) for content in (b"a", b"b", b"a")]
    assert numbers == sorted(set(numbers))
    assert (await current(database)).files["f"] == b"a"
    assert await change_number(database) == before + 3


async def test_publishers_at_once_publish_one_set_once(database_url: str) -> None:
    engines = [open_engine(Settings().database_url(database_url)) for _ in range(4)]
    await migrate(engines[0], "control")
    numbers: list[int] = []

    async def one(engine: AsyncEngine) -> None:
        numbers.append(await publish(engine, {"tx/state.toml": b"a"}))

    async with anyio.create_task_group() as tasks:
        for engine in engines:
            tasks.start_soon(one, engine)
    assert len(set(numbers)) == 1
    for engine in engines:
        await engine.dispose()


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sets=st.lists(st.dictionaries(st.text(max_size=8), st.binary(max_size=30), max_size=4), min_size=1, max_size=4))
async def test_every_set_comes_back_as_it_was_published(sqlite_url: str, sets: list[dict[str, bytes]]) -> None:
    engine = open_engine(Settings().database_url(sqlite_url))
    await migrate(engine, "control")
    for files in sets:
        await publish(engine, files)
        assert dict((await current(engine)).files) == files
    await engine.dispose()
