"""`homeroom plan`: which requests answer a query, what each sends, and under policy what is left out and why."""

import asyncio
import io
import json
from pathlib import Path

import pytest

from app.installing import add_space, create
from app.names import SpaceId
from tests.cli.commands import Commands
from tests.federation.lms.composed import supergraph

SPACE = "tx/larkspur"
QUERY = "query Q($n: Int) { students(first: $n) { nodes { firstName submissions { title points } } } }"
GRANT = """\
client = "reader"
purpose = "instruction"
statement = "Assign reading."
basis = "school-official"
not_before = 2020-01-01
not_after = 2099-01-01
[agreement]
title = "NDPA v1"
signed = 2020-01-01
schedule = ["Student Name", "Student work"]
[fields]
Student = ["firstName", "submissions"]
Submission = ["title"]
"""
PLAN = """\
Sequence {
  Fetch(CORE) {
    { students(first: $n) { nodes { firstName sourceKey } } }
  }
  Fetch(LMS) {
    Flatten(students.nodes) { Student { sourceKey } } =>
      ... on Student { submissions { title points } }
  }
}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    (tmp_path / "q.graphql").write_text(QUERY)
    return Commands(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture
async def installed(run: Commands) -> Commands:
    settings = await add_space(create(run.home), SpaceId(SPACE), "Larkspur ISD", "America/Chicago")
    config = run.home / "homeroom.toml"
    endpoint = f'\n[spaces."{SPACE}".subgraphs.lms]\nurl = "http://127.0.0.1:1/graphql"\n'
    config.write_text(f'supergraph = "{supergraph()}"\n{config.read_text()}{endpoint}')
    grants = settings.policies_folder / SPACE / "grants"
    grants.mkdir(exist_ok=True)
    (grants / "reader.toml").write_text(GRANT)
    return run


def test_a_plan_over_any_supergraph_says_what_each_request_sends(run: Commands, tmp_path: Path) -> None:
    query = str(tmp_path / "q.graphql")
    status, out, err = run("plan", query, "--supergraph", str(supergraph()))
    assert (status, out, err) == (0, PLAN, "")
    _, out, _ = run("plan", query, "--supergraph", str(supergraph()), "--documents")
    assert "LMS is asked:\nquery($representations: [_Any!]!) { _entities(" in out
    _, out, _ = run("--format", "json", "plan", query, "--supergraph", str(supergraph()))
    assert [one["subgraph"] for one in json.loads(out)["requests"]] == ["CORE", "LMS"]


def test_a_query_may_come_by_a_pipe_and_be_one_of_several(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"query A {{ __typename }} {QUERY}".encode())))
    status, out, _ = run("plan", "-", "--operation", "Q", "--supergraph", str(supergraph()))
    assert (status, out) == (0, PLAN)


def test_what_cannot_be_planned_is_told(run: Commands, tmp_path: Path) -> None:
    query = str(tmp_path / "q.graphql")
    assert run("plan", query)[0] == 2
    assert "homeroom compose" in run("plan", query)[2]
    assert run("plan", query, "--space", SPACE)[0] == 2
    (tmp_path / "q.graphql").write_text("{ nothing }")
    status, _, err = run("plan", query, "--supergraph", str(supergraph()))
    assert (status, "Cannot query field 'nothing'" in err) == (1, True)
    status, _, err = run("plan", query, "--supergraph", query)
    assert (status, "homeroom compose" in err) == (3, True)


@pytest.mark.anyio
async def test_under_policy_only_what_is_granted_is_planned(installed: Commands, tmp_path: Path) -> None:
    query, asked = str(tmp_path / "q.graphql"), ("--space", SPACE, "--client", "reader")

    def run(*arguments: str) -> tuple[int, str, str]:
        return installed("plan", query, *arguments)

    district = installed.home / "policies" / SPACE / "district.toml"
    status, out, err = await asyncio.to_thread(run, *asked)
    assert (status, "not registered here" in err) == (0, True)
    assert "LMS" not in out  # the district lets the subgraph be told nothing
    assert "students.nodes.submissions  Student.submissions  DENIED_BY_DISTRICT" in out
    assert "may_receive" in out
    district.write_text(district.read_text() + '\n[subgraphs.lms]\nmay_receive = ["Student.sourceKey"]\n')
    status, out, _ = await asyncio.to_thread(run, *asked, "--documents")
    assert "Flatten(students.nodes) { Student { sourceKey } }" in out
    assert "points" not in out.partition("Withheld:")[0]
    assert "students.nodes.submissions.points  Submission.points  NOT_GRANTED" in out
    assert "LMS is asked:" in out
    assert "CORE is asked:" not in out  # the space is read, and sent nothing
    _, out, _ = await asyncio.to_thread(run, *asked, "--on", "2000-01-01")
    assert "GRANT_NOT_YET" in out
    for wrong in (("--space", "tx/none", "--client", "reader"), ("--space", SPACE, "--client", "!")):
        assert (await asyncio.to_thread(run, *wrong))[0] == 2
