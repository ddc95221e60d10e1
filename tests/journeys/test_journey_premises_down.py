"""Premises that are gone, or several at once: one district's trouble is its own, and a statement is good for one."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import requests

from app.ledger.entry import Kind
from tests import worlds
from tests.journeys.conftest import SMALL
from tests.journeys.premises import FIELDS, HELLO, LONG, ROWS, STUDENTS, ledger_of, paired
from tests.journeys.served import Home, granting, rest_of, served, until, verdict, world_installed
from tests.postgres import Server as Postgres

AT_ONCE = 12


def test_premises_that_are_gone_trouble_nobody_elses_vendors_and_come_back(kept_district: Home, tmp_path: Path) -> None:
    home, other = kept_district.copy(tmp_path / "home"), Home(tmp_path / "gateway")
    home.grant(SMALL, "readwell", granting("readwell", FIELDS, ROWS))
    world_installed(other, "other")
    other.grant(worlds.SPACE, "readwell", granting("readwell", {"Student": "firstName"}))
    with paired(tmp_path, home, SMALL, before=other) as (pair, vendor):
        gateway = pair.gateway
        token, elsewhere = gateway.token(vendor, SMALL), gateway.token(vendor, worlds.SPACE)
        whole = gateway.ask(elsewhere, HELLO)
        assert whole["data"]["students"]["nodes"]
        answer = gateway.slowly(token, LONG)
        received = answer.read(50_000)
        pair.premises.kill()
        assert gateway.ask(elsewhere, HELLO) == whole
        received += rest_of(answer)
        assert 0 < received.count(b'"firstName"') < STUDENTS
        for method, path, more in (
            ("POST", "/graphql", {"json": {"query": HELLO}}),
            ("POST", "/requests", {"json": {"purpose": "instruction"}}),
            ("GET", "/requests/any", {}),
        ):
            headers = {"authorization": f"Bearer {token}"}
            gone = requests.request(method, gateway.url + path, headers=headers, timeout=30, **more)  # type: ignore[arg-type]
            assert gone.status_code == 503
            assert gone.headers["retry-after"] == "5"
            (error,) = gone.json()["errors"]
            assert error["extensions"]["code"] == "UNAVAILABLE"
            assert error["extensions"]["id"] in gateway.log.read_text()
            assert "data" not in gone.json()
        # A token that leaves the purpose open cannot be made; one that names it can.
        form = {"grant_type": "client_credentials", "resource": gateway.home.settings.resource(SMALL)}  # type: ignore[arg-type]
        address, proof = f"{gateway.url}/oauth/token", (vendor.id, vendor.secret)
        refused = requests.post(address, data=form, auth=proof, timeout=30)
        assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
        assert gateway.token(vendor, SMALL, purpose="instruction")
        assert gateway.ask(elsewhere, HELLO) == whole
        assert requests.get(f"{gateway.url}/readyz", timeout=30).status_code == 200
        port = str(urlsplit(pair.premises.url).port)
        with served(home, command=("subgraph", "serve", "--port", port)):
            assert gateway.ask(token, HELLO)["data"]["students"]["nodes"]
            assert home.json("disclosures", "verify", SMALL)["interrupted"]
        assert verdict(other, worlds.SPACE).sound
        assert {entry.operation for entry in ledger_of(other, worlds.SPACE)} == {"Hello"}
        nobody_keeps(other, gateway.log, received)


def nobody_keeps(home: Home, log: Path, received: bytes) -> None:
    """Nothing of what was passed on is in any file of the gateway's."""
    names = set(re.findall(rb'"firstName":"(\w{6,})"', received))
    assert names
    for file in (log, *(it for it in home.folder.rglob("*") if it.is_file())):
        held = file.read_bytes()
        assert not [name for name in names if name in held], file


def test_of_one_statement_at_many_workers_at_once_one_alone_is_answered(store: Postgres | None, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", store)
    world_installed(home, "unused")
    home.grant(worlds.SPACE, "readwell", granting("readwell", {"Student": "firstName"}))
    body = b'{"query":"query Once { students(first: 1) { nodes { firstName } } }"}'
    with paired(tmp_path, home, worlds.SPACE, "--workers", "2") as (pair, vendor):
        until(lambda: pair.gateway.ask(pair.gateway.token(vendor, worlds.SPACE), HELLO)["data"]["students"])

        def present(statement: str) -> int:
            headers = {"content-type": "application/json", "authorization": f"Bearer {statement}"}
            return requests.post(f"{pair.premises.url}/subgraph", data=body, headers=headers, timeout=30).status_code

        with ThreadPoolExecutor(AT_ONCE) as many:
            for _ in range(3):
                statement = pair.statement(body)
                found = list(many.map(present, [statement] * AT_ONCE))
                assert sorted(found) == [200, *[401] * (AT_ONCE - 1)]
        answered = [it for it in ledger_of(home, worlds.SPACE) if it.operation == "Once"]
        assert [it.kind for it in answered] == [Kind.ANSWER] * 3
        assert verdict(home, worlds.SPACE).sound
