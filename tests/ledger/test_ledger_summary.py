"""What pages show of a ledger is what reading every entry would show."""

import asyncio
from collections import Counter
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger import Checkpoints, Entry, Kind, Ledger, Whose
from app.ledger import summary as room
from app.ledger.reading import Filters, entries
from app.ledger.report import of_student
from app.ledger.store import activity, field_set, metadata, reach, summarized, usage
from app.ledger.summary import Summary, fold
from app.ledger.summed import asked_on, catch_up, received, used_fields
from app.settings import Settings
from app.storage.engines import open_engine
from tests.ledger.samples import NOON, SPACE, an_entry, checkpoints_in, disclosed, tamper

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
CHICAGO = ZoneInfo("America/Chicago")

moments = st.integers(0, 60).map(lambda hours: NOON + timedelta(hours=hours))
coordinates = st.lists(st.sampled_from(["Student.a", "Student.b", "Grade.c"]), min_size=1, max_size=3, unique=True)
whose = st.builds(
    lambda names, students: Whose(tuple(names), BitMap(students) if students else None, 1),
    coordinates,
    st.frozensets(st.integers(1, 5), max_size=3),
)
some_entries = st.lists(
    st.builds(
        an_entry,
        at=moments,
        request=st.uuids().map(str),
        kind=st.sampled_from([Kind.ANSWER, Kind.CHUNK, Kind.OPENING, Kind.REFUSAL, Kind.OPT_OUT]),
        client=st.sampled_from(["readwell", "mathly"]),
        purpose=st.sampled_from(["instruction", "rostering"]),
        basis=st.sampled_from([None, "studies"]),
        disclosed=st.lists(whose, max_size=2).map(tuple),
    ),
    max_size=12,
)


async def record(engine: AsyncEngine, checkpoints: Checkpoints, *made: Entry) -> None:
    ledger = Ledger(engine, SPACE, checkpoints)
    for each in made:
        await ledger.record(each)
    await ledger.close()


async def test_use_is_told_with_its_first_and_last_moment_and_its_days(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    await record(engine, checkpoints, an_entry(), an_entry(at=NOON + timedelta(hours=1)))
    assert await catch_up(engine, UTC) == 0
    await record(engine, checkpoints, an_entry(at=NOON + timedelta(hours=2)), an_entry(at=NOON + 2 * DAY))
    await record(engine, checkpoints, an_entry(kind=Kind.REFUSAL, disclosed=(), at=NOON + 2 * DAY))
    assert await catch_up(engine, UTC) == 0
    assert await catch_up(engine, UTC) == 0
    found = await used_fields(engine)
    one = found["readwell", "instruction", "Student.firstName"]
    assert (one.first, one.last, one.days) == (NOON, NOON + 2 * DAY, 2)
    assert set(await used_fields(engine, "mathly")) == set()
    days = await asked_on(engine, "readwell", NOON.date())
    assert [(each.day, each.answers, each.refusals) for each in days] == [
        (NOON.date(), 3, 0),
        ((NOON + 2 * DAY).date(), 1, 1),
    ]
    assert await asked_on(engine, "readwell", (NOON + 3 * DAY).date()) == []


async def test_days_are_the_districts(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await record(engine, checkpoints, an_entry(at=NOON.replace(hour=3)))
    await catch_up(engine, CHICAGO)
    (day,) = await asked_on(engine, "readwell", (NOON - 9 * DAY).date())
    assert day.day == (NOON - DAY).date()


async def test_a_parent_is_told_what_reading_every_entry_tells(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    removed = an_entry(disclosed=(), removed=(Whose(("Student",), BitMap([2]), 1),), request="r4", at=NOON + DAY)
    await record(
        engine,
        checkpoints,
        an_entry(disclosed=disclosed(1, 2, coordinates=("Student.b", "Student.a")), request="r1"),
        an_entry(disclosed=disclosed(1, 9, coordinates=("Student.a",)), request="r2", at=NOON + DAY),
        an_entry(disclosed=disclosed(2, coordinates=("Student.b",)), request="r3", client="mathly"),
        removed,
    )
    await catch_up(engine, UTC)
    for students in ((1,), (2,), (9,), (5,), (2, 5), ()):
        told = await received(engine, students)
        assert told == await of_student(engine, *students), students
    assert [each.coordinates for each in await received(engine, (2,))][-1] == ("Student.a", "Student.b")
    assert () in [each.coordinates for each in await received(engine, (2,))]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=some_entries, batch=st.integers(1, 4))
def test_the_summary_of_any_entries_in_any_batches_is_their_sum(tmp_path: Path, made: list[Entry], batch: int) -> None:
    async def claim() -> None:
        folder = tmp_path / "ledger.db"
        folder.unlink(missing_ok=True)
        engine = open_engine(Settings().database_url(f"sqlite:///{folder}"))
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await record(engine, checkpoints_in(tmp_path), *made)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(room, "BATCH", batch)
            while await fold(engine, CHICAGO):
                pass
        told = [each async for each in entries(engine, Filters())]
        left = [each.entry for each in told if each.entry.kind in {Kind.ANSWER, Kind.CHUNK}]
        expected = {
            (one.client, one.purpose, name, one.at)
            for one in left
            for each in one.disclosed
            for name in each.coordinates
        }
        found = await used_fields(engine)
        assert set(found) == {key[:3] for key in expected}
        for key, use in found.items():
            moments = [at for *of, at in expected if tuple(of) == key]
            assert (use.first, use.last) == (min(moments), max(moments))
        asked = Counter(
            (each.entry.client, each.entry.at.astimezone(CHICAGO).date())
            for each in told
            if each.entry.kind in {Kind.ANSWER, Kind.OPENING}
        )
        for client in ("readwell", "mathly"):
            days = {each.day: each.answers for each in await asked_on(engine, client, NOON.date() - 9 * DAY)}
            assert {day: n for day, n in days.items() if n} == {
                day: n for (of, day), n in asked.items() if of == client
            }
        for student in range(1, 6):
            days_of = {(one.client, day) for one in await received(engine, [student]) for day in one.days}
            assert days_of == {
                (one.client, day)
                for one in await of_student(engine, student, zone=CHICAGO)
                for day in one.days
                if one.coordinates
            }
        await engine.dispose()

    asyncio.run(claim())


async def test_a_summary_that_was_lost_is_made_anew(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await record(engine, checkpoints, an_entry(), an_entry(client="mathly"))
    await catch_up(engine, UTC)
    before = await used_fields(engine)
    async with engine.begin() as connection:
        for table in (usage, activity, reach, field_set, summarized):
            await connection.execute(delete(table))
    await catch_up(engine, UTC)
    assert await used_fields(engine) == before


async def test_a_reader_says_how_far_behind_a_summary_is(
    engine: AsyncEngine, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BATCH", 1)
    monkeypatch.setattr("app.ledger.summed.BATCH", 1)
    monkeypatch.setattr("app.ledger.summed.AT_ONCE", 2)
    await record(engine, checkpoints, *[an_entry()] * 5)
    assert await catch_up(engine, UTC) == 3
    assert await catch_up(engine, UTC) == 1
    assert await catch_up(engine, UTC) == 0


async def test_an_entry_that_was_spoilt_is_passed_over(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await record(engine, checkpoints, an_entry(), an_entry(at=NOON + DAY))
    await tamper(engine, "UPDATE entry SET body = :body WHERE sequence = 1", body=b"\xc1")
    await catch_up(engine, UTC)
    assert next(iter((await used_fields(engine)).values())).first == NOON + DAY


async def test_a_running_server_keeps_it_beside_the_answers(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    summary = Summary(engine, lambda: UTC, pace=0.01)
    ledger = Ledger(engine, SPACE, checkpoints, summary=summary)
    await ledger.record(an_entry())
    async with asyncio.timeout(10):
        while not await used_fields(engine):
            await asyncio.sleep(0.01)
    await ledger.close()


async def test_two_servers_keep_one_summary(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await record(engine, checkpoints, *[an_entry(at=NOON + n * DAY) for n in range(6)])
    await asyncio.gather(*(catch_up(engine, UTC) for _ in range(4)))
    assert next(iter((await used_fields(engine)).values())).days == 6


async def test_a_ledger_that_is_missing_is_a_fault_and_not_a_new_one(tmp_path: Path, log: object) -> None:
    engine = open_engine(Settings().database_url(f"sqlite:///{tmp_path / 'gone.db'}"))
    with pytest.raises(Unavailable, match="summary"):
        await catch_up(engine, UTC)
    summary = Summary(engine, lambda: UTC, pace=0.001)
    summary.soon()
    summary.soon()
    await asyncio.sleep(0.1)
    assert not (tmp_path / "gone.db").exists()
    await summary.close()
    await engine.dispose()
