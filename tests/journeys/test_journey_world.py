"""Answers of the hand-written world, written out: what each vendor receives, and what it is told about the rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import pytest

from app.names import Scope
from app.oauth.clients import State, set_state
from app.spaces.driver import Reader, Readers
from tests import worlds
from tests.journeys.world import ALL, Asked, granting, larkspur, larkspur_database

__all__ = ["larkspur", "larkspur_database"]
pytestmark = pytest.mark.anyio

READING = {
    "Student": "firstName lastSurname:initial schoolEnrollments sectionEnrollments",
    "SchoolEnrollment": "gradeLevel",
    "SectionEnrollment": "section",
    "Section": "title period",
}
MOVES = {
    "Student": "firstName schoolEnrollments sectionEnrollments grades",
    "SchoolEnrollment": "gradeLevel entryDate exitDate school",
    "School": "nameOfInstitution gradesOffered",
    "SectionEnrollment": "beginDate endDate homeroom section",
    "Section": "title course session school staffAssociations",
    "Course": "title",
    "Session": "name type schoolYear",
    "StaffSectionAssociation": "classroomPosition staff",
    "Staff": "firstName lastSurname",
    "Grade": "letterGradeEarned numericGradeEarned gradingPeriod student",
    "GradingPeriod": "name",
}
STEWARD = '[[approval]]\nby = "a@larkspur.example"\nrole = "steward"\nat = 2026-07-20T15:00:00Z\ncovers = [{}]\n'


def approved(*coordinates: str) -> str:
    return STEWARD.format(", ".join(f'"{one}"' for one in coordinates))


GRANTS = {
    name: granting(name, fields, rows, more=more, not_before=begin, not_after=end)
    for name, fields, rows, more, begin, end in [
        (name, fields, rows, more, "2026-07-01", "2027-06-30")
        for name, fields, rows, more in [
            ("reading", READING, 'schools = ["elm"]\ngrade_levels = ["05"]\nenrollment = "active"', ""),
            ("elm", MOVES, 'schools = ["elm"]', ""),
            ("oak", MOVES, 'schools = ["oak"]', ""),
            ("middle", MOVES, 'schools = ["middle"]', ""),
            ("all", MOVES, "", ""),
            ("ever", MOVES, 'enrollment = "any"', ""),
            ("this-year", MOVES, "history_years = 0", ""),
            ("english", MOVES, 'subjects = ["English Language Arts"]', ""),
            ("nowhere", MOVES, 'schools = ["birch"]', ""),
            (
                "shortened",
                {
                    "Student": "firstName:initial middleName:initial lastSurname:masked telephone:masked "
                    "birthYear:initial"
                },
                "",
                "",
            ),
            ("years", {"Student": "firstName birthYear"}, "", ""),
            ("titles", {"Section": "title"}, "", ""),
            ("edges-only", {"Student": "sectionEnrollments", "Section": "course staffAssociations"}, "", ""),
            (
                "learners",
                {"Student": "firstName englishLearner hispanicLatinoEthnicity races homelessStatus"},
                "",
                approved("Student.englishLearner", "Student.hispanicLatinoEthnicity", "Student.homelessStatus"),
            ),
            (
                "forbidden",
                {"Student": "firstName homeLanguage ssn"},
                "",
                approved("Student.homeLanguage", "Student.ssn")
                + approved("Student.ssn").replace("steward", "privacy-officer"),
            ),
            ("unscoped", {"Student": "firstName birthYear", "Section": "title"}, "", ""),
            ("suspended", {"Student": "firstName"}, "", ""),
        ]
    ]
    + [
        ("last-day", {"Student": "firstName"}, "", "", "2026-07-01", "2026-10-15"),
        ("first-day", {"Student": "firstName"}, "", "", "2026-10-15", "2027-06-30"),
        ("expired", {"Student": "firstName"}, "", "", "2026-07-01", "2026-10-14"),
        ("not-yet", {"Student": "firstName"}, "", "", "2026-10-16", "2027-06-30"),
    ]
}
SCOPES_HELD = {"unscoped": ALL - {Scope("student/name.read"), Scope("section/schedule.read")}}


def of(name: str, fields: str) -> str:
    return f'{{ students(where: {{firstName: {{eq: "{name}"}}}}) {{ nodes {{ {fields} }} }} }}'


def nodes(root: str, *records: dict[str, Any]) -> dict[str, Any]:
    return {root: {"nodes": list(records)}}


def each(root: str, field: str, *values: Any) -> dict[str, Any]:
    return nodes(root, *({field: value} for value in values))


MOVED = "schoolEnrollments { gradeLevel entryDate exitDate school { nameOfInstitution } }"
MARKS = "grades { letterGradeEarned numericGradeEarned gradingPeriod { name } }"
TAUGHT = "staffAssociations { classroomPosition staff { firstName lastSurname } }"

ANSWERS: dict[str, tuple[str, str, Any]] = {
    "a reading product's pupils": (
        "reading",
        "{ students { nodes { firstName lastSurname schoolEnrollments { gradeLevel }"
        " sectionEnrollments { section { title period } } } } }",
        nodes(
            "students",
            {
                "firstName": "Ana",
                "lastSurname": "G.",
                "schoolEnrollments": [{"gradeLevel": "04"}, {"gradeLevel": "05"}],
                "sectionEnrollments": [
                    {"section": {"title": "English 4", "period": ["1"]}},
                    {"section": {"title": "English 5", "period": ["2"]}},
                    {"section": {"title": "Mathematics, morning group", "period": ["3"]}},
                ],
            },
            {
                "firstName": "Max",
                "lastSurname": "H.",
                "schoolEnrollments": [{"gradeLevel": "05"}],
                "sectionEnrollments": [{"section": {"title": "English 5", "period": ["2"]}}],
            },
        ),
    ),
    "Tess, to whom Elm let in": (
        "elm",
        of("Tess", f"{MOVED} {MARKS} sectionEnrollments {{ beginDate endDate }}"),
        nodes(
            "students",
            {
                "schoolEnrollments": [
                    {
                        "gradeLevel": "05",
                        "entryDate": "2026-08-17",
                        "exitDate": "2026-09-30",
                        "school": {"nameOfInstitution": "Elm Elementary"},
                    }
                ],
                "grades": [
                    {"letterGradeEarned": "B", "numericGradeEarned": 84.0, "gradingPeriod": {"name": "First quarter"}}
                ],
                "sectionEnrollments": [{"beginDate": "2026-08-17", "endDate": "2026-09-30"}],
            },
        ),
    ),
    "Tess, to whom Oak let in": (
        "oak",
        of("Tess", f"{MOVED} {MARKS} sectionEnrollments {{ beginDate endDate }}"),
        nodes(
            "students",
            {
                "schoolEnrollments": [
                    {
                        "gradeLevel": "05",
                        "entryDate": "2026-10-01",
                        "exitDate": None,
                        "school": {"nameOfInstitution": "Oak Elementary"},
                    }
                ],
                "grades": [],
                "sectionEnrollments": [{"beginDate": "2026-10-01", "endDate": None}],
            },
        ),
    ),
    "Tess, to whom both are open": (
        "all",
        of("Tess", "schoolEnrollments { school { nameOfInstitution } } sectionEnrollments { section { title } }"),
        nodes(
            "students",
            {
                "schoolEnrollments": [
                    {"school": {"nameOfInstitution": "Elm Elementary"}},
                    {"school": {"nameOfInstitution": "Oak Elementary"}},
                ],
                "sectionEnrollments": [{"section": {"title": "English 5"}}, {"section": {"title": "English at Oak"}}],
            },
        ),
    ),
    "Tess is not the middle school's": ("middle", of("Tess", "firstName"), nodes("students")),
    "Kim, put up within Oak": (
        "oak",
        of("Kim", "schoolEnrollments { gradeLevel entryDate exitDate }"),
        nodes(
            "students",
            {
                "schoolEnrollments": [
                    {"gradeLevel": "04", "entryDate": "2026-08-17", "exitDate": "2026-09-14"},
                    {"gradeLevel": "05", "entryDate": "2026-09-15", "exitDate": None},
                ]
            },
        ),
    ),
    "Leo at Elm is last year's Leo": (
        "elm",
        of("Leo", f"schoolEnrollments {{ gradeLevel exitDate }} {MARKS} sectionEnrollments {{ beginDate }}"),
        nodes(
            "students",
            {
                "schoolEnrollments": [{"gradeLevel": "05", "exitDate": "2026-06-05"}],
                "grades": [],
                "sectionEnrollments": [],
            },
        ),
    ),
    "Leo at the middle school": (
        "middle",
        of("Leo", f"schoolEnrollments {{ gradeLevel exitDate }} {MARKS} sectionEnrollments {{ section {{ title }} }}"),
        nodes(
            "students",
            {
                "schoolEnrollments": [{"gradeLevel": "06", "exitDate": None}],
                "grades": [
                    {"letterGradeEarned": "A", "numericGradeEarned": 95.0, "gradingPeriod": {"name": "First quarter"}},
                    {"letterGradeEarned": "B", "numericGradeEarned": None, "gradingPeriod": {"name": "Second quarter"}},
                ],
                "sectionEnrollments": [{"section": {"title": "Mathematics 6"}}, {"section": {"title": "Chess club"}}],
            },
        ),
    ),
    "Ana this year": (
        "this-year",
        of("Ana", "schoolEnrollments { gradeLevel } sectionEnrollments { section { title } homeroom }"),
        nodes(
            "students",
            {
                "schoolEnrollments": [{"gradeLevel": "05"}],
                "sectionEnrollments": [
                    {"section": {"title": "English 5"}, "homeroom": True},
                    {"section": {"title": "Mathematics, morning group"}, "homeroom": False},
                ],
            },
        ),
    ),
    "Gus is no longer of this year": ("this-year", of("Gus", "firstName"), nodes("students")),
    "Gus's mark outlives his place in the section": (
        "oak",
        of("Gus", f"{MARKS} sectionEnrollments {{ beginDate }}"),
        nodes(
            "students",
            {
                "grades": [
                    {"letterGradeEarned": "D", "numericGradeEarned": 61.0, "gradingPeriod": {"name": "Fourth quarter"}}
                ],
                "sectionEnrollments": [],
            },
        ),
    ),
    "Zed, enrolled nowhere, where nothing is asked of enrollments": (
        "all",
        of("Zed", "firstName schoolEnrollments { gradeLevel } grades { letterGradeEarned }"),
        nodes("students", {"firstName": "Zed", "schoolEnrollments": [], "grades": []}),
    ),
    "any enrollment is one, whenever it was": ("ever", of("Zed", "firstName"), nodes("students")),
    "Nia is of this year though she comes in November": (
        "this-year",
        of("Nia", "schoolEnrollments { entryDate }"),
        nodes("students", {"schoolEnrollments": [{"entryDate": "2026-11-02"}]}),
    ),
    "two who teach one section together": (
        "middle",
        f"{{ sections {{ nodes {{ title {TAUGHT} }} }} }}",
        nodes(
            "sections",
            {
                "title": "Mathematics 6",
                "staffAssociations": [
                    {"classroomPosition": "Teacher of Record", "staff": {"firstName": "Omar", "lastSurname": "Berg"}},
                    {"classroomPosition": "Support Teacher", "staff": {"firstName": "Jun", "lastSurname": "Cole"}},
                ],
            },
            {"title": "Chess club", "staffAssociations": []},
        ),
    ),
    "one of them teaches at Oak too": (
        "oak",
        f"{{ sections {{ nodes {{ title {TAUGHT} }} }} }}",
        nodes(
            "sections",
            {
                "title": "English at Oak",
                "staffAssociations": [
                    {"classroomPosition": "Teacher of Record", "staff": {"firstName": "Jun", "lastSurname": "Cole"}}
                ],
            },
            {"title": "Mathematics at Oak", "staffAssociations": []},
        ),
    ),
    "English sections and their courses": (
        "english",
        "{ sections { nodes { title course { title } session { name schoolYear } } } }",
        nodes(
            "sections",
            {
                "title": "English 4",
                "course": {"title": "English 4"},
                "session": {"name": "2025-26", "schoolYear": 2026},
            },
            {
                "title": "English 5",
                "course": {"title": "English 5"},
                "session": {"name": "2026-27", "schoolYear": 2027},
            },
            {
                "title": "English at Oak",
                "course": {"title": "English 5"},
                "session": {"name": "2026-27", "schoolYear": 2027},
            },
        ),
    ),
    "subjects do not narrow courses": (
        "english",
        "{ courses { nodes { title } } }",
        each("courses", "title", "English 4", "English 5", "Mathematics 5", "Mathematics 6"),
    ),
    "the club has neither course nor session": (
        "middle",
        "{ sections { nodes { course { title } session { name type } school { nameOfInstitution } } } }",
        nodes(
            "sections",
            {
                "course": {"title": "Mathematics 6"},
                "session": {"name": "Fall 2026", "type": "SEMESTER"},
                "school": {"nameOfInstitution": "Larkspur Middle School"},
            },
            {"course": None, "session": None, "school": {"nameOfInstitution": "Larkspur Middle School"}},
        ),
    ),
    "a section without a title bears its course's, courses granted or not": (
        "titles",
        "{ sections { nodes { title } } }",
        each(
            "sections",
            "title",
            "English 4",
            "English 5",
            "Mathematics, morning group",
            "English at Oak",
            "Mathematics at Oak",
            "Mathematics 6",
            "Chess club",
        ),
    ),
    "a filter finds the title that is shown": (
        "titles",
        '{ sections(where: {title: {in: ["English 5", "Chess club"]}}) { nodes { title } } }',
        each("sections", "title", "English 5", "Chess club"),
    ),
    "the year of birth without the day": (
        "years",
        "{ students { nodes { firstName birthYear } } }",
        nodes(
            "students",
            *(
                {"firstName": name, "birthYear": year}
                for name, year in [
                    ("Ana", 2015),
                    ("Leo", 2014),
                    ("Tess", 2015),
                    ("Kim", 2015),
                    ("Max", 2015),
                    ("Ivy", 2015),
                    ("Gus", 2014),
                    ("Nia", 2016),
                    ("Pat", 2013),
                    ("Zed", 2015),
                ]
            ),
        ),
    ),
    "a filter on the year of birth": (
        "years",
        "{ young: students(where: {birthYear: {gte: 2016}}) { nodes { firstName } }"
        " some: students(where: {birthYear: {gte: 2013, lte: 2014}}) { nodes { firstName } } }",
        {"young": each("x", "firstName", "Nia")["x"], "some": each("x", "firstName", "Leo", "Gus", "Pat")["x"]},
    ),
    "initials and masks, and nothing where there is nothing": (
        "shortened",
        "{ students(first: 3) { nodes { firstName middleName lastSurname telephone } } }",
        nodes(
            "students",
            {"firstName": "A.", "middleName": None, "lastSurname": "•••", "telephone": None},
            {"firstName": "L.", "middleName": "T.", "lastSurname": "•••", "telephone": None},
            {"firstName": "T.", "middleName": None, "lastSurname": "•••", "telephone": "•••"},
        ),
    ),
    "marks of ninety and more": (
        "all",
        "{ grades(where: {numericGradeEarned: {gte: 90}}) { nodes { numericGradeEarned student { firstName } } } }",
        nodes(
            "grades",
            {"numericGradeEarned": 91.5, "student": {"firstName": "Ana"}},
            {"numericGradeEarned": 95.0, "student": {"firstName": "Leo"}},
            {"numericGradeEarned": 100.0, "student": {"firstName": "Kim"}},
            {"numericGradeEarned": 93.0, "student": {"firstName": "Ivy"}},
        ),
    ),
    "a mark in no grading period": (
        "oak",
        '{ grades(where: {letterGradeEarned: {eq: "A"}}) { nodes { student { firstName } gradingPeriod { name } } } }',
        nodes(
            "grades",
            {"student": {"firstName": "Kim"}, "gradingPeriod": {"name": "First quarter"}},
            {"student": {"firstName": "Ivy"}, "gradingPeriod": None},
        ),
    ),
    "a filter that lists nothing finds nothing": (
        "all",
        "{ students(where: {firstName: {in: []}}) { nodes { firstName } pageInfo { hasNextPage endCursor } } }",
        {"students": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}},
    ),
    "all that is given in a filter holds": (
        "all",
        '{ students(where: {firstName: {eq: "Ana", in: ["Leo"]}}) { nodes { firstName } } }',
        nodes("students"),
    ),
    "semesters": (
        "all",
        "{ sessions(where: {type: {eq: SEMESTER}}) { nodes { name schoolYear } } }",
        nodes("sessions", {"name": "Fall 2026", "schoolYear": 2027}),
    ),
    "schools and their grades": (
        "oak",
        "{ schools { nodes { nameOfInstitution gradesOffered } } }",
        nodes("schools", {"nameOfInstitution": "Oak Elementary", "gradesOffered": ["03", "04", "05"]}),
    ),
    "a school that does not exist lets nobody in": (
        "nowhere",
        "{ students { nodes { firstName } } sections { nodes { title } } grades { nodes { letterGradeEarned } }"
        " schools { nodes { nameOfInstitution } } sessions { nodes { name } } }",
        {
            "students": {"nodes": []},
            "sections": {"nodes": []},
            "grades": {"nodes": []},
            "schools": {"nodes": []},
            "sessions": {"nodes": [{"name": "2025-26"}, {"name": "2026-27"}]},
        },
    ),
    "no records asked for": (
        "all",
        "{ students(first: 0) { nodes { firstName } pageInfo { hasNextPage startCursor } } }",
        {"students": {"nodes": [], "pageInfo": {"hasNextPage": True, "startCursor": None}}},
    ),
    "two records, and more to come": (
        "all",
        "{ students(first: 2) { pageInfo { hasNextPage hasPreviousPage } edges { node { firstName } } } }",
        {
            "students": {
                "pageInfo": {"hasNextPage": True, "hasPreviousPage": False},
                "edges": [{"node": {"firstName": "Ana"}}, {"node": {"firstName": "Leo"}}],
            }
        },
    ),
    "names of types, aliases and fragments": (
        "oak",
        """{ __typename all: students { __typename people: nodes { ...Who kind: __typename } } }
        fragment Who on Student { given: firstName ... @skip(if: true) { lastName: firstName } }""",
        {
            "__typename": "Query",
            "all": {
                "__typename": "StudentConnection",
                "people": [{"given": name, "kind": "Student"} for name in ("Tess", "Kim", "Ivy", "Gus")],
            },
        },
    ),
    "the last day of a grant": (
        "last-day",
        "{ students(first: 1) { nodes { firstName } } }",
        each("students", "firstName", "Ana"),
    ),
    "the first day of a grant": (
        "first-day",
        "{ students(first: 1) { nodes { firstName } } }",
        each("students", "firstName", "Ana"),
    ),
    "the caller's own grant": (
        "reading",
        """{ grant { client purpose basis notBefore notAfter coordinates { coordinate transform state scope }
        rows { schools gradeLevels subjects enrollment historyYears } } }""",
        {
            "grant": {
                "client": "reading",
                "purpose": "instruction",
                "basis": "school-official",
                "notBefore": "2026-07-01",
                "notAfter": "2027-06-30",
                "coordinates": [
                    {"coordinate": name, "transform": transform, "state": "IN_FORCE", "scope": scope}
                    for name, transform, scope in [
                        ("Student.firstName", None, "student/name.read"),
                        ("Student.lastSurname", "initial", "student/name.read"),
                        ("Student.schoolEnrollments", None, "enrollment/school.read"),
                        ("Student.sectionEnrollments", None, "enrollment/section.read"),
                        ("SchoolEnrollment.gradeLevel", None, "enrollment/school.read"),
                        ("SectionEnrollment.section", None, "section/schedule.read"),
                        ("Section.title", None, "section/schedule.read"),
                        ("Section.period", None, "section/schedule.read"),
                    ]
                ],
                "rows": {
                    "schools": ["elm"],
                    "gradeLevels": ["05"],
                    "subjects": None,
                    "enrollment": "active",
                    "historyYears": None,
                },
            }
        },
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_answers_as_written_out(larkspur: Asked, case: str) -> None:
    client, query, expected = ANSWERS[case]
    assert await larkspur.data(client, query) == expected


NOT_GRANTED, MISSING, PENDING = "NOT_GRANTED", "SCOPE_MISSING", "APPROVAL_PENDING"
Denied = tuple[list[str], str, str, str]  # path, selection, coordinate, code

DENIALS: dict[str, tuple[str, str, Any, list[Denied]]] = {
    "a field of every row is denied once": (
        "years",
        "{ students(first: 2) { nodes { firstName birthDate } } }",
        nodes("students", {"firstName": "Ana", "birthDate": None}, {"firstName": "Leo", "birthDate": None}),
        [(["students", "nodes"], "students.nodes.birthDate", "Student.birthDate", NOT_GRANTED)],
    ),
    "every selection of it has an error": (
        "years",
        "{ students(first: 1) { edges { node { one: birthDate two: birthDate } } } }",
        {"students": {"edges": [{"node": {"one": None, "two": None}}]}},
        [
            (["students", "edges"], "students.edges.node.one", "Student.birthDate", NOT_GRANTED),
            (["students", "edges"], "students.edges.node.two", "Student.birthDate", NOT_GRANTED),
        ],
    ),
    "a list that holds nothing is denied all the same": (
        "nowhere",
        "{ students { nodes { lastSurname } } }",
        nodes("students"),
        [(["students", "nodes"], "students.nodes.lastSurname", "Student.lastSurname", NOT_GRANTED)],
    ),
    "a selection that is left out has no error": (
        "years",
        "{ students(first: 1) { nodes { firstName birthDate @include(if: false) ... @skip(if: true) { sex } } } }",
        each("students", "firstName", "Ana"),
        [],
    ),
    "what an edge leads to, not granted": (
        "reading",
        "{ students(first: 1) { nodes { sectionEnrollments { section { course { title } } } } } }",
        nodes("students", {"sectionEnrollments": [{"section": {"course": None}}] * 3}),
        [
            (
                ["students", "nodes"],
                "students.nodes.sectionEnrollments.section.course",
                "Section.course",
                NOT_GRANTED,
            )
        ],
    ),
    "a granted edge to a type of which nothing is granted": (
        "edges-only",
        "{ students(first: 1) { nodes { sectionEnrollments { id } } } sections(first: 1) { nodes { course { id } } } }",
        {"students": {"nodes": [{"sectionEnrollments": None}]}, "sections": {"nodes": [{"course": None}]}},
        [
            (["students", "nodes"], "students.nodes.sectionEnrollments", "Student.sectionEnrollments", NOT_GRANTED),
            (["sections", "nodes"], "sections.nodes.course", "Section.course", NOT_GRANTED),
        ],
    ),
    "roots of types of which nothing is granted": (
        "years",
        "{ sections { nodes { id } } mine: grades { nodes { id } } district { id }"
        " students(first: 0) { nodes { id } } }",
        {"sections": None, "mine": None, "district": None, "students": {"nodes": []}},
        [
            (["sections"], "sections", "Query.sections", NOT_GRANTED),
            (["mine"], "mine", "Query.grades", NOT_GRANTED),
            (["district"], "district", "Query.district", NOT_GRANTED),
        ],
    ),
    "a scope that the client does not hold": (
        "unscoped",
        "{ students(first: 1) { nodes { firstName birthYear } } sections { nodes { title } } }",
        {"students": {"nodes": [{"firstName": None, "birthYear": 2015}]}, "sections": None},
        [
            (["students", "nodes"], "students.nodes.firstName", "Student.firstName", MISSING),
            (["sections"], "sections", "Query.sections", MISSING),
        ],
    ),
    "approvals by name: what waits is withheld, the rest stands": (
        "learners",
        '{ students(where: {firstName: {in: ["Ana", "Kim"]}}) { nodes { firstName englishLearner'
        " hispanicLatinoEthnicity races homelessStatus } } }",
        nodes(
            "students",
            {
                "firstName": "Ana",
                "englishLearner": True,
                "hispanicLatinoEthnicity": None,
                "races": None,
                "homelessStatus": None,
            },
            {
                "firstName": "Kim",
                "englishLearner": None,
                "hispanicLatinoEthnicity": False,
                "races": None,
                "homelessStatus": None,
            },
        ),
        [
            (["students", "nodes"], "students.nodes.races", "Student.races", PENDING),
            (["students", "nodes"], "students.nodes.homelessStatus", "Student.homelessStatus", PENDING),
        ],
    ),
    "district and state withhold what is granted": (
        "forbidden",
        "{ students(first: 1) { nodes { firstName homeLanguage ssn } } }",
        nodes("students", {"firstName": "Ana", "homeLanguage": None, "ssn": None}),
        [
            (["students", "nodes"], "students.nodes.homeLanguage", "Student.homeLanguage", "DENIED_BY_STATE"),
            (["students", "nodes"], "students.nodes.ssn", "Student.ssn", "DENIED_BY_DISTRICT"),
        ],
    ),
    "a number cannot be shortened": (
        "shortened",
        "{ students(first: 1) { nodes { firstName birthYear } } }",
        nodes("students", {"firstName": "A.", "birthYear": None}),
        [(["students", "nodes"], "students.nodes.birthYear", "Student.birthYear", NOT_GRANTED)],
    ),
    "the day after the last": (
        "expired",
        "{ students { nodes { firstName } } }",
        {"students": None},
        [(["students"], "students", "Query.students", "GRANT_EXPIRED")],
    ),
    "the day before the first": (
        "not-yet",
        "{ students { nodes { firstName } } }",
        {"students": None},
        [(["students"], "students", "Query.students", "GRANT_NOT_YET")],
    ),
}


def told(answered: dict[str, Any]) -> list[Denied]:
    return [
        (one["path"], one["extensions"]["selection"], one["extensions"]["coordinate"], one["extensions"]["code"])
        for one in answered.get("errors", [])
    ]


@pytest.mark.parametrize("case", DENIALS)
async def test_denials_as_written_out(larkspur: Asked, case: str) -> None:
    client, query, data, denied = DENIALS[case]
    answered = await larkspur.ask(client, query)
    assert answered["data"] == data
    assert told(answered) == denied


async def test_a_denial_says_what_scope_it_takes_under_which_revision_and_what_to_do(larkspur: Asked) -> None:
    [error] = (await larkspur.ask("years", "{ students { nodes { birthDate } } }"))["errors"]
    revision = (await larkspur.data("years", "{ grant { revision } }"))["grant"]["revision"]
    assert error["extensions"]["scope"] == "student/demographics.read"
    assert error["extensions"]["revision"] == revision
    assert error["message"] == "Ask Larkspur ISD to grant Student.birthDate to years for instruction, or leave it out."


async def test_the_path_of_a_denial_goes_down_to_the_first_list(larkspur: Asked) -> None:
    ana, section = larkspur.id("reading", "Student", worlds.ANA), larkspur.id("reading", "Section", worlds.ELM_MATH)
    answered = await larkspur.ask(
        "reading",
        f"""{{ student(id: "{ana}") {{ birthDate sectionEnrollments {{ section {{ room }} }} }}
        other: node(id: "{section}") {{ ... on Section {{ title place: room }} }} }}""",
    )
    assert answered["data"]["other"] == {"title": "Mathematics, morning group", "place": None}
    assert [(path, selection) for path, selection, _, _ in told(answered)] == [
        (["student", "birthDate"], "student.birthDate"),
        (["student", "sectionEnrollments"], "student.sectionEnrollments.section.room"),
        (["other", "place"], "other.place"),
    ]


async def test_a_node_of_a_shut_type_is_null_whatever_is_asked_of_it(larkspur: Asked) -> None:
    section = larkspur.id("years", "Section", worlds.ELM_MATH)
    query = 'query {{ node(id: "{}") {{ __typename id ... on Section {{ title }} }} }}'
    answered = await larkspur.ask("years", query.format(section))
    assert answered["data"] == {"node": None}
    assert told(answered) == [(["node", "title"], "node.title", "Section.title", NOT_GRANTED)]
    # The denial follows from the query alone: it says nothing about the id.
    assert await larkspur.raw("years", query.format(section)) == await larkspur.raw("years", query.format("0" * 32))
    assert await larkspur.ask("years", f'{{ node(id: "{section}") {{ __typename id }} }}') == {"data": {"node": None}}


async def test_a_suspended_client_is_denied_everything(larkspur: Asked) -> None:
    query = "{ students(first: 1) { nodes { firstName } } }"
    assert await larkspur.data("suspended", query) == each("students", "firstName", "Ana")
    await set_state(larkspur.rooms.control, "suspended", State.SUSPENDED)
    await larkspur.rooms.authorization.follow()
    answered = await larkspur.ask("suspended", query)
    assert answered["data"] == {"students": None}
    assert told(answered) == [(["students"], "students", "Query.students", "CLIENT_SUSPENDED")]
    await set_state(larkspur.rooms.control, "suspended", State.ACTIVE)
    await larkspur.rooms.authorization.follow()
    assert await larkspur.data("suspended", query) == each("students", "firstName", "Ana")


FILTERS = {
    "a coordinate that is not granted": ("years", "students", '{birthDate: {gte: "2015-01-01"}}', "Student.birthDate"),
    "... nor compared with anything": ("years", "students", "{birthDate: {}}", "Student.birthDate"),
    "... beside one that is granted": (
        "years",
        "students",
        '{firstName: {eq: "Ana"}, sex: {eq: "F"}}',
        "Student.sex",
    ),
    "a coordinate that is shortened": ("shortened", "students", '{lastSurname: {eq: "García"}}', "Student.lastSurname"),
    "... even by the value that is shown": ("shortened", "students", '{firstName: {eq: "A."}}', "Student.firstName"),
    "one that waits for approval": ("learners", "students", "{homelessStatus: {eq: true}}", "Student.homelessStatus"),
    "a parent that is not granted": ("titles", "sections", '{school: {eq: "x"}}', "Section.school"),
    "a parent of a shut type": ("edges-only", "sections", '{course: {eq: "x"}}', "Section.course"),
    "a scope that the client does not hold": ("unscoped", "students", '{firstName: {eq: "Ana"}}', "Student.firstName"),
}


@pytest.mark.parametrize("case", FILTERS)
async def test_threat_7_a_filter_on_what_is_not_disclosed_runs_nothing(
    larkspur: Asked, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def lend(*_: object, **__: object) -> AsyncIterator[Reader]:
        never()
        yield

    def never() -> NoReturn:
        raise AssertionError("The space was asked")

    monkeypatch.setattr(Readers, "lend", lend)
    client, root, where, coordinate = FILTERS[case]
    for query in (
        f"{{ {root}(where: {where}) {{ nodes {{ id }} }} }}",
        f"{{ students {{ nodes {{ id }} }} late: {root}(first: 1, where: {where}) {{ pageInfo {{ hasNextPage }} }} }}",
    ):
        refusal = await larkspur.refused(client, query)
        assert refusal.code == "FILTER_NOT_GRANTED"
        assert refusal.extensions["coordinate"] == coordinate


async def test_threat_7_a_filter_by_variable_is_looked_at_too(larkspur: Asked) -> None:
    query = "query($where: StudentWhere) { students(where: $where) { nodes { firstName } } }"
    refusal = await larkspur.refused("years", query, {"where": {"birthDate": {"eq": "2015-11-02"}}})
    assert refusal.code == "FILTER_NOT_GRANTED"
    assert "2015-11-02" not in refusal.message
    found = await larkspur.data("years", query, {"where": {"firstName": {"eq": "Ana"}}})
    assert found == each("students", "firstName", "Ana")
