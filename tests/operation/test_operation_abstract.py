"""Interfaces and unions of subgraphs: each type that may stand there is entered by its own grant, or not at all."""

from functools import cache

import pytest

from app.federation.remote import vocabulary
from app.federation.supergraph_sdl import read_supergraph
from app.names import Scope
from app.operation.authorize import authorize
from app.operation.decided import Authorized
from app.operation.parse import parse_operation
from app.operation.vocabulary import Vocabulary
from app.policy.authority import Authority, authority
from app.policy.reading import read_policies
from app.schema.catalogue import SCOPES
from app.settings import Limits
from tests.federation.small import SAYS, text
from tests.policy.texts import DISTRICT_FILE, GRANT, GRANT_FILE, NOON, READWELL, SPACE

ITEMS = f"""
union Item @join__type(graph: LMS) = Loan | Laptop
type Laptop @join__type(graph: LMS, key: "id") @tag(name: "student/none") {{ id: ID! wheels: Int {SAYS} }}
type Page @join__type(graph: LMS) @tag(name: "arranges") {{ nodes: [Laptop] items: [Item] totalCount: Int }}
"""
QUERY = "items: [Item] @join__field(graph: LMS) SAYS page: Page @join__field(graph: LMS) SAYS\n"
DISTRICT = b'name = "Larkspur ISD"\ntime_zone = "America/Chicago"\npurposes = { instruction = "Instruction" }\n'
SDL = text(query=QUERY, more=ITEMS)
COMPOSED = read_supergraph(SDL)
LMS = frozenset({"lms"})


@cache
def known() -> Vocabulary:
    return vocabulary(SDL, COMPOSED, {})


def by(fields: str) -> Authority:
    grant = f"{GRANT.partition('[fields]')[0]}[fields]\n{fields}\n"
    policies = read_policies({DISTRICT_FILE: DISTRICT, GRANT_FILE: grant.encode()})
    assert not policies.findings
    held = frozenset({*SCOPES, Scope("lms/loans.read")})
    return authority(
        policies,
        client=READWELL,
        space=SPACE,
        purpose="instruction",
        scopes=held,
        registered=held,
        suspended=False,
        now=NOON,
    )


def authorized(query: str, fields: str) -> Authorized:
    return authorize(parse_operation(query, None, COMPOSED.schema, Limits()), by(fields), known(), LMS)


def denied(query: str, fields: str) -> set[str]:
    return {f"{one.selection} {one.coordinate} {one.reason}" for one in authorized(query, fields).denials}


BOTH = "{ items { __typename ... on Loan { id book } ... on Laptop { id wheels } } }"


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ('Query = ["items"]\nLoan = ["book"]\nLaptop = ["wheels"]', set()),
        (
            'Query = ["items"]\nLoan = ["book"]',
            {"items.id Laptop.id NOT_GRANTED", "items.wheels Laptop.wheels NOT_GRANTED"},
        ),
        ('Query = ["items"]', {"items Query.items NOT_GRANTED"}),
        ('Loan = ["book"]', {"items Query.items NOT_GRANTED"}),
    ],
)
def test_a_member_that_is_not_granted_is_not_entered(fields: str, lost: set[str]) -> None:
    assert denied(BOTH, fields) == lost


def test_what_arranges_leads_to_nothing_that_is_not_granted() -> None:
    query = "{ page { totalCount nodes { id } items { ... on Loan { id book } ... on Laptop { id } } } }"
    assert denied(query, 'Query = ["page"]') == {
        "page.nodes Page.nodes NOT_GRANTED",
        "page.items Page.items NOT_GRANTED",
    }
    assert denied(query, 'Query = ["page"]\nLoan = ["book"]') == {
        "page.nodes Page.nodes NOT_GRANTED",
        "page.items.id Laptop.id NOT_GRANTED",
    }
    assert denied(query, 'Query = ["page"]\nLoan = ["book"]\nLaptop = ["wheels"]') == set()


def test_an_interface_that_nothing_implements_is_not_entered() -> None:
    empty = Vocabulary(known().facts, known().frames, told_by=known().told_by, members={"Item": frozenset()})
    operation = parse_operation("{ items { __typename } }", None, COMPOSED.schema, Limits())
    made = authorize(operation, by('Query = ["items"]\nLoan = ["book"]'), empty, LMS)
    assert [one.coordinate for one in made.denials] == ["Query.items"]
