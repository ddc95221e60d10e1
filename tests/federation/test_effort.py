"""However an operation is written, its plan takes a bounded effort, is the same everywhere, and is right."""

import pytest

from app.federation.planning import Planned, plan_operation
from app.federation.search import LOOKS, Effort
from app.federation.supergraph_sdl import Composed, read_supergraph
from app.operation.parse import parse_operation
from app.settings import Limits

GRAPHS = "ABCDE"
MEMBERS = [f"M{number}" for number in range(6)]
FIELDS = 5


def everywhere(text: str) -> str:
    return " ".join(text.replace("GRAPH", graph) for graph in GRAPHS)


def by(*numbers: int) -> str:
    return " ".join(f"@join__field(graph: {GRAPHS[number % 5]})" for number in numbers)


def supergraph() -> Composed:
    """Six types behind an interface and a union, every field told by two of five subgraphs, each by other ones."""
    lines = [
        'schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }',
        "enum join__Graph {",
        everywhere('GRAPH @join__graph(name: "GRAPH", url: "")'),
        "}",
        f"interface I {everywhere('@join__type(graph: GRAPH)')} {{ id: ID! next: I f0(n: Int): String f1: String }}",
        f"union U {everywhere('@join__type(graph: GRAPH)')}",
        *(everywhere(f'@join__unionMember(graph: GRAPH, member: "{name}")') for name in MEMBERS),
        f"= {' | '.join(MEMBERS)}",
    ]
    for at, name in enumerate(MEMBERS):
        lines += [
            f"type {name} implements I",
            everywhere('@join__type(graph: GRAPH, key: "id") @join__implements(graph: GRAPH, interface: "I")'),
            f"{{ id: ID! next: I {by(at, at + 1)} other: U {by(at + 2, at + 3)}",
            *(f"f{k}{'(n: Int)' if k == 0 else ''}: String {by(at + k, 2 * at + k + 1)}" for k in range(FIELDS)),
            "}",
        ]
    lines.append(f"type Query {everywhere('@join__type(graph: GRAPH)')} {{ i: I {by(0, 1)} u: U {by(2, 3)} }}")
    return read_supergraph("\n".join(lines))


COMPOSED = supergraph()
TAIL = "... on M0 { f0 f1 } ... on M1 { f2 } ... on M2 { f3 other { ... on M3 { f1 } } }"


def nested(depth: int) -> str:
    return f"{{ id next {nested(depth - 1)} {TAIL} }}" if depth else "{ id }"


def aliases(count: int) -> str:
    return " ".join(
        f"a{at}: i {{ ... on M{at % 6} {{ x{at}: f0(n: {at}) y: other {{ ... on M{(at + 1) % 6} {{ f2 }} }} }} }}"
        for at in range(count)
    )


def wide(count: int) -> str:
    below = " ".join(
        f"... on M{at % 6} {{ x{at}: f0(n: {at}) z{at}: next {{ id ... on M{(at + 2) % 6} {{ f1 }} }} }}"
        for at in range(count)
    )
    return f"i {{ {below} }} u {{ {below} }}"


def planned(query: str, effort: Effort) -> Planned:
    operation = parse_operation(f"{{ {query} }}", None, COMPOSED.schema, Limits(edges=5_000, tokens=20_000))
    return plan_operation(operation, COMPOSED, effort)


@pytest.mark.parametrize(
    ("query", "fewest"),
    [(f"i {nested(2)}", 5), (f"i {nested(3)}", 7), (aliases(60), 5), (wide(40), 6)],
    ids=["deep", "deeper", "aliases", "fragments"],
)
def test_a_hostile_query_is_planned_within_a_bounded_effort(query: str, fewest: int) -> None:
    effort = Effort()
    found = planned(query, effort)
    assert found.plan.fetches <= fewest
    # Beyond the bound it takes what one plan takes that is not searched for, and so grows as the query does.
    assert effort.looks <= LOOKS + 150 * found.question.bits
    assert str(planned(query, Effort()).plan) == str(found.plan)


def test_without_any_effort_a_plan_is_longer_and_still_right() -> None:
    for query in (f"i {nested(2)}", aliases(20), wide(10)):
        quick, best = planned(query, Effort(most=0)), planned(query, Effort(most=100 * LOOKS))
        assert best.plan.fetches <= quick.plan.fetches <= best.plan.fetches + 3
