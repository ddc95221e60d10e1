"""A space on premises that has a subgraph: it is joined there, and a vendor sees no difference, also when it fails."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from app.cli.check import examine
from app.ledger.entry import Kind
from app.names import Scope
from app.schema.catalogue import SCOPES
from tests import worlds
from tests.federation.lms.composed import GRADEBOOK, supergraph
from tests.journeys.premises import Pair, Side, empty, ledger_of, paired, registered, told
from tests.journeys.served import Home, granting, served, until, verdict, world_installed

REMOTE = frozenset(map(Scope, ("lms/submissions.read", "lms/profile.read", "lms/marks.read")))
FIELDS = {
    "Student": "firstName submissions homepage",
    "Submission": "title points student",
    "Query": "submissions",
}
ELM = 'schools = ["elm"]'
MAY = '\n[subgraphs.lms]\nmay_receive = ["Student.sourceKey"]\n'
BOTH = "query Both { students { nodes { id firstName homepage submissions { id title points } } } }"
QUERIES = (
    BOTH,
    "{ submissions { title student { id firstName lastSurname } } }",
    "{ students(first: 1) { nodes { firstName marks { value } } } }",
    "{ grant { coordinates { coordinate state } } }",
    '{ __type(name: "Submission") { fields { name description } } }',
    "{ submissions { nothing } }",
)


@dataclass(frozen=True, slots=True)
class Joined:
    """The same space with the same subgraph: on premises behind a gateway, and as its own server."""

    pair: Pair
    there: Side
    here: Side
    gradebook: subprocess.Popen[bytes]


@contextmanager
def gradebook() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(GRADEBOOK), str(port)])
    try:
        until(lambda: answers(port), process)
        yield process, port
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/asked", timeout=5).ok
    except requests.ConnectionError:
        time.sleep(0.05)
        return False


def composed(home: Home) -> Home:
    """An installation with the supergraph of the core and the gradebook."""
    home.config.write_text(f'supergraph = "{supergraph()}"\n{home.config.read_text()}')
    return home


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Joined]:
    folder = tmp_path_factory.mktemp("mixed")
    kept = Home(folder / "kept")
    world_installed(kept, "unused")
    composed(kept)
    home, gateway = kept.copy(folder / "premises"), composed(empty(folder / "gateway"))
    with gradebook() as (process, port):
        for one in (kept, home):
            one.config.write_text(
                f'{one.config.read_text()}\n[spaces."{worlds.SPACE}".subgraphs.lms]\n'
                f'url = "http://127.0.0.1:{port}/graphql"\n'
            )
            rule = one.folder / "policies" / worlds.SPACE / "district.toml"
            rule.write_text(rule.read_text() + MAY)
            one.grant(worlds.SPACE, "readwell", granting("readwell", FIELDS, ELM))
        with paired(folder, home, worlds.SPACE, before=gateway) as (pair, _), served(kept) as server:
            there = Side(pair.gateway, registered(pair.gateway.home, "reading", scopes=frozenset(SCOPES) | REMOTE))
            here = Side(server, registered(kept, "reading", scopes=frozenset(SCOPES) | REMOTE))
            for one in (kept, home):
                one.grant(worlds.SPACE, "reading", granting("reading", FIELDS, ELM))
            for side in (there, here):
                until(lambda side=side: "submissions" in str(asked(side, BOTH)[2]))  # type: ignore[misc]
            yield Joined(pair, there, here, process)


def asked(side: Side, document: str) -> tuple[int, dict[str, str], bytes]:
    token = side.server.token(side.vendor, worlds.SPACE, purpose="instruction")
    return told(side.server.post(token, document))


def test_what_a_subgraph_tells_is_the_same_from_the_premises(joined: Joined) -> None:
    for document in QUERIES:
        assert asked(joined.there, document) == asked(joined.here, document), document
    nodes = json.loads(asked(joined.there, BOTH)[2])["data"]["students"]["nodes"]
    assert {"Ana", "Max"} <= {one["firstName"] for one in nodes}
    assert any(one["submissions"] for one in nodes)


def test_what_a_subgraph_was_told_and_what_left_is_in_the_ledger_of_the_premises(joined: Joined) -> None:
    asked(joined.there, BOTH)
    home = joined.pair.premises.home
    found = [it for it in ledger_of(home, worlds.SPACE) if it.operation == "Both"]
    assert {it.kind for it in found} == {Kind.SENT, Kind.ANSWER}
    assert {it.subgraph for it in found if it.kind is Kind.SENT} == {"lms"}
    assert verdict(home, worlds.SPACE).sound


def test_check_says_where_a_subgraph_belongs_and_whose_schema_differs(joined: Joined, tmp_path: Path) -> None:
    gateway = joined.pair.gateway.home
    seen = examine(gateway.settings)
    assert seen.findings == []
    assert not any("another schema" in remark for remark in seen.remarks)
    plain = gateway.copy(tmp_path / "plain")
    lines = plain.config.read_text().splitlines(keepends=True)
    plain.config.write_text("".join(line for line in lines if not line.startswith("supergraph")))
    seen = examine(plain.settings)
    assert seen.findings == []
    assert any("tx/larkspur: The premises present another schema" in remark for remark in seen.remarks)
    wrong = gateway.copy(tmp_path / "wrong")
    wrong.config.write_text(
        f'{wrong.config.read_text()}\n[premises."{worlds.SPACE}".subgraphs.lms]\nurl = "https://lms.example/"\n'
    )
    done = wrong.run("check")
    assert done.returncode == 3
    assert "The premises ask the space's subgraphs" in done.stderr


def test_a_subgraph_that_is_gone_nulls_its_own_fields_from_the_premises_too(joined: Joined) -> None:
    joined.gradebook.kill()
    joined.gradebook.wait(10)
    here, there = asked(joined.here, BOTH), asked(joined.there, BOTH)
    assert there == here
    answer = json.loads(there[2])
    assert [one["firstName"] for one in answer["data"]["students"]["nodes"]]
    assert {one["submissions"] for one in answer["data"]["students"]["nodes"]} == {None}
    assert {one["extensions"]["code"] for one in answer["errors"]} == {"SUBGRAPH_FAILED"}
