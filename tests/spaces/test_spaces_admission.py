"""Which records a grant admits, over small worlds at random: as the rules say, and never more when stricter."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from app.names import ClientId
from app.policy.model import Rows
from app.policy.withholding import Withholding
from app.spaces import tables as t
from app.spaces.admission import Admission, school_year
from app.spaces.driver import Readers

TODAY = date(2026, 10, 15)
NOBODY = Withholding(ClientId("readwell"), records=True, directory=None)  # and in these worlds nobody opted out
SCHOOLS = {1: "elm", 2: "oak"}
SUBJECTS = {1: "Mathematics", 2: "English", 3: None}
YEARS = {1: 2026, 2: 2027, 3: None}
DAYS = ["2025-06-30", "2025-07-01", "2026-06-30", "2026-07-01", "2026-10-14", "2026-10-15", "2026-10-16", "2027-07-01"]


@dataclass(frozen=True)
class Small:
    """Rows of a few tables, numbered from 1. None is a parent or a value that is missing."""

    sections: Sequence[tuple[int | None, int | None, int | None]]  # school, course, session
    enrollments: Sequence[tuple[int | None, int | None, str | None, str | None, str | None]]
    grades: Sequence[tuple[int | None, int | None]]  # student, section
    teaches: Sequence[tuple[int | None, int | None]]  # staff, section
    events: Sequence[tuple[int | None, int | None, int | None, str | None]]  # student, school, section, day
    programs: Sequence[tuple[int | None, int | None, str | None, str | None]]  # student, school, first and last day
    incidents: Sequence[tuple[int | None]]  # school
    actions: Sequence[tuple[int | None, int | None, int | None, str | None]]  # student, school, incident, day
    records: Sequence[tuple[int | None, int | None, int | None]]  # student, school, session


def maybe(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from([*values, None])


sections = st.tuples(maybe(1, 2), maybe(1, 2, 3), maybe(1, 2, 3))
enrollments = st.tuples(maybe(1, 2, 3), maybe(1, 2), maybe("04", "05"), maybe(*DAYS), maybe(*DAYS))
pairs = st.tuples(maybe(1, 2, 3), maybe(1, 2, 3))
events = st.tuples(maybe(1, 2, 3), maybe(1, 2), maybe(1, 2, 3), maybe(*DAYS))
programs = st.tuples(maybe(1, 2, 3), maybe(1, 2), maybe(*DAYS), maybe(*DAYS))
incidents = st.tuples(maybe(1, 2))
actions = st.tuples(maybe(1, 2, 3), maybe(1, 2), maybe(1, 2), maybe(*DAYS))
records = st.tuples(maybe(1, 2, 3), maybe(1, 2), maybe(1, 2, 3))
worlds = st.builds(
    Small,
    st.lists(sections, min_size=3, max_size=3),
    st.lists(enrollments, max_size=5),
    st.lists(pairs, max_size=4),
    st.lists(pairs, max_size=4),
    st.lists(events, max_size=3),
    st.lists(programs, max_size=3),
    st.lists(incidents, min_size=2, max_size=2),
    st.lists(actions, max_size=4),
    st.lists(records, max_size=3),
)


def some(*values: str) -> st.SearchStrategy[tuple[str, ...] | None]:
    return st.none() | st.lists(st.sampled_from(values), unique=True).map(tuple)


rows = st.builds(
    Rows,
    schools=some("elm", "oak", "birch"),
    grade_levels=some("04", "05"),
    subjects=some("Mathematics", "English"),
    enrollment=st.sampled_from([None, "any", "active"]),
    history_years=st.sampled_from([None, 0, 1, 2]),
)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        t.metadata.create_all(connection)
        connection.commit()
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.executemany("INSERT INTO school(row, source_key) VALUES (?, ?)", SCHOOLS.items())
        driver.executemany("INSERT INTO course(row, source_key, subject) VALUES (?1, ?1, ?2)", SUBJECTS.items())
        driver.executemany("INSERT INTO session(row, source_key, school_year) VALUES (?1, ?1, ?2)", YEARS.items())
        driver.executemany("INSERT INTO student(row, source_key) VALUES (?1, ?1)", [(1,), (2,), (3,)])
        driver.executemany("INSERT INTO staff(row, source_key) VALUES (?1, ?1)", [(1,), (2,), (3,)])
        yield driver
    engine.dispose()


INSERTS = {
    "section": "school, course, session",
    "school_enrollment": "student, school, grade_level, entry_date, exit_date",
    "grade": "student, section",
    "staff_section_association": "staff, section",
    "attendance_event": "student, school, section, event_date",
    "program_participation": "student, school, begin_date, end_date",
    "discipline_incident": "school",
    "discipline_action": "student, school, discipline_incident, start_date",
    "academic_record": "student, school, session",
}


def fill(database: sqlite3.Connection, small: Small) -> None:
    for table, rows_of in zip(INSERTS, (getattr(small, one.name) for one in fields(small)), strict=True):
        database.execute(f"DELETE FROM {table}")
        for row, values in enumerate(rows_of, 1):
            marks = ", ".join("?" * len(values))
            database.execute(
                f"INSERT INTO {table}(row, source_key, {INSERTS[table]}) VALUES (?, ?, {marks})", (row, row, *values)
            )


JUDGED = (
    "Student",
    "SchoolEnrollment",
    "Section",
    "Grade",
    "StaffSectionAssociation",
    "Staff",
    "School",
    "AttendanceEvent",
    "ProgramParticipation",
    "DisciplineAction",
    "DisciplineIncident",
    "AcademicRecord",
)


def admitted(database: sqlite3.Connection, granted: Rows) -> Mapping[str, set[int]]:
    """The row numbers of each type that the conditions let through."""
    readers, admission = Readers("sqlite+aiosqlite:///:memory:"), Admission(granted, TODAY, NOBODY)
    found = {}
    for name in JUDGED:
        table = t.BY_TYPE[name].alias("t")
        statement = readers.statement(select(table.c.row).where(admission.of(name, table)))
        values = [statement.constants[each] for each in statement.order]
        found[name] = {row for (row,) in database.execute(statement.text, values)}
    return found


def by_the_rules(small: Small, granted: Rows) -> Mapping[str, set[int]]:
    """The same by plain comparison."""
    first = None if granted.history_years is None else 2027 - granted.history_years

    def school(row: int | None) -> bool:
        return granted.schools is None or (row is not None and SCHOOLS[row] in granted.schools)

    def recent(entry: str | None, left: str | None) -> bool:
        begun = entry is None or entry <= "2027-06-30"
        return first is None or (begun and (left is None or left >= f"{first - 1}-07-01"))

    def section(row: int | None) -> bool:
        if row is None:
            return granted.schools is None and granted.subjects is None and first is None
        at, course, session = small.sections[row - 1]
        year = None if session is None else YEARS[session]
        subject = None if course is None else SUBJECTS[course]
        return (
            school(at)
            and (granted.subjects is None or subject in granted.subjects)
            and (first is None or (year is not None and first <= year <= 2027))
        )

    def lets_in(at: int | None, level: str | None, entry: str | None, left: str | None) -> bool:
        today = "2026-10-15"
        active = (entry is None or entry <= today) and (left is None or left >= today)
        return (
            school(at)
            and recent(entry, left)
            and (granted.grade_levels is None or level in granted.grade_levels)
            and (granted.enrollment != "active" or active)
        )

    free = (
        granted.schools is None
        and granted.grade_levels is None
        and granted.enrollment is None
        and granted.history_years is None
    )
    students = {
        row for row in (1, 2, 3) if free or any(whose == row and lets_in(*rest) for whose, *rest in small.enrollments)
    }

    def dated(day: str | None) -> bool:
        return first is None or (day is not None and f"{first - 1}-07-01" <= day <= "2027-06-30")

    def where_it_has_one(holds: Callable[[int | None], bool], row: int | None) -> bool:
        return row is None or holds(row)

    def acted(whose: int | None, at: int | None, incident: int | None, day: str | None) -> bool:
        there = None if incident is None else small.incidents[incident - 1][0]
        return whose in students and where_it_has_one(school, at) and where_it_has_one(school, there) and dated(day)

    punished = {row for row, action in enumerate(small.actions, 1) if acted(*action)}
    teaching = {row for row, (_, at) in enumerate(small.teaches, 1) if at is not None and section(at)}
    return {
        "Student": students,
        "SchoolEnrollment": {
            row
            for row, (whose, at, _, entry, left) in enumerate(small.enrollments, 1)
            if whose in students and school(at) and recent(entry, left)
        },
        "Section": {row for row in (1, 2, 3) if section(row)},
        "Grade": {row for row, (whose, at) in enumerate(small.grades, 1) if whose in students and section(at)},
        "StaffSectionAssociation": teaching,
        "Staff": {staff for row in teaching if (staff := small.teaches[row - 1][0]) is not None},
        "School": {row for row in SCHOOLS if school(row)},
        "AttendanceEvent": {
            row
            for row, (whose, at, during, day) in enumerate(small.events, 1)
            if whose in students and where_it_has_one(school, at) and where_it_has_one(section, during) and dated(day)
        },
        "ProgramParticipation": {
            row
            for row, (whose, at, begin, end) in enumerate(small.programs, 1)
            if whose in students and where_it_has_one(school, at) and recent(begin, end)
        },
        "DisciplineAction": punished,
        "DisciplineIncident": {there for row in punished if (there := small.actions[row - 1][2]) is not None},
        "AcademicRecord": {
            row
            for row, (whose, at, session) in enumerate(small.records, 1)
            if whose in students
            and where_it_has_one(school, at)
            and (first is None or (session is not None and first <= (YEARS[session] or 0) <= 2027))
        },
    }


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds, rows)
def test_the_rows_of_a_grant_admit_what_the_rules_say(
    database: sqlite3.Connection, small: Small, granted: Rows
) -> None:
    fill(database, small)
    assert admitted(database, granted) == by_the_rules(small, granted)


@st.composite
def narrowed(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Rows, and rows that are stricter in any number of conditions."""
    wide = draw(rows)

    def fewer(values: tuple[str, ...] | None, *all_values: str) -> tuple[str, ...] | None:
        kept = draw(st.none() | st.lists(st.sampled_from(values or all_values), unique=True).map(tuple))
        return values if kept is None else (() if values == () else kept)

    narrow = replace(
        wide,
        schools=fewer(wide.schools, "elm", "oak"),
        grade_levels=fewer(wide.grade_levels, "04", "05"),
        subjects=fewer(wide.subjects, "Mathematics", "English"),
        enrollment=draw(st.sampled_from([wide.enrollment, "active"])),
        history_years=draw(st.integers(0, 2 if wide.history_years is None else wide.history_years)),
    )
    return wide, narrow


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds, narrowed())
def test_stricter_rows_never_admit_more(database: sqlite3.Connection, small: Small, pair: tuple[Rows, Rows]) -> None:
    fill(database, small)
    wide, narrow = (admitted(database, each) for each in pair)
    assert all(narrow[name] <= wide[name] for name in wide)


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_a_school_year_runs_from_july_to_june_and_is_named_by_its_end(day: date) -> None:
    year = school_year(day)
    assert date(year - 1, 7, 1) <= day <= date(year, 6, 30)
