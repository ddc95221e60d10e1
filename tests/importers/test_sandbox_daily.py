"""What is known of the sandbox's students day by day: plausible, consistent, and the same for the same seed and day."""

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.importers.sandbox import ALDER_CREEK, LOON_LAKE, District, build, counts, generate_district
from app.importers.sandbox.daily import absences, incidents, participations, standings, works
from app.importers.sandbox.profile import Form, Profile
from app.importers.sandbox.records import Placement
from app.spaces.tables import BY_TYPE
from tests.importers.rosters import bring, rows

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def district() -> District:
    return build(LOON_LAKE, students=600, seed=1, today=TODAY)


def attended(district: District) -> dict[int, list[Placement]]:
    """Every student's placements."""
    found: defaultdict[int, list[Placement]] = defaultdict(list)
    for placement in district.placements:
        found[placement.student.number].append(placement)
    return found


def there(placements: list[Placement], school: str, day: date) -> bool:
    """Whether a student was in a school on a day."""
    return any(
        one.school.key == school and one.entry <= day and (one.exit is None or day <= one.exit) for one in placements
    )


def test_siblings_share_their_parents_and_some_parents_live_apart(district: District) -> None:
    children = Counter(parent.key for student in district.students for parent in student.parents)
    assert max(children.values()) > 1
    families = {student.parents for student in district.students}
    assert {len(parents) for parents in families} == {1, 2}
    everyone = {parent for parents in families for parent in parents}
    assert len({parent.key for parent in everyone}) == len(everyone)
    assert {parent.at_home for parent in everyone} == {True, False}
    assert {parent.relation for parent in everyone} == {"Mother", "Father", "Grandmother"}
    assert 0 < sum(parent.restriction is not None for parent in everyone) < len(everyone) / 20


def test_other_kinds_of_records_leave_the_people_as_they_were() -> None:
    alone = build(LOON_LAKE, students=40, seed=1, today=TODAY, years=1, complete=True)
    whole = build(LOON_LAKE, students=40, seed=1, today=TODAY, years=1)
    assert [(one.first, one.last, one.born) for one in alone.students] == [
        (one.first, one.last, one.born) for one in whole.students
    ]


def test_nobody_misses_a_day_twice_or_a_day_that_was_no_school_day_of_theirs(district: District) -> None:
    found, placements = list(absences(district)), attended(district)
    assert len({(one.placement.student.number, one.day) for one in found}) == len(found)
    assert {one.status for one in found} == {"Tardy", "Excused Absence", "Unexcused Absence"}
    for one in found:
        assert one.day.weekday() < 5
        assert one.day <= TODAY
        assert there(placements[one.placement.student.number], one.placement.school.key, one.day)
        if one.section is not None:
            assert one.placement.student in {student for student, _, _ in one.section.roster}
            assert one.section.term.begin <= one.day <= one.section.term.end
    of_last_year = [one for one in found if one.placement.year == 2026]
    assert 3 < len(of_last_year) / len({one.placement.student.number for one in of_last_year}) < 12


def test_programs_are_for_some_and_end_with_the_year(district: District) -> None:
    found = list(participations(district))
    share = len({one.student.number for one in found if one.program == "Special Education"}) / len(district.students)
    assert 0.06 < share < 0.18
    learners = {one.student.number for one in found if one.program.startswith("English as")}
    assert learners == {student.number for student in district.students if student.learner}
    assert {one.school is None for one in found} == {True, False}
    assert all(one.end is None or one.begin <= one.end for one in found)
    assert not any(one.end is None and one.student.grade is None for one in found), "who graduated takes part no more"


def test_discipline_is_rare_and_is_for_those_who_were_there(district: District) -> None:
    found, placements = list(incidents(district)), attended(district)
    assert 0 < len(found) < len(district.placements) / 15
    assert len({action.key for one in found for action in one.actions}) == sum(len(one.actions) for one in found)
    for one in found:
        assert one.day <= TODAY
        for action in one.actions:
            assert there(placements[action.student.number], one.school.key, one.day)
            assert one.day <= action.day <= TODAY


def test_only_high_school_counts_credits_and_they_grow(district: District) -> None:
    of_student = defaultdict(list)
    for one in standings(district):
        assert one.term.end <= TODAY
        assert 0 < one.average <= 4
        of_student[one.student.number].append(one.credits)
    assert of_student
    assert all(earned == sorted(set(earned)) for earned in of_student.values())


def test_work_is_of_this_year_and_never_worth_more_than_its_points(district: District) -> None:
    found = list(works(district))
    assert {one.section.term.year for one in found} == {2027}
    assert {one.section.course.subject.code for one in found} == {"ELA", "MATH"}
    assert all(one.day <= TODAY and 0 <= points <= one.full for one in found for _, points in one.points)
    assert len({(one.section.number, one.kind, one.period.begin) for one in found}) == len(found)


@pytest.mark.parametrize("today", [date(2026, 7, 1), date(2026, 8, 17), date(2027, 6, 30)])
def test_there_is_a_district_on_every_day_of_the_year(today: date) -> None:
    found = counts(build(LOON_LAKE, students=100, seed=2, today=today))
    assert found["AttendanceEvent"] > 100
    assert (found["StudentGradebookEntry"] == 0) == (today < date(2026, 8, 29))


@pytest.mark.anyio
@pytest.mark.parametrize(("profile", "form"), [(ALDER_CREEK, "oneroster"), (LOON_LAKE, "edfi"), (ALDER_CREEK, "edfi")])
async def test_what_was_invented_comes_in_whole(
    sqlite_space: AsyncEngine, tmp_path: Path, profile: Profile, form: Form
) -> None:
    source = generate_district(tmp_path, profile=profile, form=form, students=120, today=TODAY)
    report = await bring(sqlite_space, source.path)
    assert (report.rejected, report.noted) == ([], [])
    for type_, count in source.counts.items():
        assert len(await rows(sqlite_space, type_, "row")) == count, type_
    assert all(source.counts[type_] for type_ in ("Contact", "StudentGradebookEntry"))
    assert bool(source.counts["AttendanceEvent"]) == (form == "edfi"), "OneRoster has no attendance"
    assert set(source.counts) <= set(BY_TYPE)
    assert all(one.met == one.stored + one.used for one in report.elements.values())
    assert not (await bring(sqlite_space, source.path)).changed
