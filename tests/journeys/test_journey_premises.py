"""A district on its own premises: a vendor sees no difference.

Three processes: the gateway, the premises, and an installation that keeps a copy of the same space, with the same
secret, and answers by itself. What both sides say is compared to the byte.
"""

import re
from typing import Any

import pytest
import requests

from tests.journeys.conftest import SMALL
from tests.journeys.premises import FIELDS, HELLO, ROWS, Side, Sides, Told, registered, told
from tests.journeys.served import Vendor, granting, until

ROSTER = """query Roster($first: Int!, $after: String) { students(first: $first, after: $after) {
  nodes { id firstName lastSurname schoolEnrollments { gradeLevel school { id nameOfInstitution } }
    sectionEnrollments { beginDate section { id title room period } } }
  pageInfo { hasNextPage endCursor } } }"""
SINCE = """query Since($since: String) { students(first: 1000, changedSince: $since) {
  nodes { id firstName } removed changeCursor pageInfo { hasNextPage } } }"""
EVERYTHING = (
    "query Everything { students(first: 1000) { nodes { id firstName sectionEnrollments { section { id } } } } }"
)
MEDIA = ("application/graphql-response+json", "application/json")

QUERIES = {
    "the grant": "{ grant { client purpose statement basis coordinates { coordinate state transform } } __typename }",
    "the requests": "{ requests { id state } }",
    "denials with their reasons": "{ students(first: 3) { nodes { firstName birthDate ssn sex } } }",
    "a closed root": "{ grades { nodes { letterGradeEarned } } }",
    "every root at once": "{ district { name } schools { nodes { id } } courses { nodes { title } } sessions { id } }",
    "aliases and fragments": """{ a: students(first: 2) { nodes { ...F } } b: students(first: 1) { nodes { ...F } } }
        fragment F on Student { given: firstName lastSurname }""",
    "a condition": "query Q { students(first: 1) { nodes { firstName @skip(if: true) id @include(if: true) } } }",
    "a filter": '{ students(first: 5, where: { firstName: { eq: "Nobody" } }) { nodes { id } } }',
    "introspection": '{ __type(name: "Student") { fields { name description type { name } } } }',
    "an unknown id": '{ node(id: "nobody") { id } }',
    "a cursor of nobody's": '{ students(after: "bm9ib2R5") { nodes { id } } }',
    "a field that is not there": "{ students { nodes { firstNam } } }",
    "several mistakes": "{ students(first: 10001) { totals } }",
    "an oracle": '{ students(where: { birthDate: { eq: "2010-01-01" } }) { nodes { id } } }',
    "a variable that is missing": "query Q($n: Int!) { students(first: $n) { nodes { id } } }",
    "two operations": "query A { __typename } query B { __typename }",
    "a mutation": "mutation { __typename }",
    "far too deep": "{ students { nodes " + "{ sectionEnrollments { student " * 12 + "{ id }" + " } }" * 12 + " } }",
    "no query": "{",
    "nothing": "",
}


def posted(side: Side, token: str, body: Any, accept: str = MEDIA[0]) -> Told:
    """What the graph tells."""
    headers = {"authorization": f"Bearer {token}", "accept": accept}
    return told(requests.post(f"{side.server.url}/graphql", json=body, headers=headers, timeout=60))


@pytest.mark.parametrize("accept", MEDIA)
def test_every_answer_and_every_refusal_is_the_same_to_the_byte(sides: Sides, accept: str) -> None:
    for name, document in QUERIES.items():
        here, there = sides.both(lambda side, it=document: posted(side, side.token(), {"query": it}, accept))  # type: ignore[misc]
        assert there == here, name
    answered = posted(sides.there, sides.there.token(), {"query": QUERIES["denials with their reasons"]}, accept)
    assert b'"NOT_GRANTED"' in answered[2]
    assert b'"firstName":"' in answered[2]


def test_what_is_no_request_is_refused_the_same(sides: Sides) -> None:
    bodies: list[Any] = [[], {}, {"query": 1}, {"query": HELLO, "variables": []}, {"query": HELLO, "more": 1}]
    for body in bodies:
        here, there = sides.both(lambda side, it=body: posted(side, side.token(), it))  # type: ignore[misc]
        assert there == here, body
    for method, path, more in (
        ("GET", "/graphql?query={__typename}", {}),
        ("GET", "/graphql?query={students(first:1){nodes{id}}}&variables={}", {}),
        ("GET", "/graphql", {}),
        ("PUT", "/graphql", {"json": {}}),
        ("POST", "/graphql", {"data": "query=x"}),
        ("POST", "/graphql", {"data": b"x" * 300_000, "headers": None}),
    ):
        more.pop("headers", None)
        here, there = sides.both(lambda side, m=method, p=path, it=more: told(side.call(m, p, side.token(), **it)))  # type: ignore[misc]
        assert there == here, (method, path)
    here, there = sides.both(lambda side: told(side.call("POST", "/graphql", "no.token.this", json={"query": HELLO})))
    assert there == here


def test_a_roster_comes_page_by_page_with_the_same_ids_and_cursors(sides: Sides) -> None:
    after: str | None = None
    for _ in range(3):
        page = {"query": ROSTER, "variables": {"first": 50, "after": after}}
        here, there = sides.both(lambda side, it=page: posted(side, side.token(), it))  # type: ignore[misc]
        assert there == here
        answer = sides.there.ask(ROSTER, first=50, after=after)
        assert len(answer["data"]["students"]["nodes"]) == 50
        after = answer["data"]["students"]["pageInfo"]["endCursor"]
    one = answer["data"]["students"]["nodes"][0]
    query = f'{{ node(id: "{one["id"]}") {{ ... on Student {{ id firstName }} }} }}'
    assert sides.there.ask(query) == sides.here.ask(query)
    assert sides.there.ask(query)["data"]["node"]["firstName"] == one["firstName"]


def test_a_large_answer_is_passed_on_to_the_last_byte(sides: Sides) -> None:
    here, there = sides.here.post(EVERYTHING), sides.there.post(EVERYTHING)
    assert told(here) == told(there)
    assert len(there.json()["data"]["students"]["nodes"]) > 300
    assert "content-length" not in there.headers
    # It costs the vendor what it would cost anywhere.
    left = [int(re.search(r"r=(\d+)", it.headers["ratelimit"])[1]) for it in (sides.there.post(EVERYTHING), there)]  # type: ignore[index]
    assert left[1] - left[0] > 1


def test_what_changed_since_is_told_from_the_premises(sides: Sides) -> None:
    first, here = (side.ask(SINCE)["data"]["students"] for side in (sides.there, sides.here))
    assert first["nodes"] == here["nodes"]
    cursor = first["changeCursor"]
    assert sides.there.ask(SINCE, since=cursor)["data"]["students"]["nodes"] == []
    home = sides.pair.premises.home
    home.grant(SMALL, "readwell", granting("readwell", FIELDS, 'grade_levels = ["03"]'))
    try:
        until(lambda: sides.there.ask(SINCE, since=cursor)["data"]["students"]["removed"])
    finally:
        home.grant(SMALL, "readwell", granting("readwell", FIELDS, ROWS))
        until(lambda: not sides.there.ask(SINCE, since=cursor)["data"]["students"]["removed"])
    here_too = sides.here.ask(SINCE, since=here["changeCursor"])["data"]["students"]
    there_too = sides.there.ask(SINCE, since=cursor)["data"]["students"]
    assert here_too["nodes"] == there_too["nodes"] == []
    stale = {"query": SINCE, "variables": {"since": "bm9ib2R5"}}
    one, other = sides.both(lambda side: posted(side, side.token(), stale))
    assert one == other


def registered_twice(sides: Sides, client: str) -> tuple[Vendor, Vendor]:
    """A client, with the installation itself and with the gateway."""
    here, there = (registered(home, client) for home in sides.registering)
    return here, there


def token_told(side: Side, vendor: Vendor, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """What the token endpoint says, but for the token."""
    whole = {"grant_type": "client_credentials", **form}
    response = requests.post(f"{side.server.url}/oauth/token", data=whole, auth=(vendor.id, vendor.secret), timeout=60)
    body = response.json()
    body.pop("access_token", None)
    return response.status_code, body


def test_a_purpose_may_be_left_out_where_there_is_one_alone_and_nowhere_else(sides: Sides) -> None:
    text = granting("manifold", {"Student": "firstName"})
    sides.granted("manifold", text, text.replace('"instruction"', '"rostering"'))
    resource = {"resource": sides.pair.gateway.home.settings.resource(SMALL)}  # type: ignore[arg-type]
    manifold, nobody = registered_twice(sides, "manifold"), registered_twice(sides, "nobody")
    one = (sides.here.vendor, sides.there.vendor)
    until(lambda: b"rostering" in purposes_told(sides.here, manifold[0], resource))
    until(lambda: b"rostering" in purposes_told(sides.there, manifold[1], resource))
    for vendors in (one, manifold, nobody):
        mores: list[dict[str, str]] = [{}, {"purpose": "rostering"}, {"purpose": "no word"}, {"scope": "x"}]
        for more in mores:
            here = token_told(sides.here, vendors[0], {**resource, **more})
            there = token_told(sides.there, vendors[1], {**resource, **more})
            assert there == here, (vendors[0].id, more)
    assert token_told(sides.there, one[1], resource)[1]["purpose"] == "instruction"
    assert token_told(sides.there, one[1], {"resource": "https://nowhere.example"})[0] == 400


def purposes_told(side: Side, vendor: Vendor, form: dict[str, str]) -> bytes:
    return repr(token_told(side, vendor, form)).encode()


def test_a_suspended_client_is_denied_every_field_by_name_and_a_revoked_one_is_unknown(sides: Sides) -> None:
    sides.granted("brief", granting("brief", FIELDS, ROWS))
    vendors = registered_twice(sides, "brief")
    for_both = list(zip((sides.here, sides.there), vendors, strict=True))
    tokens = [side.token(vendor, purpose="instruction") for side, vendor in for_both]
    body = {"query": QUERIES["denials with their reasons"]}

    def same() -> Told:
        here, there = (posted(side, token, body) for (side, _), token in zip(for_both, tokens, strict=True))
        assert there == here
        return there

    for (side, _), token in zip(for_both, tokens, strict=True):
        until(lambda side=side, token=token: b'"firstName":"' in posted(side, token, body)[2])  # type: ignore[misc]
    assert same()[0] == 200
    for home in sides.registering:
        home.ok("client", "suspend", "brief")
    for (side, _), token in zip(for_both, tokens, strict=True):
        until(lambda side=side, token=token: b"CLIENT_SUSPENDED" in posted(side, token, body)[2])  # type: ignore[misc]
    suspended = same()
    assert suspended[0] == 200
    assert b'"data":{"students":null}' in suspended[2]
    assert token_told(sides.there, vendors[1], {})[1] == token_told(sides.here, vendors[0], {})[1]
    for home in sides.registering:
        home.ok("client", "revoke", "brief")
    for (side, _), token in zip(for_both, tokens, strict=True):
        until(lambda side=side, token=token: posted(side, token, body)[0] == 401)  # type: ignore[misc]
    assert same()[0] == 401


FORM = {
    "purpose": "instruction",
    "fields": [{"coordinate": "Student.birthDate", "reason": "Texts are chosen by age."}],
    "remove": ["Student.lastSurname"],
}


def test_what_a_vendor_asks_for_reaches_the_district_and_what_became_of_it_comes_back(sides: Sides) -> None:
    made = [side.call("POST", "/requests", side.token(), json=FORM) for side in (sides.here, sides.there)]
    for response in made:
        assert response.status_code == 201, response.text
        assert response.headers["location"] == response.json()["address"]
        assert response.json()["address"].startswith(f"{sides.pair.gateway.home.settings.issuer}/requests/")

    def alike(response: requests.Response) -> Told:
        """What is told, but for the request's own id and when it was made."""
        status, headers, body = told(response)
        headers.pop("location", None)
        own = [made[0].json()["id"], made[1].json()["id"]]
        body = re.sub("|".join(own).encode(), b"ID", body)
        return status, headers, re.sub(rb'"\d{4}-\d\d-\d\dT[^"]*"', b'"AT"', body)

    assert alike(made[1]) == alike(made[0])
    paths = [f"/requests/{it.json()['id']}" for it in made]
    here, there = (
        side.call("GET", path, side.token()) for side, path in zip((sides.here, sides.there), paths, strict=True)
    )
    assert alike(there) == alike(here)
    asked = "{ requests { id state purpose coordinates { coordinate reason approved } } }"
    assert [it["id"] for it in sides.there.ask(asked)["data"]["requests"]] == [made[1].json()["id"]]
    assert alike(sides.there.post(asked)) == alike(sides.here.post(asked))
    for method, path, more in (
        ("GET", "/requests/nobody", {}),
        ("GET", "/requests/%F0%9F%98%80", {}),
        ("POST", "/requests", {"json": {"purpose": "no such"}}),
        ("POST", "/requests", {"json": {**FORM, "fields": [{"coordinate": "Student.nothing", "reason": "?"}]}}),
        ("POST", "/requests", {"json": {**FORM, "more": 1}}),
        ("POST", "/requests", {"data": "no form"}),
        ("POST", "/requests?a=b", {"json": FORM}),
    ):
        one, other = sides.both(lambda side, m=method, p=path, it=more: told(side.call(m, p, side.token(), **it)))  # type: ignore[misc]
        assert other == one, (method, path, more)
    # Nobody but the vendor finds it, whatever the gateway it comes through.
    stranger = registered(sides.pair.gateway.home, "stranger")
    found = sides.there.call("GET", paths[1], sides.there.token(stranger, purpose="instruction"))
    assert found.status_code == 404
