"""A subgraph's union of what is a student's and what is nobody's: each by its own grant, of whom is admitted alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.composing import Schema, compose
from app.errors import Unavailable
from app.names import Scope
from app.schema.build import sdl
from app.schema.catalogue import SCOPES
from tests import worlds
from tests.journeys.test_journey_lying_subgraph import Liar
from tests.journeys.world import Asked, granting, opened

pytestmark = pytest.mark.anyio

SAYS = (
    '@requiresScopes(scopes: [["lms/lending.read"]]) @tag(name: "category/Student_work") @tag(name: "sensitivity/pii")'
)
LMS = f"""
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@requiresScopes", "@tag"])
union Item = Loan | Laptop
type Loan @key(fields: "id") @tag(name: "student/student") {{ id: ID! book: String {SAYS} student: Student {SAYS} }}
type Laptop @key(fields: "id") @tag(name: "student/none") {{ id: ID! wheels: Int {SAYS} }}
type Student @key(fields: "sourceKey") {{ sourceKey: String! lent: [Item!] {SAYS} }}
type Query {{ items: [Item!] {SAYS} }}
"""
ELM = 'schools = ["elm"]\nenrollment = "active"'
FIELDS = {"Student": "firstName lent", "Loan": "book", "Laptop": "wheels", "Query": "items"}
GRANTS = {
    "both": granting("both", FIELDS, ELM),
    "loans": granting("loans", {**FIELDS, "Laptop": ""}, ELM),
}
ANA = {"__typename": "Loan", "id": "1", "book": "Emma", "student": {"sourceKey": "ana"}}
LEO = {"__typename": "Loan", "id": "2", "book": "Ulysses", "student": {"sourceKey": "leo"}}
LAPTOP = {"__typename": "Laptop", "id": "3", "wheels": 0}


@pytest.fixture
async def lending(tmp_path: Path) -> AsyncIterator[tuple[Asked, Liar]]:
    try:
        (tmp_path / "supergraph.graphql").write_text(compose([Schema("core", "", sdl()), Schema("lms", "", LMS)]))
    except Unavailable as error:
        pytest.skip(error.message)
    liar = Liar()
    server = await asyncio.start_server(liar.connected, "127.0.0.1", 0)
    async with opened(
        tmp_path / "home",
        GRANTS,
        databases={worlds.SPACE: None},
        scopes=dict.fromkeys(GRANTS, frozenset({*SCOPES, Scope("lms/lending.read")})),
        settings={"supergraph": str(tmp_path / "supergraph.graphql")},
        endpoints={"lms": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"},
        rule='[subgraphs.lms]\nmay_receive = ["Student.sourceKey"]\n',
    ) as asked:
        yield asked, liar
    server.close()


QUERY = "{ items { __typename ... on Loan { id book } ... on Laptop { id wheels } } }"


async def test_of_a_union_each_type_is_admitted_as_it_belongs(lending: tuple[Asked, Liar]) -> None:
    asked, liar = lending
    liar.says = {"items": [ANA, LAPTOP, LEO]}
    items = (await asked.data("both", QUERY))["items"]
    assert [(one["__typename"], one.get("book"), one.get("wheels")) for one in items] == [
        ("Loan", "Emma", None),
        ("Laptop", None, 0),
    ]
    assert not {"1", "2", "3"} & {one["id"] for one in items}  # pairwise, as all ids


async def test_a_type_that_is_not_granted_stands_without_anything(lending: tuple[Asked, Liar]) -> None:
    asked, liar = lending
    liar.says = {"items": [ANA, LAPTOP, LEO]}
    answer: Any = await asked.ask("loans", QUERY)
    assert {one["extensions"]["coordinate"] for one in answer["errors"]} == {"Laptop.id", "Laptop.wheels"}
    assert answer["data"]["items"][1] == {"__typename": "Laptop", "id": None, "wheels": None}


async def test_so_it_is_below_a_student(lending: tuple[Asked, Liar]) -> None:
    asked, liar = lending
    liar.says = {"_entities": [{"lent": [ANA, LAPTOP]}, {"lent": []}]}
    query = "{ students { nodes { firstName lent { ... on Loan { book } ... on Laptop { wheels } } } } }"
    nodes = (await asked.data("both", query))["students"]["nodes"]
    assert nodes == [{"firstName": "Ana", "lent": [{"book": "Emma"}, {"wheels": 0}]}, {"firstName": "Max", "lent": []}]
