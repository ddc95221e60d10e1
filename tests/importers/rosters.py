"""Small rosters in both forms, as plain text, and a space to bring them into."""

# ruff: noqa: E501 - the lines of a file stand as the file has them

import csv
import io
import zipfile
from datetime import date
from pathlib import Path

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.importers.report import Report
from app.importers.roster import import_roster
from app.spaces.tables import BY_TYPE, metadata, ssn_met

TODAY = date(2026, 10, 1)

ONEROSTER = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
    "d1,,,Peñasco Schools,district,,\n"
    "a,,,Adobe School,school,,d1\n"
    "b,,,Bluff School,school,,d1\n",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
    "y27,,,2026-27,schoolYear,2026-08-15,2027-06-10,,2027\n"
    "f27,,,Fall,semester,2026-08-15,2026-12-20,y27,2027\n"
    "q1,,,Quarter 1,gradingPeriod,2026-08-15,2026-10-20,f27,2027\n",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\n"
    'math,,,y27,Mathematics 3,M3,03,d1,"Mathematics,Science",02033\n',
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,"
    "termSourcedIds,subjects,subjectCodes,periods\n"
    'm3a,,,,03,math,M3-A,scheduled,12,a,"f27,y27",,,"1,2"\n'
    "hr,,,Homeroom,03,math,HR,homeroom,12,a,f27,,,\n",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n"
    "r1,,,s1,primary,student,2026-08-15,,a,\n"
    "r2,,,s2,secondary,student,2025-08-15,2026-06-10,b,\n"
    "r3,,,s2,primary,student,2026-08-15,,a,\n"
    "r4,,,t1,primary,teacher,,,a,\n"
    "r5,,,p1,primary,parent,,,a,\n",
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,"
    "sms,phone,agentSourcedIds,grades,password,preferredGivenName\n"
    "s1,,,true,siobhan,{Local:77},Siobhán,O'Brien,,1001,s1@x.example,,555,p1,03,,Shiv\n"
    's2,,,true,maria,"{SSN:123-45-6789},{Local:78}",María,Nu\u0301n\u0303ez,,1002,,,,"p1,p1",03,,\n'
    "t1,,,true,teach,,Ada,Bell,,9001,ada@x.example,,,,,,\n"
    "p1,,,true,parent,,Pat,Doe,,,pat@x.example,,777,s1,,,\n",
    "demographics": "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,"
    "hispanicOrLatinoEthnicity\n"
    "s1,,,2018-02-03,female,false,true,false\n"
    "t1,,,1980-02-03,female,false,true,false\n",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
    "e1,,,m3a,a,s1,student,false,2026-08-15,2026-09-01\n"
    "e2,,,m3a,a,s1,student,false,2026-09-10,\n"
    "e3,,,hr,a,s2,student,false,2026-08-15,\n"
    "e4,,,m3a,a,t1,teacher,true,,\n",
    "categories": "sourcedId,status,dateLastModified,title\ncat,,,Grading Period\nquiz,,,Quizzes\n",
    "lineItems": "sourcedId,status,dateLastModified,title,description,assignDate,dueDate,classSourcedId,categorySourcedId,"
    "gradingPeriodSourcedId,resultValueMin,resultValueMax\n"
    "l1,,,Quarter 1,,2026-08-15,2026-10-20,m3a,cat,q1,0,100\n"
    "l2,,,Fractions,,2026-09-20,2026-09-21,m3a,quiz,q1,0,10\n",
    "results": "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,textScore,scoreDate,comment\n"
    "g1,,,l1,s1,fully graded,91.5,A,2026-10-20,Well done\n"
    "w1,,,l2,s1,fully graded,8.5,,2026-09-21,\n",
}
"""A district with two schools, two students, a teacher and a parent, in OneRoster 1.2."""


def manifest(files: dict[str, str], *, version: str = "1.2", mode: str = "bulk") -> str:
    """The manifest of these files."""
    lines = ["propertyName,value", "manifest.version,1.0", f"oneroster.version,{version}"]
    return "\n".join([*lines, *(f"file.{name},{mode}" for name in files)]) + "\n"


def changed(name: str, **rows: str | None) -> dict[str, str]:
    """The roster with some rows of a file replaced (by key), added, or left out (None)."""
    header, *lines = ONEROSTER[name].splitlines()
    kept = {line.split(",", 1)[0]: line for line in lines} | rows
    return {**ONEROSTER, name: "\n".join([header, *(line for line in kept.values() if line is not None)]) + "\n"}


def folder(path: Path, files: dict[str, str], *, version: str = "1.2", mode: str = "bulk") -> Path:
    """Write files and manifest into a folder."""
    path.mkdir(exist_ok=True)
    for name, text in {**files, "manifest": manifest(files, version=version, mode=mode)}.items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def archive(path: Path, files: dict[str, str | bytes]) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name, text)
    return path


def delta(name: str, *lines: str) -> dict[str, str]:
    """One file of changes, under the header of the full one."""
    return {name: "\n".join([ONEROSTER[name].splitlines()[0], *lines]) + "\n"}


async def space(engine: AsyncEngine) -> AsyncEngine:
    """An empty space."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    return engine


async def bring(engine: AsyncEngine, source: Path, **given: object) -> Report:
    """Import, on the day that all these tests have."""
    return await import_roster(engine, source, **{"today": TODAY, "secret": bytes(32), **given})  # type: ignore[arg-type]


async def everything(engine: AsyncEngine) -> dict[str, list[tuple[object, ...]]]:
    """All that a space holds, row numbers too."""
    tables: list[Table] = [*BY_TYPE.values(), ssn_met]
    async with engine.connect() as connection:
        return {
            table.name: [
                tuple(row) for row in await connection.execute(select(table).order_by(table.primary_key.columns[0]))
            ]
            for table in tables
        }


async def rows(engine: AsyncEngine, type_: str, *columns: str) -> list[tuple[object, ...]]:
    """Some columns of a type's records, by key."""
    table = BY_TYPE[type_]
    async with engine.connect() as connection:
        found = await connection.execute(select(*(table.c[name] for name in columns)).order_by(table.c.source_key))
        return [tuple(row) for row in found]


def cells(text: str) -> list[list[str]]:
    """A CSV file's cells."""
    return list(csv.reader(io.StringIO(text)))
