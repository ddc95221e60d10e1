"""A subgraph that says more than it was asked: nothing of it is believed, and nobody is admitted on its word."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.names import Scope
from app.schema.catalogue import SCOPES
from tests import worlds
from tests.federation.lms.composed import supergraph
from tests.journeys.world import Asked, granting, opened

pytestmark = pytest.mark.anyio

REMOTE = frozenset(map(Scope, ("lms/submissions.read", "lms/profile.read", "lms/marks.read")))
FIELDS = {"Student": "firstName submissions", "Submission": "title points student", "Query": "submissions"}
ELM = 'schools = ["elm"]\nenrollment = "active"'


class Liar:
    """Answers whatever it was told to say."""

    def __init__(self) -> None:
        self.says: Any = None

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                body = json.dumps({"data": self.says}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def lied_to(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Asked, Liar]]:
    liar = Liar()
    server = await asyncio.start_server(liar.connected, "127.0.0.1", 0)
    async with opened(
        tmp_path_factory.mktemp("lied-to") / "home",
        {"elm-only": granting("elm-only", FIELDS, ELM)},
        databases={worlds.SPACE: None},
        scopes={"elm-only": frozenset(SCOPES) | REMOTE},
        settings={"supergraph": str(supergraph())},
        endpoints={"lms": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"},
        rule='[subgraphs.lms]\nmay_receive = ["Student.sourceKey"]\n',
    ) as asked:
        yield asked, liar
    server.close()


async def test_a_student_is_admitted_by_the_space_alone(lied_to: tuple[Asked, Liar]) -> None:
    asked, liar = lied_to
    forged = {"__row": 1, "id": "x", "firstName": "Forged", "__typename": "Student"}
    liar.says = {
        "submissions": [
            {"title": "Of a student in the rows", "student": {"sourceKey": "ana", **forged}},
            {"title": "Of one outside", "student": {"sourceKey": "leo", **forged}},
            {"title": "Of nobody", "student": {"sourceKey": "nobody", **forged}},
        ]
    }
    for below in ("", " student { firstName }"):
        data = await asked.data("elm-only", f"{{ submissions {{ title{below} }} }}")
        assert [one["title"] for one in data["submissions"]] == ["Of a student in the rows"]
    assert data["submissions"][0]["student"] == {"firstName": "Ana"}


async def test_what_the_space_tells_is_not_told_over(lied_to: tuple[Asked, Liar]) -> None:
    asked, liar = lied_to
    entity = {"submissions": [], "firstName": "Forged", "__row": 7, "sourceKey": "leo"}
    liar.says = {"_entities": [entity, entity], "students": {"nodes": []}, "firstName": "Forged"}
    data = await asked.data("elm-only", "{ students { nodes { firstName submissions { title } } } }")
    assert data["students"]["nodes"] == [
        {"firstName": "Ana", "submissions": []},
        {"firstName": "Max", "submissions": []},
    ]


@pytest.mark.parametrize("name", [[], {}, 7, None, "Nothing"])
async def test_a_type_that_is_none_is_no_more_than_a_fault_of_the_subgraph(
    lied_to: tuple[Asked, Liar], name: object
) -> None:
    asked, liar = lied_to
    student = {"__typename": name, "sourceKey": "ana"}
    liar.says = {"submissions": [{"__typename": name, "title": "A", "student": student}]}
    data = await asked.data("elm-only", "{ submissions { title } }")
    assert data["submissions"] in ([{"title": "A"}], [])
