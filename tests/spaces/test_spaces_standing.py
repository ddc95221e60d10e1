"""Where a student stands under a grant: each condition alone, and all of them together."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.names import Row
from app.policy.model import Rows
from app.settings import Settings
from app.spaces.driver import Readers
from app.spaces.standing import Standing, standing
from app.storage.engines import open_engine
from tests import worlds
from tests.policy.texts import caller

pytestmark = pytest.mark.anyio


@pytest.fixture
async def readers(database_url: str) -> AsyncIterator[Readers]:
    """The hand-written district, once on SQLite and once on PostgreSQL."""
    url = Settings().database_url(database_url)
    engine = open_engine(url)
    await worlds.build(engine, {worlds.IVY: "readwell", worlds.KIM: "another"})
    await engine.dispose()
    readers = Readers(url)
    yield readers
    await readers.close()


async def of(readers: Readers, student: int, rows: Rows) -> Standing:
    by = caller(now=worlds.NOW)
    assert by.grant is not None
    return await standing(readers, Row(student), replace(by, grant=replace(by.grant, rows=rows)))


async def test_each_condition_is_judged_alone_and_all_of_them_together(readers: Readers) -> None:
    rows = Rows(("elm", "middle"), ("05",), ("Art",), "active", 1)
    met = {"schools": True, "grade_levels": True, "enrollment": True, "history_years": True}
    assert await of(readers, worlds.ANA, rows) == Standing(True, met)
    assert await of(readers, worlds.LEO, rows) == Standing(False, met)  # in the fifth grade last year, at elm
    assert await of(readers, worlds.GUS, rows) == Standing(False, met | {"schools": False, "enrollment": False})
    assert await of(readers, worlds.ZED, Rows()) == Standing(True, {})


async def test_an_opt_out_of_this_client_is_told_beside_the_rows(readers: Readers) -> None:
    assert await of(readers, worlds.IVY, Rows(("oak",))) == Standing(True, {"schools": True}, opted_out=True)
    assert await of(readers, worlds.KIM, Rows(("elm",))) == Standing(False, {"schools": False})


async def test_nobody_is_in_where_there_is_no_grant(readers: Readers) -> None:
    assert await standing(readers, Row(worlds.ANA), caller(client="another")) == Standing(False, {})
