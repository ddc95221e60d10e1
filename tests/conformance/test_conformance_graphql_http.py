"""GraphQL over HTTP, by the audits of the specification's authors: npm's `graphql-http`, against a real server."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.running import installed, serving, token

HERE = Path(__file__).parent / "graphql-http"
AUDITS = 61


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


def test_every_audit_passes(suite: Path, tmp_path: Path) -> None:
    home = installed(tmp_path / "home")
    with serving(home) as server:
        done = subprocess.run(
            ["node", "audit.js"],
            cwd=suite,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "GRAPH": f"{server.url}/graphql", "TOKEN": token(home)},
        )
        assert done.returncode == 0, done.stderr
        log = server.log
    results = json.loads(done.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS
    assert "8f31403dfe404bccbb0e835f2629c6a7" not in log.read_text()  # a query's text, which logs never hold


def test_the_lock_names_no_registry() -> None:
    assert "http:" not in (HERE / "package-lock.json").read_text()
    assert "https:" not in (HERE / "package-lock.json").read_text()
