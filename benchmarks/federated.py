"""Two subgraphs that cost next to nothing: each answer is worked out once, and then given again byte for byte.

Run as `python -m benchmarks.federated NAME PORT`. The answers are real: a request that was never seen is executed by
graphql-core, whatever way of asking a gateway chose; only a request that came before is looked up.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from zlib import crc32

import msgspec
import uvicorn
from graphql import GraphQLSchema, build_schema, graphql_sync

STUDENTS = 100
ENROLLMENTS = 6
SECTIONS = 50
KEPT = 10_000
"""How many answers are kept."""

SDL = {
    "roster": """\
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])

type Query {
  student(id: ID!): Student
  students: [Student!]
}

type Student @key(fields: "id") {
  id: ID!
  firstName: String
  lastSurname: String
  gradeLevel: String
  enrollments: [Enrollment!]
}

type Enrollment {
  beginDate: String
  section: Section
}

type Section @key(fields: "id") {
  id: ID!
  title: String
  period: String
  room: String
}
""",
    "gradebook": """\
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])

type Student @key(fields: "id") {
  id: ID!
  average: Float
  missing: Int
  lastSubmitted: String
}

type Section @key(fields: "id") {
  id: ID!
  assignments: Int
  nextDue: String
}
""",
    # The gradebook once more, for a district's own roster.
    "marks": """\
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@tag", "@requiresScopes"])

type Student @key(fields: "sourceKey") @tag(name: "category/Student_work") @tag(name: "sensitivity/pii") {
  sourceKey: String!
  average: Float @requiresScopes(scopes: [["marks/student.read"]])
  missing: Int @requiresScopes(scopes: [["marks/student.read"]])
  lastSubmitted: String @requiresScopes(scopes: [["marks/student.read"]])
}

type Section @key(fields: "sourceKey") @tag(name: "category/Student_work") @tag(name: "sensitivity/pii") {
  sourceKey: String!
  assignments: Int @requiresScopes(scopes: [["marks/section.read"]])
  nextDue: String @requiresScopes(scopes: [["marks/section.read"]])
}
""",
}
OTHERS = ("roster", "gradebook")
"""The subgraphs that every gateway is measured over."""

Scope = MutableMapping[str, Any]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


def student(number: int) -> dict[str, Any]:
    """A student, as both subgraphs know them."""
    sections = [(number * 7 + at * 11) % SECTIONS for at in range(ENROLLMENTS)]
    return {
        "__typename": "Student",
        "id": f"student-{number}",
        "firstName": f"Given {number}",
        "lastSurname": f"Family {number % 37}",
        "gradeLevel": f"{number % 12 + 1:02}",
        "enrollments": [{"beginDate": "2026-08-17", "section": section(at)} for at in sections],
        "average": 60 + number % 40 + 0.5,
        "missing": number % 5,
        "lastSubmitted": f"2026-10-{number % 28 + 1:02}",
    }


def section(number: int) -> dict[str, Any]:
    """A section, likewise."""
    return {
        "__typename": "Section",
        "id": f"section-{number}",
        "title": f"Subject {number}, part {number % 4}",
        "period": f"{number % 8 + 1:02}",
        "room": None if number % 9 == 0 else f"R{number}",
        "assignments": number % 30,
        "nextDue": f"2026-11-{number % 28 + 1:02}",
    }


def entity(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a representation stands for."""
    number = int(told["id"].rpartition("-")[2]) if "id" in told else crc32(told["sourceKey"].encode()) % STUDENTS
    return student(number) if told["__typename"] == "Student" else section(number)


def schema(name: str) -> GraphQLSchema:
    """One subgraph's schema, with what federation adds to it."""
    types = SDL[name].partition("\n\n")[2]
    if "type Query" not in types:
        types += "\ntype Query\n"
    types += """
directive @key(fields: String!) repeatable on OBJECT
directive @tag(name: String!) repeatable on OBJECT
directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION
scalar _Any
union _Entity = Student | Section
type _Service { sdl: String }
extend type Query { _entities(representations: [_Any!]!): [_Entity]! _service: _Service! }
"""
    return build_schema(types)


class Subgraph:
    """An ASGI application with the answers that it gave before."""

    def __init__(self, name: str) -> None:
        self.schema = schema(name)
        self.answers: dict[bytes, bytes] = {}
        self.root: dict[str, Any] = {
            "student": lambda _info, id: student(int(id.rpartition("-")[2])),  # noqa: A006
            "students": [student(number) for number in range(STUDENTS)],
            "_entities": lambda _info, representations: [entity(told) for told in representations],
            "_service": {"sdl": SDL[name]},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        asked = bytes(body)
        answer = self.answers.get(asked)
        if answer is None:
            answer = self.execute(asked)
            if len(self.answers) < KEPT:
                self.answers[asked] = answer
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def execute(self, asked: bytes) -> bytes:
        sent = msgspec.json.decode(asked or b'{"query": ""}')
        result = graphql_sync(
            self.schema,
            sent["query"],
            root_value=self.root,
            variable_values=sent.get("variables"),
            operation_name=sent.get("operationName"),
        )
        return msgspec.json.encode(result.formatted)


def main(name: str, port: int) -> None:
    """Serve one subgraph until the process is ended."""
    uvicorn.run(Subgraph(name), host="127.0.0.1", port=port, access_log=False, log_level="warning", lifespan="off")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
