"""What a family's decision takes from an answer, written out by hand: on every path, of one vendor or of all.

Max's family opted out of every vendor, Leo's of `reading` alone, and Tess's of directory information; Ivy's is blocked
by the roster. What is Leo's and Max's stands below, as `LEOS` and `MAXS`.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.cli.optout import Line, take
from app.ledger.report import of_student
from app.names import DIRECTORY_INFORMATION
from app.storage.engines import open_engine
from tests import worlds
from tests.journeys.world import Asked, granting, larkspur_database, opened

__all__ = ["larkspur_database"]
pytestmark = pytest.mark.anyio

OPT_OUTS = {worlds.MAX: "", worlds.LEO: "reading", worlds.TESS: DIRECTORY_INFORMATION}
FIELDS = {
    "Student": "firstName studentUniqueId schoolEnrollments sectionEnrollments grades",
    "SchoolEnrollment": "gradeLevel graduationCohortYear student",
    "SectionEnrollment": "beginDate student section grades",
    "Section": "localCourseCode sectionEnrollments",
    "Grade": "letterGradeEarned numericGradeEarned student section",
    "Contact": "firstName",
    "AttendanceEvent": "status",
    "ProgramParticipation": "programType",
    "DisciplineAction": "actionTaken incident",
    "DisciplineIncident": "behavior",
    "AcademicRecord": "creditsEarned",
    "StudentGradebookEntry": "pointsEarned",
}
APPROVED = "".join(
    f'[[approval]]\nby = "a@larkspur.example"\nrole = "{role}"\nat = 2026-07-20T15:00:00Z\ncovers = '
    '["ProgramParticipation.programType", "DisciplineAction.actionTaken", "DisciplineIncident.behavior", '
    '"DisciplineAction.incident"]\n'
    for role in ("steward", "privacy-officer")
)
ORDINARY = granting("reading", FIELDS, more=APPROVED)
GRANTS = {
    "reading": ORDINARY,
    "another": ORDINARY.replace('"reading"', '"another"'),
    "yearbook": ORDINARY.replace('"reading"', '"yearbook"').replace('"school-official"', '"directory-information"'),
}
KEEP_RECORDS = '\n[opt_out]\nvendors = "withhold-fields"\n'
EVERYBODY = ["Ana", "Leo", "Tess", "Kim", "Max", "Ivy", "Gus", "Nia", "Pat", "Zed"]


@pytest.fixture(scope="module")
async def absent(tmp_path_factory: pytest.TempPathFactory, larkspur_database: str | None) -> AsyncIterator[Asked]:
    """A district whose policy says nothing of it: opted-out students' records are absent."""
    home, databases = tmp_path_factory.mktemp("absent") / "home", {worlds.SPACE: larkspur_database}
    async with opened(home, GRANTS, databases=databases, opt_outs=OPT_OUTS) as asked:
        yield asked


@pytest.fixture(scope="module")
async def emptied(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, larkspur_database: str | None
) -> AsyncIterator[Asked]:
    """A district that keeps their records, with nothing in them."""
    other = larkspur_database and request.getfixturevalue("postgres").fresh()
    home, databases = tmp_path_factory.mktemp("emptied") / "home", {worlds.SPACE: other}
    async with opened(home, GRANTS, databases=databases, rule=KEEP_RECORDS, opt_outs=OPT_OUTS) as asked:
        yield asked


async def received(asked: Asked, row: int) -> dict[str, set[str]]:
    """What a parent is told: the fields that each vendor received."""
    settings = asked.rooms.settings
    ledger = open_engine(settings.database_url(settings.spaces[worlds.SPACE].ledger))
    try:
        return {each.client: {*each.coordinates} for each in await of_student(ledger, row)}
    finally:
        await ledger.dispose()


def names(nodes: list[Any]) -> list[Any]:
    return [one["firstName"] for one in nodes]


async def test_lists_and_edges_hold_nothing_of_a_student_who_opted_out(absent: Asked) -> None:
    data = await absent.data(
        "another",
        """{ students { nodes { firstName } edges { node { id } } pageInfo { hasNextPage } }
        sections { nodes { localCourseCode sectionEnrollments { student { firstName } } } }
        grades { nodes { letterGradeEarned student { firstName } } } }""",
    )
    assert names(data["students"]["nodes"]) == [one for one in EVERYBODY if one != "Max"]
    assert len(data["students"]["edges"]) == 9
    there = {one["localCourseCode"]: one["sectionEnrollments"] for one in data["sections"]["nodes"]}
    assert [one["student"]["firstName"] for one in there["ELM-ENG"]] == ["Ana", "Tess"]
    earned = [f"{one['student']['firstName']} {one['letterGradeEarned']}" for one in data["grades"]["nodes"]]
    assert earned == ["Ana B", "Ana A", "Ana C", "Leo A", "Leo B", "Tess B", "Kim A", "Ivy A", "Gus D"]


async def test_an_opt_out_of_one_vendor_touches_that_one_alone(absent: Asked) -> None:
    query = "{ students { nodes { firstName } } grades { nodes { student { firstName } } } }"
    reading, another = await absent.data("reading", query), await absent.data("another", query)
    assert names(reading["students"]["nodes"]) == ["Ana", "Tess", "Kim", "Ivy", "Gus", "Nia", "Pat", "Zed"]
    assert "Leo" in names(another["students"]["nodes"])
    theirs = [one["student"]["firstName"] for one in reading["grades"]["nodes"]]
    assert theirs == ["Ana", "Ana", "Ana", "Tess", "Kim", "Ivy", "Gus"]


LEOS = {
    "Student": [2],
    "SchoolEnrollment": [3, 4],
    "SectionEnrollment": [4, 5],
    "Grade": [4, 5],
    "Contact": [2, 3],
    "AttendanceEvent": [6, 10],
    "ProgramParticipation": [2],
    "DisciplineAction": [3],
    "AcademicRecord": [3, 4],
    "StudentGradebookEntry": [3],
}
MAXS = {
    "Student": [5],
    "SchoolEnrollment": [9],
    "SectionEnrollment": [9],
    "Grade": [8],
    "Contact": [5],
    "AttendanceEvent": [8],
    "DisciplineAction": [7],
    "StudentGradebookEntry": [6],
}


async def found(asked: Asked, client: str, records: dict[str, list[int]]) -> set[bool]:
    """Whether the records of a student are found by their ids."""
    nodes = " ".join(
        f'{name}{row}: node(id: "{asked.id(client, name, row)}") {{ id }}'
        for name, rows in records.items()
        for row in rows
    )
    student = f'student(id: "{asked.id(client, "Student", records["Student"][0])}") {{ id }}'
    return {one is not None for one in (await asked.data(client, f"{{ {nodes} {student} }}")).values()}


async def test_no_id_finds_a_record_of_a_student_who_opted_out(absent: Asked) -> None:
    assert await found(absent, "reading", MAXS) == await found(absent, "reading", LEOS) == {False}
    assert await found(absent, "another", LEOS) == {True}


async def test_an_incident_is_told_of_those_who_did_not_opt_out(absent: Asked, emptied: Asked) -> None:
    for asked in (absent, emptied):
        fight = asked.id("another", "DisciplineIncident", worlds.FIGHT)
        data = await asked.data("another", f'{{ node(id: "{fight}") {{ ... on DisciplineIncident {{ behavior }} }} }}')
        assert data == {"node": {"behavior": "Fighting"}}  # Ana was in it, and Tess
        assert "DisciplineIncident.behavior" in (await received(asked, worlds.ANA))["another"]
        assert await received(asked, worlds.MAX) == {}


async def test_threat_7_no_filter_finds_and_no_page_counts_a_student_who_opted_out(absent: Asked) -> None:
    max_, leo = (absent.id("reading", "Student", row) for row in (5, 2))
    data = await absent.data(
        "reading",
        f"""{{ byName: students(where: {{firstName: {{in: ["Max", "Leo"]}}}}) {{ nodes {{ id }} }}
        theirs: grades(where: {{student: {{in: ["{max_}", "{leo}"]}}}}) {{ nodes {{ id }} }}
        all: students(first: 8) {{ nodes {{ id }} pageInfo {{ hasNextPage }} }} }}""",
    )
    assert data["byName"]["nodes"] == data["theirs"]["nodes"] == []
    assert len(data["all"]["nodes"]) == 8
    assert data["all"]["pageInfo"] == {"hasNextPage": False}


async def test_the_ledger_claims_nothing_of_whom_nothing_left(absent: Asked) -> None:
    await absent.data("reading", "{ students { nodes { firstName grades { letterGradeEarned } } } }")
    assert await received(absent, worlds.MAX) == {}
    assert "reading" not in await received(absent, worlds.LEO)
    everything = {"Grade.letterGradeEarned", "Student.firstName", "Student.grades"}
    assert everything <= (await received(absent, worlds.ANA))["reading"]
    # Pat has no grade, and so none of hers left.
    assert not {"Grade.letterGradeEarned", "Grade.student"} & (await received(absent, worlds.PAT))["reading"]


async def test_a_decision_is_in_force_at_the_next_request_until_it_is_taken_back(absent: Asked) -> None:
    async def asked() -> list[str]:
        data = await absent.data("another", "{ students { nodes { firstName } } }")
        return names(data["students"]["nodes"])

    settings, tess = absent.rooms.settings, [Line(0, "tess", "another")]
    assert "Tess" in await asked()
    await take(settings, worlds.SPACE, tess, remove=False)
    assert "Tess" not in await asked()
    assert await absent.data("another", f'{{ node(id: "{absent.id("another", "Student", 3)}") {{ id }} }}') == {
        "node": None
    }
    await take(settings, worlds.SPACE, tess, remove=True)
    assert "Tess" in await asked()


async def test_a_record_that_is_kept_has_nothing_in_it(emptied: Asked) -> None:
    who, grade = emptied.id("another", "Student", 5), emptied.id("another", "Grade", 8)
    data = await emptied.data(
        "another",
        f"""{{ students {{ nodes {{ firstName }} }}
        one: student(id: "{who}") {{ id firstName schoolEnrollments {{ id }} grades {{ id }} }}
        grade: node(id: "{grade}") {{ id ... on Grade {{ letterGradeEarned student {{ id }} section {{ id }} }} }}
        section(id: "{emptied.id("another", "Section", worlds.ELM_ENGLISH)}") {{
            sectionEnrollments {{ student {{ firstName }} }} }} }}""",
    )
    assert names(data["students"]["nodes"]) == [None if one == "Max" else one for one in EVERYBODY]
    assert data["one"] == {"id": who, "firstName": None, "schoolEnrollments": [], "grades": []}
    assert data["grade"] == {"id": grade, "letterGradeEarned": None, "student": None, "section": None}
    assert [one["student"]["firstName"] for one in data["section"]["sectionEnrollments"]] == ["Ana", "Tess"]


async def test_no_filter_finds_a_record_by_what_is_withheld_of_it(emptied: Asked) -> None:
    who = emptied.id("another", "Student", 5)
    data = await emptied.data(
        "another",
        f"""{{ byName: students(where: {{firstName: {{in: ["Max", "Ana"]}}}}) {{ nodes {{ firstName }} }}
        byMark: grades(where: {{numericGradeEarned: {{lte: 70}}}}) {{ nodes {{ letterGradeEarned }} }}
        theirs: grades(where: {{student: {{eq: "{who}"}}}}) {{ nodes {{ id }} }} }}""",
    )
    assert names(data["byName"]["nodes"]) == ["Ana"]
    assert data["byMark"]["nodes"] == [{"letterGradeEarned": "D"}]  # Gus's; Max's 70 is not told
    assert data["theirs"]["nodes"] == []


async def test_a_record_that_is_kept_and_empty_is_no_disclosure(emptied: Asked) -> None:
    await emptied.data("another", "{ students { nodes { firstName } } }")
    await emptied.data("another", f'{{ student(id: "{emptied.id("another", "Student", 5)}") {{ firstName }} }}')
    assert await received(emptied, worlds.MAX) == {}
    assert "Student.firstName" in (await received(emptied, worlds.LEO))["another"]


async def test_a_blocked_student_loses_directory_fields_on_the_bases_that_the_district_names(absent: Asked) -> None:
    ivy, enrolled = absent.id("yearbook", "Student", 6), absent.id("yearbook", "SchoolEnrollment", 10)
    data = await absent.data(
        "yearbook",
        f"""{{ one: student(id: "{ivy}") {{ firstName studentUniqueId schoolEnrollments {{ gradeLevel }}
        grades {{ letterGradeEarned }} }}
        enrolled: node(id: "{enrolled}") {{ ... on SchoolEnrollment {{ gradeLevel student {{ id }} }} }}
        byName: students(where: {{firstName: {{in: ["Ivy", "Ana"]}}}}) {{ nodes {{ firstName }} }}
        byNumber: students(where: {{studentUniqueId: {{eq: "600000006"}}}}) {{ nodes {{ firstName }} }} }}""",
    )
    assert data["one"] == {
        "firstName": None,
        "studentUniqueId": "600000006",
        "schoolEnrollments": [],
        "grades": [{"letterGradeEarned": "A"}],
    }
    assert data["enrolled"] == {"gradeLevel": None, "student": None}
    assert names(data["byName"]["nodes"]) == ["Ana"]
    assert data["byNumber"]["nodes"] == [{"firstName": None}]


async def test_a_family_that_opted_out_of_directory_information_is_blocked_like_that(absent: Asked) -> None:
    data = await absent.data("yearbook", "{ students { nodes { firstName } } }")
    others = ["Ana", "Leo", None, "Kim", None, "Gus", "Nia", "Pat", "Zed"]  # Tess's, and Ivy's; Max is absent
    assert names(data["students"]["nodes"]) == others


async def test_a_block_takes_nothing_from_other_grants(absent: Asked) -> None:
    data = await absent.data("another", '{ students(where: {firstName: {eq: "Ivy"}}) { nodes { firstName } } }')
    assert names(data["students"]["nodes"]) == ["Ivy"]


async def test_the_ledger_tells_a_blocked_student_from_the_others(absent: Asked) -> None:
    await absent.data("yearbook", "{ students { nodes { firstName studentUniqueId } } }")
    await absent.data("yearbook", "{ students { nodes { firstName } } }")
    ivys, anas = [(await received(absent, row))["yearbook"] for row in (worlds.IVY, worlds.ANA)]
    assert "Student.studentUniqueId" in ivys
    assert not {"Student.firstName", "Student.schoolEnrollments", "SchoolEnrollment.gradeLevel"} & ivys
    assert {"Student.firstName", "Student.studentUniqueId"} <= anas
