"""Under district policy the graph is read alone; without it, mutations go by POST and nobody subscribes."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.federate import federated
from app.federation.remotes import read_remotes
from app.operation.parse import InvalidOperation, parse_operation
from app.settings import Limits, Settings
from tests.federation.small import SAYS, text

CHANGES = f"""
type Mutation @join__type(graph: LMS) @tag(name: "student/none") {{ lend(book: String): Loan {SAYS} }}
type Subscription @join__type(graph: LMS) @tag(name: "student/none") {{ lent: Loan {SAYS} }}
"""


@pytest.fixture
def supergraph(tmp_path: Path) -> Path:
    file = tmp_path / "supergraph.graphql"
    roots = "{ query: Query mutation: Mutation subscription: Subscription }"
    sdl = text(more=CHANGES).replace("{ query: Query }", roots)
    file.write_text(sdl.replace('url: ""', 'url: "http://127.0.0.1:1/"'))
    return file


@pytest.mark.parametrize("query", ['mutation { lend(book: "x") { book } }', "subscription { lent { book } }"])
def test_what_a_subgraph_changes_is_not_in_a_districts_graph(supergraph: Path, query: str) -> None:
    remotes = read_remotes(Settings(supergraph=supergraph.name, home=supergraph.parent))
    assert remotes is not None
    schema = remotes.composed.schema
    with pytest.raises(InvalidOperation):
        parse_operation(query, None, schema, Limits())
    assert not {"Mutation", "Subscription"} & schema.type_map.keys()
    assert parse_operation("{ loans { book } }", None, schema, Limits())


@pytest.mark.anyio
async def test_without_policy_a_link_changes_nothing_and_nobody_subscribes(supergraph: Path) -> None:
    application = federated(supergraph)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://127.0.0.1") as client,
    ):

        async def code(method: str, **given: Any) -> tuple[int, str]:
            answered = await client.request(method, "/graphql", **given)
            return answered.status_code, answered.json()["errors"][0]["extensions"].get("code")

        change = 'mutation { lend(book: "x") { book } }'
        assert await code("GET", params={"query": change}) == (405, "METHOD_NOT_ALLOWED")
        assert await code("POST", json={"query": change}) == (200, "SUBGRAPH_FAILED")  # it was sent, to nobody
        assert await code("POST", json={"query": "subscription { lent { book } }"}) == (200, "NO_SUBSCRIPTIONS")
