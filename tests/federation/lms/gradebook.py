"""A gradebook as a school's learning management system would serve it: a subgraph written with Strawberry.

    python gradebook.py PORT     serves it on loopback
    python gradebook.py --sdl    prints its schema

It knows students by the district's own keys, also some whom no grant admits. `GET /asked` lists what it was sent.
"""

import copy
import sys
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TAGS = ["category/Student_work", "sensitivity/pii"]
KEYS = ("ana", "leo", "tess", "kim", "max", "ivy", "gus", "nia", "pat", "zed")


def field(scope: str) -> Any:
    return strawberry.federation.field(requires_scopes=[[scope]], tags=TAGS)


@strawberry.federation.type(keys=["sourceKey"], name="Student")
class Student:
    source_key: str
    homepage: str | None = field("lms/profile.read")
    undeclared: str | None = None

    @strawberry.federation.field(requires_scopes=[["lms/submissions.read"]], tags=TAGS)
    def submissions(self) -> list["Submission"] | None:
        return [one for one in ALL if one.student.source_key == self.source_key]

    @classmethod
    def resolve_reference(cls, sourceKey: str) -> "Student":  # noqa: N803 - the field's name
        return cls(source_key=sourceKey, homepage=f"https://lms.example/{sourceKey}")


@strawberry.federation.type(keys=["id"], tags=["student/student"], name="Submission")
class Submission:
    id: strawberry.ID
    student: Student = field("lms/submissions.read")
    title: str = field("lms/submissions.read")
    points: float | None = field("lms/marks.read")


ALL = [
    Submission(
        id=strawberry.ID(f"sub-{key}-{number}"),
        student=Student.resolve_reference(key),
        title=f"Essay {number}",
        points=number + len(key),
    )
    for key in KEYS
    for number in (1, 2)
]


@strawberry.type
class Query:
    @strawberry.federation.field(requires_scopes=[["lms/submissions.read"]], tags=TAGS)
    def submissions(self) -> list[Submission] | None:
        return ALL


SCHEMA = strawberry.federation.Schema(query=Query, federation_version="2.5")
ASKED: list[Any] = []


async def graphql(request: Request) -> Response:
    body = await request.json()
    ASKED.append(
        {"headers": dict(request.headers), "query": body["query"], "variables": copy.deepcopy(body.get("variables"))}
    )
    result = await SCHEMA.execute(body["query"], variable_values=body.get("variables"))
    whole: dict[str, Any] = {"data": result.data}
    if result.errors:
        whole["errors"] = [error.formatted for error in result.errors]
    return JSONResponse(whole)


async def asked(_request: Request) -> Response:
    return JSONResponse(ASKED)


APPLICATION = Starlette(routes=[Route("/graphql", graphql, methods=["POST"]), Route("/asked", asked)])

if __name__ == "__main__":
    if sys.argv[1] == "--sdl":
        sys.stdout.write(SCHEMA.as_str())
    else:
        uvicorn.run(APPLICATION, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
