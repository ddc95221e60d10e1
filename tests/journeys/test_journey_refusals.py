"""What bad input gets: a refusal that says what is wrong and what to do, and not a byte of a record."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey
from oauthlib.oauth2 import OAuth2Error
from sqlalchemy import text

from app.names import SpaceId
from app.oauth.keys import read_keys
from app.storage.engines import open_engine
from tests.journeys.conftest import CANARIES, OTHER, SMALL
from tests.journeys.served import Home, Server, Vendor, granting, served

FIELDS = {"Student": "firstName"}
QUERY = "{ students(first: 3) { nodes { id firstName } } }"
NAMES = "student/name.read"


@dataclass
class World:
    """Two districts that are served, and two vendors with a grant in each."""

    home: Home
    server: Server
    readwell: Vendor
    mathlab: Vendor

    def entries(self) -> list[dict[str, object]]:
        """The ledger of the first district, newest first."""
        listed: list[dict[str, object]] = self.home.json("disclosures", "list", SMALL)
        return listed


@pytest.fixture(scope="module")
def world(two_districts: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = two_districts.copy(tmp_path_factory.mktemp("refusals") / "home")
    vendors = [home.vendor("readwell", NAMES, "enrollment/school.read"), home.vendor("mathlab")]
    for space in (SMALL, OTHER):
        for vendor in vendors:
            home.grant(space, vendor.id, granting(vendor.id, FIELDS))
    with served(home) as server:
        yield World(home, server, *vendors)
        server.stop()


def left(entries: list[dict[str, object]]) -> int:
    """How many entries tell of something that left."""
    return sum(entry["kind"] in ("answer", "chunk") for entry in entries)


# Tokens


def claims(world: World, **other: object) -> dict[str, object]:
    """What a good token says, but for `other`."""
    issuer, now = world.home.settings.issuer, int(time.time())
    return {
        "iss": issuer,
        "aud": world.home.settings.resource(SpaceId(SMALL)),
        "sub": "readwell",
        "client_id": "readwell",
        "jti": "one-of-its-own",
        "iat": now - 10,
        "exp": now + 200,
        "scope": NAMES,
        "purpose": "instruction",
        **other,
    }


def signed(world: World, *, typ: str = "at+jwt", **other: object) -> str:
    """A token by Homeroom's own key, whatever it says."""
    key = next(iter(read_keys(world.home.settings.keys_folder, 300).by_kid.values()))
    return jwt.encode({"alg": "ES256", "typ": typ, "kid": str(key.kid)}, claims(world, **other), key)


def unsigned(world: World) -> str:
    _, body, _ = signed(world).split(".")
    return f"{_base64({'alg': 'none', 'typ': 'at+jwt'})}.{body}."


def by_public_key(world: World) -> str:
    """HS256 with the public key for a secret, under its own id."""
    key = next(iter(read_keys(world.home.settings.keys_folder, 300).by_kid.values()))
    content = f"{_base64({'alg': 'HS256', 'typ': 'at+jwt', 'kid': str(key.kid)})}.{_base64(claims(world))}"
    proof = hmac.new(key.as_pem(private=False), content.encode(), "sha256").digest()
    return f"{content}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"


def by_foreign_key(world: World) -> str:
    """ES256 with somebody else's key, under the id of ours."""
    kid = next(iter(read_keys(world.home.settings.keys_folder, 300).by_kid))
    key = ECKey.generate_key("P-256")
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": kid}, claims(world), key)


def revoked(world: World) -> str:
    token = world.server.token(world.readwell, SMALL)
    done = requests.post(
        f"{world.server.url}/oauth/revoke",
        data={"token": token},
        auth=(world.readwell.id, world.readwell.secret),
        timeout=30,
    )
    assert done.status_code == 200
    return token


def _base64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


BAD_TOKENS: dict[str, Callable[[World], str]] = {
    "garbage": lambda _: "garbage",
    "three parts of garbage": lambda _: "a.b.c",
    "no algorithm": unsigned,
    "the public key as a secret": by_public_key,
    "a foreign key": by_foreign_key,
    "an audience that is no space": lambda world: signed(world, aud="https://elsewhere.example/spaces/tx/other"),
    "a space that is not here": lambda world: signed(world, aud=world.home.settings.resource(SpaceId("tx/nowhere"))),
    "no audience": lambda world: signed(world, aud=""),
    "another issuer": lambda world: signed(world, iss="https://elsewhere.example"),
    "expired": lambda world: signed(world, iat=int(time.time()) - 400, exp=int(time.time()) - 1),
    "not yet issued": lambda world: signed(world, iat=int(time.time()) + 3_600, exp=int(time.time()) + 4_000),
    "another type": lambda world: signed(world, typ="JWT"),
    "an unknown client": lambda world: signed(world, client_id="nobody", sub="nobody"),
    "edited": lambda world: signed(world)[:-8] + "AAAAAAAA",
    "revoked": revoked,
}


@pytest.mark.parametrize("case", BAD_TOKENS)
def test_every_bad_token_gets_the_same_401(world: World, case: str) -> None:
    before = world.entries()
    assert world.server.post(signed(world), QUERY).status_code == 200  # but for what is wrong with it, it were good
    refused = world.server.post(BAD_TOKENS[case](world), QUERY)
    usual = world.server.post("bad", QUERY)
    assert refused.status_code == 401
    assert refused.json()["errors"] == usual.json()["errors"]  # the id beside them is each request's own
    assert refused.headers["www-authenticate"] == usual.headers["www-authenticate"]
    assert refused.headers["www-authenticate"].startswith('Bearer error="invalid_token", resource_metadata="')
    assert refused.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "data" not in refused.json()
    assert len(world.entries()) == len(before) + 1  # who is unknown is no entry of a district's ledger


def test_no_token_gets_a_challenge_without_a_fault(world: World) -> None:
    refused = world.server.post(None, QUERY)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer resource_metadata=")
    assert "data" not in refused.json()
    basic = requests.post(f"{world.server.url}/graphql", json={"query": QUERY}, auth=("readwell", "x"), timeout=30)
    assert basic.status_code == 401


def test_a_scope_that_the_client_does_not_hold_is_invalid_scope(world: World) -> None:
    for scope in ("student/ssn.read", f"{NAMES} grade/marks.read", "no-such-scope"):
        with pytest.raises(OAuth2Error) as refused:
            world.server.token(world.readwell, SMALL, scope=scope)
        assert refused.value.error == "invalid_scope"
    assert world.server.token(world.readwell, SMALL, scope=NAMES)


def test_a_wrong_secret_and_an_unknown_client_are_refused_alike(world: World) -> None:
    said = set()
    for vendor in (Vendor("readwell", "wrong"), Vendor("nobody", "wrong"), Vendor("nobody", world.readwell.secret)):
        with pytest.raises(OAuth2Error) as refused:
            world.server.token(vendor, SMALL)
        said.add((refused.value.error, refused.value.description, refused.value.status_code))
    assert len(said) == 1
    assert said.pop()[0] == "invalid_client"


# Queries


DEEP = "{ students { nodes " + "{ schoolEnrollments { student " * 20 + "{ id }" + " } }" * 20 + " } }"
TOO_MUCH = {
    "tokens": ("{ students { nodes { " + "id " * 6_000 + "} } }", "LIMIT_TOKENS", 5_000, 5_001),
    "depth": (DEEP, "LIMIT_DEPTH", 16, 43),
    "aliases": ("{" + " ".join(f"a{n}: district {{ id }}" for n in range(201)) + "}", "LIMIT_ALIASES", 200, 201),
    "cost": (
        "{ students(first: 10000) { nodes { " + "sectionEnrollments { section { " * 4 + "id" + " } }" * 4 + " } } }",
        "LIMIT_COST",
        20_000_000,
        None,
    ),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_a_query_past_a_limit_is_told_the_limit_and_its_figure(world: World, case: str) -> None:
    document, code, limit, figure = TOO_MUCH[case]
    refused = world.server.post(world.server.token(world.readwell, SMALL), document)
    assert refused.status_code == 400
    assert "data" not in refused.json()
    [error] = refused.json()["errors"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["limit"] == limit
    found = error["extensions"]["figure"]
    assert found == figure if figure else found > limit
    assert str(limit) in error["message"]
    assert world.entries()[0]["kind"] == "refusal"


def test_a_page_and_a_body_past_their_limits_are_told_so(world: World) -> None:
    token = world.server.token(world.readwell, SMALL)
    page = world.server.post(token, "{ students(first: 10001) { nodes { id } } }")
    assert page.status_code == 400
    assert page.json()["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "limit": 10_000}
    large = world.server.post(token, "{ students { nodes { id } } } #" + "x" * 300_000)
    assert large.status_code == 413
    [error] = large.json()["errors"]
    assert error["extensions"]["code"] == "LIMIT_BODY"
    assert error["extensions"]["limit"] == 262_144
    assert error["extensions"]["figure"] > 300_000
    assert "262144" in error["message"]


def test_threat_7_a_filter_by_what_is_not_granted_runs_nothing(world: World) -> None:
    before = left(world.entries())
    token = world.server.token(world.readwell, SMALL)
    refused = world.server.post(token, '{ students(where: {lastSurname: {eq: "Miller"}}) { nodes { id } } }')
    assert refused.status_code == 400
    assert "data" not in refused.json()
    [error] = refused.json()["errors"]
    assert error["extensions"]["code"] == "FILTER_NOT_GRANTED"
    assert error["extensions"]["coordinate"] == "Student.lastSurname"
    assert world.entries()[0]["kind"] == "refusal"
    assert left(world.entries()) == before


def test_ids_and_cursors_of_others_are_unknown(world: World) -> None:
    pages = (
        "query($after: String) { students(first: 3, after: $after) { nodes { id firstName } pageInfo { endCursor } } }"
    )
    one = "query($id: ID!) { student(id: $id) { id firstName } node(id: $id) { id } }"
    found, cursors = {}, {}
    tokens = {
        (vendor.id, space): world.server.token(vendor, space)
        for vendor in (world.readwell, world.mathlab)
        for space in (SMALL, OTHER)
    }
    for who, token in tokens.items():
        students = world.server.ask(token, pages)["data"]["students"]
        found[who] = [student["id"] for student in students["nodes"]]
        cursors[who] = students["pageInfo"]["endCursor"]
        own = world.server.ask(token, one, id=found[who][0])
        assert own["data"]["student"]["firstName"]
        assert own["data"]["node"] == {"id": found[who][0]}
    every = [name for names in found.values() for name in names]
    assert len(every) == len(set(every)) == 12
    nobody = world.server.ask(tokens["readwell", SMALL], one, id="no-such-id")
    assert nobody == {"data": {"student": None, "node": None}}
    for who, token in tokens.items():
        for other in tokens:
            if other != who:
                assert world.server.ask(token, one, id=found[other][0]) == nobody
                refused = world.server.post(token, pages, after=cursors[other])
                assert refused.status_code == 400
                assert "data" not in refused.json()
        assert world.server.ask(token, pages, after=cursors[who])["data"]["students"]["nodes"][0]["id"] not in every


# The canary


def test_threat_6_what_is_not_granted_is_in_no_answer_no_log_no_metric_and_no_ledger(world: World) -> None:
    server, home = world.server, world.home
    token = server.token(world.mathlab, SMALL)
    ssn, name, mail = CANARIES["ssn"], CANARIES["name"], CANARIES["mail"]
    stored = home.run("check").stdout
    assert f"{SMALL}: The last import met 1 social security numbers; 1 are stored" in stored
    answers = [
        server.post(token, document, **variables)
        for document, variables in (
            ("{ students(first: 1000) { nodes { id firstName lastSurname email ssn studentUniqueId } } }", {}),
            ("query($n: String!) { students(where: {lastSurname: {eq: $n}}) { nodes { id } } }", {"n": name}),
            ("query($n: [String!]) { students(where: {email: {in: $n}}) { nodes { id } } }", {"n": [mail]}),
            ("query($n: Int!) { students(first: $n) { nodes { id } } }", {"n": ssn}),
            ("query($n: String) { students(after: $n) { nodes { id } } }", {"n": name}),
            ("query($n: ID!) { student(id: $n) { id } node(id: $n) { id } }", {"n": ssn}),
            ('{ students(where: {ssn: {eq: "000-00-0000"}}) { nodes { id } } }', {}),
            ("{ students(first: 1000) { nodes { schoolEnrollments { student { lastSurname } } } } }", {}),
        )
    ]
    assert answers[0].status_code == 200
    assert len(answers[0].json()["data"]["students"]["nodes"]) == 60
    pages = [
        requests.get(f"{server.url}{path}", timeout=30) for path in ("/", "/metrics", "/readyz", "/schema.graphql")
    ]
    assert 'homeroom_graph_requests_total{client="mathlab"' in pages[1].text
    seen = {
        **{f"answer {n}": it.content + repr(it.headers).encode() for n, it in enumerate([*answers, *pages])},
        "log": server.log.read_bytes(),
        "ledger": ledger_bytes(home),
        "disclosures": home.ok("--format", "json", "disclosures", "list", SMALL).encode(),
        "policies": home.run("check").stdout.encode(),
    }
    forms = [value.encode() for value in (name, name[:8], mail, ssn, ssn.replace("-", ""))]
    for place, content in seen.items():
        assert content
        for form in forms:
            assert form.lower() not in content.lower(), (place, form)
    granted = answers[0].json()["data"]["students"]["nodes"][0]["firstName"].encode()
    assert granted in seen["answer 0"]
    assert f'"{granted.decode()}"'.encode() not in seen["log"] + seen["ledger"]


def ledger_bytes(home: Home) -> bytes:
    """Every byte that the ledger of the first district keeps, with its checkpoints."""
    kept = b"".join(file.read_bytes() for file in (home.folder / "checkpoints").rglob("*") if file.is_file())
    if home.postgres is None:
        folder = home.folder / "spaces" / SMALL
        return kept + b"".join(file.read_bytes() for file in sorted(folder.glob("ledger.db*")))

    async def read() -> bytes:
        engine = open_engine(home.settings.database_url(home.settings.spaces[SMALL].ledger))
        try:
            async with engine.connect() as connection:
                rows = await connection.execute(text("SELECT * FROM entry"))
                return b"".join(
                    value if isinstance(value, bytes) else repr(value).encode() for row in rows for value in row
                )
        finally:
            await engine.dispose()

    return kept + asyncio.run(read())
