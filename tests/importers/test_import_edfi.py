"""Ed-Fi XML: a small district of our own, the real-shaped one of 2012, and documents that mean harm."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import HomeroomError
from tests.importers.interchanges import FILES, LOCAL, STUDENT, attendance, interchange
from tests.importers.rosters import archive, bring, rows, space

pytestmark = pytest.mark.anyio


async def test_a_district_fills_the_space(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    source = archive(tmp_path / "r.zip", FILES)
    report = await bring(database, source)
    assert (report.rejected, report.noted, report.ssns_met, report.ssns_stored) == ([], [], 1, 0)
    assert await rows(database, "School", "source_key", "grades_offered") == [("101", '["KG", "01"]')]
    student = await rows(database, "Student", "source_key", "local_id", "ssn", "last_surname", "migrant_status")
    assert student == [("s1", "77", None, "O'Brien", True)]
    assert await rows(database, "SchoolEnrollment", "grade_level", "entry_date") == [("01", "2026-08-15")]
    for type_ in ("Section", "SectionEnrollment", "Grade"):
        (whole,) = await rows(
            database, type_, *{"Section": ("course", "session", "school")}.get(type_, ("student", "section"))
        )
        assert None not in whole
    assert None not in (await rows(database, "Grade", "section_enrollment", "grading_period", "section"))[0]
    assert not (await bring(database, source)).changed


@pytest.mark.parametrize(
    ("system", "code", "met", "local"),
    [
        ("SSN", "1", 1, None),
        ("Social Security Number", "anything", 1, None),
        ("Local", "123-45-6789", 1, None),
        ("Local", "123 45 6789", 1, None),
        ("Local", "123456789", 1, None),
        ("Local", "000456789", 0, "000456789"),
        ("Local", "987-65-4321", 0, "987-65-4321"),
        ("Local", "12345678", 0, "12345678"),
    ],
)
async def test_a_social_security_number_never_stays_among_identifiers(
    sqlite_space: AsyncEngine, tmp_path: Path, system: str, code: str, met: int, local: str | None
) -> None:
    files = {
        **FILES,
        "StudentParent.xml": interchange("StudentParent", STUDENT.format(codes=LOCAL.format(system, code), born="")),
    }
    source = archive(tmp_path / "r.zip", files)
    report = await bring(sqlite_space, source)
    assert (report.ssns_met, report.ssns_stored) == (met, 0)
    assert await rows(sqlite_space, "Student", "local_id", "ssn") == [(local, None)]
    report = await bring(sqlite_space, source, ssn="store")
    assert report.ssns_stored == met
    assert await rows(sqlite_space, "Student", "local_id", "ssn") == [(local, code if met else None)]
    await bring(sqlite_space, source)
    assert await rows(sqlite_space, "Student", "ssn") == [(None,)], "a district that stops storing them is rid of them"


async def test_a_bad_record_is_listed_with_its_line(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    bad = interchange("StudentParent", "\n\n" + STUDENT.format(codes="", born="soon"))
    report = await bring(sqlite_space, archive(tmp_path / "r.zip", {**FILES, "StudentParent.xml": bad}))
    assert ("StudentParent.xml", 4, "BirthDate") in {(one.file, one.line, one.column) for one in report.rejected}
    assert {one.file for one in report.rejected} == {"StudentParent.xml", "StudentEnrollment.xml", "StudentGrade.xml"}


BILLION = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (BILLION + "]><InterchangeStudentParent>&j;</InterchangeStudentParent>", "DOCTYPE"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><InterchangeStudentParent/>', "DOCTYPE"),
        (
            '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><InterchangeStudentParent>&f;</InterchangeStudentParent>',
            "DOCTYPE",
        ),
        ("<InterchangeStudentParent><Student>" + "<a>" * 5_000, "deep"),
        ("<InterchangeStudentParent><Student>" + "x" * 9_000_000, "larger than"),
        ("<InterchangeStudentParent><!--" + "x" * 20_000_000, "larger than"),
        ("<InterchangeStudentParent><Student></InterchangeStudentParent>", r"\.xml:1: this is no well-formed XML"),
        ("<InterchangeStudentParent>&nothing;</InterchangeStudentParent>", "no well-formed XML"),
        ('<?xml version="1.0" encoding="no-such"?><InterchangeStudentParent/>', "no well-formed XML"),
        ("", "no well-formed XML"),
    ],
)
async def test_threat_32_a_document_that_means_harm_is_refused(
    sqlite_space: AsyncEngine, tmp_path: Path, document: str, said: str
) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "StudentParent.xml").write_text(document)
    with pytest.raises(HomeroomError, match=said):
        await bring(sqlite_space, tmp_path / "r")
    assert await rows(sqlite_space, "Student", "source_key") == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
async def test_a_document_may_declare_its_encoding(sqlite_space: AsyncEngine, tmp_path: Path, encoding: str) -> None:
    files: dict[str, str | bytes] = {
        name: str(text).replace(' encoding="UTF-8"', "").encode(encoding) for name, text in FILES.items()
    }
    report = await bring(sqlite_space, archive(tmp_path / "r.zip", files))
    assert report.rejected == []
    assert await rows(sqlite_space, "Student", "first_name") == [("Siobhán",)]


async def test_latin_1_that_calls_itself_utf_8_is_named(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    files = {**FILES, "StudentParent.xml": str(FILES["StudentParent.xml"]).encode("latin-1")}
    with pytest.raises(HomeroomError, match=r"StudentParent\.xml:2"):
        await bring(sqlite_space, archive(tmp_path / "r.zip", files))


MEASURED = """
import asyncio, resource, sys
from pathlib import Path
from app.spaces.tables import metadata
from app.storage.engines import open_engine
from tests.importers.rosters import bring
async def run():
    engine = open_engine(sys.argv[1], durable=False)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = await bring(engine, Path(sys.argv[2]))
    print(report.rejections, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
asyncio.run(run())
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    one = str(FILES["StudentGrade.xml"])
    grade = one[one.index("<Grade>") : one.rindex("</Interchange")]
    for name, text in FILES.items():
        (tmp_path / "r" / name).write_text(str(text), encoding="utf-8")
    size = 24_000_000
    with (tmp_path / "r" / "StudentGrade.xml").open("w", encoding="utf-8") as file:
        file.write(one[: one.index("<Grade>")])
        for n in range(size // 2 // len(grade)):
            file.write(grade.replace("Grading Period</GradeType>", f"Kind {n}</GradeType>"))
        file.write(one[one.rindex("</Interchange") :])
    before, after = interchange("StudentAttendance", "|").split("|")
    with (tmp_path / "r" / "StudentAttendance.xml").open("w", encoding="utf-8") as file:
        file.write(before)
        for n in range(size // 2 // len(attendance())):
            file.write(attendance(category=f"Kind {n}"))
        file.write(after)
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, f"sqlite+aiosqlite:///{tmp_path / 'big.db'}", str(tmp_path / "r")],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    rejections, grown = map(int, done.stdout.split())
    assert rejections == 0
    assert grown < 2 * size
