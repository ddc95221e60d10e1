"""A student who is erased leaves nothing behind but a keyed hash, and stays out until the district says otherwise."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.names import Row
from app.spaces import tables as t
from app.spaces.erasing import erase, erased_rows, key_hash, readmit
from app.spaces.opt_outs import OptOut, opt_students_out, standing
from app.spaces.writing import writing
from tests import worlds
from tests.importers.rosters import ONEROSTER, bring, folder, space

pytestmark = pytest.mark.anyio
SECRET = bytes(32)


async def everything(database: AsyncEngine) -> str:
    async with database.connect() as connection:
        return repr([(await connection.execute(select(table))).all() for table in t.metadata.sorted_tables])


async def test_everything_of_the_student_goes_and_nothing_of_anybody_else(database: AsyncEngine) -> None:
    await worlds.build(database, {worlds.MAX: "", worlds.LEO: ""})
    async with writing(database) as connection:
        removed = await erase(connection, Row(worlds.MAX), secret=SECRET, at="2026-10-15")
    assert {one.type: one.records for one in removed} == {
        "Student": 1,
        "SchoolEnrollment": 1,
        "SectionEnrollment": 1,
        "Grade": 1,
        "Contact": 1,
        "AttendanceEvent": 1,
        "DisciplineAction": 1,  # the fight stays, for Ana and Tess were in it too
        "StudentGradebookEntry": 1,
    }
    async with database.connect() as connection:
        for name, table in t.BY_TYPE.items():
            gone = 1 if name in {one.type for one in removed} else 0
            assert len((await connection.execute(select(table.c.row))).all()) == len(worlds.WORLD[name]) - gone
        assert [one.student_key for one in await standing(connection)] == ["leo"]


async def test_no_key_and_no_name_of_theirs_is_left_and_the_row_number_is_told_by_each_key(
    database: AsyncEngine,
) -> None:
    await worlds.build(database, {worlds.MAX: ""})
    async with writing(database) as connection:
        await erase(connection, Row(worlds.MAX), secret=SECRET, at="2026-10-15")
    left = await everything(database)
    assert "Huber" not in left
    assert "'max'" not in left
    assert "600000005" not in left
    for key in ("max", "600000005"):
        assert await erased_rows(database, key_hash(SECRET, key)) == (worlds.MAX,)
        assert await erased_rows(database, key_hash(bytes(range(32)), key)) == ()  # by the space's secret alone


async def test_an_incident_that_was_nobody_elses_goes_too(database: AsyncEngine) -> None:
    await worlds.build(database)
    async with writing(database) as connection:
        removed = await erase(connection, Row(worlds.KIM), secret=SECRET, at="2026-10-15")
        incidents = set((await connection.execute(select(t.discipline_incident.c.row))).scalars())
    assert ("DisciplineIncident", 1) in {(one.type, one.records) for one in removed}
    # What nobody was disciplined for is not hers.
    assert incidents == {worlds.FIGHT, worlds.PRANK, worlds.LAST_YEARS, worlds.BROKEN_WINDOW}


async def erase_first(database: AsyncEngine) -> int:
    async with writing(database) as connection:
        row = await connection.scalar(select(t.student.c.row).where(t.student.c.source_key == "s1"))
        await erase(connection, Row(row), secret=SECRET, at="2026-10-15")  # type: ignore[arg-type]
    return int(row or 0)


async def keys(database: AsyncEngine) -> dict[str, int]:
    async with database.connect() as connection:
        return {key: row for row, key in await connection.execute(select(t.student.c.row, t.student.c.source_key))}


async def test_an_import_leaves_an_erased_student_out_and_says_so(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    roster = folder(tmp_path / "r", ONEROSTER)
    await bring(database, roster)
    await erase_first(database)
    report = await bring(database, roster)
    assert "s1" not in await keys(database)
    assert report.rejections == 0
    told = {one.file: one.reason for one in report.noted if "erased" in one.reason}
    assert told["users.csv"].startswith("1 row of erased students")
    assert told.keys() >= {"users.csv", "enrollments.csv"}
    assert report.notes == len(report.noted)


async def test_a_readmitted_student_comes_back_as_a_new_record_without_opt_outs(
    database: AsyncEngine, tmp_path: Path
) -> None:
    await space(database)
    roster = folder(tmp_path / "r", ONEROSTER)
    await bring(database, roster)
    async with writing(database) as connection:
        await opt_students_out(connection, [OptOut("s1")], "2026-10-15")
    row = await erase_first(database)
    async with writing(database) as connection:
        assert await readmit(connection, key_hash(SECRET, "s1")) == [row]
        assert await readmit(connection, key_hash(SECRET, "s1")) == []
    await bring(database, roster)
    assert (await keys(database))["s1"] > row
    async with database.connect() as connection:
        assert await standing(connection) == []
    assert await erased_rows(database, key_hash(SECRET, "s1")) == (row,)
    again = await erase_first(database)
    assert await erased_rows(database, key_hash(SECRET, "s1")) == (row, again)
