"""Of more objects than a subgraph takes at a time it is told in several requests, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from app.federation.completion import Completion
from app.federation.planning import plan_operation
from app.federation.steps import Fetch
from app.federation.supergraph_sdl import read_supergraph
from app.federation.waves import Gathering, Heard, Silent
from app.operation.parse import parse_operation
from app.settings import Limits
from app.subgraphs.endpoint import Bounds, Connections, Endpoint, SubgraphFailed, Tally

pytestmark = pytest.mark.anyio

SUPERGRAPH = """
schema @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph { ROLL @join__graph(name: "roll", url: "") DESK @join__graph(name: "desk", url: "") }
type Query @join__type(graph: ROLL) @join__type(graph: DESK) {
  pupils: [Pupil] @join__field(graph: ROLL)
  motto: String @join__field(graph: DESK)
}
type Pupil @join__type(graph: ROLL, key: "id") @join__type(graph: DESK, key: "id") {
  id: ID!
  books: Int @join__field(graph: DESK)
}
"""
PUPILS = 10_000


@dataclass
class Desk:
    """A subgraph that tells how many books a pupil has, and keeps what it was asked."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    silent_from: int = PUPILS  # it does not answer when told of this pupil, or one after
    wrong: str = ""  # the pupil of whom it cannot tell

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                asked = msgspec.json.decode(await reader.readexactly(length))
                self.asked.append(asked)
                self.under_way += 1
                self.most_under_way = max(self.most_under_way, self.under_way)
                await asyncio.sleep(0.005)
                body = msgspec.json.encode(self.answer(asked))
                self.under_way -= 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, asked: dict[str, Any]) -> object:
        told = [one["id"] for one in asked["variables"]["representations"]]
        if any(int(one) >= self.silent_from for one in told):
            return "no GraphQL"
        data: dict[str, Any] = {"_entities": [None if one == self.wrong else {"books": int(one) * 2} for one in told]}
        if "motto" in asked["query"]:
            data["motto"] = "Read."
        errors = (
            [{"message": "No.", "path": ["_entities", told.index(self.wrong), "books"]}] if self.wrong in told else []
        )
        return {"data": data, "errors": errors} if errors else {"data": data}


@asynccontextmanager
async def serving(desk: Desk, bounds: Bounds) -> AsyncIterator[Endpoint]:
    server = await asyncio.start_server(desk.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Connections() as connections:
        yield Endpoint("desk", f"http://127.0.0.1:{port}/", connections, bounds)
    server.close()


async def answered(desk: Desk, bounds: Bounds, query: str, pupils: int = PUPILS) -> tuple[Any, list[Any]]:
    """The answer over a roll of so many pupils, and the desk."""
    composed = read_supergraph(SUPERGRAPH)
    operation = parse_operation(query, None, composed.schema, Limits())
    planned = plan_operation(operation, composed)
    async with serving(desk, bounds) as endpoint:

        async def ask(fetch: Fetch, body: bytes, tally: Tally) -> Heard:
            if fetch.subgraph == "ROLL":
                return Heard({"pupils": [{"id": str(number)} for number in range(pupils)]})
            try:
                heard = await endpoint.ask(body, tally=tally)
            except SubgraphFailed as error:
                raise Silent(str(error)) from None
            return Heard(heard.data, heard.errors or ())

        gathering = Gathering(ask, {}, frozenset(), {"DESK": bounds})
        await gathering.run(planned.plan)
    return Completion(operation, planned.question).careful(gathering.tree, frozenset(), {}, gathering.problems)


async def test_ten_thousand_objects_are_told_in_batches_and_not_all_at_once() -> None:
    desk = Desk()
    data, errors = await answered(desk, Bounds(seconds=10, at_once=3, batch=800), "{ pupils { id books } }")
    assert errors == []
    assert data == {"pupils": [{"id": str(number), "books": number * 2} for number in range(PUPILS)]}
    sizes = [len(one["variables"]["representations"]) for one in desk.asked]
    assert sorted(sizes) == [400, *[800] * 12]
    assert 1 < desk.most_under_way <= 3


async def test_what_stands_at_the_root_is_asked_once() -> None:
    desk = Desk()
    data, errors = await answered(desk, Bounds(batch=10), "{ motto pupils { books } }", 35)
    assert errors == []
    assert data["motto"] == "Read."
    assert [one["books"] for one in data["pupils"]] == [number * 2 for number in range(35)]
    assert ["motto" in one["query"] for one in desk.asked].count(True) == 1
    assert len(desk.asked) == 4


async def test_a_few_objects_are_one_request_as_ever() -> None:
    desk = Desk()
    await answered(desk, Bounds(batch=10), "{ pupils { books } }", 10)
    assert len(desk.asked) == 1


async def test_a_batch_that_fails_nulls_its_own_objects_with_one_error() -> None:
    desk = Desk(silent_from=20)
    data, errors = await answered(desk, Bounds(batch=10, at_once=1), "{ pupils { books } }", 50)
    assert [one["books"] for one in data["pupils"]] == [*[number * 2 for number in range(20)], *[None] * 30]
    (error,) = errors
    assert error["extensions"]["subgraph"] == "DESK"
    assert len(desk.asked) == 3  # what fails is not asked on and on


async def test_an_error_in_a_later_batch_has_its_place_in_the_whole() -> None:
    _, (error,) = await answered(Desk(wrong="27"), Bounds(batch=10), "{ pupils { books } }", 50)
    assert error["path"] == ["pupils", 27, "books"]


async def test_all_batches_together_are_no_longer_than_one_answer_may_be() -> None:
    data, errors = await answered(Desk(), Bounds(batch=10, answer_bytes=400), "{ pupils { books } }", 50)
    (error,) = errors
    assert "more than 400 bytes" in error["message"]
    assert None in [one["books"] for one in data["pupils"]]
