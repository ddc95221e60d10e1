"""Typed clients: what `ariadne-codegen` makes of the served schema syncs a roster from a real server."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.importers.sandbox.profile import ALDER_CREEK
from tests.journeys.served import Home, granting, served

HERE = Path(__file__).parents[1] / "conformance" / "ariadne-codegen"
SPACE = str(ALDER_CREEK.space)


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vendor's own project. It needs another graphql-core than ours, and so an environment of its own."""
    folder = tmp_path_factory.mktemp("vendor")
    for file in HERE.iterdir():
        shutil.copy(file, folder / file.name)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=120)
    install = ["-m", "pip", "install", "-qq", "--no-input", "--require-hashes", "--requirement", "requirements.lock"]
    done = subprocess.run(
        [str(folder / "venv" / "bin" / "python"), *install],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"ariadne-codegen could not be installed: {(done.stderr.splitlines() or ['no reason given'])[-1]}")
    return folder


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_generated_client_syncs_a_roster(vendor: Path, two_districts: Home, copied: Callable[[Home], Home]) -> None:
    home = copied(two_districts)
    reader = home.vendor("reader")
    fields = {
        "Student": "firstName lastSurname schoolEnrollments",
        "SchoolEnrollment": "gradeLevel school",
        "School": "nameOfInstitution",
    }
    home.grant(SPACE, "reader", granting("reader", fields))
    with served(home) as server:
        (vendor / "schema.graphql").write_text(
            httpx.get(f"{server.url}/schema.graphql", timeout=60).text, encoding="utf-8"
        )
        made = subprocess.run(
            [str(vendor / "venv" / "bin" / "ariadne-codegen")],
            cwd=vendor,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        token = server.token(reader, SPACE)
        done = subprocess.run(
            [str(vendor / "venv" / "bin" / "python"), "sync.py", f"{server.url}/graphql", token],
            cwd=vendor,
            # A vendor's own environment knows nothing of this clone's.
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"held": 60, "named": 60, "received_again": 0}


def test_the_lock_names_no_registry() -> None:
    assert "http" not in (HERE / "requirements.lock").read_text().replace("httpx", "").replace("httpcore", "")
