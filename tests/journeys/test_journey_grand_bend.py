"""A real district's roster, from its files to a vendor's answer and its entry in the ledger.

What a vendor must receive is worked out here, straight from the XML.
"""

import hashlib
import io
import os
import re
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pyroaring import BitMap
from sqlalchemy import func, select

from app.ledger.entry import Kind, Recorded
from app.ledger.reading import Filters, entries
from app.spaces import tables
from app.storage.engines import open_engine
from tests.conftest import ROOT
from tests.journeys.served import Home, Server, granting, made, served
from tests.postgres import Server as Postgres

pytestmark = pytest.mark.anyio

ARCHIVE = ROOT.parent / "shared" / "data" / "grandbend-edfi-v1.0-2012.zip"
SPACE = "tx/grand-bend"
SCHOOL = "255901107"
RECORDS = frozenset(table.name for table in tables.BY_TYPE.values())
LEVELS = {"Third grade": "03", "Fourth grade": "04", "Fifth grade": "05"}
FIELDS = {"Student": "firstName lastSurname:initial schoolEnrollments", "SchoolEnrollment": "gradeLevel"}
ROWS = f'schools = ["{SCHOOL}"]\ngrade_levels = ["03", "04", "05"]'
QUERY = """query Pupils { students(first: 1000) { nodes {
  id firstName lastSurname birthDate schoolEnrollments { gradeLevel }
} } }"""


@dataclass(frozen=True)
class Loaded:
    """The installation with the roster in it, and what its two imports said."""

    home: Home
    first: str
    second: Mapping[str, Any]
    before: str | None = None
    after: str | None = None


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory, store: Postgres | None) -> Loaded:
    if not ARCHIVE.is_file():
        pytest.skip(f"The Grand Bend sample is not here: put it at {ARCHIVE}.")
    home = made(tmp_path_factory.mktemp("grand-bend") / "home", store, {SPACE: ("Grand Bend ISD", "America/Chicago")})
    first = home.ok("import", SPACE, os.fspath(ARCHIVE), "--format", "edfi")
    before = held(home)
    second = home.json("import", SPACE, os.fspath(ARCHIVE), "--format", "edfi")
    return Loaded(home, first, second, before, held(home))


def held(home: Home) -> str | None:
    """A digest of every row of the space's file; None where the space is no file."""
    if home.postgres is not None:
        return None
    with closing(sqlite3.connect(home.folder / "spaces" / SPACE / "space.db")) as database:
        names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table' order by 1")]
        rows = {name: sorted(map(repr, database.execute(f"select * from {name}"))) for name in names if name in RECORDS}
    assert len(rows["student"]) == 960
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@dataclass(frozen=True)
class Pupil:
    """A student as the XML has them."""

    first_name: str
    last_surname: str
    birth_date: str
    ssn: str


def records(file: str, *names: str) -> Iterator[tuple[str, ElementTree.Element]]:
    """The elements of those names in one file of the archive, without their namespace."""
    with zipfile.ZipFile(ARCHIVE) as archive, archive.open(f"Sample Data/{file}.xml") as content:
        for _, element in ElementTree.iterparse(content):
            element.tag = element.tag.rpartition("}")[2]
            if element.tag in names:
                yield element.tag, element
                element.clear()


@pytest.fixture(scope="session")
def pupils() -> dict[str, Pupil]:
    """Every student by unique id."""
    return {
        student.findtext("StudentUniqueStateId", ""): Pupil(
            student.findtext("Name/FirstName", ""),
            student.findtext("Name/LastSurname", ""),
            student.findtext("BirthData/BirthDate", ""),
            student.findtext("StudentIdentificationCode[@IdentificationSystem='SSN']/IdentificationCode", ""),
        )
        for _, student in records("StudentParent", "Student")
    }


@pytest.fixture(scope="session")
def expected() -> dict[str, list[str]]:
    """The grade levels, by student, of those whom the grant lets in."""
    levels: dict[str, list[str]] = {}
    for _, enrolled in records("StudentEnrollment", "StudentSchoolAssociation"):
        school = enrolled.findtext("SchoolReference/EducationalOrgIdentity/StateOrganizationId")
        level = LEVELS.get(enrolled.findtext("EntryGradeLevel", ""))
        if school == SCHOOL and level is not None:
            levels.setdefault(
                enrolled.findtext("StudentReference/StudentIdentity/StudentUniqueStateId", ""), []
            ).append(level)
    return levels


@pytest.fixture
def readwell(loaded: Loaded, tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """The district serves, and Readwell has its grant and a token."""
    home = loaded.home.copy(tmp_path / "home")
    vendor = home.vendor("readwell")
    home.grant(SPACE, "readwell", granting("readwell", FIELDS, ROWS))
    with served(home) as server:
        yield server, server.token(vendor, SPACE)
        server.stop()


def test_the_first_import_reports_what_is_in_the_files(loaded: Loaded) -> None:
    rows = dict(re.findall(r"^(\w[\w ]*?) {2,}([\d,]+) ", loaded.first, re.MULTILINE))
    found = {name: rows[name] for name in ("students", "sections", "section enrollments", "grades")}
    assert found == {"students": "960", "sections": "532", "section enrollments": "13,440", "grades": "40,320"}
    assert "social security numbers: 960 met, none stored" in loaded.first


@pytest.fixture(scope="session")
def census() -> Counter[tuple[str, str]]:
    """How many elements of each kind each file holds, in the archive and in the archive inside it."""
    counted: Counter[tuple[str, str]] = Counter()

    def count(archive: zipfile.ZipFile, before: str) -> None:
        for entry in archive.namelist():
            name = before + entry.rpartition("/")[2]
            if entry.endswith(".zip"):
                count(zipfile.ZipFile(io.BytesIO(archive.read(entry))), f"{name}/")
            elif entry.endswith(".xml"):
                for element in ElementTree.fromstring(archive.read(entry)):
                    counted[name, element.tag.rpartition("}")[2]] += 1

    with zipfile.ZipFile(ARCHIVE) as archive:
        count(archive, "")
    return counted


TYPES = {
    "LocalEducationAgency": "District",
    "StudentSchoolAssociation": "SchoolEnrollment",
    "StudentSectionAssociation": "SectionEnrollment",
    "TeacherSectionAssociation": "StaffSectionAssociation",
    "Teacher": "Staff",
    "StudentParentAssociation": "Contact",
    "StudentProgramAssociation": "ProgramParticipation",
    "StudentAcademicRecord": "AcademicRecord",
}
"""What the graph calls the elements that have another name there."""


def test_every_element_of_every_file_is_accounted_for(loaded: Loaded, census: Mapping[tuple[str, str], int]) -> None:
    told = {(one["file"], one["element"]): one for one in loaded.second["elements"]}
    assert {key: one["met"] for key, one in told.items()} == dict(census)
    assert ("TeacherSchool.zip/StaffAssociation-TeacherSchool.xml", "TeacherSchoolAssociation") in told
    for (file, kind), one in told.items():
        left_out = sum(reason["elements"] for reason in one["leftOut"])
        assert one["met"] == one["stored"] + one["used"] + left_out, (file, kind)
        numbers = " +".join(f"{number:,}" for number in (one["met"], one["stored"], one["used"], left_out))
        (line,) = re.findall(rf"^{re.escape(file)}\n(?:  .*\n)*?  {kind} +{numbers}\b(.*)$", loaded.first, re.MULTILINE)
        assert [line.strip()] == ([reason["reason"] for reason in one["leftOut"]] or [""])
    assert [one["file"] for one in loaded.second["noted"]] == ["TeacherSchool.zip/TeacherSchoolControlFile.ctl"]


async def test_what_the_report_says_is_stored_is_in_the_space(
    loaded: Loaded, census: Mapping[tuple[str, str], int]
) -> None:
    stored: Counter[str] = Counter()
    for one in loaded.second["elements"]:
        stored[TYPES.get(one["element"], one["element"])] += one["stored"]
    assert stored["AttendanceEvent"] == census["StudentAttendance.xml", "AttendanceEvent"] == 12_950
    assert stored["Contact"] == census["StudentParent.xml", "StudentParentAssociation"] == 1_872
    assert stored["ProgramParticipation"] == census["StudentProgram.xml", "StudentProgramAssociation"] == 327
    assert stored["DisciplineAction"] == census["StudentDiscipline.xml", "DisciplineAction"] == 25
    assert stored["DisciplineIncident"] == census["StudentDiscipline.xml", "DisciplineIncident"] == 21
    assert stored["AcademicRecord"] == census["StudentGrade.xml", "StudentAcademicRecord"] == 1_920
    event, action, incident = tables.attendance_event, tables.discipline_action, tables.discipline_incident
    settings = loaded.home.settings
    engine = open_engine(settings.database_url(settings.spaces[SPACE].database))
    try:
        async with engine.connect() as connection:
            for type_, table in tables.BY_TYPE.items():
                held = await connection.scalar(select(func.count()).select_from(table))
                each = 3 if type_ == "GradingPeriod" else 1  # the calendar's six are those of each of three schools
                assert held == stored[type_] * each, type_
            in_class = select(func.count()).where(event.c.section.is_not(None))
            assert await connection.scalar(in_class) == 12_950
            at_home = select(func.count()).where(
                action.c.discipline_incident == incident.c.row, action.c.school == incident.c.school
            )
            assert await connection.scalar(at_home) == 25
    finally:
        await engine.dispose()


def test_no_report_quotes_a_person(loaded: Loaded, pupils: Mapping[str, Pupil]) -> None:
    said = set(re.findall(r"[\w@.-]+", f"{loaded.first} {loaded.second}"))
    surnames = {pupil.last_surname for pupil in pupils.values()}
    values = {value for pupil in pupils.values() for value in (pupil.birth_date, pupil.ssn)} | surnames | set(pupils)
    assert len(values) > 2_000
    assert not said & (values - {""})


def test_a_second_import_changes_nothing(loaded: Loaded) -> None:
    stored = loaded.second["stored"]
    assert {name: counts["unchanged"] for name, counts in stored.items()} == loaded.second["read"]
    changes = [counts[kind] for counts in stored.values() for kind in ("created", "updated", "deleted")]
    assert not any(changes)
    assert loaded.second["ssns"] == {"met": 960, "stored": 0}
    assert loaded.before == loaded.after


async def test_every_grade_level_is_in_the_codes_of_the_graph(loaded: Loaded) -> None:
    spelled = [
        "First",
        "Second",
        "Third",
        "Fourth",
        "Fifth",
        "Sixth",
        "Seventh",
        "Eighth",
        "Ninth",
        "Tenth",
        "Eleventh",
    ]
    codes = {f"{word} grade": f"{number:02}" for number, word in enumerate([*spelled, "Twelfth"], 1)}
    entered = records("StudentEnrollment", "StudentSchoolAssociation")
    expected = Counter(codes[enrolled.findtext("EntryGradeLevel", "")] for _, enrolled in entered)
    level = tables.BY_TYPE["SchoolEnrollment"].c.grade_level
    engine = open_engine(loaded.home.settings.database_url(loaded.home.settings.spaces[SPACE].database))
    try:
        async with engine.connect() as connection:
            counted = await connection.execute(select(level, func.count()).group_by(level))
            assert Counter(dict(tuple(row) for row in counted)) == expected
    finally:
        await engine.dispose()


async def test_no_social_security_number_is_stored(loaded: Loaded, pupils: Mapping[str, Pupil]) -> None:
    numbers = {pupil.ssn for pupil in pupils.values() if pupil.ssn}
    assert len(numbers) > 900
    settings = loaded.home.settings
    engine = open_engine(settings.database_url(settings.spaces[SPACE].database))
    stored: set[str] = set()
    try:
        async with engine.connect() as connection:
            assert (
                await connection.scalar(select(func.count()).where(tables.BY_TYPE["Student"].c.ssn.is_not(None))) == 0
            )
            for table in tables.metadata.sorted_tables:
                for row in await connection.execute(select(table)):
                    stored.update(re.findall(r"\d{9,}", repr(tuple(row))))
    finally:
        await engine.dispose()
    assert not stored & numbers
    assert "The last import met 960 social security numbers; 0 are stored" in loaded.home.run("check").stdout


async def test_readwell_receives_the_granted_fields_of_the_granted_pupils_and_the_ledger_lists_them(
    readwell: tuple[Server, str], pupils: Mapping[str, Pupil], expected: Mapping[str, list[str]]
) -> None:
    server, token = readwell
    answer = server.ask(token, QUERY)
    received = answer["data"]["students"]["nodes"]
    assert len(received) == len({student["id"] for student in received}) == len(expected) == 240
    assert Counter(
        (student["firstName"], student["lastSurname"], *(it["gradeLevel"] for it in student["schoolEnrollments"]))
        for student in received
    ) == Counter(
        (pupils[key].first_name, f"{pupils[key].last_surname[0]}.", *levels) for key, levels in expected.items()
    )
    assert {student["birthDate"] for student in received} == {None}
    [denial] = answer["errors"]
    assert denial["path"] == ["students", "nodes"]
    assert denial["extensions"]["code"] == "NOT_GRANTED"
    assert denial["extensions"]["coordinate"] == "Student.birthDate"
    assert denial["extensions"]["selection"] == "students.nodes.birthDate"

    [listed] = server.home.json("disclosures", "list", SPACE)
    assert (listed["kind"], listed["client"], listed["purpose"], listed["operation"], listed["complete"]) == (
        "answer",
        "readwell",
        "instruction",
        "Pupils",
        True,
    )
    assert {coordinate for whose in listed["disclosed"] for coordinate in whose["coordinates"]} >= {
        "Student.firstName",
        "Student.lastSurname",
        "SchoolEnrollment.gradeLevel",
    }
    assert {"coordinate": "Student.birthDate", "reason": "NOT_GRANTED"} in listed["denied"]
    assert await students_of(server.home, await ledger_of(server.home)) == set(expected)
    assert "is as it was recorded: 1 entries" in server.home.ok("disclosures", "verify", SPACE)


async def test_a_parent_is_told_who_received_what(
    readwell: tuple[Server, str], expected: Mapping[str, list[str]]
) -> None:
    server, token = readwell
    server.ask(token, QUERY)
    pupil, other = next(iter(expected)), next(iter(set(map(str, range(604821, 605781))) - set(expected)))
    told = server.home.ok("disclosures", "student", SPACE, pupil)
    assert "readwell" in told
    assert "Instruction in the classroom" in told
    assert "readwell" not in server.home.ok("disclosures", "student", SPACE, other)


async def ledger_of(home: Home) -> list[Recorded]:
    """Every entry that tells of something that left, oldest first."""
    settings = home.settings
    engine = open_engine(settings.database_url(settings.spaces[SPACE].ledger))
    try:
        found = [recorded async for recorded in entries(engine, Filters())]
    finally:
        await engine.dispose()
    return [recorded for recorded in reversed(found) if recorded.entry.kind in (Kind.ANSWER, Kind.CHUNK)]


async def students_of(home: Home, found: list[Recorded]) -> set[str]:
    """The district's own keys of the students in entries."""
    rows = BitMap()
    for recorded in found:
        for whose in recorded.entry.disclosed:
            rows |= whose.students or BitMap()
    settings = home.settings
    engine = open_engine(settings.database_url(settings.spaces[SPACE].database))
    student = tables.BY_TYPE["Student"]
    try:
        async with engine.connect() as connection:
            keys = await connection.execute(select(student.c.row, student.c.student_unique_id))
            return {str(row.student_unique_id) for row in keys if row.row in rows}
    finally:
        await engine.dispose()
