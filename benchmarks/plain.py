"""The ordinary way: Strawberry, aiodataloader and SQLAlchemy, with a permission check on every field.

Written as an experienced developer would: batched look-ups, one statement for each level, only the columns that the
graph has. It has no tokens and no ledger. Run as `python -m benchmarks.plain DATABASE PORT`.
"""

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import strawberry
import uvicorn
from aiodataloader import DataLoader
from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.permission import BasePermission

from app.settings import Settings
from app.spaces.tables import course, grade, section, section_enrollment, student
from app.storage.engines import open_engine
from benchmarks.queries import GRANTED

BATCH = 1000
CONNECTIONS = 8
PAGE = 10_000
COORDINATES = frozenset(f"{name}.{field}" for name, fields in GRANTED.items() for field in fields)

Found = Sequence[Row[Any]]
Load = Callable[[list[int]], Coroutine[Any, Any, list[Any]]]


class Context(dict[str, Any]):
    """What one request has: the coordinates that its caller may read, and loaders that batch its look-ups."""

    def __init__(self, engine: AsyncEngine, turns: asyncio.Semaphore) -> None:
        super().__init__()
        self.engine = engine
        self.turns = turns  # a big answer's batches wait for a connection for as long as they need to
        self.granted = COORDINATES
        self.sections = self._loader(self._load_sections)
        self.enrollments = self._loader(self._load_enrollments)
        self.grades = self._loader(self._load_grades)

    def _loader(self, load: Load) -> "DataLoader[int, Any]":
        return DataLoader(batch_load_fn=load, max_batch_size=BATCH)

    async def rows(self, statement: Select[Any]) -> Found:
        async with self.turns, self.engine.connect() as connection:
            return list((await connection.execute(statement)).all())

    async def _load_sections(self, keys: list[int]) -> list["Section | None"]:
        title = func.coalesce(section.c.title, course.c.title).label("title")
        found = await self.rows(
            select(section.c.row, title, section.c.room, section.c.period, section.c.local_course_code)
            .outerjoin_from(section, course, course.c.row == section.c.course)
            .where(section.c.row.in_(keys))
        )
        by_row = {
            row.row: Section(
                title=row.title,
                room=row.room,
                period=None if row.period is None else json.loads(row.period),
                local_course_code=row.local_course_code,
            )
            for row in found
        }
        return [by_row.get(key) for key in keys]

    async def _load_enrollments(self, keys: list[int]) -> list[list["SectionEnrollment"]]:
        table = section_enrollment.c
        found = await self.rows(
            select(table.row, table.student, table.section, table.begin_date, table.end_date)
            .where(table.student.in_(keys))
            .order_by(table.row)
        )
        by_student: defaultdict[int, list[SectionEnrollment]] = defaultdict(list)
        for row in found:
            by_student[row.student].append(
                SectionEnrollment(
                    row=row.row, section_row=row.section, begin_date=row.begin_date, end_date=row.end_date
                )
            )
        return [by_student[key] for key in keys]

    async def _load_grades(self, keys: list[int]) -> list[list["Grade"]]:
        table = grade.c
        found = await self.rows(
            select(table.section_enrollment, table.numeric_grade_earned, table.letter_grade_earned, table.grade_type)
            .where(table.section_enrollment.in_(keys))
            .order_by(table.row)
        )
        by_enrollment: defaultdict[int, list[Grade]] = defaultdict(list)
        for row in found:
            by_enrollment[row.section_enrollment].append(
                Grade(
                    numeric_grade_earned=row.numeric_grade_earned,
                    letter_grade_earned=row.letter_grade_earned,
                    grade_type=row.grade_type,
                )
            )
        return [by_enrollment[key] for key in keys]


Info = strawberry.Info[Context, None]


class Granted(BasePermission):
    """Asked for every field of every record, as Strawberry's documentation has it."""

    message = "This field is not granted."

    def has_permission(self, source: Any, info: Info, **_arguments: Any) -> bool:
        return f"{info.path.typename}.{info.field_name}" in info.context.granted


def granted() -> Any:
    """A field that the permission check guards."""
    return strawberry.field(permission_classes=[Granted])


@strawberry.type
class Section:
    title: str | None = granted()
    room: str | None = granted()
    period: list[str] | None = granted()
    local_course_code: str | None = granted()


@strawberry.type
class Grade:
    numeric_grade_earned: float | None = granted()
    letter_grade_earned: str | None = granted()
    grade_type: str | None = granted()


@strawberry.type
class SectionEnrollment:
    row: strawberry.Private[int]
    section_row: strawberry.Private[int | None]
    begin_date: str | None = granted()
    end_date: str | None = granted()

    @strawberry.field(permission_classes=[Granted])
    async def section(self, info: Info) -> Section | None:
        return None if self.section_row is None else await info.context.sections.load(self.section_row)

    @strawberry.field(permission_classes=[Granted])
    async def grades(self, info: Info) -> list[Grade] | None:
        return await info.context.grades.load(self.row)


@strawberry.type
class Student:
    row: strawberry.Private[int]
    id: strawberry.ID
    student_unique_id: strawberry.ID | None = granted()
    first_name: str | None = granted()
    middle_name: str | None = granted()
    last_surname: str | None = granted()
    birth_date: str | None = granted()
    sex: str | None = granted()
    email: str | None = granted()

    @strawberry.field(permission_classes=[Granted])
    async def section_enrollments(self, info: Info) -> list[SectionEnrollment] | None:
        return await info.context.enrollments.load(self.row)


STUDENT = select(
    *(student.c.row, student.c.student_unique_id, student.c.first_name, student.c.middle_name),
    *(student.c.last_surname, student.c.birth_date, student.c.sex, student.c.email),
)


def _student(row: Row[Any]) -> Student:
    return Student(id=strawberry.ID(str(row.row)), **row._mapping)


@strawberry.type
class StudentConnection:
    nodes: list[Student]


@strawberry.type
class Query:
    @strawberry.field
    async def student(self, info: Info, id: strawberry.ID) -> Student | None:  # noqa: A002 - the argument's public name
        found = await info.context.rows(STUDENT.where(student.c.row == int(id)))
        return _student(found[0]) if found else None

    @strawberry.field
    async def students(self, info: Info, first: int = 100) -> StudentConnection:
        found = await info.context.rows(STUDENT.order_by(student.c.row).limit(min(first, PAGE)))
        return StudentConnection(nodes=[_student(row) for row in found])


class Server(GraphQL[Context, None]):
    """Strawberry's own ASGI application, with loaders made anew for each request."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(strawberry.Schema(query=Query), graphql_ide=None)
        self.engine = engine
        self.turns = asyncio.Semaphore(CONNECTIONS)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        return Context(self.engine, self.turns)


def application(url: str) -> Starlette:
    """The ordinary server over one database."""
    app = Starlette()
    app.mount("/graphql", Server(open_engine(Settings().database_url(url))))
    return app


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
