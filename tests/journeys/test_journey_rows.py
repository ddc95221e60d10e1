"""Which records each grant admits, written out by hand, and the same ones however they are reached.

Shape: `IN_ROWS` has, by grant, the rows of the grant as its file says them and what of the world is inside. `Ana
ELM-MATH` is Ana's enrollment in that section, `Ana ELM-MATH C` the mark that she earned there, `Ana Elm 04` the
time that she was in Elm's fourth grade, `Berg ELM-MATH` that he is assigned to teach it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from tests import worlds
from tests.journeys.world import Asked, granting, larkspur, larkspur_database

__all__ = ["larkspur", "larkspur_database"]
pytestmark = pytest.mark.anyio

WIDE = {
    "District": "nameOfInstitution schools sessions",
    "School": "nameOfInstitution district sections courses",
    "Session": "name gradingPeriods",
    "GradingPeriod": "name",
    "Course": "title subject",
    "Section": "title localCourseCode school course session staffAssociations sectionEnrollments",
    "Staff": "lastSurname",
    "StaffSectionAssociation": "staff section",
    "Student": "firstName schoolEnrollments sectionEnrollments grades",
    "SchoolEnrollment": "gradeLevel student school",
    "SectionEnrollment": "student section grades",
    "Grade": "letterGradeEarned student section gradingPeriod",
}


@dataclass(frozen=True)
class Inside:
    """What a grant's rows admit of student data and sections."""

    rows: str
    students: str
    enrolled: str  # SchoolEnrollment
    sections: str
    attends: str  # SectionEnrollment
    earned: str  # Grade
    teaches: str  # StaffSectionAssociation
    schools: str = "Elm Oak Middle"


EVERYONE = Inside(
    "",
    "Ana Leo Tess Kim Max Ivy Gus Nia Pat Zed",
    "Ana Elm 04, Ana Elm 05, Leo Elm 05, Leo Middle 06, Tess Elm 05, Tess Oak 05, Kim Oak 04, Kim Oak 05, Max Elm 05, "
    "Ivy Oak 05, Gus Oak 05, Nia Elm 05, Pat Middle 07",
    "ELM-ENG-26 ELM-ENG ELM-MATH OAK-ENG OAK-MATH MID-MATH CLUB",
    "Ana ELM-ENG-26, Ana ELM-ENG, Ana ELM-MATH, Leo MID-MATH, Leo CLUB, Tess ELM-ENG, Tess OAK-ENG, Kim OAK-MATH, "
    "Max ELM-ENG, Ivy OAK-ENG, Pat MID-MATH",
    "Ana ELM-ENG-26 B, Ana ELM-ENG A, Ana ELM-MATH C, Leo MID-MATH A, Leo MID-MATH B, Tess ELM-ENG B, Kim OAK-MATH A, "
    "Max ELM-ENG C, Ivy OAK-ENG A, Gus OAK-ENG D",
    "Adler ELM-ENG, Adler ELM-ENG-26, Berg ELM-MATH, Berg MID-MATH, Cole MID-MATH, Cole OAK-ENG",
)

IN_ROWS = {
    "everyone": EVERYONE,
    # Tess's time at Elm is Elm's, what came after is not; of Leo only last year is.
    "elm": Inside(
        'schools = ["elm"]',
        "Ana Leo Tess Max Nia",
        "Ana Elm 04, Ana Elm 05, Leo Elm 05, Tess Elm 05, Max Elm 05, Nia Elm 05",
        "ELM-ENG-26 ELM-ENG ELM-MATH",
        "Ana ELM-ENG-26, Ana ELM-ENG, Ana ELM-MATH, Tess ELM-ENG, Max ELM-ENG",
        "Ana ELM-ENG-26 B, Ana ELM-ENG A, Ana ELM-MATH C, Tess ELM-ENG B, Max ELM-ENG C",
        "Adler ELM-ENG, Adler ELM-ENG-26, Berg ELM-MATH",
        schools="Elm",
    ),
    "oak": Inside(
        'schools = ["oak"]',
        "Tess Kim Ivy Gus",
        "Tess Oak 05, Kim Oak 04, Kim Oak 05, Ivy Oak 05, Gus Oak 05",
        "OAK-ENG OAK-MATH",
        "Tess OAK-ENG, Kim OAK-MATH, Ivy OAK-ENG",
        "Kim OAK-MATH A, Ivy OAK-ENG A, Gus OAK-ENG D",
        "Cole OAK-ENG",
        schools="Oak",
    ),
    "middle": Inside(
        'schools = ["middle"]',
        "Leo Pat",
        "Leo Middle 06, Pat Middle 07",
        "MID-MATH CLUB",
        "Leo MID-MATH, Leo CLUB, Pat MID-MATH",
        "Leo MID-MATH A, Leo MID-MATH B",
        "Berg MID-MATH, Cole MID-MATH",
        schools="Middle",
    ),
    # Nobody is left out whom one enrollment lets in; a transfer within the two schools shows from both.
    "elm-oak-active": Inside(
        'schools = ["elm", "oak"]\nenrollment = "active"',
        "Ana Tess Kim Max Ivy",
        "Ana Elm 04, Ana Elm 05, Tess Elm 05, Tess Oak 05, Kim Oak 04, Kim Oak 05, Max Elm 05, Ivy Oak 05",
        "ELM-ENG-26 ELM-ENG ELM-MATH OAK-ENG OAK-MATH",
        "Ana ELM-ENG-26, Ana ELM-ENG, Ana ELM-MATH, Tess ELM-ENG, Tess OAK-ENG, Kim OAK-MATH, Max ELM-ENG, Ivy OAK-ENG",
        "Ana ELM-ENG-26 B, Ana ELM-ENG A, Ana ELM-MATH C, Tess ELM-ENG B, Kim OAK-MATH A, Max ELM-ENG C, Ivy OAK-ENG A",
        "Adler ELM-ENG, Adler ELM-ENG-26, Berg ELM-MATH, Cole OAK-ENG",
        schools="Elm Oak",
    ),
    # A grade level lets a student in; the student's other years come with them.
    "fourth": Inside(
        'grade_levels = ["04"]',
        "Ana Kim",
        "Ana Elm 04, Ana Elm 05, Kim Oak 04, Kim Oak 05",
        EVERYONE.sections,
        "Ana ELM-ENG-26, Ana ELM-ENG, Ana ELM-MATH, Kim OAK-MATH",
        "Ana ELM-ENG-26 B, Ana ELM-ENG A, Ana ELM-MATH C, Kim OAK-MATH A",
        EVERYONE.teaches,
    ),
    # Put up to 05 in September: in 04 today is nobody any more.
    "fourth-active": Inside(
        'grade_levels = ["04"]\nenrollment = "active"', "", "", EVERYONE.sections, "", "", EVERYONE.teaches
    ),
    # Leo without his sister.
    "sixth": Inside(
        'grade_levels = ["06"]',
        "Leo",
        "Leo Elm 05, Leo Middle 06",
        EVERYONE.sections,
        "Leo MID-MATH, Leo CLUB",
        "Leo MID-MATH A, Leo MID-MATH B",
        EVERYONE.teaches,
    ),
    # Leo was at Elm, and he is in 06, but no one enrollment says both.
    "elm-sixth": Inside(
        'schools = ["elm"]\ngrade_levels = ["06"]',
        "",
        "",
        "ELM-ENG-26 ELM-ENG ELM-MATH",
        "",
        "",
        "Adler ELM-ENG, Adler ELM-ENG-26, Berg ELM-MATH",
        schools="Elm",
    ),
    # Pat's last day is today, and counts; Nia has not begun; Gus is gone; Zed never came.
    "active": Inside(
        'enrollment = "active"',
        "Ana Leo Tess Kim Max Ivy Pat",
        "Ana Elm 04, Ana Elm 05, Leo Elm 05, Leo Middle 06, Tess Elm 05, Tess Oak 05, Kim Oak 04, Kim Oak 05, "
        "Max Elm 05, Ivy Oak 05, Pat Middle 07",
        EVERYONE.sections,
        EVERYONE.attends,
        "Ana ELM-ENG-26 B, Ana ELM-ENG A, Ana ELM-MATH C, Leo MID-MATH A, Leo MID-MATH B, Tess ELM-ENG B, "
        "Kim OAK-MATH A, Max ELM-ENG C, Ivy OAK-ENG A",
        EVERYONE.teaches,
    ),
    # What ended before July is outside; the club has no session and so no year.
    "this-year": Inside(
        "history_years = 0",
        "Ana Leo Tess Kim Max Ivy Nia Pat",
        "Ana Elm 05, Leo Middle 06, Tess Elm 05, Tess Oak 05, Kim Oak 04, Kim Oak 05, Max Elm 05, Ivy Oak 05, "
        "Nia Elm 05, Pat Middle 07",
        "ELM-ENG ELM-MATH OAK-ENG OAK-MATH MID-MATH",
        "Ana ELM-ENG, Ana ELM-MATH, Leo MID-MATH, Tess ELM-ENG, Tess OAK-ENG, Kim OAK-MATH, Max ELM-ENG, Ivy OAK-ENG, "
        "Pat MID-MATH",
        "Ana ELM-ENG A, Ana ELM-MATH C, Leo MID-MATH A, Leo MID-MATH B, Tess ELM-ENG B, Kim OAK-MATH A, "
        "Max ELM-ENG C, Ivy OAK-ENG A",
        "Adler ELM-ENG, Berg ELM-MATH, Berg MID-MATH, Cole MID-MATH, Cole OAK-ENG",
    ),
    "two-years": Inside(
        "history_years = 1",
        "Ana Leo Tess Kim Max Ivy Gus Nia Pat",
        EVERYONE.enrolled,
        "ELM-ENG-26 ELM-ENG ELM-MATH OAK-ENG OAK-MATH MID-MATH",
        "Ana ELM-ENG-26, Ana ELM-ENG, Ana ELM-MATH, Leo MID-MATH, Tess ELM-ENG, Tess OAK-ENG, Kim OAK-MATH, "
        "Max ELM-ENG, Ivy OAK-ENG, Pat MID-MATH",
        EVERYONE.earned,
        EVERYONE.teaches,
    ),
    # Subjects narrow sections and what happens in them, not who may be known.
    "maths": Inside(
        'subjects = ["Mathematics"]',
        EVERYONE.students,
        EVERYONE.enrolled,
        "ELM-MATH OAK-MATH MID-MATH",
        "Ana ELM-MATH, Leo MID-MATH, Kim OAK-MATH, Pat MID-MATH",
        "Ana ELM-MATH C, Leo MID-MATH A, Leo MID-MATH B, Kim OAK-MATH A",
        "Berg ELM-MATH, Berg MID-MATH, Cole MID-MATH",
    ),
    "elm-english": Inside(
        'schools = ["elm"]\nsubjects = ["English Language Arts"]',
        "Ana Leo Tess Max Nia",
        "Ana Elm 04, Ana Elm 05, Leo Elm 05, Tess Elm 05, Max Elm 05, Nia Elm 05",
        "ELM-ENG-26 ELM-ENG",
        "Ana ELM-ENG-26, Ana ELM-ENG, Tess ELM-ENG, Max ELM-ENG",
        "Ana ELM-ENG-26 B, Ana ELM-ENG A, Tess ELM-ENG B, Max ELM-ENG C",
        "Adler ELM-ENG, Adler ELM-ENG-26",
        schools="Elm",
    ),
    "elm-fifth-active": Inside(
        'schools = ["elm"]\ngrade_levels = ["05"]\nenrollment = "active"',
        "Ana Max",
        "Ana Elm 04, Ana Elm 05, Max Elm 05",
        "ELM-ENG-26 ELM-ENG ELM-MATH",
        "Ana ELM-ENG-26, Ana ELM-ENG, Ana ELM-MATH, Max ELM-ENG",
        "Ana ELM-ENG-26 B, Ana ELM-ENG A, Ana ELM-MATH C, Max ELM-ENG C",
        "Adler ELM-ENG, Adler ELM-ENG-26, Berg ELM-MATH",
        schools="Elm",
    ),
    "elm-fifth-this-year": Inside(
        'schools = ["elm"]\ngrade_levels = ["05"]\nhistory_years = 0',
        "Ana Tess Max Nia",
        "Ana Elm 05, Tess Elm 05, Max Elm 05, Nia Elm 05",
        "ELM-ENG ELM-MATH",
        "Ana ELM-ENG, Ana ELM-MATH, Tess ELM-ENG, Max ELM-ENG",
        "Ana ELM-ENG A, Ana ELM-MATH C, Tess ELM-ENG B, Max ELM-ENG C",
        "Adler ELM-ENG, Berg ELM-MATH",
        schools="Elm",
    ),
    "oak-fifth-this-year": Inside(
        'schools = ["oak"]\ngrade_levels = ["05"]\nhistory_years = 0',
        "Tess Kim Ivy",
        "Tess Oak 05, Kim Oak 04, Kim Oak 05, Ivy Oak 05",
        "OAK-ENG OAK-MATH",
        "Tess OAK-ENG, Kim OAK-MATH, Ivy OAK-ENG",
        "Kim OAK-MATH A, Ivy OAK-ENG A",
        "Cole OAK-ENG",
        schools="Oak",
    ),
    "middle-maths": Inside(
        'schools = ["middle"]\nsubjects = ["Mathematics"]',
        "Leo Pat",
        "Leo Middle 06, Pat Middle 07",
        "MID-MATH",
        "Leo MID-MATH, Pat MID-MATH",
        "Leo MID-MATH A, Leo MID-MATH B",
        "Berg MID-MATH, Cole MID-MATH",
        schools="Middle",
    ),
    "maths-active-two-years": Inside(
        'subjects = ["Mathematics"]\nenrollment = "active"\nhistory_years = 1',
        "Ana Leo Tess Kim Max Ivy Pat",
        "Ana Elm 04, Ana Elm 05, Leo Elm 05, Leo Middle 06, Tess Elm 05, Tess Oak 05, Kim Oak 04, Kim Oak 05, "
        "Max Elm 05, Ivy Oak 05, Pat Middle 07",
        "ELM-MATH OAK-MATH MID-MATH",
        "Ana ELM-MATH, Leo MID-MATH, Kim OAK-MATH, Pat MID-MATH",
        "Ana ELM-MATH C, Leo MID-MATH A, Leo MID-MATH B, Kim OAK-MATH A",
        "Berg ELM-MATH, Berg MID-MATH, Cole MID-MATH",
    ),
    # A school that the district does not have.
    "nowhere": Inside('schools = ["birch"]', "", "", "", "", "", "", schools=""),
}

SHARED = ["English 4", "English 5", "Mathematics 5"]  # the whole district's courses, and so every grant's
SHORT = {"Elm Elementary": "Elm", "Oak Elementary": "Oak", "Larkspur Middle School": "Middle"}
GRANTS = {name: granting(name, WIDE, inside.rows) for name, inside in IN_ROWS.items()}

ENROLLED = "student { firstName } school { nameOfInstitution } gradeLevel"
ATTENDS = "student { firstName } section { localCourseCode }"
EARNED = "student { firstName } section { localCourseCode } letterGradeEarned"
TEACHES = "staff { lastSurname } section { localCourseCode }"


def enrolled(one: Any) -> str:
    return f"{one['student']['firstName']} {SHORT[one['school']['nameOfInstitution']]} {one['gradeLevel']}"


def attends(one: Any) -> str:
    return f"{one['student']['firstName']} {one['section']['localCourseCode']}"


def earned(one: Any) -> str:
    return f"{attends(one)} {one['letterGradeEarned']}"


def teaches(one: Any) -> str:
    return f"{one['staff']['lastSurname']} {one['section']['localCourseCode']}"


def listed(text: str) -> list[str]:
    """The labels of a literal, in any order."""
    return sorted(text.split(", ") if text else [])


def flat(records: Iterable[Any], edge: str) -> list[Any]:
    return [below for record in records for below in record[edge]]


grants = pytest.mark.parametrize("grant", IN_ROWS)


@grants
async def test_lists_hold_the_rows_and_nothing_else(larkspur: Asked, grant: str) -> None:
    inside = IN_ROWS[grant]
    data = await larkspur.data(
        grant,
        f"""{{ students {{ nodes {{ firstName }} }} sections {{ nodes {{ localCourseCode }} }}
        grades {{ nodes {{ {EARNED} }} }} schools {{ nodes {{ nameOfInstitution }} }} }}""",
    )
    assert [one["firstName"] for one in data["students"]["nodes"]] == inside.students.split()
    assert [one["localCourseCode"] for one in data["sections"]["nodes"]] == inside.sections.split()
    assert sorted(map(earned, data["grades"]["nodes"])) == listed(inside.earned)
    assert [SHORT[one["nameOfInstitution"]] for one in data["schools"]["nodes"]] == inside.schools.split()


@grants
async def test_courses_sessions_and_periods_go_by_school_alone(larkspur: Asked, grant: str) -> None:
    data = await larkspur.data(
        grant,
        """{ courses { nodes { title } } sessions { nodes { name gradingPeriods { name } } }
        district { nameOfInstitution sessions { name } schools { nameOfInstitution courses { title } } } }""",
    )
    middle = "Middle" in IN_ROWS[grant].schools
    sessions = [
        {"name": "2025-26", "gradingPeriods": [{"name": "Fourth quarter"}]},
        {"name": "2026-27", "gradingPeriods": [{"name": "First quarter"}]},
    ]
    fall = {"name": "Fall 2026", "gradingPeriods": [{"name": "Second quarter"}]}  # the middle school's own
    assert [one["title"] for one in data["courses"]["nodes"]] == [*SHARED, *(["Mathematics 6"] if middle else [])]
    assert data["sessions"]["nodes"] == [*sessions, *([fall] if middle else [])]
    assert data["district"]["nameOfInstitution"] == "Larkspur ISD"
    assert [one["name"] for one in data["district"]["sessions"]] == [one["name"] for one in data["sessions"]["nodes"]]
    courses = {SHORT[one["nameOfInstitution"]]: one["courses"] for one in data["district"]["schools"]}
    assert courses == {
        school: [{"title": "Mathematics 6"}] if school == "Middle" else [] for school in IN_ROWS[grant].schools.split()
    }


@grants
async def test_edges_lead_to_the_rows_from_the_students(larkspur: Asked, grant: str) -> None:
    inside = IN_ROWS[grant]
    nodes = (
        await larkspur.data(
            grant,
            f"""{{ students {{ nodes {{ schoolEnrollments {{ {ENROLLED} }} grades {{ {EARNED} }}
            sectionEnrollments {{ {ATTENDS} grades {{ {EARNED} }} }} }} }} }}""",
        )
    )["students"]["nodes"]
    assert sorted(map(enrolled, flat(nodes, "schoolEnrollments"))) == listed(inside.enrolled)
    assert sorted(map(attends, flat(nodes, "sectionEnrollments"))) == listed(inside.attends)
    assert sorted(map(earned, flat(nodes, "grades"))) == listed(inside.earned)
    # Gus's mark belongs to a section enrollment that is no more.
    kept = [one for one in listed(inside.earned) if one != "Gus OAK-ENG D"]
    assert sorted(map(earned, flat(flat(nodes, "sectionEnrollments"), "grades"))) == kept


@grants
async def test_edges_lead_to_the_rows_from_the_sections(larkspur: Asked, grant: str) -> None:
    inside = IN_ROWS[grant]
    data = await larkspur.data(
        grant,
        f"""{{ sections {{ nodes {{ staffAssociations {{ {TEACHES} }} sectionEnrollments {{ {ATTENDS}
        grades {{ {EARNED} }} student {{ schoolEnrollments {{ {ENROLLED} }} }} }} }} }} }}""",
    )
    nodes = data["sections"]["nodes"]
    assert sorted(map(teaches, flat(nodes, "staffAssociations"))) == listed(inside.teaches)
    there = flat(nodes, "sectionEnrollments")
    assert sorted(map(attends, there)) == listed(inside.attends)
    kept = [one for one in listed(inside.earned) if one != "Gus OAK-ENG D"]
    assert sorted(map(earned, flat(there, "grades"))) == kept
    theirs = {enrolled(one) for found in there for one in found["student"]["schoolEnrollments"]}
    present = {one.split()[0] for one in listed(inside.attends)}
    assert sorted(theirs) == [one for one in listed(inside.enrolled) if one.split()[0] in present]


@grants
async def test_edges_lead_to_the_rows_from_the_district_down(larkspur: Asked, grant: str) -> None:
    data = await larkspur.data(
        grant,
        "{ district { schools { nameOfInstitution district { nameOfInstitution } sections { localCourseCode } } } }",
    )
    schools = data["district"]["schools"]
    assert [SHORT[one["nameOfInstitution"]] for one in schools] == IN_ROWS[grant].schools.split()
    assert all(one["district"] == {"nameOfInstitution": "Larkspur ISD"} for one in schools)
    assert sorted(one["localCourseCode"] for one in flat(schools, "sections")) == sorted(
        IN_ROWS[grant].sections.split()
    )


def words(text: str) -> list[str]:
    return text.split()


NODES: dict[str, tuple[str, Callable[[Any], str], Callable[[Inside], Iterable[str]]]] = {
    "Student": ("firstName", lambda one: one["firstName"], lambda inside: words(inside.students)),
    "Section": ("localCourseCode", lambda one: one["localCourseCode"], lambda inside: words(inside.sections)),
    # Ms Dunn teaches nobody, and so is nobody's to know; who teaches two sections is one person.
    "Staff": (
        "lastSurname",
        lambda one: one["lastSurname"],
        lambda inside: {words(one)[0] for one in listed(inside.teaches)},
    ),
    "SchoolEnrollment": (ENROLLED, enrolled, lambda inside: listed(inside.enrolled)),
    "SectionEnrollment": (ATTENDS, attends, lambda inside: listed(inside.attends)),
    "Grade": (EARNED, earned, lambda inside: listed(inside.earned)),
    "StaffSectionAssociation": (TEACHES, teaches, lambda inside: listed(inside.teaches)),
    "School": ("nameOfInstitution", lambda one: SHORT[one["nameOfInstitution"]], lambda inside: words(inside.schools)),
}
"""By type: what is asked of a node, its label, and the labels that are in the rows."""


@grants
async def test_a_node_is_found_only_in_the_rows(larkspur: Asked, grant: str) -> None:
    inside = IN_ROWS[grant]
    asked = " ".join(
        f'{type_name}{n}: node(id: "{larkspur.id(grant, type_name, n)}") {{ ... on {type_name} {{ {fields} }} }}'
        for type_name, (fields, _, _) in NODES.items()
        for n in range(1, len(worlds.WORLD[type_name]) + 1)
    )
    data = await larkspur.data(grant, f"{{ {asked} }}")
    for type_name, (_, label, expected) in NODES.items():
        found = (data[f"{type_name}{n}"] for n in range(1, len(worlds.WORLD[type_name]) + 1))
        assert sorted(label(one) for one in found if one is not None) == sorted(expected(inside)), type_name


@grants
async def test_student_and_section_by_id_are_found_only_in_the_rows(larkspur: Asked, grant: str) -> None:
    inside = IN_ROWS[grant]
    students = " ".join(
        f's{row}: student(id: "{larkspur.id(grant, "Student", row)}") {{ firstName }}' for row in range(1, 11)
    )
    sections = " ".join(
        f'c{row}: section(id: "{larkspur.id(grant, "Section", row)}") {{ localCourseCode }}' for row in range(1, 8)
    )
    data = await larkspur.data(grant, f"{{ {students} {sections} }}")
    found = [one for one in data.values() if one is not None]
    assert [one["firstName"] for one in found if "firstName" in one] == inside.students.split()
    assert [one["localCourseCode"] for one in found if "localCourseCode" in one] == inside.sections.split()


@grants
async def test_filters_find_only_what_is_in_the_rows(larkspur: Asked, grant: str) -> None:
    inside = IN_ROWS[grant]
    first = [str(row["first_name"]) for row in worlds.STUDENTS]
    by_name = " ".join(
        f'{one}: students(where: {{firstName: {{eq: "{one}"}}}}) {{ nodes {{ firstName }} }}' for one in first
    )
    by_student = " ".join(
        f'g{row}: grades(where: {{student: {{eq: "{larkspur.id(grant, "Student", row)}"}}}}) {{ nodes {{ {EARNED} }} }}'
        for row in range(1, 11)
    )
    ids = ", ".join(f'"{larkspur.id(grant, "Section", row)}"' for row in range(1, 8))
    schools = ", ".join(f'"{larkspur.id(grant, "School", row)}"' for row in (1, 2, 3))
    data = await larkspur.data(
        grant,
        f"""{{ {by_name} {by_student} inSections: grades(where: {{section: {{in: [{ids}]}}}}) {{ nodes {{ {EARNED} }} }}
        inSchools: sections(where: {{school: {{in: [{schools}]}}}}) {{ nodes {{ localCourseCode }} }} }}""",
    )
    assert [one for one in first if data[one]["nodes"]] == inside.students.split()
    assert sorted(earned(one) for row in range(1, 11) for one in data[f"g{row}"]["nodes"]) == listed(inside.earned)
    assert sorted(map(earned, data["inSections"]["nodes"])) == listed(inside.earned)
    assert [one["localCourseCode"] for one in data["inSchools"]["nodes"]] == inside.sections.split()


@grants
async def test_cursors_pass_over_what_is_outside(larkspur: Asked, grant: str) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = (
            await larkspur.data(
                grant,
                """query($after: String) { students(first: 1, after: $after) {
                edges { cursor node { firstName } } pageInfo { hasNextPage startCursor endCursor } } }""",
                {"after": after},
            )
        )["students"]
        seen += [edge["node"]["firstName"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        assert [edge["cursor"] for edge in page["edges"]] == [after] * len(page["edges"])
        assert page["pageInfo"]["startCursor"] == after
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == IN_ROWS[grant].students.split()
