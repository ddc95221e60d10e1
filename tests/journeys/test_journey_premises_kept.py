"""A district on its own premises: policy and ledger are the district's, and nobody but the gateway is answered.

Three processes: the gateway, the premises, and an installation that keeps a copy of the same space.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from app.cli.check import examine
from app.ledger.entry import Entry, Kind
from app.oauth.keys import create_keys, read_keys
from tests.journeys.conftest import SMALL
from tests.journeys.premises import (
    FIELDS,
    HELLO,
    ISSUER,
    LONG,
    ROWS,
    STUDENTS,
    Sides,
    by_hand,
    claims_of,
    free_port,
    ledger_of,
    registered,
    signed,
)
from tests.journeys.served import Home, granting, rest_of, until, verdict


def test_the_districts_ledger_has_it_under_the_gateways_id_and_the_gateway_has_none(sides: Sides) -> None:
    answer = sides.there.post("query Noted { students(first: 2) { nodes { firstName birthDate } } }")
    entry = ledger_of(sides.pair.premises.home, SMALL)[-1]
    assert (entry.kind, entry.operation, entry.client, entry.purpose) == (
        Kind.ANSWER,
        "Noted",
        "readwell",
        "instruction",
    )
    assert entry.request == answer.headers["x-request-id"]
    assert [name for name, _ in entry.denied] == ["Student.birthDate"]
    refused = sides.there.post("query Wrong { students { nodes { nothing } } }")
    assert refused.status_code == 400
    assert ledger_of(sides.pair.premises.home, SMALL)[-1].kind is Kind.REFUSAL
    assert verdict(sides.pair.premises.home, SMALL).sound
    gateway = sides.pair.gateway.home
    assert not list(gateway.folder.rglob("*ledger*.db"))
    assert answer.headers["x-request-id"] in sides.pair.gateway.log.read_text()
    assert sides.pair.gateway.token(sides.there.vendor, SMALL) not in sides.pair.premises.log.read_text()


def test_what_the_district_changes_holds_at_the_next_request(sides: Sides) -> None:
    home = sides.pair.premises.home
    assert "errors" not in sides.there.ask(HELLO)
    home.grant(SMALL, "readwell", granting("readwell", {"Student": "lastSurname"}))
    try:
        until(lambda: "errors" in sides.there.ask(HELLO))
        assert sides.there.ask(HELLO)["errors"][0]["extensions"]["code"] == "NOT_GRANTED"
    finally:
        home.grant(SMALL, "readwell", granting("readwell", FIELDS, ROWS))
        until(lambda: "errors" not in sides.there.ask(HELLO))


def test_who_is_suspended_at_the_gateway_is_denied_and_recorded_and_who_is_revoked_is_not_presented(
    sides: Sides,
) -> None:
    gateway = sides.pair.gateway
    vendor = registered(gateway.home, "fleeting")
    token = gateway.token(vendor, SMALL, purpose="instruction")
    assert gateway.ask(token, HELLO)["errors"][0]["extensions"]["code"] == "NO_GRANT"
    gateway.home.ok("client", "suspend", "fleeting")
    until(lambda: gateway.ask(token, HELLO)["errors"][0]["extensions"]["code"] == "CLIENT_SUSPENDED")
    denied = of(sides.pair.premises.home, "fleeting", "Hello")
    assert denied[-1].denied == (("Query.students", "CLIENT_SUSPENDED"),)
    gateway.home.ok("client", "revoke", "fleeting")
    until(lambda: gateway.post(token, HELLO).status_code == 401)
    before = len(ledger_of(sides.pair.premises.home, SMALL))
    assert gateway.post(token, HELLO).status_code == 401
    assert len(ledger_of(sides.pair.premises.home, SMALL)) == before


def test_an_answer_is_read_as_fast_as_the_vendor_reads_and_ends_with_the_vendors_access(sides: Sides) -> None:
    gateway, home = sides.pair.gateway, sides.pair.premises.home
    vendor = registered(gateway.home, "slow")
    home.grant(SMALL, "slow", granting("slow", FIELDS, ROWS))
    token = gateway.token(vendor, SMALL, purpose="instruction")
    until(lambda: "errors" not in gateway.ask(token, HELLO))
    answer = gateway.slowly(token, LONG)
    received = answer.read(50_000)
    time.sleep(1)
    under_way = of(home, "slow", "Long")
    assert [it.kind for it in under_way][:2] == [Kind.OPENING, Kind.CHUNK]
    assert len(under_way) < STUDENTS / 10, "The premises have read far ahead of the vendor."
    gateway.home.ok("client", "suspend", "slow")
    until(lambda: "CLIENT_SUSPENDED" in gateway.post(token, HELLO).text)
    received += rest_of(answer)
    until(lambda: of(home, "slow", "Long")[-1].kind is Kind.ABORTED)
    assert 0 < received.count(b'"firstName"') < STUDENTS
    assert verdict(home, SMALL).sound


def of(home: Home, client: str, operation: str) -> list[Entry]:
    """A client's entries for an operation, oldest first."""
    return [it for it in ledger_of(home, SMALL) if (it.client, it.operation) == (client, operation)]


@pytest.fixture
def told(sides: Sides) -> Callable[[bytes, str | None], requests.Response]:
    """Asks the premises, as whoever reaches them may."""

    def ask(body: bytes, statement: str | None) -> requests.Response:
        headers = {"content-type": "application/json"}
        if statement is not None:
            headers["authorization"] = f"Bearer {statement}"
        return requests.post(f"{sides.pair.premises.url}/subgraph", data=body, headers=headers, timeout=30)

    return ask


BODY = b'{"query":"{ students(first: 1) { nodes { firstName } } }"}'
OTHER = b'{"query":"{ students(first: 2) { nodes { firstName } } }"}'


def test_a_statement_is_believed_once_for_its_own_operation(sides: Sides, told: Any) -> None:
    statement = sides.pair.statement(BODY)
    assert told(BODY, statement).json()["data"]["students"]["nodes"][0]["firstName"]
    assert told(BODY, statement).status_code == 401


def test_whoever_is_not_the_gateway_is_refused_alike_and_told_nothing(sides: Sides, told: Any, tmp_path: Path) -> None:
    pair, now = sides.pair, time.time()
    at = pair.premises.home.settings.issuer
    create_keys(tmp_path)
    stranger = read_keys(tmp_path, 300)
    claims = claims_of(pair.statement(BODY))
    key = pair.keys.signing(now)
    typ = {"typ": "homeroom-caller+jwt", "kid": key.kid}
    public = key.as_pem(private=False)
    forged = {
        "nothing": None,
        "no JWT": "x.y.z",
        "another's key": pair.statement(BODY, keys=stranger),
        "another's key under the gateway's name": signed(stranger.signing(now), typ, claims),
        "over": pair.statement(BODY, now=now - 61),
        "not yet": pair.statement(BODY, now=now + 120),
        "another audience": pair.statement(BODY, audience=f"https://elsewhere.example/spaces/{SMALL}"),
        "another space": pair.statement(BODY, audience=f"{at}/spaces/mn/loon-lake"),
        "another issuer": pair.statement(BODY, issuer="https://elsewhere.example"),
        "another operation": pair.statement(OTHER),
        "a vendor's token": pair.gateway.token(sides.there.vendor, SMALL),
        "none": by_hand(typ | {"alg": "none"}, claims),
        "HS256 by the public key": by_hand(typ | {"alg": "HS256"}, claims, public),
        "another type": signed(key, typ | {"typ": "at+jwt"}, claims),
        "no type": signed(key, {"kid": key.kid}, claims),
        "a key brought along": signed(key, typ | {"jwk": key.as_dict(private=False)}, claims),
        "good for an hour": signed(key, typ, claims | {"exp": int(now) + 3_600}),
        "more than is said": signed(key, typ, claims | {"admin": True}),
        "no client": signed(key, typ, claims | {"sub": "not a client"}),
        "for another path": pair.statement(BODY, path="/subgraph/requests"),
    }
    before = len(ledger_of(pair.premises.home, SMALL))
    answers = {name: told(BODY, statement) for name, statement in forged.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(forged, 401)
    alike = {(it.headers["www-authenticate"], json.dumps(it.json()["errors"])) for it in answers.values()}
    assert len(alike) == 1
    assert requests.get(f"{pair.premises.url}/subgraph?query={{__typename}}", timeout=30).status_code == 401
    for path in ("/graphql", "/oauth/token", "/oauth/jwks", "/console", "/graphiql", "/"):
        assert requests.get(pair.premises.url + path, timeout=30).status_code == 404
    assert len(ledger_of(pair.premises.home, SMALL)) == before
    assert told(BODY, signed(key, typ, claims)).status_code == 200  # so that it is what was changed that was refused


def test_check_says_on_both_sides_what_would_stop_it(sides: Sides, tmp_path: Path) -> None:
    gateway, premises = sides.pair.gateway.home, sides.pair.premises.home
    assert examine(gateway.settings).findings == []
    seen = examine(premises.settings)
    assert seen.findings == []
    assert any("Clients are the trusted gateway's" in remark for remark in seen.remarks)

    def found(home: Home, name: str, *changes: tuple[str, str]) -> str:
        """What is found where homeroom.toml says something else."""
        other = home.copy(tmp_path / name)
        text = other.config.read_text()
        for was, now in changes:
            assert was in text
            text = text.replace(was, now)
        other.config.write_text(text)
        return "\n".join(examine(other.settings).findings)

    at, own = premises.settings.issuer, sides.here.server.url
    assert "tx/nowhere: The premises do not believe this gateway." in found(gateway, "a", (SMALL, "tx/nowhere"))
    assert "is no `homeroom subgraph serve` (status 404)" in found(gateway, "b", (at, own))
    assert "cannot be reached" in found(gateway, "c", (at, f"http://127.0.0.1:{free_port()}"))
    jwks = f"{sides.pair.gateway.url}/oauth/jwks"
    assert "is no JWKS" in found(premises, "d", (jwks, f"{own}/healthz"))
    assert "cannot be read (FileNotFoundError)" in found(premises, "e", (jwks, "keys/gateway.json"))
    assert "this installation's issuer is loopback" in found(premises, "f", (f'"{ISSUER}"', '"https://graph.example"'))
