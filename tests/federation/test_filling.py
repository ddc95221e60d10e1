"""Answers that are read into records are those of the careful way, whatever subgraphs say."""

import asyncio
import random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.federate import Federation
from app.federation.completion import Completion
from app.federation.filling import filling
from app.federation.planning import plan_operation
from app.federation.steps import Fetch
from app.federation.supergraph_sdl import read_supergraph
from app.federation.waves import Gathering, Heard
from app.gateway import Request
from app.operation.parse import parse_operation
from app.settings import Limits
from app.subgraphs.endpoint import Connections, Endpoint, SubgraphFailed, Tally, answered
from app.telemetry.trail import Trail
from tests.federation.divided import World, operations, worlds

LIMITS = Limits(depth=50, edges=5_000)
QUICK = settings(
    deadline=None,
    max_examples=120,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    print_blob=True,
)


class Twice:
    """One operation, answered both ways out of the same answers."""

    def __init__(self, supergraph: str, query: str, variables: dict[str, Any], heard: Any) -> None:
        composed = read_supergraph(supergraph)
        self.operation = parse_operation(query, None, composed.schema, LIMITS)
        self.planned = plan_operation(self.operation, composed)
        self.variables = variables
        self.true = frozenset(name for name in self.operation.conditions if variables[name])
        self.heard = heard
        self.sent: list[tuple[int, bytes]] = []

    def careful(self) -> tuple[Any, list[Any]]:
        async def ask(fetch: Fetch, body: bytes, _: Tally) -> Heard:
            self.sent.append((fetch.number, body))
            found = answered(self.heard(fetch.subgraph, body))
            return Heard(found.data, found.errors or ())

        gathering = Gathering(ask, self.variables, self.true)
        asyncio.run(gathering.run(self.planned.plan))
        completion = Completion(self.operation, self.planned.question)
        return completion.careful(gathering.tree, self.true, {}, gathering.problems)

    def filled(self) -> bytes | None:
        """The other way; None where it gives up. What it sends is what the careful way would send, at most once."""

        async def read(fetch: Fetch, body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
            assert (fetch.number, body) in self.sent
            self.sent.remove((fetch.number, body))
            try:
                return decoder.decode(self.heard(fetch.subgraph, body))
            except msgspec.ValidationError:
                return None

        made = filling(self.operation, self.planned.question, self.planned.plan, self.true)
        return asyncio.run(made.answer(read, self.variables)) if made is not None else None


def spoiled(value: Any, chance: random.Random) -> Any:
    """A value with, here and there, something in it that is not as it should be."""
    if chance.random() < 0.03:
        return chance.choice([None, 7, "x", True, [], {}, [None], 1.5, 2**31, -(2**31) - 1, 10**20])
    match value:
        case dict():
            return {key: spoiled(one, chance) for key, one in value.items() if chance.random() > 0.02}
        case list():
            return [spoiled(one, chance) for one in value if chance.random() > 0.01]
        case _:
            return value


@given(data=st.data(), seed=st.integers(0, 2**32), wrong=st.booleans())
@QUICK
def test_both_ways_answer_alike(data: st.DataObject, seed: int, wrong: bool) -> None:
    world: World = data.draw(worlds())
    query = data.draw(operations(world))
    variables = {"a": data.draw(st.booleans()), "b": data.draw(st.booleans())}

    def heard(graph: str, body: bytes) -> bytes:
        sent = msgspec.json.decode(body)
        answer = world.heard(graph, sent["query"], sent.get("variables", {}))
        if wrong:
            answer["data"] = spoiled(answer["data"], random.Random(f"{seed}{graph}{body!r}"))
            if not isinstance(answer["data"], dict):
                answer["data"] = {}
        return msgspec.json.encode(answer)

    twice = Twice(world.supergraph, query, variables, heard)
    found, errors = twice.careful()
    filled = twice.filled()
    if filled is not None:
        assert errors == []
        assert filled == msgspec.json.encode({"data": found})


SUPERGRAPH = """
schema @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph { ROLL @join__graph(name: "roll", url: "") DESK @join__graph(name: "desk", url: "") }
enum Level @join__type(graph: ROLL) { LOW @join__enumValue(graph: ROLL) HIGH @join__enumValue(graph: ROLL) }
scalar Marks @join__type(graph: ROLL)
type Query @join__type(graph: ROLL) @join__type(graph: DESK) {
  pupils: [Pupil] @join__field(graph: ROLL)
  rows: [[Pupil!]] @join__field(graph: ROLL)
}
type Pupil @join__type(graph: ROLL, key: "id") @join__type(graph: DESK, key: "id") {
  id: ID!
  name: String @join__field(graph: ROLL)
  level: Level @join__field(graph: ROLL)
  height: Float @join__field(graph: ROLL)
  age: Int @join__field(graph: ROLL)
  marks: Marks @join__field(graph: ROLL)
  books: Int @join__field(graph: DESK)
  shelf: String! @join__field(graph: DESK)
}
"""

PUPILS = [{"id": "a", "name": "Ada"}, {"id": "b", "name": "Ben"}, {"id": "a", "name": "Ada"}]


class Told(Endpoint):
    """A subgraph that answers what it is told to, in that order, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        super().__init__("told", "http://127.0.0.1:1/", Connections())
        self.answers = [*answers]
        self.asked: list[Any] = []

    async def read(self, body: bytes, reading: Any, *, again: bool = True, tally: Tally | None = None) -> Any:
        self.asked.append(msgspec.json.decode(body))
        answer = self.answers.pop(0)
        if isinstance(answer, SubgraphFailed):
            raise answer
        return reading(msgspec.json.encode(answer))


def federated(query: str, roll: Told, desk: Told) -> dict[str, Any]:
    """The answer of `federate`. A subgraph that is asked more often than it has answers is a failure."""
    federation = Federation(read_supergraph(SUPERGRAPH), LIMITS, {"ROLL": roll, "DESK": desk})
    answer = asyncio.run(federation.answer(Request(None, query, None, None, Trail("test"))))
    assert isinstance(answer.body, bytes)
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    return found


def entities(*told: Any) -> dict[str, Any]:
    return {"data": {"_entities": [*told]}}


def test_an_object_is_told_of_once_and_what_is_said_of_it_stands_everywhere() -> None:
    roll, desk = Told({"data": {"pupils": PUPILS}}), Told(entities({"books": 1}, {"books": 2}))
    assert federated("{ pupils { books id } }", roll, desk)["data"]["pupils"] == [
        {"books": 1, "id": "a"},
        {"books": 2, "id": "b"},
        {"books": 1, "id": "a"},
    ]
    assert [one["id"] for one in desk.asked[0]["variables"]["representations"]] == ["a", "b"]


def test_keys_that_nobody_asked_for_never_leave_and_aliases_do() -> None:
    roll, desk = Told({"data": {"pupils": PUPILS[:1]}}), Told(entities({"books": 1}))
    found = federated("{ all: pupils { of: __typename read: books called: name } }", roll, desk)
    assert found == {"data": {"all": [{"of": "Pupil", "read": 1, "called": "Ada"}]}}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        *(("HIGH", "level"), (None, "level"), (3, "height"), (1.5, "height")),
        *(({"a": [1, {}]}, "marks"), ([True], "marks"), ("é\U0001f600", "name")),
    ],
)
def test_a_value_leaves_as_it_came(value: Any, field: str) -> None:
    found = federated(f"{{ pupils {{ {field} }} }}", Told({"data": {"pupils": [{field: value}, None]}}), Told())
    assert found == {"data": {"pupils": [{field: value}, None]}}
    assert type(found["data"]["pupils"][0][field]) is type(value)


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 10**20])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_number_beyond_graphql_s_bounds_is_an_error_whichever_way_it_comes(value: int, *, elsewhere: bool) -> None:
    pupil = {"id": "a", "height": 1.5}
    roll = Told({"data": {"pupils": [pupil | ({} if elsewhere else {"age": value})]}})
    desk = Told(entities({"books": value})) if elsewhere else Told()
    field = "books" if elsewhere else "age"
    found = federated(f"{{ pupils {{ height {field} }} }}", roll, desk)
    assert found["data"] == {"pupils": [{"height": 1.5, field: None}]}
    assert [error["path"] for error in found["errors"]] == [["pupils", 0, field]]


@pytest.mark.parametrize("value", [-(2**31), 2**31 - 1])
def test_the_largest_numbers_of_graphql_leave(value: int) -> None:
    found = federated("{ pupils { age } }", Told({"data": {"pupils": [{"age": value}]}}), Told())
    assert found == {"data": {"pupils": [{"age": value}]}}


def test_objects_stand_in_lists_of_lists() -> None:
    roll, desk = (
        Told({"data": {"rows": [[{"id": "a"}], None, [], [{"id": "b"}]]}}),
        Told(entities({"books": 1}, {"books": 2})),
    )
    assert federated("{ rows { books } }", roll, desk) == {"data": {"rows": [[{"books": 1}], None, [], [{"books": 2}]]}}


def test_an_object_that_a_subgraph_does_not_know_has_none_of_its_fields() -> None:
    roll, desk = Told({"data": {"pupils": PUPILS}}), Told(entities(None, {"books": 2}))
    found = federated("{ pupils { books } }", roll, desk)
    assert found == {"data": {"pupils": [{"books": None}, {"books": 2}, {"books": None}]}}


@pytest.mark.parametrize(
    ("roll", "desk", "data", "said"),
    [
        pytest.param({"pupils": [{"id": 7}]}, entities({"books": 1}), [{"books": 1}], None, id="number for an ID"),
        pytest.param({"pupils": [{"id": "a"}]}, entities({"books": "x"}), [{"books": None}], "Pupil.books", id="type"),
        pytest.param({"pupils": {"id": "a"}}, entities({"books": 1}), None, "Query.pupils", id="no list"),
        pytest.param({"pupils": [{"id": "a"}]}, entities(), [{"books": None}], "more or fewer", id="too few"),
        pytest.param(
            {"pupils": [{"id": "a"}]},
            SubgraphFailed("It is silent."),
            [{"books": None}],
            "told: It is silent.",
            id="silent",
        ),
        pytest.param(
            {"pupils": [{"id": "a"}]},
            {
                "data": {"_entities": [{"books": None}]},
                "errors": [{"message": "No.", "path": ["_entities", 0, "books"]}],
            },
            [{"books": None}],
            "No.",
            id="error",
        ),
    ],
)
def test_what_does_not_fit_is_answered_carefully_and_nothing_is_asked_twice(
    roll: Any, desk: Any, data: Any, said: str | None
) -> None:
    asked = Told({"data": roll}), Told(desk)
    found = federated("{ pupils { books } }", *asked)
    assert found["data"]["pupils"] == data
    assert [len(one.asked) for one in asked] == [1, 1]
    assert all(said is not None and said in error["message"] for error in found.get("errors", ()))
    assert bool(found.get("errors")) == (said is not None)


def test_a_subgraph_cannot_tell_what_it_was_not_asked_for() -> None:
    roll, desk = Told({"data": {"pupils": [{"id": "a", "books": 99}]}}), Told(entities(None))
    assert federated("{ pupils { id books } }", roll, desk) == {"data": {"pupils": [{"id": "a", "books": None}]}}


def test_what_may_not_be_null_takes_its_object_along() -> None:
    roll, desk = Told({"data": {"pupils": PUPILS[:2]}}), Told(entities(None, {"shelf": "north"}))
    found = federated("{ pupils { shelf } }", roll, desk)
    assert found["data"] == {"pupils": [None, {"shelf": "north"}]}
    assert len(found["errors"]) == 1
    assert len(desk.asked) == 1
