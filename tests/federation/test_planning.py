"""Plans over several subgraphs: the whole answer, with the fewest requests."""

import asyncio
from typing import Any

import msgspec
from graphql import graphql_sync
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from app.federation.completion import Completion
from app.federation.planning import plan_operation
from app.federation.search import Effort
from app.federation.steps import Fetch
from app.federation.supergraph_sdl import read_supergraph
from app.federation.waves import Gathering, Heard
from app.operation.parse import parse_operation
from app.settings import Limits
from app.subgraphs.endpoint import Tally
from tests.federation.divided import World, operations, worlds
from tests.federation.exhaustive import Exhaustive

LIMITS = Limits(depth=50, edges=5_000)
QUICK = settings(
    deadline=None,
    max_examples=500,
    phases=[Phase.explicit, Phase.generate],  # to make a world smaller takes minutes: its seed is printed
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    print_blob=True,
)


def answered(
    world: World, query: str, variables: dict[str, Any], effort: Effort | None = None
) -> tuple[Any, list[Any], int]:
    """The answer over the subgraphs, its problems, and how many requests were planned."""
    composed = read_supergraph(world.supergraph)
    operation = parse_operation(query, None, composed.schema, LIMITS)
    planned = plan_operation(operation, composed, effort)
    problems: list[Any] = []

    async def ask(fetch: Fetch, body: bytes, _: Tally) -> Heard:
        sent = msgspec.json.decode(body)
        heard = world.heard(fetch.subgraph, sent["query"], sent.get("variables", {}))
        problems.extend(heard.get("errors", ()))
        return Heard(heard.get("data"), heard.get("errors", ()))

    true = frozenset(name for name in operation.conditions if variables[name])
    gathering = Gathering(ask, variables, true)
    asyncio.run(gathering.run(planned.plan))
    completion = Completion(operation, planned.question)
    data, errors = completion.careful(gathering.tree, true, {}, gathering.problems)
    if not errors:
        assert completion.straight(gathering.tree, true, {}) == data
    return data, problems + errors, planned.plan.fetches


@given(data=st.data())
@QUICK
def test_a_divided_schema_answers_as_the_undivided_one(data: st.DataObject) -> None:
    world = data.draw(worlds())
    query = data.draw(operations(world))
    variables = {"a": data.draw(st.booleans()), "b": data.draw(st.booleans())}
    whole = graphql_sync(
        world.undivided,
        query,
        variable_values=variables,
        field_resolver=lambda source, info, **arguments: world.resolve(None, source, info, **arguments),
    )
    assert not whole.errors, whole.errors
    found, problems, _ = answered(world, query, variables)
    assert not problems, (problems, query)
    assert found == whole.data


@given(data=st.data())
@settings(QUICK, max_examples=150)
def test_a_plan_that_was_not_searched_for_is_as_right(data: st.DataObject) -> None:
    world = data.draw(worlds())
    query = data.draw(operations(world))
    variables = {"a": data.draw(st.booleans()), "b": data.draw(st.booleans())}
    found, problems, fetches = answered(world, query, variables, Effort(most=0))
    best, _, fewest = answered(world, query, variables)
    assert (found, problems) == (best, [])
    assert fewest <= fetches


@given(data=st.data())
@settings(QUICK, max_examples=300)
def test_no_row_of_subgraphs_is_shorter(data: st.DataObject) -> None:
    world = data.draw(worlds(graphs=3, fields=3, types=3))
    query = data.draw(operations(world, depth=2, width=3))
    exhaustive = Exhaustive(world, query)
    assume(len(exhaustive.wanted) <= 8)
    assume(sum(len(spot.types) > 1 for spot in exhaustive.spots) <= 2)
    composed = read_supergraph(world.supergraph)
    planned = plan_operation(parse_operation(query, None, composed.schema, LIMITS), composed)
    assert planned.plan.fetches == exhaustive.least(planned.plan.fetches)
