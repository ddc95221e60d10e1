"""The sandbox's districts: complete, consistent, and the same for the same seed and day."""

import csv
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from app.importers.sandbox import ALDER_CREEK, LOON_LAKE, District, build, counts, generate, generate_district
from app.importers.sandbox.calendar import current_year, school_year

TODAY = date(2026, 11, 24)
NS = "{http://ed-fi.org/0100}"


@pytest.fixture(scope="module")
def district() -> District:
    return build(LOON_LAKE, students=400, seed=1, today=TODAY)


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def elements(path: Path, interchange: str) -> Iterator[ElementTree.Element]:
    with zipfile.ZipFile(path) as archive:
        yield from ElementTree.fromstring(archive.read(f"{interchange}.xml"))


def test_the_same_seed_and_day_give_the_same_files(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        generate(tmp_path / folder, students=60, seed=7, today=TODAY)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) == 13
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_another_seed_gives_other_people() -> None:
    names = [[(s.first, s.last) for s in build(ALDER_CREEK, students=50, seed=n, today=TODAY).students] for n in (1, 2)]
    assert names[0] != names[1]


def test_a_school_year_runs_from_july_to_june() -> None:
    assert current_year(date(2026, 6, 30)) == 2026
    assert current_year(date(2026, 7, 1)) == 2027
    year = school_year(2027)
    assert year.span == "2026-2027"
    ends = [year.begin, *(day for term in year.terms for period in term.periods for day in (period.begin, period.end))]
    assert ends[1:] == sorted(ends[1:])
    assert date(2026, 7, 1) < year.begin < year.end < date(2027, 6, 30)


@pytest.mark.parametrize("today", [date(2026, 7, 1), date(2026, 8, 20), TODAY, date(2027, 6, 30)])
def test_on_any_day_all_who_have_not_graduated_are_enrolled_in_one_school(today: date) -> None:
    district = build(ALDER_CREEK, students=200, seed=3, today=today)
    active = [p.student.key for p in district.placements if p.entry <= today and (p.exit is None or p.exit >= today)]
    assert sorted(active) == sorted(student.key for student in district.students if student.grade)


def test_no_grade_is_of_a_grading_period_that_has_not_ended(district: District) -> None:
    assert {mark.section.term.year for mark in district.marks()} == {2026, 2027}
    assert all(mark.period.end <= TODAY for mark in district.marks())


def test_some_change_school_within_a_year_and_some_change_grade(district: District) -> None:
    in_year = defaultdict(list)
    for placement in district.placements:
        in_year[placement.student.key, placement.year].append(placement)
    moved = [two for two in in_year.values() if len(two) == 2]
    assert moved
    for before, after in moved:
        assert before.school != after.school
        assert before.exit is not None
        assert before.exit < after.entry
    assert {two[0].grade == two[1].grade for two in moved} == {True, False}


def test_nobody_sits_in_a_section_of_a_school_that_they_are_not_in(district: District) -> None:
    spells = defaultdict(list)
    for placement in district.placements:
        spells[placement.student.key, placement.school.key].append(placement)
    for section in district.sections:
        for student, begin, end in section.roster:
            assert any(
                spell.entry <= begin and (spell.exit is None or end <= spell.exit)
                for spell in spells[student.key, section.course.school.key]
            )


def test_a_section_is_named_by_school_course_semester_period_and_room(district: District) -> None:
    names = [(s.course.school.key, s.course.code, s.term.begin, s.period, s.room) for s in district.sections]
    assert len(names) == len(set(names))


def test_some_sections_are_co_taught_and_none_is_without_a_teacher(district: District) -> None:
    assert {len(section.teachers) for section in district.sections} == {1, 2}


def test_names_have_accents_and_apostrophes(district: District) -> None:
    names = " ".join(f"{student.first} {student.last}" for student in district.students)
    assert "'" in names
    assert any(letter in names for letter in "áéíóúñçøłạễ")


def test_the_bench_gets_exactly_what_it_asks_for() -> None:
    found = counts(
        build(
            LOON_LAKE, students=1000, seed=1, today=TODAY, years=1, sections=240, enrollments=6, grades=2, complete=True
        )
    )
    assert (found["Student"], found["Section"]) == (1000, 240)
    assert (found["SectionEnrollment"], found["Grade"]) == (6000, 12_000)
    daily = ("Contact", "AttendanceEvent", "ProgramParticipation", "DisciplineAction", "AcademicRecord")
    assert {found[type_] for type_ in (*daily, "StudentGradebookEntry")} == {0}


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ({"students": 0}, "between 1 and 1,000,000 students"),
        ({"years": 3}, "between 1 and 2 years"),
        ({"sections": 10}, "too few"),
        ({"enrollments": 17}, "between 1 and 16 enrollments"),
    ],
)
def test_a_district_that_cannot_be_is_refused_in_a_sentence(size: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build(LOON_LAKE, **{"students": 100, "seed": 1, "today": TODAY, **size})


def test_oneroster_files_refer_only_to_what_they_hold(tmp_path: Path) -> None:
    source = generate_district(tmp_path, profile=ALDER_CREEK, students=120, today=TODAY)
    keys = {
        name: {row["sourcedId"] for row in rows(source.path, name)}
        for name in ("academicSessions", "categories", "classes", "courses", "lineItems", "orgs", "users")
    }
    references = {
        "classes": {"courseSourcedId": "courses", "schoolSourcedId": "orgs", "termSourcedIds": "academicSessions"},
        "courses": {"orgSourcedId": "orgs"},
        "enrollments": {"classSourcedId": "classes", "schoolSourcedId": "orgs", "userSourcedId": "users"},
        "lineItems": {
            "classSourcedId": "classes",
            "categorySourcedId": "categories",
            "gradingPeriodSourcedId": "academicSessions",
        },
        "results": {"lineItemSourcedId": "lineItems", "studentSourcedId": "users"},
        "roles": {"userSourcedId": "users", "orgSourcedId": "orgs"},
        "demographics": {"sourcedId": "users"},
    }
    for name, columns in references.items():
        stored = rows(source.path, name)
        assert len({row["sourcedId"] for row in stored}) == len(stored) > 0, name
        for column, target in columns.items():
            assert {row[column] for row in stored} <= keys[target], (name, column)
    assert len(rows(source.path, "results")) == source.counts["Grade"] + source.counts["StudentGradebookEntry"]
    people = {row["sourcedId"] for row in rows(source.path, "users")}
    agents = [agent for row in rows(source.path, "users") for agent in row["agentSourcedIds"].split(",") if agent]
    assert set(agents) <= people
    assert len(agents) == 2 * source.counts["Contact"], "students name their parents, and parents their children"
    assert not {"AttendanceEvent", "DisciplineAction"} & {key for key, count in source.counts.items() if count}


def test_edfi_interchanges_refer_only_to_what_they_hold(tmp_path: Path) -> None:
    source = generate_district(tmp_path, profile=LOON_LAKE, students=120, today=TODAY)

    def identity(element: ElementTree.Element) -> tuple[str | None, ...]:
        found = element.find(f".//{NS}SectionIdentity")
        assert found is not None
        return tuple(part.text for part in found)

    students = {e.findtext(f"{NS}StudentUniqueStateId") for e in elements(source.path, "StudentParent")}
    taught = {
        identity(e) for e in elements(source.path, "StaffAssociation") if e.tag == f"{NS}TeacherSectionAssociation"
    }
    enrollments = [e for e in elements(source.path, "StudentEnrollment") if e.tag == f"{NS}StudentSectionAssociation"]
    seated = {(e.findtext(f".//{NS}StudentUniqueStateId"), identity(e)) for e in enrollments}
    earned = [e for e in elements(source.path, "StudentGrade") if e.tag != f"{NS}StudentAcademicRecord"]
    graded = {(e.findtext(f".//{NS}StudentUniqueStateId"), identity(e)) for e in earned}
    sections = [e for e in elements(source.path, "MasterSchedule") if e.tag == f"{NS}Section"]
    assert len(taught) == len(sections) == source.counts["Section"]
    assert len(seated) == len(enrollments) == source.counts["SectionEnrollment"]
    assert {section for _, section in seated} <= taught
    assert {student for student, _ in seated} <= students
    assert graded <= seated
    assert graded


def test_the_edfi_district_declares_two_social_security_numbers_that_belong_to_nobody(tmp_path: Path) -> None:
    source = generate_district(tmp_path, profile=LOON_LAKE, students=60, today=TODAY)
    codes = [
        code.findtext(f"{NS}IdentificationCode")
        for student in elements(source.path, "StudentParent")
        for code in student.iter(f"{NS}StudentIdentificationCode")
        if code.get("IdentificationSystem") == "SSN"
    ]
    assert codes == ["987-65-4320", "987-65-4321"]
    assert source.ssns == 2
