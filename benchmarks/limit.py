"""The limit: the four answers by hand-written SQL, driver rows to structs to bytes, behind a bare route.

Nothing is parsed, decided, checked or recorded here: what this takes is what fetching and writing the answer costs in
Python at all. Run as `python -m benchmarks.limit DATABASE PORT`.
"""

import asyncio
import contextlib
import gc
import sqlite3
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

import asyncpg
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CHUNK = 500
PAGE = 10_000


class Student(msgspec.Struct, rename="camel", gc=False):
    id: str
    student_unique_id: str | None
    first_name: str | None
    middle_name: str | None
    last_surname: str | None
    birth_date: str | None
    sex: str | None
    email: str | None


class Section(msgspec.Struct, rename="camel", gc=False):
    title: str | None
    room: str | None
    period: msgspec.Raw | None
    local_course_code: str | None


class Grade(msgspec.Struct, rename="camel", gc=False):
    numeric_grade_earned: float | None
    letter_grade_earned: str | None
    grade_type: str | None


class Enrollment(msgspec.Struct, rename="camel", gc=False):
    begin_date: str | None
    end_date: str | None
    section: msgspec.Raw | None
    grades: list[Grade]


class Pupil(msgspec.Struct, rename="camel", gc=False):
    id: str
    first_name: str | None
    last_surname: str | None
    section_enrollments: list[Enrollment]


EIGHT = "CAST(row AS TEXT), student_unique_id, first_name, middle_name, last_surname, birth_date, sex, email"
ONE = f"SELECT {EIGHT} FROM student WHERE row = $1"
ROSTER = f"SELECT {EIGHT} FROM student ORDER BY row LIMIT $1"
PUPILS = "SELECT row, first_name, last_surname FROM student WHERE row > $1 ORDER BY row LIMIT $2"
ENROLLMENTS = (
    "SELECT row, student, section, begin_date, end_date FROM section_enrollment WHERE student BETWEEN $1 AND $2"
)
SECTIONS = """SELECT section.row, coalesce(section.title, course.title), room, period, local_course_code
    FROM section LEFT JOIN course ON course.row = section.course WHERE section.row """
GRADES = """SELECT section_enrollment, numeric_grade_earned, letter_grade_earned, grade_type
    FROM grade WHERE student BETWEEN $1 AND $2 AND section_enrollment IS NOT NULL"""

Rows = Sequence[Sequence[Any]]


class Database(Protocol):
    def read(self, sql: str, *values: int) -> Awaitable[Rows]: ...

    def among(self, sql: str, keys: list[int]) -> Awaitable[Rows]: ...


class Sqlite:
    """SQLite's own driver, in the event loop: a thread would only add to it."""

    def __init__(self, file: str) -> None:
        self.connection = sqlite3.connect(
            f"file:{file}?mode=ro", uri=True, check_same_thread=False, cached_statements=50
        )

    async def read(self, sql: str, *values: int) -> Rows:
        # `?1` rather than `$1`: SQLite numbers the former, and names the latter.
        return self.connection.execute(sql.replace("$", "?"), values).fetchall()

    async def among(self, sql: str, keys: list[int]) -> Rows:
        return self.connection.execute(f"{sql} IN (SELECT value FROM json_each(?1))", (str(keys),)).fetchall()


class Postgres:
    """asyncpg with prepared statements, on connections that are handed round without being reset."""

    def __init__(self) -> None:
        self.free: asyncio.LifoQueue[asyncpg.Connection[Any]] = asyncio.LifoQueue()

    async def open(self, url: str) -> None:
        server, _, schema = url.partition("?schema=")
        for _ in range(8):
            connection = await asyncpg.connect(server, server_settings={"search_path": schema or "public"})
            self.free.put_nowait(connection)

    async def among(self, sql: str, keys: list[int]) -> Rows:
        return await self.read(f"{sql} = ANY($1)", keys)

    async def read(self, sql: str, *values: int | list[int]) -> Rows:
        connection = await self.free.get()
        try:
            return await connection.fetch(sql, *values)
        finally:
            self.free.put_nowait(connection)


encode = msgspec.json.Encoder().encode


def answered(body: bytes) -> Response:
    return Response(body, media_type="application/json")


async def one(database: Database, request: Request) -> Response:
    rows = await database.read(ONE, int(request.path_params["id"]))
    return answered(encode({"data": {"student": Student(*rows[0]) if rows else None}}))


async def roster(database: Database, _request: Request) -> Response:
    rows = await database.read(ROSTER, PAGE)
    return answered(encode({"data": {"students": {"nodes": [Student(*row) for row in rows]}}}))


async def nested(
    database: Database, after: int, first: int, sections: dict[int, msgspec.Raw]
) -> tuple[list[Pupil], int]:
    """The next students after a row number, with all that hangs on them, and the last of their row numbers."""
    pupils = await database.read(PUPILS, after, first)
    if not pupils:
        return [], after
    low, high = pupils[0][0], pupils[-1][0]
    enrollments = await database.read(ENROLLMENTS, low, high)
    unseen = {enrollment[2] for enrollment in enrollments} - sections.keys() - {None}
    if unseen:
        for row, title, room, period, code in await database.among(SECTIONS, list(unseen)):
            section = Section(title, room, None if period is None else msgspec.Raw(period.encode()), code)
            sections[row] = msgspec.Raw(encode(section))
    grades: defaultdict[int, list[Grade]] = defaultdict(list)
    for parent, number, letter, kind in await database.read(GRADES, low, high):
        grades[parent].append(Grade(number, letter, kind))
    by_student: defaultdict[int, list[Enrollment]] = defaultdict(list)
    section_of, grades_of = sections.get, grades.get
    for row, student, section_row, begin, end in enrollments:
        by_student[student].append(Enrollment(begin, end, section_of(section_row), grades_of(row) or []))
    return [Pupil(str(row), name, surname, by_student.get(row) or []) for row, name, surname in pupils], high


async def page(database: Database, _request: Request) -> Response:
    pupils, _ = await nested(database, 0, 100, {})
    return answered(encode({"data": {"students": {"nodes": pupils}}}))


async def everything(database: Database, _request: Request) -> Response:
    body, sections = bytearray(b'{"data":{"students":{"nodes":['), dict[int, msgspec.Raw]()
    last, left = 0, PAGE
    while left > 0:
        pupils, last = await nested(database, last, min(CHUNK, left), sections)
        if not pupils:
            break
        left -= len(pupils)
        body += encode(pupils)[1:-1]
        body += b","
    if body.endswith(b","):
        body.pop()
    body += b"]}}}"
    return answered(bytes(body))


Endpoint = Callable[[Database, Request], Awaitable[Response]]


def application(url: str) -> Starlette:
    """The four routes over one database."""
    database: Sqlite | Postgres = Postgres() if url.startswith("postgresql") else Sqlite(url.removeprefix("sqlite:///"))

    def route(path: str, endpoint: Endpoint) -> Route:
        async def answer(request: Request) -> Response:
            return await endpoint(database, request)

        return Route(path, answer)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if isinstance(database, Postgres):
            await database.open(url)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 50)
        yield

    routes = [route("/Q1/{id}", one), route("/Q2", page), route("/Q3", roster), route("/Q4", everything)]
    return Starlette(routes=routes, lifespan=lifespan)


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[1]),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
