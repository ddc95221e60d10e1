"""`homeroom registry`: import, serve and schema, as an operator runs them, with and without an installation."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.conftest import ROOT

CSV = "url,name,scedCodes\nhttps://r.example/1,Fractions,02003\nhttps://r.example/2,,02003\n"
COURSE = """{ _entities(representations: [{__typename: "Course", scedCode: "02003"}]) {
  ... on Course { learningResources { name } }
} }"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "app", *arguments]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_resources_that_were_imported_are_served_until_told_to_stop(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(CSV)
    done = run(tmp_path, "registry", "import", "r.csv")
    assert (done.returncode, done.stderr) == (5, "")
    assert "r.csv:3: name: There is none. Add it." in done.stdout
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command("registry", "serve", "--port", "0"), cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found is not None
        answered = httpx.post(found[0], json={"query": COURSE}, timeout=20)
        assert answered.json() == {"data": {"_entities": [{"learningResources": [{"name": "Fractions"}]}]}}
        sdl = httpx.post(found[0], json={"query": "{ _service { sdl } }"}, timeout=20).json()["data"]["_service"]["sdl"]
        assert sdl == run(tmp_path, "registry", "schema").stdout.removesuffix("\n")
        refused = httpx.post(found[0], json={"query": "{ nothing }", "variables": []}, timeout=20)
        assert refused.status_code == 400
        assert httpx.get(found[0].replace("/graphql", "/readyz"), timeout=20).text == "ready\n"
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Fractions" not in log


def test_the_index_lies_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "r.csv").write_text(CSV)
    config = ("--config", "home/homeroom.toml", "--format", "json")
    done = run(tmp_path, *config, "registry", "import", "r.csv", "--dry-run")
    report = json.loads(done.stdout)
    assert (done.returncode, report["created"], report["rejected"][0]["line"]) == (5, 1, 3)
    assert (tmp_path / "home" / "registry.db").exists()
    done = run(tmp_path, "registry", "import", "r.csv", "--database", "oracle://x")
    assert (done.returncode, "sqlite:///FILE" in done.stderr) == (3, True)
    done = run(tmp_path, "registry", "import", "nothing.csv", "--database", "sqlite:///other.db")
    assert (done.returncode, "There is no such file" in done.stderr) == (2, True)
