"""The roots of the graph: where every query begins."""

from typing import Annotated, Any, NoReturn

import strawberry

from app.schema.connections import Connection
from app.schema.filters import where
from app.schema.grant import Grant
from app.schema.request import AccessRequest
from app.schema.types.enrollments import Grade, SchoolEnrollment, SectionEnrollment
from app.schema.types.node import Node
from app.schema.types.organisations import District, School, Session
from app.schema.types.students import Student
from app.schema.types.teaching import Course, Section

PAGE = 100
"""How many records a page has where `first` is left out."""

First = Annotated[int | None, strawberry.argument(description="How many records at most.")]
After = Annotated[str | None, strawberry.argument(description="The cursor to go on after.")]
ChangedSince = Annotated[
    str | None,
    strawberry.argument(
        description="A `changeCursor`: only records that are new or differ from what you hold since, and `removed`."
    ),
]
Id = Annotated[strawberry.ID, strawberry.argument(description="The id, as this client knows it.")]


def _presented() -> NoReturn:
    raise NotImplementedError("This schema presents the graph; the gateway answers from it.")


def _one(of: Any, sentence: str) -> Any:
    def resolve() -> object:
        _presented()

    resolve.__annotations__ = {"return": of | None}
    return strawberry.field(resolver=resolve, description=sentence)


def _own(of: Any, sentence: str) -> Any:
    def resolve() -> object:
        _presented()

    resolve.__annotations__ = {"return": list[of] | None}
    return strawberry.field(resolver=resolve, description=sentence)


def _by_id(of: Any, sentence: str) -> Any:
    def resolve(id: strawberry.ID) -> object:  # noqa: A002 - the argument's name in the graph
        _presented()

    resolve.__annotations__ = {"id": Id, "return": of | None}
    return strawberry.field(resolver=resolve, description=f"{sentence} An id that is unknown here gives null.")


def _page(of: type, sentence: str) -> Any:
    def resolve(
        first: int | None = PAGE,
        after: str | None = strawberry.UNSET,
        changed_since: str | None = strawberry.UNSET,
        where: object = strawberry.UNSET,
    ) -> object:
        _presented()

    conditions: Any = Annotated[where(of) | None, strawberry.argument(description="Which records.")]
    resolve.__annotations__ = {
        "first": First,
        "after": After,
        "changed_since": ChangedSince,
        "where": conditions,
        "return": Connection[of] | None,  # type: ignore[valid-type]
    }
    return strawberry.field(resolver=resolve, description=sentence)


@strawberry.type(
    description="Where every query begins. What the district did not grant is null, with an error that says why."
)
class Query:
    """Where every query begins."""

    district: District | None = _one(District, "The district that the token is for.")
    student: Student | None = _by_id(Student, "One student.")
    students: Connection[Student] | None = _page(Student, "The students that the grant is for.")
    section: Section | None = _by_id(Section, "One section.")
    sections: Connection[Section] | None = _page(Section, "The sections that the grant is for.")
    school_enrollments: Connection[SchoolEnrollment] | None = _page(
        SchoolEnrollment, "The school enrollments of the students that the grant is for."
    )
    section_enrollments: Connection[SectionEnrollment] | None = _page(
        SectionEnrollment, "The section enrollments of the students that the grant is for."
    )
    grades: Connection[Grade] | None = _page(Grade, "The marks of the students that the grant is for.")
    schools: Connection[School] | None = _page(School, "The schools that the grant is for.")
    courses: Connection[Course] | None = _page(Course, "The courses of the schools that the grant is for.")
    sessions: Connection[Session] | None = _page(Session, "The sessions of the schools that the grant is for.")
    node: Node | None = _by_id(Node, "Any one record.")
    grant: Grant | None = _one(Grant, "The caller's own grant: what may be read, of whom, until when.")
    requests: list[AccessRequest] | None = _own(
        AccessRequest, "What the caller has asked of the district, and what became of it, the newest first."
    )
