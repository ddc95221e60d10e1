"""OneRoster CSV: what each file fills, bulk and delta, and what bad rows become."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import HomeroomError
from app.spaces.ssns import count_ssns
from tests.importers.rosters import ONEROSTER, bring, changed, delta, everything, folder, rows, space

pytestmark = pytest.mark.anyio


async def test_a_roster_fills_the_space(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    report = await bring(database, folder(tmp_path / "r", ONEROSTER))
    assert (report.rejected, report.noted, report.ssns_met, report.ssns_stored) == ([], [], 1, 0)
    assert await rows(
        database, "Student", "source_key", "student_unique_id", "local_id", "ssn", "first_name", "last_surname"
    ) == [
        ("s1", "1001", "77", None, "Siobhán", "O'Brien"),
        ("s2", "1002", "78", None, "María", "Núñez"),
    ]
    assert await rows(database, "Student", "birth_date", "sex", "races", "preferred_first_name") == [
        ("2018-02-03", "female", '["Asian"]', "Shiv"),
        (None, None, None, None),
    ]
    assert await rows(database, "SchoolEnrollment", "source_key", "entry_date", "exit_date", "grade_level") == [
        ("r1", "2026-08-15", None, "03"),
        ("r2", "2025-08-15", "2026-06-10", None),
        ("r3", "2026-08-15", None, "03"),
    ]
    assert await rows(database, "Section", "source_key", "title", "local_course_code", "period", "room") == [
        ("hr", "Homeroom", "HR", None, "12"),
        ("m3a", None, "M3-A", '["1", "2"]', "12"),
    ]
    assert await rows(database, "SectionEnrollment", "source_key", "homeroom") == [
        ("e1", False),
        ("e2", False),
        ("e3", True),
    ]
    assert await rows(database, "StaffSectionAssociation", "classroom_position") == [("Teacher of Record",)]
    assert await rows(database, "Staff", "first_name", "classification", "staff_id") == [("Ada", "teacher", "9001")]
    assert await rows(database, "Course", "subject", "sced_code", "school") == [("Mathematics", "02033", None)]
    assert await rows(database, "Session", "source_key", "type", "school_year") == [
        ("f27", "SEMESTER", 2027),
        ("y27", "FULL_SCHOOL_YEAR", 2027),
    ]
    grade = await rows(
        database, "Grade", "letter_grade_earned", "numeric_grade_earned", "grade_type", "section_enrollment"
    )
    (second,) = [row for key, row in await rows(database, "SectionEnrollment", "source_key", "row") if key == "e2"]
    assert grade == [("A", 91.5, "Grading Period", second)]


async def test_importing_twice_changes_nothing(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    source = folder(tmp_path / "r", ONEROSTER)
    await bring(database, source)
    before = await everything(database)
    report = await bring(database, source)
    assert not report.changed
    assert await everything(database) == before


async def test_version_1_1_takes_role_and_schools_from_the_user(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    files = {name: text for name, text in ONEROSTER.items() if name != "roles"}
    files["users"] = (
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,"
        "identifier,email,sms,phone,agentSourcedIds,grades,password\n"
        's1,,,true,"a,b",student,u1,,Ann,Lee,,1,,,,,"3,4",\n'
        "s2,,,true,a,student,u2,,Bo,Lee,,2,,,,,KG,\n"
        "t1,,,true,a,teacher,u3,,Cy,Lee,,3,,,,,,\n"
    )
    report = await bring(database, folder(tmp_path / "r", files, version="1.1"))
    assert report.rejected == []
    assert await rows(database, "SchoolEnrollment", "source_key", "grade_level") == [
        ("s1:a", "03"),
        ("s1:b", "03"),
        ("s2:a", "KG"),
    ]


async def test_what_a_full_file_does_not_mention_goes_with_its_children(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    await bring(database, folder(tmp_path / "r", ONEROSTER))
    kept = dict(await rows(database, "Student", "source_key", "row"))
    report = await bring(database, folder(tmp_path / "s", changed("users", s1=None)))
    assert [
        report.stored[type_].deleted for type_ in ("Student", "SchoolEnrollment", "SectionEnrollment", "Grade")
    ] == [
        1,
        1,
        2,
        1,
    ]
    assert await rows(database, "Student", "source_key", "row") == [("s2", kept["s2"])]
    assert {(one.file, one.column) for one in report.rejected} == {
        ("roles.csv", "userSourcedId"),
        ("enrollments.csv", "userSourcedId"),
        ("results.csv", "studentSourcedId"),
        ("demographics.csv", "sourcedId"),
    }
    await bring(database, folder(tmp_path / "t", ONEROSTER))
    again = dict(await rows(database, "Student", "source_key", "row"))
    assert again["s1"] not in kept.values(), "a row number never comes back"


async def test_changes_touch_only_what_they_name(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    await bring(database, folder(tmp_path / "r", ONEROSTER))
    before = await everything(database)
    change = delta(
        "users", "s1,active,2026-10-01,true,siobhan,{Local:77},Siobhan,O'Brien,,1001,s1@x.example,,555,p1,04,,Shiv"
    )
    report = await bring(database, folder(tmp_path / "d", change, mode="delta"))
    assert report.rejected == []
    assert await rows(database, "Student", "first_name", "birth_date") == [("Siobhan", "2018-02-03"), ("María", None)]
    assert await rows(database, "SchoolEnrollment", "source_key", "grade_level") == [
        ("r1", "04"),
        ("r2", None),
        ("r3", "03"),
    ]
    after = await everything(database)
    assert {name for name in before if before[name] != after[name]} == {"student", "school_enrollment"}


async def test_the_last_import_of_all_students_is_what_tells_of_social_security_numbers(
    database: AsyncEngine, tmp_path: Path
) -> None:
    await space(database)
    await bring(database, folder(tmp_path / "r", ONEROSTER))
    assert (await count_ssns(database)).met == 1
    change = delta(
        "users", "s1,active,2026-10-01,true,siobhan,{Local:77},Siobhan,O'Brien,,1001,s1@x.example,,555,,04,,Shiv"
    )
    await bring(database, folder(tmp_path / "d", change, mode="delta"))
    assert (await count_ssns(database)).met == 1  # one row of changes says nothing of the others
    clean = {name: re.sub(r"\{SSN:[^}]*\},?", "", text) for name, text in ONEROSTER.items()}
    report = await bring(database, folder(tmp_path / "c", clean))
    assert (report.ssns_met, (await count_ssns(database)).met) == (0, 0)


async def test_a_changed_score_needs_no_line_item(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    await bring(database, folder(tmp_path / "r", ONEROSTER))
    change = delta("results", "g1,active,,l1,s1,fully graded,75,C,,", "g2,active,,l1,s2,fully graded,75,C,,")
    report = await bring(database, folder(tmp_path / "d", change, mode="delta"))
    assert await rows(database, "Grade", "source_key", "letter_grade_earned", "grade_type") == [
        ("g1", "C", "Grading Period")
    ]
    assert [(one.file, one.line) for one in report.rejected] == [("results.csv", 3)]


async def test_a_change_can_delete(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    await bring(database, folder(tmp_path / "r", ONEROSTER))
    change = delta("enrollments", "e2,tobedeleted,,m3a,a,s1,student,false,2026-09-10,")
    report = await bring(database, folder(tmp_path / "d", change, mode="delta"))
    assert report.stored["SectionEnrollment"].deleted == 1
    ((grade, first),) = [
        (found, row)
        for (found,) in await rows(database, "Grade", "section_enrollment")
        for key, row in await rows(database, "SectionEnrollment", "source_key", "row")
        if key == "e1"
    ]
    assert grade == first, "the grade moves to the enrollment that is left"


@pytest.mark.parametrize(
    ("file", "row", "column"),
    [
        ("users", {"s1": "s1,,,true,u,,A\0nn,Lee,,,,,,,,,"}, "givenName"),
        ("users", {"s1": "s1,,,true,u,," + "x" * 1_000_000 + ",Lee,,,,,,,,,"}, "givenname"),
        ("users", {"s1": "s1,deleted,,true,u,,Ann,Lee,,,,,,,,,"}, "status"),
        ("users", {"s1": "s1,,,true,u"}, None),
        ("users", {"s1": 's1,,,true,"u"x,,Ann,Lee,,,,,,,,,'}, None),
        ("users", {"x": "s1,,,true,u,,Ann,Lee,,,,,,,,,"}, "sourcedId"),
        ("demographics", {"s1": "s1,,,02/03/2018,female,false,true,false"}, "birthDate"),
        ("demographics", {"s1": "s1,,,2018-02-30,female,false,true,false"}, "birthDate"),
        ("demographics", {"s1": "s1,,,,female,false,perhaps,false"}, "asian"),
        ("enrollments", {"e9": "e9,,,nowhere,a,s1,student,false,,"}, "classSourcedId"),
        ("enrollments", {"e9": ",,,m3a,a,s1,student,false,,"}, "sourcedId"),
        ("enrollments", {"e9": "e9,,,m3a,a,s1,wizard,false,,"}, "role"),
        ("results", {"g9": "g9,,,l1,s1,fully graded,many,,,"}, "score"),
        ("results", {"g9": "g9,,,l1,s1,fully graded,nan,,,"}, "score"),
        ("results", {"g9": "g9,,,nothing,s1,fully graded,4,,,"}, "lineItemSourcedId"),
        ("orgs", {"c": "c,,,C,school,,d1\na,,,A,school,,d1"}, "sourcedId"),
    ],
)
async def test_a_bad_row_is_listed_and_what_it_names_stays(
    sqlite_space: AsyncEngine, tmp_path: Path, file: str, row: dict[str, str | None], column: str | None
) -> None:
    await bring(sqlite_space, folder(tmp_path / "r", ONEROSTER))
    before = await rows(sqlite_space, "Student", "source_key", "row", "first_name", "birth_date")
    report = await bring(sqlite_space, folder(tmp_path / "s", changed(file, **row)))
    assert [(one.file, one.column) for one in report.rejected] == [(f"{file}.csv", column)]
    assert report.rejected[0].line > 1
    assert await rows(sqlite_space, "Student", "source_key", "row", "first_name", "birth_date") == before
    assert not any(one.deleted for one in report.stored.values())


async def test_a_reference_that_may_be_absent_is_left_out_and_reported(
    sqlite_space: AsyncEngine, tmp_path: Path
) -> None:
    report = await bring(
        sqlite_space, folder(tmp_path / "r", changed("classes", hr="hr,,,H,03,lost,HR,homeroom,12,a,f27,,,"))
    )
    assert report.rejected == []
    assert [(one.file, one.line, one.column) for one in report.noted] == [("classes.csv", 3, "courseSourcedId")]
    assert ("hr", None) in await rows(sqlite_space, "Section", "source_key", "course")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {**ONEROSTER, "users": ONEROSTER["users"].replace("familyName", "surname")},
            "users.csv:1: the column familyName",
        ),
        ({**ONEROSTER, "users": ONEROSTER["users"].replace("middleName", "givenName")}, "users.csv:1: two columns"),
        ({**ONEROSTER, "users": ONEROSTER["users"] + '"open'}, "users.csv:6: a quoted cell"),
        ({**ONEROSTER, "users": ONEROSTER["users"] + "x" * 5_000_000}, "users.csv:6: the line is longer"),
        ({name: text for name, text in ONEROSTER.items() if name != "roles"}, "file.roles"),
    ],
)
async def test_a_broken_file_stores_nothing(
    sqlite_space: AsyncEngine, tmp_path: Path, files: dict[str, str], said: str
) -> None:
    await bring(sqlite_space, folder(tmp_path / "r", ONEROSTER))
    before = await everything(sqlite_space)
    with pytest.raises(HomeroomError, match=said):
        await bring(sqlite_space, folder(tmp_path / "s", files))
    assert await everything(sqlite_space) == before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
async def test_a_file_may_declare_its_encoding(sqlite_space: AsyncEngine, tmp_path: Path, encoding: str) -> None:
    source = folder(tmp_path / "r", ONEROSTER)
    for file in source.iterdir():
        file.write_bytes(file.read_text(encoding="utf-8").encode(encoding))
    report = await bring(sqlite_space, source)
    assert report.rejected == []
    assert ("Núñez",) in await rows(sqlite_space, "Student", "last_surname")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
async def test_another_encoding_is_named_by_its_file(sqlite_space: AsyncEngine, tmp_path: Path, encoding: str) -> None:
    source = folder(tmp_path / "r", ONEROSTER)
    (source / "users.csv").write_bytes(ONEROSTER["users"].replace("\u0301", "").replace("\u0303", "").encode(encoding))
    with pytest.raises(HomeroomError, match=r"users\.csv"):
        await bring(sqlite_space, source)
    assert await rows(sqlite_space, "School", "source_key") == []


async def test_a_dry_run_reports_all_and_stores_nothing(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    before = await everything(database)
    report = await bring(database, folder(tmp_path / "r", ONEROSTER), dry_run=True)
    assert report.stored["Student"].created == 2
    assert await everything(database) == before
    await bring(database, folder(tmp_path / "r", ONEROSTER))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from([*ONEROSTER]),
    at=st.floats(0, 1, exclude_max=True),
    length=st.integers(0, 40),
    put=st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b'"', b",", b"\n", b"\0", b"\r", b"\xff\xfe", b'""', b"s1", b"tobedeleted"]),
    ),
)
async def test_no_damage_does_more_than_be_reported(
    sqlite_space: AsyncEngine, tmp_path: Path, name: str, at: float, length: int, put: bytes
) -> None:
    source = folder(tmp_path / "damaged", ONEROSTER)
    whole = ONEROSTER[name].encode()
    place = int(at * len(whole))
    (source / f"{name}.csv").write_bytes(whole[:place] + put + whole[place + length :])
    before = await everything(sqlite_space)
    try:
        await bring(sqlite_space, source)
    except HomeroomError:
        assert await everything(sqlite_space) == before
    else:
        settled = await everything(sqlite_space)
        report = await bring(sqlite_space, source)
        assert not report.changed, "importing twice changes nothing, damaged or not"
        assert await everything(sqlite_space) == settled
