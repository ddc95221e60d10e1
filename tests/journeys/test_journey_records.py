"""Contacts, attendance, programs, discipline, transcripts and gradebooks: which of them each grant admits, by hand.

Shape: `IN_ROWS` has, by grant, the rows of the grant as its file says them and what of the world is inside. `Rosa>Ana`
is Rosa as the contact of Ana; an attendance event has its student and day, a transcript its student and credits.
"""

import json
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from typing import Any

import pytest

from app.ledger.report import of_student
from app.schema.catalogue import CATALOGUE
from app.storage.engines import open_engine
from tests import worlds
from tests.journeys.world import Asked, granting, larkspur, larkspur_database

__all__ = ["larkspur", "larkspur_database"]
pytestmark = pytest.mark.anyio

WIDE = {
    "Student": "firstName sectionEnrollments contacts attendanceEvents programParticipations disciplineActions "
    "academicRecords",
    "Section": "localCourseCode",
    "School": "nameOfInstitution",
    "Session": "name",
    "SectionEnrollment": "section student gradebookEntries",
    "Contact": "contactId firstName restrictions student",
    "AttendanceEvent": "eventDate status reason student school section",
    "ProgramParticipation": "programType beginDate endDate student school",
    "DisciplineIncident": "incidentDate behavior",
    "DisciplineAction": "actionTaken startDate student incident",
    "AcademicRecord": "cumulativeGpa creditsEarned student school session",
    "StudentGradebookEntry": "pointsEarned",
}


@dataclass(frozen=True)
class Inside:
    """What a grant's rows admit of the records that hang on students."""

    rows: str
    contacts: str
    missed: str
    programs: str
    actions: str
    incidents: str
    records: str
    work: str


EVERYONE = Inside(
    "",
    "Rosa>Ana, Rosa>Leo, Raúl>Leo, Fay>Tess, Uwe>Max, Joan>Ivy, Lou>Gus, Zoe>Zed",
    "Tess 2026-09-10, Tess 2026-10-05, Tess 2026-09-21, Ana 2026-03-02, Ana 2026-09-22, Leo 2026-10-01, "
    "Kim 2026-09-18, Max 2026-09-30, Gus 2026-02-11, Leo None, Zed 2026-09-09",
    "Ana Bilingual, Leo Section 504, Tess Title I, Pat Homeless, Kim Gifted and Talented, Zed Title I",
    "Ana Detention, Tess Suspension, Leo Detention, Pat Detention, Gus Conference, Kim Conference, Max Conference, "
    "Tess Warning",
    "Fighting 2026-09-15, Disruption 2026-10-02, Truancy 2026-03-10, Disruption 2026-09-28",  # nobody's: the window
    "Ana 4.0, Ana 5.5, Leo 5.0, Leo 6.0, Tess 5.0, Kim 5.0, Gus 4.5",
    "ELM-ENG 9.5, ELM-MATH 7.0, MID-MATH 10.0, ELM-ENG 8.0, OAK-ENG 0.0, ELM-ENG None, ELM-ENG-26 6.0",
)

IN_ROWS = {
    "everyone": EVERYONE,
    # What Tess missed at Elm is Elm's though she has left; her warning at Oak is not, nor what Leo did since.
    "elm": Inside(
        'schools = ["elm"]',
        "Rosa>Ana, Rosa>Leo, Raúl>Leo, Fay>Tess, Uwe>Max",
        "Tess 2026-09-10, Tess 2026-09-21, Ana 2026-03-02, Ana 2026-09-22, Max 2026-09-30",
        "Ana Bilingual, Leo Section 504, Tess Title I",
        "Ana Detention, Tess Suspension, Max Conference",
        "Fighting 2026-09-15",
        "Ana 4.0, Ana 5.5, Leo 5.0, Tess 5.0",
        "ELM-ENG 9.5, ELM-MATH 7.0, ELM-ENG 8.0, ELM-ENG None, ELM-ENG-26 6.0",
    ),
    "oak": Inside(
        'schools = ["oak"]',
        "Fay>Tess, Joan>Ivy, Lou>Gus",
        "Tess 2026-10-05, Kim 2026-09-18, Gus 2026-02-11",
        "Kim Gifted and Talented",
        "Gus Conference, Kim Conference, Tess Warning",
        "Truancy 2026-03-10, Disruption 2026-09-28",
        "Kim 5.0, Gus 4.5",
        "OAK-ENG 0.0",
    ),
    "middle": Inside(
        'schools = ["middle"]',
        "Rosa>Leo, Raúl>Leo",
        "Leo 2026-10-01, Leo None",
        "Leo Section 504, Pat Homeless",
        "Leo Detention, Pat Detention",
        "Disruption 2026-10-02",
        "Leo 6.0",
        "MID-MATH 10.0",
    ),
    # What was over in June stays at home, and so does what has no day and no session. Gus and Zed are not of this year.
    "this-year": Inside(
        "history_years = 0",
        "Rosa>Ana, Rosa>Leo, Raúl>Leo, Fay>Tess, Uwe>Max, Joan>Ivy",
        "Tess 2026-09-10, Tess 2026-10-05, Tess 2026-09-21, Ana 2026-09-22, Leo 2026-10-01, Kim 2026-09-18, "
        "Max 2026-09-30",
        "Ana Bilingual, Tess Title I, Pat Homeless, Kim Gifted and Talented",
        "Ana Detention, Tess Suspension, Leo Detention, Pat Detention, Kim Conference, Max Conference",
        "Fighting 2026-09-15, Disruption 2026-10-02, Disruption 2026-09-28",
        "Ana 5.5, Leo 6.0, Tess 5.0",
        "ELM-ENG 9.5, ELM-MATH 7.0, MID-MATH 10.0, ELM-ENG 8.0, OAK-ENG 0.0, ELM-ENG None",
    ),
    # Leo without his sister, and without Pat, who was in it with him.
    "sixth": Inside(
        'grade_levels = ["06"]',
        "Rosa>Leo, Raúl>Leo",
        "Leo 2026-10-01, Leo None",
        "Leo Section 504",
        "Leo Detention",
        "Disruption 2026-10-02",
        "Leo 5.0, Leo 6.0",
        "MID-MATH 10.0",
    ),
    # Subjects narrow what happened in a section, and nothing else.
    "maths": replace(
        EVERYONE,
        rows='subjects = ["Mathematics"]',
        missed="Tess 2026-09-10, Tess 2026-10-05, Ana 2026-03-02, Ana 2026-09-22, Leo 2026-10-01, Kim 2026-09-18, "
        "Max 2026-09-30, Gus 2026-02-11, Zed 2026-09-09",
        work="ELM-MATH 7.0, MID-MATH 10.0",
    ),
    "active": Inside(
        'enrollment = "active"',
        "Rosa>Ana, Rosa>Leo, Raúl>Leo, Fay>Tess, Uwe>Max, Joan>Ivy",
        "Tess 2026-09-10, Tess 2026-10-05, Tess 2026-09-21, Ana 2026-03-02, Ana 2026-09-22, Leo 2026-10-01, "
        "Kim 2026-09-18, Max 2026-09-30, Leo None",
        "Ana Bilingual, Leo Section 504, Tess Title I, Pat Homeless, Kim Gifted and Talented",
        "Ana Detention, Tess Suspension, Leo Detention, Pat Detention, Kim Conference, Max Conference, Tess Warning",
        "Fighting 2026-09-15, Disruption 2026-10-02, Disruption 2026-09-28",
        "Ana 4.0, Ana 5.5, Leo 5.0, Leo 6.0, Tess 5.0, Kim 5.0",
        EVERYONE.work,
    ),
    "nowhere": Inside('schools = ["birch"]', "", "", "", "", "", "", ""),
}

SENSITIVE = [
    f"{name}.{one}"
    for name, fields in WIDE.items()
    for one in fields.split()
    if CATALOGUE[f"{name}.{one}"].sensitivity in {"sensitive", "restricted"}  # type: ignore[index]
]
APPROVED = "".join(
    f'[[approval]]\nby = "x@larkspur.example"\nrole = "{role}"\nat = 2026-07-20T15:00:00Z\n'
    f"covers = {json.dumps(SENSITIVE)}\n"
    for role in ("steward", "privacy-officer")
)
GRANTS = {name: granting(name, WIDE, inside.rows, more=APPROVED) for name, inside in IN_ROWS.items()}
GRANTS["unapproved"] = granting("unapproved", WIDE)

NODES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "Contact": ("firstName student { firstName }", lambda one: f"{one['firstName']}>{one['student']['firstName']}"),
    "AttendanceEvent": ("eventDate student { firstName }", lambda one: f"{whose(one)} {one['eventDate']}"),
    "ProgramParticipation": ("programType student { firstName }", lambda one: f"{whose(one)} {one['programType']}"),
    "DisciplineAction": ("actionTaken student { firstName }", lambda one: f"{whose(one)} {one['actionTaken']}"),
    "DisciplineIncident": ("behavior incidentDate", lambda one: f"{one['behavior']} {one['incidentDate']}"),
    "AcademicRecord": ("creditsEarned student { firstName }", lambda one: f"{whose(one)} {one['creditsEarned']}"),
}
"""By type: what is asked of a record, and its label."""
EDGES = {
    "contacts": "Contact",
    "attendanceEvents": "AttendanceEvent",
    "programParticipations": "ProgramParticipation",
    "disciplineActions": "DisciplineAction",
    "academicRecords": "AcademicRecord",
}


def whose(one: Any) -> str:
    return str(one["student"]["firstName"])


def listed(text: str) -> list[str]:
    return sorted(text.split(", ") if text else [])


def expected(inside: Inside) -> dict[str, list[str]]:
    """The labels that are in the rows, by type."""
    _, *labels = astuple(inside)
    return dict(zip([*NODES, "StudentGradebookEntry"], map(listed, labels), strict=True))


grants = pytest.mark.parametrize("grant", IN_ROWS)


@grants
async def test_edges_lead_to_the_records_in_the_rows(larkspur: Asked, grant: str) -> None:
    inside = expected(IN_ROWS[grant])
    asked = " ".join(f"{edge} {{ {NODES[name][0]} }}" for edge, name in EDGES.items())
    incidents = f"on: disciplineActions {{ incident {{ {NODES['DisciplineIncident'][0]} }} }}"
    work = "sectionEnrollments { section { localCourseCode } gradebookEntries { pointsEarned } }"
    data = await larkspur.data(grant, f"{{ students {{ nodes {{ {asked} {incidents} {work} }} }} }}")
    nodes = data["students"]["nodes"]
    for edge, name in EDGES.items():
        assert sorted(NODES[name][1](one) for student in nodes for one in student[edge]) == inside[name], edge
    found = {NODES["DisciplineIncident"][1](one["incident"]) for s in nodes for one in s["on"] if one["incident"]}
    assert sorted(found) == inside["DisciplineIncident"]
    points = [
        f"{one['section']['localCourseCode']} {entry['pointsEarned']}"
        for student in nodes
        for one in student["sectionEnrollments"]
        for entry in one["gradebookEntries"]
    ]
    assert sorted(points) == inside["StudentGradebookEntry"]


@grants
async def test_a_record_is_found_by_its_id_only_in_the_rows(larkspur: Asked, grant: str) -> None:
    inside = expected(IN_ROWS[grant])
    asked = " ".join(
        f'{name}{n}: node(id: "{larkspur.id(grant, name, n)}") {{ ... on {name} {{ {fields} }} }}'
        for name, (fields, _) in NODES.items()
        for n in range(1, len(worlds.WORLD[name]) + 1)
    )
    data = await larkspur.data(grant, f"{{ {asked} }}")
    for name, (_, label) in NODES.items():
        found = (data[f"{name}{n}"] for n in range(1, len(worlds.WORLD[name]) + 1))
        assert sorted(label(one) for one in found if one is not None) == inside[name], name


async def test_the_schools_sections_and_sessions_of_records_are_told(larkspur: Asked) -> None:
    data = await larkspur.data(
        "oak",
        """{ students { nodes { firstName attendanceEvents { status reason school { nameOfInstitution }
        section { localCourseCode } } programParticipations { beginDate endDate school { nameOfInstitution } }
        academicRecords { cumulativeGpa school { nameOfInstitution } session { name } } } } }""",
    )
    tess, kim, _, gus = data["students"]["nodes"]
    oak = {"nameOfInstitution": "Oak Elementary"}
    assert tess["attendanceEvents"] == [{"status": "Tardy", "reason": None, "school": oak, "section": None}]
    assert kim["programParticipations"] == [{"beginDate": None, "endDate": None, "school": None}]
    assert kim["academicRecords"] == [{"cumulativeGpa": 3.9, "school": None, "session": None}]
    assert gus["academicRecords"] == [{"cumulativeGpa": 1.8, "school": oak, "session": {"name": "2025-26"}}]


async def test_siblings_share_a_mother_whom_each_vendor_calls_otherwise(larkspur: Asked) -> None:
    query = "{ students { nodes { contacts { id contactId firstName restrictions } } } }"
    called = {}
    for grant in ("everyone", "elm"):
        ana, leo, *_ = (await larkspur.data(grant, query))["students"]["nodes"]
        (mother,), (same, uncle) = ana["contacts"], leo["contacts"]
        assert mother["contactId"] == same["contactId"] != uncle["contactId"]
        assert mother["id"] != same["id"]
        assert "rosa" not in str(ana).replace("Rosa", "")
        assert (mother["restrictions"], uncle["restrictions"]) == (None, "No contact, by order of the court")
        called[grant] = mother["contactId"]
    assert called["everyone"] != called["elm"]


async def test_what_is_restricted_waits_for_its_approvals(larkspur: Asked) -> None:
    answered = await larkspur.ask(
        "unapproved",
        "{ students(first: 3) { nodes { contacts { firstName restrictions } disciplineActions { actionTaken }"
        " attendanceEvents { eventDate reason } } } }",
    )
    told = {one["extensions"]["coordinate"]: one["extensions"]["code"] for one in answered["errors"]}
    assert told == dict.fromkeys(
        ["Contact.restrictions", "Student.disciplineActions", "AttendanceEvent.reason"], "APPROVAL_PENDING"
    )
    tess = answered["data"]["students"]["nodes"][2]
    assert tess["contacts"] == [{"firstName": "Fay", "restrictions": None}]
    assert tess["disciplineActions"] is None
    assert [one["reason"] for one in tess["attendanceEvents"]] == [None] * 3


async def test_an_incident_is_on_the_record_of_all_who_were_disciplined_for_it(larkspur: Asked) -> None:
    grant = "elm"
    fight = larkspur.id(grant, "DisciplineIncident", worlds.FIGHT)
    ana = larkspur.id(grant, "Student", worlds.ANA)
    await larkspur.data(grant, f'{{ node(id: "{fight}") {{ ... on DisciplineIncident {{ behavior }} }} }}')
    by_edge = f'{{ student(id: "{ana}") {{ disciplineActions {{ incident {{ incidentDate }} }} }} }}'
    await larkspur.data(grant, by_edge)
    settings = larkspur.rooms.settings
    ledger = open_engine(settings.database_url(settings.spaces[worlds.SPACE].ledger))
    for row, has in [(worlds.ANA, True), (worlds.TESS, True), (worlds.MAX, True), (worlds.LEO, False)]:
        received = await of_student(ledger, row)
        seen = {one for each in received if each.client == grant for one in each.coordinates}
        assert ("DisciplineIncident.behavior" in seen, "DisciplineIncident.incidentDate" in seen) == (has, has), row
    await ledger.dispose()
