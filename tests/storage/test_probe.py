"""A probe finds out whether a database answers now, not whether it did once."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.storage.probe import answers

pytestmark = pytest.mark.anyio


async def test_a_database_answers_once_it_has_its_tables(database_url: str) -> None:
    url = Settings().database_url(database_url)
    assert not await answers(url, "change")
    engine = open_engine(url)
    await migrate(engine, "control")
    assert await answers(url, "change")
    await engine.dispose()


async def test_a_file_that_is_gone_does_not_answer_and_is_not_made_anew(sqlite_url: str) -> None:
    url = Settings().database_url(sqlite_url)
    file = Path(str(make_url(url).database))
    engine = open_engine(url)
    await migrate(engine, "control")
    file.rename(file.with_suffix(".away"))
    assert not await answers(url, "change")
    assert not file.exists()
    await engine.dispose()


async def test_a_server_that_is_not_there_does_not_answer() -> None:
    assert not await answers("postgresql+asyncpg://somebody:secret@127.0.0.1:1/none", "change")
