"""GraphQL over HTTP, by the audits of the specification's authors: npm's `graphql-http`, against a real server."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.web.running import installed, serving, token

HERE = Path(__file__).parent / "graphql-http"
AUDITS = 61

SUPERGRAPH = """
schema @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph { ROLL @join__graph(name: "roll", url: "http://127.0.0.1:1/") }
type Query @join__type(graph: ROLL) { pupils: [String] @join__field(graph: ROLL) }
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The audits, installed from their lock into a folder of their own."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip(
            "The audits of graphql-http need node and npm. Install them (on Debian: apt-get install nodejs npm)."
        )
    folder = tmp_path_factory.mktemp("graphql-http")
    for name in ("package.json", "package-lock.json", ".npmrc", "audit.js"):
        shutil.copy(HERE / name, folder / name)
    done = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@contextmanager
def gateway(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """`homeroom serve`: its graph, a token and its log."""
    home = installed(folder / "home")
    with serving(home) as server:
        yield f"{server.url}/graphql", token(home), server.log


@contextmanager
def federate(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """`homeroom federate`, likewise; it asks for no token and passes over one."""
    (folder / "supergraph.graphql").write_text(SUPERGRAPH)
    log = folder / "federate.log"
    command = [sys.executable, "-m", "app", "federate", "--supergraph", str(folder / "supergraph.graphql"), "--port=0"]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=out, text=True)
        assert process.stderr is not None
        with process.stderr as told:
            found = re.search(r"http://\S+", told.readline())
            drain = subprocess.Popen(["cat"], stdin=told, stdout=out)
            try:
                assert found, log.read_text()
                yield found[0], "none", log
            finally:
                process.terminate()
                process.wait(60)
                drain.wait(10)


@pytest.mark.parametrize("served", [gateway, federate])
def test_every_audit_passes(
    served: Callable[[Path], AbstractContextManager[tuple[str, str, Path]]], suite: Path, tmp_path: Path
) -> None:
    with served(tmp_path) as (graph, bearer, log):
        done = subprocess.run(
            ["node", "audit.js"],
            cwd=suite,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "GRAPH": graph, "TOKEN": bearer},
        )
        assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS
    assert "8f31403dfe404bccbb0e835f2629c6a7" not in log.read_text()  # a query's text, which logs never hold


def test_the_lock_names_no_registry() -> None:
    assert "http:" not in (HERE / "package-lock.json").read_text()
    assert "https:" not in (HERE / "package-lock.json").read_text()
