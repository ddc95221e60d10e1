"""`homeroom compose`: a supergraph of the core and its subgraphs, what changed in it, and conflicts in sentences."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.cli.composing import COMPOSER, sentence
from app.federation.remote import vocabulary
from app.federation.supergraph_sdl import read_supergraph
from app.names import Coordinate
from app.registry.answering import sdl
from app.schema.catalogue import CATALOGUE
from app.schema.ndpa import NOT_STUDENT_DATA
from tests.cli.commands import Commands

LMS = Path(__file__).resolve().parents[1] / "federation" / "lms" / "gradebook.py"
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@override", "@tag"])\n'
CLUBS = f"""{LINK}
type Query {{ clubs: [Club!] }}
type Club @key(fields: "id") {{ id: ID! name: String }}
"""

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None, reason="Composing needs npm. Install it (on Debian: apt-get install nodejs npm)."
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "registry.graphql").write_text(sdl())
    (tmp_path / "clubs.graphql").write_text(CLUBS)
    return Commands(tmp_path, monkeypatch, capsys)


def test_the_core_and_the_registry_go_together_with_scopes_and_tags(run: Commands) -> None:
    (run.home / "homeroom.toml").write_text('[subgraphs.registry]\nschema = "registry.graphql"\n')
    status, out, err = run("compose")
    assert (status, err) == (0, "")
    assert "supergraph.graphql was written, of 2 subgraphs." in out
    assert 'supergraph = "supergraph.graphql"' in out
    text = (run.home / "supergraph.graphql").read_text()
    composed = read_supergraph(text)
    assert {one.name for one in composed.subgraphs.values()} == {"core", "registry"}
    known = vocabulary(text, composed, {})
    assert CATALOGUE.items() <= known.facts.items()
    for coordinate in ("Course.learningResources", "Query.learningResources", "LearningResource.paradata"):
        fact = known.facts[Coordinate(coordinate)]
        assert (fact.scope, fact.sensitivity) == ("resource/catalog.read", "public")
        assert fact.category == NOT_STUDENT_DATA
    assert known.students["LearningResource"] == ()
    assert {"LearningResourceConnection", "LearningResourceEdge"} <= known.frames
    assert run("compose", "--check")[0] == 0


def test_what_changed_is_said_and_a_check_writes_nothing(run: Commands) -> None:
    assert run("compose", "registry=registry.graphql")[0] == 0
    before = (run.home / "supergraph.graphql").read_text()
    later = re.sub(r'(license: String.*)"sensitivity/public"', r'\1"sensitivity/low"', sdl())
    later = re.sub(r'  """[^"]*"""\n  publisher: .*\n', "", later)
    (run.home / "registry.graphql").write_text(later)
    status, out, _ = run("compose", "registry=registry.graphql", "--check")
    assert (status, (run.home / "supergraph.graphql").read_text()) == (1, before)
    assert "would change" in out
    status, out, _ = run("compose", "registry=registry.graphql")
    assert status == 0
    assert "breaking: Field LearningResource.publisher was removed." in out
    changed = next(line for line in out.splitlines() if line.startswith("LearningResource.license: "))
    was, _, now = changed.partition(" → ")
    assert "told by registry under resource/catalog.read, tagged " in was
    assert ("sensitivity/public" in was, "sensitivity/low" in now) == (True, True)


def test_what_nobody_could_be_granted_is_said(run: Commands) -> None:
    (run.home / "homeroom.toml").write_text(
        '[subgraphs.clubs]\nschema = "clubs.graphql"\n[subgraphs.clubs.fields."Query.clubs"]\n'
        'scope = "club/list.read"\ncategory = "Student work"\nsensitivity = "low"\n'
    )
    status, out, _ = run("compose")
    assert status == 0
    assert "clubs: Club does not say whose it is, so nobody can be granted it." in out
    assert "Query.clubs" not in out
    (run.home / "clubs.graphql").write_text(
        CLUBS.replace('@key(fields: "id")', '@key(fields: "id") @tag(name: "student/none")')
    )
    assert "clubs: Club.name does not say its scope, category and sensitivity" in run("compose")[1]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("type Query { clubs: ", "clubs: line 1: Syntax Error"),
        (f'{LINK} type Query {{ a: Int }} type Course @key(fields: "scedCode") {{ scedCode: Int }}', '"clubs"'),
        (f'{LINK} type Query {{ a: Int }} type Club @key(fields: "nothing") {{ id: ID }}', "clubs: On type"),
        (
            f'{LINK} type Query {{ a: Int }} type Student @key(fields: "sourceKey") '
            '{ sourceKey: String! firstName: String @override(from: "core") }',
            "clubs: Student.firstName is a district's own to tell.",
        ),
    ],
)
def test_a_conflict_is_a_sentence_with_the_subgraphs_name(run: Commands, schema: str, said: str) -> None:
    (run.home / "clubs.graphql").write_text(schema)
    status, out, err = run("compose", "clubs=clubs.graphql")
    assert (status, err) == (1, "")
    assert said in out
    assert all(line.endswith((".", "?")) for line in out.splitlines() if not line.startswith((" ", "-")))
    assert not (run.home / "supergraph.graphql").exists()
    problems = json.loads(run("--format", "json", "compose", "clubs=clubs.graphql")[1])["problems"]
    assert any(said in problem for problem in problems)


def test_a_subgraph_that_cannot_be_read_is_named(run: Commands) -> None:
    for named, status, said in (
        ("clubs=nothing.graphql", 2, "clubs: its schema"),
        ("clubs", 2, "NAME=SCHEMA"),
        ("core=clubs.graphql", 2, "leave `core` to the districts"),
        ("clubs=http://clubs.example/graphql", 2, "clubs: A schema is fetched by https://"),
        ("clubs=http://127.0.0.1:1/graphql", 4, "clubs does not tell its schema"),
    ):
        found, _, err = run("compose", named)
        assert (found, said in err) == (status, True), err
    (run.home / "supergraph.graphql").write_text("type Query { a: Int }")
    assert "no supergraph; it is written over" in run("compose", "registry=registry.graphql")[1]


@pytest.fixture
def gradebook() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(LMS), str(port)])
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/asked", timeout=5)
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        process.terminate()
        process.wait(10)


def test_a_subgraph_that_runs_tells_its_schema(run: Commands, gradebook: str) -> None:
    status, out, _ = run("compose", f"lms={gradebook}", "--out", "other.graphql")
    assert status == 0
    assert "lms: Student.undeclared does not say its scope" in out
    composed = read_supergraph((run.home / "other.graphql").read_text())
    assert {one.name: one.url for one in composed.subgraphs.values()} == {"core": "", "lms": gradebook}


def test_a_problem_names_subgraph_and_line_and_ends_as_sentences_do() -> None:
    assert sentence({"subgraph": "lms", "line": 3, "message": "It is wrong"}) == "lms: line 3: It is wrong."
    assert sentence({"subgraph": None, "message": "Is it?"}) == "Is it?"


def test_the_composers_lock_names_no_registry() -> None:
    assert "http" not in (COMPOSER / "package-lock.json").read_text()
