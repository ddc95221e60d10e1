"""Recording: durable, shared by those who wait, and never lost in silence."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger import Checkpoints, Ledger, Receipt
from app.ledger.entry import Unlinked, beginning, chain, prepare
from app.ledger.postgres import PostgresEnd
from app.ledger.reading import Filters, entries
from app.ledger.sqlite import SqliteEnd
from app.ledger.verify import verify
from app.settings import Settings
from app.storage.engines import open_engine
from tests.ledger.samples import SPACE, an_entry, tamper

pytestmark = pytest.mark.anyio


class GatedEnd:
    """An end whose commits last until the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = asyncio.Semaphore(0)
        self.commit = asyncio.Semaphore(0)
        self.head_now = beginning(SPACE)
        self.failing = False

    async def head(self) -> Receipt:
        return self.head_now

    async def append(self, batch: Sequence[Unlinked]) -> list[Receipt]:
        receipts, _ = chain(self.head_now, batch)
        self.batches.append([each.client for each in batch])
        self.begun.release()
        await self.commit.acquire()
        if self.failing:
            raise OSError("No space left on device")
        self.head_now = receipts[-1]
        return receipts

    async def close(self) -> None:
        self.commit.release()


@pytest.fixture
def end() -> GatedEnd:
    return GatedEnd()


@pytest.fixture
def gated(end: GatedEnd, file_engine: AsyncEngine, checkpoints: Checkpoints) -> Ledger:
    return Ledger(file_engine, SPACE, checkpoints, end=end)


async def test_a_recorded_entry_is_there_for_everyone_when_record_returns(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    ledger = Ledger(engine, SPACE, checkpoints)
    receipt = await ledger.record(an_entry())
    [found] = [recorded async for recorded in entries(engine, Filters())]
    assert (found.sequence, found.hash, found.entry) == (receipt.sequence, receipt.hash, an_entry())
    await ledger.close()


async def test_many_at_once_each_get_their_own_receipt(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    ledger = Ledger(engine, SPACE, checkpoints)
    receipts = await asyncio.gather(*(ledger.record(an_entry(request=str(number))) for number in range(100)))
    await ledger.close()
    by_hash = {recorded.hash: recorded.entry.request async for recorded in entries(engine, Filters())}
    assert [by_hash[receipt.hash] for receipt in receipts] == [str(number) for number in range(100)]
    assert (await verify(engine, checkpoints)).sound


async def test_the_chain_goes_on_after_a_restart(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    for expected in (1, 2, 3):
        ledger = Ledger(engine, SPACE, checkpoints)
        assert (await ledger.record(an_entry())).sequence == expected
        await ledger.close()
    assert (await verify(engine, checkpoints)).sound


async def test_a_lone_entry_is_committed_alone_and_those_that_wait_share_the_next_commit(
    gated: Ledger, end: GatedEnd
) -> None:
    first = asyncio.create_task(gated.record(an_entry(client="first")))
    await end.begun.acquire()
    rest = [asyncio.create_task(gated.record(an_entry(client=name))) for name in ("a", "b", "c")]
    await asyncio.sleep(0)
    end.commit.release()
    assert (await first).sequence == 1
    await end.begun.acquire()
    assert not any(task.done() for task in rest)  # not before their own commit
    end.commit.release()
    assert [(await task).sequence for task in rest] == [2, 3, 4]
    assert end.batches == [["first"], ["a", "b", "c"]]
    await gated.close()


async def test_a_caller_who_leaves_the_queue_is_not_recorded_and_nobody_else_notices(
    gated: Ledger, end: GatedEnd
) -> None:
    first = asyncio.create_task(gated.record(an_entry(client="first")))
    await end.begun.acquire()
    gone, stays = (asyncio.create_task(gated.record(an_entry(client=name))) for name in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    end.commit.release()
    await first
    end.commit.release()
    assert (await stays).sequence == 2
    assert end.batches == [["first"], ["stays"]]
    await gated.close()


async def test_a_caller_who_leaves_during_the_commit_leaves_the_writer_whole(gated: Ledger, end: GatedEnd) -> None:
    gone, stays = (asyncio.create_task(gated.record(an_entry(client=name))) for name in ("gone", "stays"))
    await end.begun.acquire()
    gone.cancel()
    await asyncio.wait([gone])
    end.commit.release()
    assert (await stays).sequence == 2
    end.commit.release()
    assert (await gated.record(an_entry())).sequence == 3
    await gated.close()


async def test_a_commit_that_fails_is_told_to_all_who_still_wait_and_the_next_is_tried_anew(
    gated: Ledger, end: GatedEnd
) -> None:
    gone, *rest = (asyncio.create_task(gated.record(an_entry(client=name))) for name in ("gone", "a", "b"))
    await end.begun.acquire()
    gone.cancel()
    await asyncio.wait([gone])
    end.failing = True
    end.commit.release()
    outcomes = await asyncio.gather(*rest, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    end.failing = False
    end.commit.release()
    assert (await gated.record(an_entry())).sequence == 1
    await gated.close()


async def test_cancelled_callers_never_harm_the_chain(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    ledger = Ledger(engine, SPACE, checkpoints)
    await ledger.record(an_entry())
    tasks = [asyncio.create_task(ledger.record(an_entry(request=str(number)))) for number in range(60)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    await ledger.close()
    told = {outcome.hash for outcome in outcomes if isinstance(outcome, Receipt)}
    assert len(told) >= 30
    assert told <= {recorded.hash async for recorded in entries(engine, Filters())}
    assert (await verify(engine, checkpoints)).sound


async def test_a_commit_that_takes_too_long_is_unavailable(
    end: GatedEnd, file_engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    ledger = Ledger(file_engine, SPACE, checkpoints, end=end, deadline=0.05)
    with pytest.raises(Unavailable, match="took too long"):
        await ledger.record(an_entry())
    end.commit.release()  # it comes through after all: the ledger says more than what left, and goes on
    end.commit.release()
    assert (await ledger.record(an_entry())).sequence == 2
    await ledger.close()


async def test_those_who_wait_are_told_when_the_writer_is_stopped(gated: Ledger, end: GatedEnd) -> None:
    waiting = asyncio.create_task(gated.record(an_entry()))
    await end.begun.acquire()
    assert gated._writer is not None
    gated._writer.cancel()
    with pytest.raises(Unavailable):
        await waiting


async def test_a_closed_ledger_is_unavailable(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    ledger = Ledger(engine, SPACE, checkpoints)
    await ledger.close()
    with pytest.raises(Unavailable, match="closed"):
        await ledger.record(an_entry())


async def test_closing_waits_for_what_is_under_way(gated: Ledger, end: GatedEnd) -> None:
    recording = asyncio.create_task(gated.record(an_entry()))
    await end.begun.acquire()
    closing = asyncio.create_task(gated.close())
    await asyncio.sleep(0)
    assert not closing.done()
    end.commit.release()
    await closing
    assert (await recording).sequence == 1


async def test_a_locked_ledger_is_unavailable_and_records_again_once_it_is_free(
    file_engine: AsyncEngine, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    ledger = Ledger(file_engine, SPACE, checkpoints, deadline=0.1)
    blocker = sqlite3.connect(tmp_path / "fresh.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*(ledger.record(an_entry()) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    blocker.execute("ROLLBACK")
    blocker.close()
    patient = Ledger(file_engine, SPACE, checkpoints)
    await patient.record(an_entry())
    await ledger.close()
    await patient.close()
    assert (await verify(file_engine, checkpoints)).sound


async def test_a_full_disk_is_unavailable_and_loses_nothing_that_was_acknowledged(
    file_engine: AsyncEngine, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    end = SqliteEnd(tmp_path / "fresh.db", beginning(SPACE), 10)
    ledger = Ledger(file_engine, SPACE, checkpoints, end=end)
    await ledger.record(an_entry())
    assert end._connection is not None
    end._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(Unavailable, match="nothing leaves unrecorded"):
        await ledger.record(an_entry(operation="x" * 100_000))
    assert (await ledger.record(an_entry())).sequence == 2  # there is space again
    await ledger.close()
    assert (await verify(file_engine, checkpoints)).sound


async def test_a_ledger_file_that_is_missing_is_never_begun_anew(
    file_engine: AsyncEngine, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    await file_engine.dispose()
    (tmp_path / "fresh.db").unlink()
    ledger = Ledger(file_engine, SPACE, checkpoints)
    with pytest.raises(Unavailable):
        await ledger.record(an_entry())
    assert not (tmp_path / "fresh.db").exists()
    await ledger.close()


async def test_a_ledger_without_its_table_is_unavailable(
    sqlite_url: str, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    (tmp_path / "fresh.db").touch()
    end = SqliteEnd(tmp_path / "fresh.db", beginning(SPACE), 10)
    with pytest.raises(sqlite3.OperationalError):
        await end.append([prepare(an_entry())])
    await end.close()


async def test_something_else_in_the_ledgers_place_is_unavailable(
    file_engine: AsyncEngine, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    await file_engine.dispose()
    (tmp_path / "fresh.db").write_bytes(b"This is no database, though it is long enough to be one." * 100)
    ledger = Ledger(file_engine, SPACE, checkpoints)
    with pytest.raises(Unavailable):
        await ledger.record(an_entry())
    await ledger.close()


async def test_a_ledger_file_moved_away_under_a_running_server_is_noticed(
    file_engine: AsyncEngine, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    ledger = Ledger(file_engine, SPACE, checkpoints)
    await ledger.record(an_entry())
    file = tmp_path / "fresh.db"
    shutil.copy(file, tmp_path / "copy.db")
    os.replace(tmp_path / "copy.db", file)
    with pytest.raises(Unavailable):
        await ledger.record(an_entry())
    await ledger.close()


async def test_the_writer_commits_with_full_synchronization(
    file_engine: AsyncEngine, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    end = SqliteEnd(tmp_path / "fresh.db", beginning(SPACE), 10)
    await end.append([prepare(an_entry())])
    assert end._connection is not None
    assert end._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert end._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    await end.close()


async def test_entries_cut_off_under_a_running_server_leave_a_gap_that_verify_finds(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    ledger = Ledger(engine, SPACE, checkpoints)
    for _ in range(3):
        await ledger.record(an_entry())
    await tamper(engine, "DELETE FROM entry WHERE sequence > 1")
    assert (await ledger.record(an_entry())).sequence == 4
    await ledger.close()
    verdict = await verify(engine, checkpoints)
    assert "Entry 4 stands where entry 2 should" in verdict.findings[0]


async def test_two_servers_on_one_database_keep_one_chain(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    one, other = Ledger(engine, SPACE, checkpoints), Ledger(engine, SPACE, checkpoints)
    for expected in range(1, 11, 2):
        assert (await one.record(an_entry())).sequence == expected
        assert (await other.record(an_entry())).sequence == expected + 1
    receipts = await asyncio.gather(*(ledger.record(an_entry()) for _ in range(25) for ledger in (one, other)))
    assert sorted(receipt.sequence for receipt in receipts) == list(range(11, 61))
    await one.close()
    await other.close()
    assert (await verify(engine, checkpoints)).sound


@pytest.mark.parametrize("setting", ["off", "local", "on"])
async def test_a_server_that_turns_its_own_durability_off_is_overruled(server_url: str, setting: str) -> None:
    engine = open_engine(Settings().database_url(server_url))

    @event.listens_for(engine.sync_engine, "connect")
    def weaken(connection: Any, _record: object) -> None:
        connection.run_async(lambda driver: driver.execute(f"SET synchronous_commit TO {setting}"))

    end = PostgresEnd(engine, beginning(SPACE), 10)
    with pytest.raises(asyncpg.UndefinedTableError):
        await end.head()
    assert end._driver is not None
    assert await end._driver.fetchval("SHOW synchronous_commit") == "on"
    await end.close()
    await engine.dispose()


async def test_a_lost_connection_is_unavailable_and_the_next_entry_finds_a_new_one(
    server_engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    ledger = Ledger(server_engine, SPACE, checkpoints)
    await ledger.record(an_entry())
    async with server_engine.begin() as connection:
        await connection.execute(text("LOCK TABLE entry IN ACCESS EXCLUSIVE MODE"))
        waiting = asyncio.create_task(ledger.record(an_entry()))
        blocked = text(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        while (pid := (await connection.execute(blocked)).scalar()) is None:
            await connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(Unavailable):
            await waiting
    assert (await ledger.record(an_entry())).sequence == 2
    await ledger.close()
    assert (await verify(server_engine, checkpoints)).sound


async def test_a_connection_that_died_while_nobody_recorded_is_replaced_unnoticed(
    server_engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    end = PostgresEnd(server_engine, beginning(SPACE), 10)
    ledger = Ledger(server_engine, SPACE, checkpoints, end=end)
    await ledger.record(an_entry())
    driver = end._driver
    assert driver is not None
    async with server_engine.begin() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": driver.get_server_pid()})
    while not driver.is_closed():
        await asyncio.sleep(0.001)
    assert (await ledger.record(an_entry())).sequence == 2
    await ledger.close()


async def test_a_locked_server_is_unavailable_at_the_deadline(
    server_engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    ledger = Ledger(server_engine, SPACE, checkpoints, deadline=0.3)
    await ledger.record(an_entry())
    async with server_engine.begin() as connection:
        await connection.execute(text("LOCK TABLE entry IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Unavailable):
            await ledger.record(an_entry())
    patient = Ledger(server_engine, SPACE, checkpoints)
    await patient.record(an_entry())
    await ledger.close()
    await patient.close()
    assert (await verify(server_engine, checkpoints)).sound


async def test_an_unreachable_server_is_unavailable(checkpoints: Checkpoints, unreachable: AsyncEngine) -> None:
    ledger = Ledger(unreachable, SPACE, checkpoints)
    with pytest.raises(Unavailable):
        await ledger.record(an_entry())
    await ledger.close()
    assert not checkpoints.begun()
