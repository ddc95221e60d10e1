"""Reading the ledger: lists by filter, and the page for a parent."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger import Checkpoints, Entry, Kind, Ledger, Recorded, Whose
from app.ledger.reading import Filters, entries
from app.ledger.report import BASES, Received, describe_fields, gather, of_student, page, summarize
from app.policy.model import Basis
from tests.ledger.samples import NOON, SPACE, an_entry, disclosed, tamper

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def record(engine: AsyncEngine, checkpoints: Checkpoints, *all_entries: Entry) -> None:
    ledger = Ledger(engine, SPACE, checkpoints)
    for each in all_entries:
        await ledger.record(each)
    await ledger.close()


async def requests(engine: AsyncEngine, **filters: object) -> list[str]:
    return [recorded.entry.request async for recorded in entries(engine, Filters(**filters), page=2)]  # type: ignore[arg-type]


async def test_lists_are_newest_first_and_every_filter_must_hold(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await record(
        engine,
        checkpoints,
        an_entry(request="a", client="readwell", at=NOON, disclosed=disclosed(1, 9)),
        an_entry(request="b", client="mathly", at=NOON + DAY, disclosed=disclosed(5)),
        an_entry(request="c", client="readwell", at=NOON + DAY, disclosed=disclosed(5)),
        an_entry(request="d", client="readwell", at=NOON - DAY, disclosed=()),  # a clock that jumped back
        an_entry(request="e", client="readwell", at=NOON + 2 * DAY, kind=Kind.REFUSAL, disclosed=()),
    )
    assert await requests(engine) == ["e", "c", "b", "a", "d"]
    assert await requests(engine, client="readwell") == ["e", "c", "a", "d"]
    assert await requests(engine, since=NOON + DAY) == ["e", "c", "b"]
    assert await requests(engine, until=NOON + DAY) == ["a", "d"]
    assert await requests(engine, client="readwell", since=NOON, until=NOON + 2 * DAY) == ["c", "a"]
    assert await requests(engine, students=(5,)) == ["c", "b"]  # 5 lies between 1 and 9, but is not in that bitmap
    assert await requests(engine, client="nobody") == []


@pytest.mark.parametrize(
    "condition",
    [
        "client = 'a' AND at >= 1 ORDER BY at DESC",
        "at >= 1 ORDER BY at DESC",
        "first_student <= 5 AND last_student >= 5",
    ],
)
async def test_no_filter_reads_every_entry(file_engine: AsyncEngine, condition: str) -> None:
    async with file_engine.connect() as connection:
        plan = (await connection.execute(text(f"EXPLAIN QUERY PLAN SELECT * FROM entry WHERE {condition}"))).all()
    assert [row.detail.split(" USING")[0] for row in plan] == ["SEARCH entry"]


async def test_an_entry_that_someone_spoilt_is_not_passed_over(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await record(engine, checkpoints, an_entry())
    spoilt = "X'80'" if engine.dialect.name == "sqlite" else "decode('80', 'hex')"
    await tamper(engine, f"UPDATE entry SET body = {spoilt}")
    with pytest.raises(Unavailable, match="Entry 1 of the ledger cannot be read"):
        await requests(engine)


async def test_a_student_is_in_the_report_of_exactly_the_answers_that_held_them(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    names, grades = ("Student.firstName", "Student.lastSurname"), ("Grade.letterGradeEarned",)
    both = (Whose(names, BitMap([1, 2]), 2), Whose(grades, BitMap([2]), 4), Whose(("School.name",), None, 1))
    await record(
        engine,
        checkpoints,
        an_entry(request="a", disclosed=both),
        an_entry(request="b", at=NOON + DAY, disclosed=both),
        an_entry(request="c", client="mathly", purpose="rostering", basis=None, disclosed=(both[0],)),
        an_entry(request="d", kind=Kind.REFUSAL, disclosed=()),
        an_entry(request="e", kind=Kind.OPENING, disclosed=()),
        an_entry(request="e", kind=Kind.CHUNK, disclosed=(both[0],)),
        an_entry(request="e", kind=Kind.CHUNK, at=NOON + timedelta(seconds=1), disclosed=(both[1],)),
        an_entry(request="e", kind=Kind.ABORTED, disclosed=()),
    )
    day = NOON.date()
    assert await of_student(engine, 2) == [
        Received("mathly", "rostering", None, names, (day,), 1),
        Received("readwell", "instruction", "school-official", grades + names, (day, day + DAY), 3),
    ]
    assert await of_student(engine, 1) == [
        Received("mathly", "rostering", None, names, (day,), 1),
        Received("readwell", "instruction", "school-official", names, (day, day + DAY), 3),
    ]
    assert await of_student(engine, 3) == []
    later = await of_student(engine, 1, since=NOON + DAY, until=NOON + 2 * DAY)
    assert [each.days for each in later] == [(day + DAY,)]


async def test_days_are_the_districts(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await record(engine, checkpoints, an_entry(at=datetime(2026, 9, 2, 3, 0, tzinfo=UTC)))
    [received] = await of_student(engine, 1, zone=ZoneInfo("America/Chicago"))
    assert received.days == (date(2026, 9, 1),)


parts = st.builds(
    an_entry,
    kind=st.sampled_from(Kind),
    request=st.sampled_from("abc"),
    client=st.sampled_from(["readwell", "mathly"]),
    disclosed=st.lists(
        st.builds(
            Whose,
            st.sets(st.sampled_from(["Student.firstName", "Student.sex", "Grade.narrative"]), min_size=1).map(tuple),
            st.none() | st.sets(st.integers(0, 4)).map(BitMap),
            st.just(1),
        ),
        max_size=3,
    ).map(tuple),
)


@given(st.lists(parts, max_size=8), st.integers(0, 4))
def test_a_coordinate_is_reported_iff_it_left_in_an_answer_with_the_student(log: list[Entry], row: int) -> None:
    answers: dict[tuple[str, str], object] = {}
    for number, each in enumerate(log):
        left = [set(whose.coordinates) for whose in each.disclosed if whose.students and row in whose.students]
        if left:  # as the reader passes them on
            gather(answers, Recorded(number, b"", each), [row])  # type: ignore[arg-type]
    expected = {
        (each.client, coordinate)
        for each in log
        if each.kind in {Kind.ANSWER, Kind.CHUNK}
        for whose in each.disclosed
        if whose.students is not None and row in whose.students
        for coordinate in whose.coordinates
    }
    received = summarize(answers.values(), UTC)  # type: ignore[arg-type]
    assert {(each.client, coordinate) for each in received for coordinate in each.coordinates} == expected
    assert sum(each.count for each in received) == len(answers)


def test_the_page_for_a_parent_is_in_plain_language() -> None:
    received = [
        Received("mathly", "rostering", None, ("Student.firstName",), (date(2026, 9, 1),), 1),
        Received(
            "readwell",
            "instruction",
            "school-official",
            ("SchoolEnrollment.gradeLevel", "Student.birthDate", "Student.lastSurname"),
            (date(2026, 9, 1), date(2026, 9, 3)),
            12,
        ),
        Received("readwell", "instruction", "school-official", ("Student.section504Status",), (date(2026, 9, 4),), 2),
        Received("readwell", "rostering", "board-policy", ("Student.firstName",), (date(2026, 9, 5),), 1),
    ]
    assert page(received, district="Grand Bend ISD", student="604821", names={"mathly": "Mathly (mathly)"}) == (
        """\
Who received data about student 604821
Grand Bend ISD, from its record of disclosures

Mathly (mathly)

  Purpose: rostering
  Basis:   none recorded

    student: first name
    once, on 2026-09-01

readwell

  Purpose: instruction
  Basis:   school-official (as a school official with a legitimate educational interest, 34 CFR 99.31(a)(1))

    school enrollment: grade level
    student: birth date, last name
    12 times, on these days: 2026-09-01, 2026-09-03

    student: section 504 status
    2 times, on 2026-09-04

  Purpose: rostering
  Basis:   board-policy

    student: first name
    once, on 2026-09-05
"""
    )


def test_the_page_says_so_when_nobody_received_anything() -> None:
    assert page([], district="Grand Bend ISD", student="7").endswith(
        "Nobody has received any data about this student.\n"
    )


def test_every_basis_of_a_grant_has_its_plain_words() -> None:
    assert set(BASES) == set(Basis)


def test_fields_are_named_by_type() -> None:
    assert describe_fields(("Grade.letterGradeEarned", "Student.sex")) == ["grade: letter grade earned", "student: sex"]


async def test_a_parent_reads_that_a_vendor_was_told_to_remove_what_it_holds(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    told = (Whose(("Student",), BitMap([1]), 1),)
    await record(
        engine,
        checkpoints,
        an_entry(request="a", disclosed=disclosed(1, 2)),
        an_entry(request="b", disclosed=disclosed(2), removed=told, at=NOON + DAY),
    )
    received = page(await of_student(engine, 1), district="Grand Bend ISD", student="s1")
    assert "student: first name\n    once, on 2026-09-01" in received
    assert "nothing: it was told to remove what it holds of the student\n    once, on 2026-09-02" in received
    assert "told to remove" not in page(await of_student(engine, 2), district="Grand Bend ISD", student="s2")
    assert await requests(engine, students=(1,)) == ["b", "a"]
