"""Records go with what they name: one that lost its school would pass for the whole district's."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.spaces.belonging import BINDING, REQUIRED
from app.spaces.merged import Merged
from app.spaces.staging import Part
from app.spaces.store import storing
from app.spaces.tables import BY_TYPE
from tests import worlds

pytestmark = pytest.mark.anyio

EVENT = Part(
    "attendance_event",
    "AttendanceEvent",
    ("event_date", "status"),
    {"student": "StudentReference", "school": "SchoolReference", "section": "SectionReference"},
)


async def held(engine: AsyncEngine, type_name: str) -> set[int]:
    """The row numbers that are left of a type."""
    async with engine.connect() as connection:
        return set((await connection.execute(select(BY_TYPE[type_name].c.row))).scalars())


async def removed(engine: AsyncEngine, type_name: str, key: str) -> Merged:
    await worlds.build(engine)
    async with storing(engine, secret=bytes(32)) as store:
        await store.remove([(type_name, key)])
        return await store.merge()


def of(rows: worlds.Rows, *but: int) -> set[int]:
    return {row for one in rows if isinstance(row := one["row"], int) and row not in but}


async def test_what_named_a_school_goes_with_it_and_the_rest_stays(database: AsyncEngine) -> None:
    merged = await removed(database, "School", "oak")
    assert await held(database, "AttendanceEvent") == of(worlds.ATTENDANCE, 2, 9)
    assert await held(database, "DisciplineIncident") == of(worlds.INCIDENTS, worlds.LAST_YEARS)
    assert await held(database, "DisciplineAction") == of(worlds.ACTIONS, 5, 8)
    assert await held(database, "AcademicRecord") == of(worlds.ACADEMIC_RECORDS, 7)
    assert await held(database, "StudentGradebookEntry") == of(worlds.GRADEBOOK, 5, 8)
    assert await held(database, "ProgramParticipation") == of(worlds.PROGRAMS)
    assert await held(database, "Contact") == of(worlds.CONTACTS)
    assert (merged.stored["AttendanceEvent"].deleted, merged.stored["DisciplineAction"].deleted) == (2, 2)


async def test_what_belongs_to_a_student_goes_with_them(database: AsyncEngine) -> None:
    await removed(database, "Student", "leo")
    assert await held(database, "Contact") == of(worlds.CONTACTS, 2, 3)
    assert await held(database, "AttendanceEvent") == of(worlds.ATTENDANCE, 6, 10)
    assert await held(database, "ProgramParticipation") == of(worlds.PROGRAMS, 2)
    assert await held(database, "DisciplineAction") == of(worlds.ACTIONS, 3)
    assert await held(database, "DisciplineIncident") == of(worlds.INCIDENTS)
    assert await held(database, "AcademicRecord") == of(worlds.ACADEMIC_RECORDS, 3, 4)
    assert await held(database, "StudentGradebookEntry") == of(worlds.GRADEBOOK, 3)


async def test_an_action_goes_with_its_incident_and_a_transcript_with_its_session(database: AsyncEngine) -> None:
    await worlds.build(database)
    async with storing(database, secret=bytes(32)) as store:
        await store.remove([("DisciplineIncident", "incident-1"), ("Session", "fall27")])
        await store.merge()
    assert await held(database, "DisciplineAction") == of(worlds.ACTIONS, 1, 2, 7)
    assert await held(database, "AcademicRecord") == of(worlds.ACADEMIC_RECORDS, 4)


async def test_a_row_that_names_what_is_nowhere_is_refused(database: AsyncEngine) -> None:
    await worlds.build(database)
    async with storing(database, secret=bytes(32)) as store:
        named = [("leo", "birch", None), ("leo", None, "no-such"), ("nobody", None, None), ("leo", None, None)]
        rows = [("a.xml", n, f"new-{n}", None, None, "2026-10-10", "Tardy", *keys) for n, keys in enumerate(named, 1)]
        await store.stage(EVENT, rows)
        merged = await store.merge()
    assert [(one.line, one.column, one.reason) for one in merged.rejected] == [
        (3, "StudentReference", "It belongs to a student that is neither in this import nor in the space."),
        (1, "SchoolReference", "It names a school that is neither in this import nor in the space."),
        (2, "SectionReference", "It names a section that is neither in this import nor in the space."),
    ]
    assert merged.stored["AttendanceEvent"].created == 1


def test_every_parent_that_rows_are_judged_by_is_held_on_to() -> None:
    catalogue = {("Course", "school"), ("Session", "school"), ("Session", "district"), ("School", "district")}
    found_again = {("Grade", "section_enrollment"), ("StudentGradebookEntry", "section_enrollment")}
    of_no_pupil = {("Section", "course"), ("Section", "session"), ("Grade", "grading_period")}
    loose = {
        (name, column.name)
        for name, table in BY_TYPE.items()
        for column in table.columns
        if column.foreign_keys and column.name not in {*REQUIRED.get(name, ()), *BINDING.get(name, ())}
    }
    assert loose == catalogue | found_again | of_no_pupil | {("GradingPeriod", "session")}
