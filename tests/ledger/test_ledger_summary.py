"""What pages show of a ledger is what reading every entry would show."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap
from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger import Checkpoints, Entry, Kind, Ledger, Whose
from app.ledger import earlier as earlier_days
from app.ledger import summary as room
from app.ledger.earlier import lay_out
from app.ledger.reading import Filters, entries
from app.ledger.report import Received, of_student
from app.ledger.store import SUMMARY, earlier, metadata, reach
from app.ledger.summary import Summary, fold, make_anew
from app.ledger.summed import asked_on, catch_up, received, used_fields
from app.settings import Settings
from app.storage.engines import open_engine
from tests.ledger.samples import NOON, SPACE, an_entry, checkpoints_in, disclosed, tamper

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
CHICAGO = ZoneInfo("America/Chicago")

moments = st.sampled_from([*range(0, 60, 7), 24 * 40, 24 * 41, 24 * 365]).map(
    lambda hours: NOON + timedelta(hours=hours)
)
coordinates = st.lists(st.sampled_from(["Student.a", "Student.b", "Grade.c"]), min_size=1, max_size=3, unique=True)
whose = st.builds(
    lambda names, students: Whose(tuple(names), BitMap(students) if students else None, 1),
    coordinates,
    st.frozensets(st.sampled_from([1, 2, 255, 256, 299]), max_size=3),
)
some_entries = st.lists(
    st.builds(
        an_entry,
        at=moments,
        request=st.uuids().map(str),
        kind=st.sampled_from([Kind.ANSWER, Kind.CHUNK, Kind.OPENING, Kind.REFUSAL, Kind.OPT_OUT, Kind.SENT]),
        client=st.sampled_from(["readwell", "mathly"]),
        purpose=st.sampled_from(["instruction", "rostering"]),
        basis=st.sampled_from([None, "studies"]),
        disclosed=st.lists(whose, max_size=2).map(tuple),
        subgraph=st.sampled_from([None, "learning"]),
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
    removed = an_entry(
        disclosed=(),
        removed=(Whose(("School",), None, 1), Whose(("Student",), BitMap([2]), 1)),
        request="r4",
        at=NOON + DAY,
    )
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
    """Also where days that are over are laid out at any moment between."""

    async def claim() -> None:
        folder = tmp_path / "ledger.db"
        folder.unlink(missing_ok=True)
        engine = open_engine(Settings().database_url(f"sqlite:///{folder}"))
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await record(engine, checkpoints_in(tmp_path), *made)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(room, "BATCH", batch)
            patch.setattr(earlier_days, "ROWS", batch)
            while await fold(engine, CHICAGO):
                await lay_out(engine)
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
        for student in (1, 2, 3, 255, 256, 299):
            assert by_day(await received(engine, [student])) == {
                key: fields for key, fields in by_day(await of_student(engine, student, zone=CHICAGO)).items() if fields
            }
        await engine.dispose()

    asyncio.run(claim())


def by_day(left: Sequence[Received]) -> dict[tuple[str, str, str | None, date], set[str]]:
    """Which fields of a student left to whom on which day."""
    found: dict[tuple[str, str, str | None, date], set[str]] = {}
    for one in left:
        for day in one.days:
            found.setdefault((one.client, one.purpose, one.basis, day), set()).update(one.coordinates)
    return found


async def test_a_summary_that_was_lost_or_spoilt_is_made_anew(
    engine: AsyncEngine, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earlier_days, "ROWS", 1)
    await record(engine, checkpoints, an_entry(), an_entry(client="mathly"), an_entry(at=NOON + DAY))
    assert await make_anew(engine, UTC) == 3
    before = await used_fields(engine), await received(engine, [1]), await asked_on(engine, "readwell", NOON.date())
    assert all(before)
    spoilt = [update(reach).values(client="x"), update(earlier).values(days=b"")]
    for spoil in [delete(table) for table in SUMMARY], spoilt:
        async with engine.begin() as connection:
            for one in spoil:
                await connection.execute(one)
        await make_anew(engine, UTC)
        after = await used_fields(engine), await received(engine, [1]), await asked_on(engine, "readwell", NOON.date())
        assert after == before


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


async def test_a_running_server_keeps_it_beside_the_answers(
    engine: AsyncEngine, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BATCH", 2)
    monkeypatch.setattr(earlier_days, "ROWS", 1)
    summary = Summary(engine, lambda: UTC, pace=0.01)
    ledger = Ledger(engine, SPACE, checkpoints, summary=summary)
    left = select(func.count()).select_from(reach)
    for new in range(5), [5]:
        for day in new:
            await ledger.record(an_entry(at=NOON + day * DAY))
        async with asyncio.timeout(10):
            while await on_days(engine) != {new[-1] + 1} or await scalar(engine, left) > 1:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # it has come to rest, and begins again with the next entry
    await ledger.record(an_entry(at=NOON + 6 * DAY))  # ... and a server that stops does not wait for it
    await ledger.close()


async def on_days(engine: AsyncEngine) -> set[int]:
    return {one.days for one in (await used_fields(engine)).values()}


async def scalar(engine: AsyncEngine, query: Select[tuple[int]]) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(query)).scalar_one())


@pytest.mark.parametrize("students", [1, 8_000])
async def test_days_that_are_over_are_laid_out_by_student(
    engine: AsyncEngine, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch, students: int
) -> None:
    """However few students' days are laid out with one commit."""
    monkeypatch.setattr(earlier_days, "STUDENTS", students)
    many = BitMap([*range(1, 700, 3)])
    said = [Whose(("Student.a",), many, len(many)), Whose(("Student.b",), BitMap([4, 5]), 2)]
    days = [0, 1, 30, 31, 400]
    made = [an_entry(at=NOON + n * DAY, disclosed=tuple(said[: 1 + n % 2]), request=f"r{n}") for n in days]
    await record(engine, checkpoints, *made)
    await catch_up(engine, UTC)
    before = {one: await received(engine, [one]) for one in (1, 4, 5, 6, 697, 698)}
    assert len(before[4][0].days) == 3
    while await lay_out(engine):
        pass
    async with engine.connect() as connection:
        left = (await connection.execute(select(func.min(reach.c.day)))).scalar_one()
        blocks = (await connection.execute(select(func.count()).select_from(earlier))).scalar_one()
    assert left == (NOON + 400 * DAY).date().toordinal()
    assert blocks == 2 * 3 + 2  # two months of three blocks, and a block of the other field in each
    assert {one: await received(engine, [one]) for one in before} == before
    # An entry of a day that is over, because a clock went back, is added to what stands.
    await record(
        engine, checkpoints, an_entry(at=NOON, disclosed=disclosed(6, coordinates=("Student.a",)), request="x")
    )
    await catch_up(engine, UTC)
    while await lay_out(engine):
        pass
    assert [one.days for one in await received(engine, [6])] == [(NOON.date(),)]
    assert await received(engine, [4]) == before[4]


async def test_what_a_subgraph_was_told_is_told_to_a_parent(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    sent = an_entry(kind=Kind.SENT, subgraph="learning", disclosed=disclosed(1, coordinates=("Student.a",)))
    await record(engine, checkpoints, sent)
    await catch_up(engine, UTC)
    assert await received(engine, [1]) == await of_student(engine, 1)
    assert not await used_fields(engine)


async def test_two_servers_keep_one_summary(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await record(engine, checkpoints, *[an_entry(at=NOON + n * DAY) for n in range(6)])
    await asyncio.gather(*(catch_up(engine, UTC) for _ in range(4)))
    assert next(iter((await used_fields(engine)).values())).days == 6


async def test_a_ledger_that_is_missing_is_a_fault_and_not_a_new_one(tmp_path: Path, log: object) -> None:
    engine = open_engine(Settings().database_url(f"sqlite:///{tmp_path / 'gone.db'}"))
    with pytest.raises(Unavailable, match="summary"):
        await catch_up(engine, UTC)
    with pytest.raises(Unavailable, match="summary"):
        await make_anew(engine, UTC)
    summary = Summary(engine, lambda: UTC, pace=0.001)
    summary.soon()
    summary.soon()
    await asyncio.sleep(0.1)
    assert not (tmp_path / "gone.db").exists()
    await summary.close()
    await engine.dispose()
