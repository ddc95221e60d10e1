"""Ed-Fi XML: parents, attendance, programs, discipline, transcripts, gradebooks; and every element accounted for."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.importers import source as sources
from app.importers.report import Report
from app.names import Row
from app.spaces.erasing import erase
from app.spaces.tables import BY_TYPE
from app.spaces.writing import writing
from tests.importers.interchanges import (
    ACTION,
    ENTRY,
    FILES,
    HER,
    HERS,
    INCIDENT,
    ORG,
    PARENT,
    PROGRAM,
    QUIZ,
    RECORD,
    STUDENT,
    THIS_INCIDENT,
    attendance,
    interchange,
    more,
)
from tests.importers.rosters import archive, bring, everything, rows, space

pytestmark = pytest.mark.anyio
SCHOOL = "<SchoolReference>" + ORG.format(101) + "</SchoolReference>"
NOWHERE = "<{0}Reference>" + ORG.format(999) + "</{0}Reference>"
SECOND = STUDENT.format(codes="", born="").replace("S1", "S2").replace("s1", "s2")


def accounts(report: Report) -> dict[str, tuple[int, int, int, int]]:
    """What the report says of each kind of element: met, stored, used, left out."""
    return {kind: (one.met, one.stored, one.used, one.left_out) for (_, kind), one in report.elements.items()}


async def bring_files(engine: AsyncEngine, path: Path, files: dict[str, str | bytes]) -> Report:
    return await bring(engine, archive(path / "r.zip", files))


async def test_parents_are_contacts_of_each_of_their_children(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    twice = (PARENT.format(id="P1", key="p1"), HERS.format(id="P1"), HERS.format(id="P1").replace("S1", "S2"))
    files = more("StudentParent", SECOND, *twice)
    report = await bring_files(database, tmp_path, files)
    assert (report.rejected, report.noted) == ([], [])
    columns = ("contact_id", "last_surname", "email", "telephone", "relationship", "lives_with", "restrictions")
    known = ("p1", "Byrne", "roisin@home.example", "555-0101", "Mother", True, "Not on Tuesdays")
    assert await rows(database, "Contact", *columns) == [known, known]
    assert accounts(report)["Parent"] == (1, 0, 1, 0)
    assert accounts(report)["StudentParentAssociation"] == (2, 2, 0, 0)
    assert not (await bring_files(database, tmp_path, files)).changed


async def test_an_association_may_come_before_its_parent(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    natural = HERS.replace(
        '<ParentReference ref="{id}"/>',
        "<ParentReference><ParentIdentity><ParentUniqueStateId>p1"
        "</ParentUniqueStateId></ParentIdentity></ParentReference>",
    )
    report = await bring_files(sqlite_space, tmp_path, more("StudentParent", natural, PARENT.format(id="P1", key="p1")))
    assert report.rejected == []
    assert await rows(sqlite_space, "Contact", "contact_id", "first_name") == [("p1", "Róisín")]


async def test_a_parent_who_is_nobodys_and_one_who_is_nowhere_are_told_of(
    sqlite_space: AsyncEngine, tmp_path: Path
) -> None:
    files = more("StudentParent", "\n" + PARENT.format(id="P1", key="p1"), "\n" + HERS.format(id="P9"))
    report = await bring_files(sqlite_space, tmp_path, files)
    assert [(one.line, one.column) for one in report.noted] == [(3, "ParentUniqueStateId")]
    assert [(one.line, one.reason) for one in report.rejected] == [
        (4, "The record does not say which one it is. Fill in its identity.")
    ]
    assert accounts(report)["Parent"] == (1, 0, 0, 1)
    assert accounts(report)["StudentParentAssociation"] == (1, 0, 0, 1)


async def test_a_parents_key_that_looks_like_a_social_security_number_is_not_stored(
    sqlite_space: AsyncEngine, tmp_path: Path
) -> None:
    files = more("StudentParent", PARENT.format(id="P1", key="123-45-6789"), HERS.format(id="P1"))
    report = await bring_files(sqlite_space, tmp_path, files)
    assert (report.ssns_met, report.rejections) == (2, 2)
    assert await rows(sqlite_space, "Contact", "contact_id") == []
    assert "123-45-6789" not in report.as_text() + str(report.as_dict())


async def test_what_is_known_of_a_student_day_by_day_is_stored(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    whole_day = attendance(category="Excused Absence", where=SCHOOL)
    special = PROGRAM.format(
        kind="StudentSpecialEdProgramAssociation",
        program="<ProgramIdentity><ProgramType>Special Education</ProgramType></ProgramIdentity>",
        org=ORG.format(101),
    )
    by_id = PROGRAM.format(kind="StudentProgramAssociation", program="", org=ORG.format(1)).replace(
        "<ProgramReference>", '<ProgramReference ref="PR">'
    )
    files = more("EducationOrganization", '<Program id="PR"><ProgramType>Bilingual</ProgramType></Program>')
    for name, elements in {
        "StudentAttendance": (attendance(), whole_day),
        "StudentProgram": (special, by_id),
        "StudentDiscipline": (INCIDENT, ACTION.format(students=HER, incident=THIS_INCIDENT)),
    }.items():
        files[f"{name}.xml"] = interchange(name, "".join(elements))
    files["StudentGrade.xml"] = more(
        "StudentGrade",
        RECORD.format(term="Fall Semester"),
        ENTRY.format(earned="<NumericGradeEarned>9</NumericGradeEarned>", work=QUIZ.format(day="2026-09-02")),
    )["StudentGrade.xml"]
    report = await bring_files(database, tmp_path, files)
    assert (report.rejected, report.noted) == ([], [])
    (event, late) = await rows(database, "AttendanceEvent", "event_date", "status", "reason", "school", "section")
    assert event[:3] == ("2026-09-01", "Excused Absence", "Bus")
    assert late[:3] == ("2026-09-01", "Tardy", "Bus")
    assert (event[3] is None, event[4] is None, late[3] is None, late[4] is None) == (False, True, True, False)
    programs = await rows(database, "ProgramParticipation", "program_type", "begin_date", "school")
    assert sorted((kind, begin, school is None) for kind, begin, school in programs) == [
        ("Bilingual", "2026-08-20", True),
        ("Special Education", "2026-08-20", False),
    ]
    (incident,) = await rows(database, "DisciplineIncident", "row", "incident_date", "behavior")
    assert incident[1:] == ("2026-09-30", "Conduct code violation")
    (action,) = await rows(database, "DisciplineAction", "discipline_incident", "action_taken", "start_date", "school")
    assert action[:3] == (incident[0], "ISS", "2026-10-01")
    assert action[3] is not None
    (record,) = await rows(database, "AcademicRecord", "cumulative_gpa", "credits_earned", "school", "session")
    assert record[:2] == (3.25, 3.5)
    assert None not in record
    (entry,) = await rows(database, "StudentGradebookEntry", "points_earned", "section_enrollment", "section")
    assert entry[0] == 9
    assert None not in entry
    before = await everything(database)
    assert not (await bring_files(database, tmp_path, files)).changed
    assert await everything(database) == before


async def test_an_action_that_names_two_students_is_a_record_of_each_and_one_element(
    sqlite_space: AsyncEngine, tmp_path: Path
) -> None:
    other = HER.replace("s1", "s2")
    files = more("StudentParent", SECOND)
    both = ACTION.format(students=HER + other, incident="").replace(
        "<DisciplineIncidentReference>", '<DisciplineIncidentReference ref="I1">'
    )
    files["StudentDiscipline.xml"] = interchange("StudentDiscipline", INCIDENT + both)
    report = await bring_files(sqlite_space, tmp_path, files)
    found = await rows(sqlite_space, "DisciplineAction", "student", "discipline_incident")
    assert len({student for student, _ in found}) == 2
    assert {incident is None for _, incident in found} == {False}
    assert report.counts_in["DisciplineAction"] == 2
    assert accounts(report)["DisciplineAction"] == (1, 1, 0, 0)


ELSEWHERE = ACTION.format(students=HER, incident=THIS_INCIDENT.replace("10", "11"))


@pytest.mark.parametrize(
    ("name", "element", "type_"),
    [
        ("StudentAttendance", attendance(where=NOWHERE.format("School")), "AttendanceEvent"),
        ("StudentAttendance", attendance(where='<SchoolReference ref="none"/>'), "AttendanceEvent"),
        ("StudentAttendance", attendance(where="<SectionReference/>"), "AttendanceEvent"),
        (
            "StudentProgram",
            PROGRAM.format(
                kind="StudentProgramAssociation",
                program="<ProgramIdentity><ProgramType>x</ProgramType></ProgramIdentity>",
                org=ORG.format(999),
            ),
            "ProgramParticipation",
        ),
        ("StudentDiscipline", ELSEWHERE, "DisciplineAction"),
        ("StudentDiscipline", INCIDENT.replace("101", "999"), "DisciplineIncident"),
        ("StudentGrade", RECORD.format(term="Winter"), "AcademicRecord"),
    ],
)
async def test_a_record_that_names_a_place_which_is_nowhere_is_refused(
    sqlite_space: AsyncEngine, tmp_path: Path, name: str, element: str, type_: str
) -> None:
    report = await bring_files(sqlite_space, tmp_path, more(name, element))
    assert report.rejections == 1, "without its school it would be disclosed to those who are granted other schools"
    assert await rows(sqlite_space, type_, "source_key") == []
    (account,) = [one for (file, _), one in report.elements.items() if file == f"{name}.xml" and one.left_out]
    assert (account.met, account.stored, account.left_out) == (1, 0, 1)


async def test_pieces_of_work_are_told_apart_by_kind_and_day_or_by_reference(
    sqlite_space: AsyncEngine, tmp_path: Path
) -> None:
    points = "<NumericGradeEarned>{}</NumericGradeEarned>"
    by_id = ENTRY.format(earned=points.format(3), work="").replace(
        "<GradebookEntryReference>", '<GradebookEntryReference ref="W">'
    )
    files = more(
        "StudentGrade",
        '<GradebookEntry id="W"><GradebookEntryType>Essay</GradebookEntryType><DateAssigned>2026-09-09</DateAssigned>'
        "</GradebookEntry>",
        by_id,
        ENTRY.format(earned=points.format(4), work=QUIZ.format(day="2026-09-09").replace("Quiz", "Essay")),
        ENTRY.format(earned=points.format(5), work=QUIZ.format(day="2026-09-09")),
        ENTRY.format(earned="<LetterGradeEarned>A</LetterGradeEarned>", work=QUIZ.format(day="2026-09-10")),
    )
    report = await bring_files(sqlite_space, tmp_path, files)
    found = await rows(sqlite_space, "StudentGradebookEntry", "points_earned")
    assert sorted(found, key=str) == [(3.0,), (5.0,), (None,)]
    assert accounts(report)["StudentGradebookEntry"] == (4, 3, 0, 1), "the essay by its identity is the essay by its id"
    assert [one.column for one in report.noted] == ["NumericGradeEarned"]


async def test_a_district_is_known_from_the_space_when_its_file_is_not_sent(
    sqlite_space: AsyncEngine, tmp_path: Path
) -> None:
    await bring_files(sqlite_space, tmp_path, FILES)
    program = "<ProgramIdentity><ProgramType>Bilingual</ProgramType></ProgramIdentity>"
    alone = PROGRAM.format(kind="StudentProgramAssociation", program=program, org=ORG.format(1))
    report = await bring_files(sqlite_space, tmp_path, {"p.xml": interchange("StudentProgram", alone)})
    assert report.rejected == []
    assert await rows(sqlite_space, "ProgramParticipation", "school") == [(None,)]


async def test_every_element_of_every_file_is_accounted_for(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    inner = BytesIO()
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("Attendance.xml", interchange("StudentAttendance", attendance() + attendance()))
        made.writestr("control.ctl", "x")
        made.writestr("deeper.zip", "x")
    files = more("StudentGrade", "<CourseTranscript/>" * 3)
    files |= {
        "more.zip": inner.getvalue(),
        "broken.zip": b"PK",
        "readme.txt": "x",
        "tests.xml": interchange("StudentAssessment", "<StudentAssessment><Score>99</Score></StudentAssessment>" * 4),
        "cut off.xml": "<InterchangeStudentAssessment><StudentAssessment/><StudentAssess",
        "page.xml": "<html><body/></html>",
    }
    report = await bring_files(sqlite_space, tmp_path, files)
    told = {
        (file, kind): (one.met, one.stored, one.used, dict(one.reasons))
        for (file, kind), one in report.elements.items()
    }
    assert told["more.zip/Attendance.xml", "AttendanceEvent"] == (
        2,
        1,
        0,
        {"The same key stands in an earlier row; this one was not taken. Give each record one row and one key.": 1},
    )
    (reason,) = told["StudentGrade.xml", "CourseTranscript"][3].items()
    assert (reason[1], "none by course" in reason[0]) == (3, True)
    assert told["tests.xml", "StudentAssessment"] == (4, 0, 0, {"The graph has no assessments.": 4})
    assert told["cut off.xml", "StudentAssessment"] == (1, 0, 0, {"The graph has no assessments.": 1})
    assert told["page.xml", "body"] == (1, 0, 0, {"The file is no interchange of Ed-Fi.": 1})
    assert all(one.met == one.stored + one.used + one.left_out for one in report.elements.values())
    assert {one.file for one in report.noted} == {
        "broken.zip",
        "cut off.xml",
        "more.zip/control.ctl",
        "more.zip/deeper.zip",
        "readme.txt",
    }
    text = report.as_text()
    assert "99" not in text
    for file, kind in told:
        assert file in text
        assert kind in text


async def test_the_elements_of_an_erased_student_are_accounted_for(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    files = more("StudentAttendance", attendance(), attendance(category="Excused Absence"))
    await bring_files(database, tmp_path, files)
    async with writing(database) as connection:
        row = (await connection.execute(select(BY_TYPE["Student"].c.row))).scalar_one()
        await erase(connection, Row(row), secret=bytes(32), at="2026-10-15")
    report = await bring_files(database, tmp_path, files)
    assert report.rejected == []
    told = accounts(report)
    for kind, met in {"Student": 1, "StudentSectionAssociation": 1, "Grade": 1, "AttendanceEvent": 2}.items():
        assert told[kind] == (met, 0, 0, met)
    assert await rows(database, "AttendanceEvent", "source_key") == []


async def test_archives_inside_the_archive_are_read_up_to_a_size(
    sqlite_space: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_INNER", 100)
    inner = archive(tmp_path / "inner.zip", {"a.xml": interchange("StudentAttendance", attendance())}).read_bytes()
    report = await bring_files(sqlite_space, tmp_path, {**FILES, "more.zip": inner})
    assert [one.file for one in report.noted] == ["more.zip"]
    assert await rows(sqlite_space, "AttendanceEvent", "source_key") == []


async def test_a_report_of_these_records_quotes_none_of_their_values(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    secret = "Zebulon"
    files = more("StudentParent", HERS.format(id=secret), PARENT.format(id=secret, key=secret) * 2)
    for name, element in {
        "StudentAttendance": attendance(day=secret, category=secret) + attendance(where=secret),
        "StudentProgram": PROGRAM.format(kind="StudentProgramAssociation", program=secret, org=secret),
        "StudentDiscipline": INCIDENT.replace("2026-09-30", secret)
        + ACTION.format(students=HER.replace("s1", secret), incident=secret),
    }.items():
        files[f"{name}.xml"] = interchange(name, element)
    files["StudentGrade.xml"] = more(
        "StudentGrade",
        RECORD.format(term=secret).replace("3.25", secret),
        ENTRY.format(earned=f"<NumericGradeEarned>{secret}</NumericGradeEarned>", work=secret),
    )["StudentGrade.xml"]
    report = await bring_files(sqlite_space, tmp_path, files)
    assert report.rejections >= 7
    assert secret not in report.as_text() + str(report.as_dict())
