"""Connections to a space: read-only, lent to one request at a time, given up when their request broke off."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import RequestError, TooMany, Unavailable
from app.settings import Settings
from app.spaces import driver
from app.spaces.driver import Readers, Statement
from app.spaces.tables import student
from tests import worlds

pytestmark = pytest.mark.anyio

NAMES = select(student.c.first_name).order_by(student.c.row)


@pytest.fixture
async def readers(database_url: str, database: AsyncEngine) -> AsyncIterator[Readers]:
    await worlds.build(database)
    made = Readers(Settings().database_url(database_url), size=2)
    yield made
    await made.close()


async def names(readers: Readers, reader: Any) -> list[str]:
    return [row[0] for row in await reader.rows(readers.statement(NAMES), {})]


async def test_a_connection_reads(readers: Readers) -> None:
    async with readers.lend(one_moment=False) as reader:
        assert (await names(readers, reader))[:3] == ["Ana", "Leo", "Tess"]


async def test_a_connection_is_lent_again_after_a_request_that_went_well(readers: Readers) -> None:
    async with readers.lend(one_moment=True) as first:
        pass
    async with readers.lend(one_moment=False) as second:
        assert second is first


@pytest.mark.parametrize("broken", [ValueError("x"), RequestError("x", code="X"), asyncio.CancelledError()])
async def test_a_connection_whose_request_broke_off_is_not_lent_again(readers: Readers, broken: BaseException) -> None:
    with pytest.raises(type(broken)):
        async with readers.lend(one_moment=True) as first:
            raise broken
    async with readers.lend(one_moment=True) as second:
        assert second is not first
        assert (await names(readers, second))[0] == "Ana"
    with pytest.raises((*driver.FAILURES, ValueError, RuntimeError)):  # it is closed
        await names(readers, first)


async def test_a_statement_that_fails_is_an_unavailable_space(readers: Readers) -> None:
    with pytest.raises(Unavailable, match="does not answer") as error:
        async with readers.lend(one_moment=True) as first:
            await first.rows(Statement("SELECT * FROM no_such_table", (), {}), {})
    assert "no_such_table" not in error.value.message
    async with readers.lend(one_moment=True) as second:
        assert second is not first


@pytest.mark.parametrize("one_moment", [True, False])
async def test_a_connection_cannot_write(readers: Readers, one_moment: bool) -> None:
    with pytest.raises(Unavailable):
        async with readers.lend(one_moment=one_moment) as reader:
            await reader.rows(Statement("UPDATE student SET first_name = 'X'", (), {}), {})
    async with readers.lend(one_moment=False) as reader:
        assert "X" not in await names(readers, reader)


async def test_one_moment_sees_nothing_of_what_is_stored_meanwhile(readers: Readers, database: AsyncEngine) -> None:
    async with readers.lend(one_moment=True) as reader:
        assert (await names(readers, reader))[0] == "Ana"
        async with database.begin() as connection:
            await connection.execute(update(student).where(student.c.row == worlds.ANA).values(first_name="Anna"))
        assert (await names(readers, reader))[0] == "Ana"
    async with readers.lend(one_moment=True) as reader:
        assert (await names(readers, reader))[0] == "Anna"


async def test_no_more_connections_than_places(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PATIENCE", 0.05)
    async with readers.lend(one_moment=False) as one, readers.lend(one_moment=False) as other:
        assert one is not other
        with pytest.raises(Unavailable, match="in use"):
            async with readers.lend(one_moment=False):
                raise AssertionError("There was no place")
    async with readers.lend(one_moment=False) as again:
        assert again in {one, other}


async def test_one_who_waits_gets_the_connection_that_is_given_back(readers: Readers) -> None:
    got = asyncio.Event()

    async def third() -> None:
        async with readers.lend(one_moment=False):
            got.set()

    async with readers.lend(one_moment=False), asyncio.TaskGroup() as group:
        async with readers.lend(one_moment=False):
            group.create_task(third())
            await asyncio.sleep(0)
            assert not got.is_set()
        await got.wait()


async def test_a_request_that_breaks_off_gives_its_place_back(readers: Readers) -> None:
    for _ in range(5):
        with pytest.raises(ValueError, match="broke"):
            async with readers.lend(one_moment=True):
                raise ValueError("broke")
    async with readers.lend(one_moment=False), readers.lend(one_moment=False) as reader:
        assert await names(readers, reader)


UNREACHABLE = {
    "a file that is not there": "sqlite+aiosqlite:///{folder}/none.db",
    "a folder": "sqlite+aiosqlite:///{folder}",
    "no server": "postgresql+asyncpg://nobody:secret@127.0.0.1:1/none",
}


@pytest.mark.parametrize("case", UNREACHABLE)
async def test_a_space_that_cannot_be_reached_is_unavailable(tmp_path: Path, case: str) -> None:
    readers = Readers(UNREACHABLE[case].format(folder=tmp_path), size=1)
    for _ in range(2):  # and a failure takes no place for good
        with pytest.raises(Unavailable) as error:
            async with readers.lend(one_moment=True):
                raise AssertionError("It was reached")
        assert "secret" not in error.value.message
    await readers.close()
    await no_thread_is_left()


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "space.db").write_bytes(b"not a database at all, but long enough to look at" * 100)
    readers = Readers(f"sqlite+aiosqlite:///{tmp_path / 'space.db'}", size=1)
    with pytest.raises(Unavailable):
        async with readers.lend(one_moment=False) as reader:
            await names(readers, reader)
    await no_thread_is_left()  # one would keep the process from ending


async def no_thread_is_left() -> None:
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)
            assert not thread.is_alive()


async def test_a_connection_that_its_server_ended_is_not_lent_again(postgres_url: str) -> None:
    url = Settings().database_url(postgres_url)
    readers = Readers(url, size=2)
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'homeroom' AND pid <> pg_backend_pid()"
    )
    async with readers.lend(one_moment=False) as first, readers.lend(one_moment=False) as second:
        pass
    async with readers.lend(one_moment=False) as reader:
        await reader.rows(Statement(end, (), {}), {})
    ended = first if reader is second else second
    async with asyncio.timeout(10):
        while not ended.closed:
            await asyncio.sleep(0.01)
    async with readers.lend(one_moment=True) as one, readers.lend(one_moment=True) as two:
        for each in (one, two):
            assert each is not ended
            assert [tuple(row) for row in await each.rows(Statement("SELECT 1", (), {}), {})] == [(1,)]
    await readers.close()


async def test_one_client_has_at_most_half_of_the_connections(readers: Readers) -> None:
    async with readers.lend(one_moment=False, client="reading-slowly"):
        another = asyncio.create_task(anext(aiter_of(readers, "reading-slowly")))
        async with readers.lend(one_moment=False, client="another"):
            assert not another.done()
        another.cancel()
        await asyncio.gather(another, return_exceptions=True)
    async with readers.lend(one_moment=False, client="reading-slowly") as reader:
        assert await names(readers, reader)


async def aiter_of(readers: Readers, client: str) -> AsyncIterator[Any]:
    async with readers.lend(one_moment=False, client=client) as reader:
        yield reader


async def test_who_waits_too_long_behind_its_own_long_answers_is_told_so(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with readers.lend(one_moment=False, client="reading-slowly"):
        monkeypatch.setattr(driver, "PATIENCE", 0.05)
        with pytest.raises(TooMany) as refusal:
            async with readers.lend(one_moment=False, client="reading-slowly"):
                pass
    assert refusal.value.code == "TOO_MANY_AT_ONCE"
