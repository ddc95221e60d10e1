"""What goes at the end of its retention, in the hand-written world, with what goes along and what is held."""

from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.spaces import tables as t
from app.spaces.retention import YEARS, Class, Kept, expire
from app.spaces.writing import writing
from tests import worlds

pytestmark = pytest.mark.anyio


async def kept(database: AsyncEngine, today: date = worlds.TODAY, *, dry_run: bool = False, **years: int) -> Kept:
    async with writing(database, dry_run=dry_run) as connection:
        return await expire(connection, years, today)


async def rows(database: AsyncEngine, name: str) -> list[int]:
    async with database.connect() as connection:
        found = await connection.execute(select(t.BY_TYPE[name].c.row).order_by(t.BY_TYPE[name].c.row))
        return list(found.scalars())


def went(kept: Kept) -> dict[str, int]:
    return {one.type: one.records for one in kept.removed}


async def test_a_record_goes_when_its_school_years_are_over(database: AsyncEngine) -> None:
    await worlds.build(database)
    done = await kept(database, Grade=0)
    # Last year's marks are Ana's first and Gus's; Ivy's has no period, and its section is of this year.
    assert await rows(database, "Grade") == [2, 3, 4, 5, 6, 7, 8, 9]
    assert done.classes == [Class("Grade", 0, gone=2, undated=0, held=0)]
    [removed] = done.removed
    assert (removed.type, removed.records, sorted(removed.students or ())) == ("Grade", 2, [worlds.ANA, worlds.GUS])


@pytest.mark.parametrize(("years", "today", "gone"), [(1, "2027-06-30", 0), (1, "2027-07-01", 2), (0, "2026-06-30", 0)])
async def test_a_school_year_is_over_on_the_first_of_july(
    database: AsyncEngine, years: int, today: str, gone: int
) -> None:
    await worlds.build(database)
    assert went(await kept(database, date.fromisoformat(today), Grade=years)).get("Grade", 0) == gone


async def test_a_dry_run_says_the_same_and_deletes_nothing(database: AsyncEngine) -> None:
    await worlds.build(database)
    tried = await kept(database, dry_run=True, Grade=0, SchoolEnrollment=0)
    assert await rows(database, "Grade") == list(range(1, 11))
    assert went(tried) == went(await kept(database, Grade=0, SchoolEnrollment=0)) == {"SchoolEnrollment": 3, "Grade": 2}


async def test_a_student_who_left_takes_everything_along(database: AsyncEngine) -> None:
    await worlds.build(database)
    done = await kept(database, Student=0)
    # Gus left last year. Whoever is enrolled, or begins in November, stays; Zed's year cannot be told.
    assert await rows(database, "Student") == [1, 2, 3, 4, 5, 6, 8, 9, 10]
    along = ("SchoolEnrollment", "Grade", "Contact", "AttendanceEvent", "DisciplineAction")
    assert went(done) == dict.fromkeys(("Student", *along, "AcademicRecord", "StudentGradebookEntry"), 1)
    assert done.classes == [Class("Student", 0, gone=1, undated=9 - 1, held=0)]


async def test_what_a_record_that_stays_refers_to_is_held(database: AsyncEngine) -> None:
    await worlds.build(database)
    done = await kept(database, Section=0, Session=0, GradingPeriod=0)
    # Last year's section still has Ana's enrollment and mark; its session has the section.
    assert done.removed == []
    assert {one.type: (one.gone, one.undated, one.held) for one in done.classes} == {
        "Session": (0, 0, 1),
        "GradingPeriod": (0, 0, 1),
        "Section": (0, 1, 1),  # the club has no session
    }


async def test_with_the_students_records_their_frame_goes_too(database: AsyncEngine) -> None:
    await worlds.build(database)
    theirs = {"Grade": 0, "SectionEnrollment": 0, "AcademicRecord": 0, "StudentGradebookEntry": 0}
    done = await kept(database, **theirs, Section=0, Session=0, GradingPeriod=0)
    assert went(done) == {
        "Session": 1,
        "GradingPeriod": 1,
        "Section": 1,
        "StaffSectionAssociation": 1,  # of that section: it goes along
        "SectionEnrollment": 1,
        "Grade": 2,
        "AcademicRecord": 3,
        "StudentGradebookEntry": 1,
    }


async def test_each_class_goes_by_its_own_date_and_what_has_none_is_kept(database: AsyncEngine) -> None:
    await worlds.build(database)
    names = ("AttendanceEvent", "ProgramParticipation", "DisciplineAction", "DisciplineIncident", "Contact")
    done = await kept(database, **dict.fromkeys(names, 0))
    assert went(done) == {
        "AttendanceEvent": 2,  # Ana's and Gus's of last spring
        "ProgramParticipation": 1,  # Leo's, which ended in June
        "DisciplineIncident": 1,
        "DisciplineAction": 1,
    }
    assert {one.type: one.undated for one in done.classes} == {
        "AttendanceEvent": 1,  # without a day, in a club without a session
        "ProgramParticipation": 4,  # they go on
        "DisciplineIncident": 0,
        "DisciplineAction": 1,  # for no incident on record
        "Contact": 8,  # they go with their students
    }


async def test_a_record_that_merely_refers_to_what_goes_stays_without_the_reference(database: AsyncEngine) -> None:
    await worlds.build(database)
    await kept(database, SectionEnrollment=0)
    async with database.connect() as connection:
        mark = t.grade.c
        assert await connection.scalar(select(mark.section_enrollment).where(mark.row == 1)) is None
        assert await connection.scalar(select(mark.section_enrollment).where(mark.row == 2)) == 2


async def test_the_enrollment_that_tells_a_students_year_stays_as_long_as_the_student(database: AsyncEngine) -> None:
    await worlds.build(database)
    done = await kept(database, SchoolEnrollment=0, Student=5)
    # Ana's and Leo's of last year go, Gus's is what tells that he left then.
    assert went(done) == {"SchoolEnrollment": 2}
    told = {one.type: one.held for one in done.classes}
    assert told == {"Student": 0, "SchoolEnrollment": 1}
    assert went(await kept(database, date(2032, 7, 1), SchoolEnrollment=0, Student=5))["Student"] == 2  # Gus, and Pat


async def test_a_class_without_a_school_year_is_kept_and_counted(database: AsyncEngine) -> None:
    await worlds.build(database)
    done = await kept(database, date(2100, 1, 1), School=0, Course=0)
    assert done.removed == []
    assert {one.type: one.undated for one in done.classes} == {"School": 3, "Course": 4}
    assert not {"District", "School", "Course"} & set(YEARS)


async def test_teachers_go_after_their_last_assignment_and_numbers_never_come_back(database: AsyncEngine) -> None:
    await worlds.build(database)
    done = await kept(database, date(2040, 1, 1), Staff=1, StaffSectionAssociation=1)
    assert went(done) == {"Staff": 3, "StaffSectionAssociation": 6}
    assert {one.type: one.undated for one in done.classes} == {"Staff": 1, "StaffSectionAssociation": 0}
    async with writing(database) as connection:
        await connection.execute(t.staff.insert().values(source_key="new"))
    assert (await rows(database, "Staff"))[-1] == 5
    async with database.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.staff)) == 2
