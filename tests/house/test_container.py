"""Dockerfile and compose.yaml, read: what they copy exists, what they run is pinned, nothing runs as root or is open.

No Docker engine is needed; the steps that the image is made by are taken by hand.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.init import make_control
from app.installing import create
from app.settings import Settings, parse_settings
from tests.journeys.served import Home, served, world_installed
from tests.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?[a-z0-9.-]*(@sha256:[0-9a-f]{64})?")


def instructions() -> list[tuple[str, str]]:
    """Every instruction of the Dockerfile, with what follows it."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line.strip() for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


def stages() -> list[tuple[str, list[tuple[str, str]]]]:
    """The stages, each by its name or image, with its instructions."""
    made: list[tuple[str, list[tuple[str, str]]]] = []
    for word, rest in instructions():
        if word == "FROM":
            made.append((rest.partition(" AS ")[2] or rest, []))
        else:
            made[-1][1].append((word, rest))
    return made


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


def test_every_image_is_pinned(compose: dict[str, Any]) -> None:
    images = [rest.partition(" AS ")[0] for word, rest in instructions() if word == "FROM"]
    images += [service["image"] for service in compose["services"].values()]
    assert len(images) > 5
    assert [image for image in images if not PINNED.fullmatch(image)] == []


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    names = {name for name, _ in stages()}
    for _, steps in stages():
        for word, rest in steps:
            assert word != "ADD"
            if word != "COPY":
                continue
            parts = rest.split()
            if parts[0].startswith("--from="):
                assert parts[0].removeprefix("--from=") in names
                continue
            for source in parts[:-1]:
                assert (ROOT / source).exists(), source
                assert not any(fnmatch(source, pattern) for pattern in ignored), source


def test_only_what_is_needed_goes_to_the_builder() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert ignored >= {".git", ".venv", ".homeroom*", "secrets", "tests", "**/__pycache__", "**/node_modules"}


def test_the_environment_comes_from_the_lock_by_its_hashes() -> None:
    steps = dict(stages())["environment"]
    (install,) = [json.loads(rest) for word, rest in steps if word == "RUN" and '"install"' in rest]
    assert "--require-hashes" in install
    assert ("COPY", "requirements.lock /build/") in steps


def test_the_image_runs_as_nobody_in_particular() -> None:
    final = stages()[-1][1]
    said = dict(final)
    assert int(said["USER"]) >= 10_000
    after = final[final.index(("USER", said["USER"])) :]
    assert not [rest for word, rest in after if word in {"RUN", "COPY"}]
    for word in ("ENTRYPOINT", "CMD"):
        assert json.loads(said[word])  # no shell between Docker's signal and the server
    assert json.loads(said["HEALTHCHECK"].partition("CMD ")[2])
    assert said["VOLUME"] == said["WORKDIR"] == "/data"
    assert "PYTHONDONTWRITEBYTECODE=1" in said["ENV"]


def test_every_service_is_shut_in(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
        assert ("ports" in service) == (name == "proxy")
        assert name == "database" or service["cap_drop"] == ["ALL"], name
        assert not [key for key in service.get("environment", {}) if key.endswith(("PASSWORD", "SECRET", "TOKEN"))]
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["networks"]["inside"]["ipam"]["config"][0]["subnet"] in str(compose["x-homeroom"]["environment"])


def test_everything_that_a_service_names_is_declared(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in compose["volumes"]
    assert all(secret["file"].startswith("./secrets/") for secret in compose["secrets"].values())
    assert "secrets/" in (ROOT / ".gitignore").read_text().split()


def test_two_replicas_stand_behind_the_proxy(compose: dict[str, Any]) -> None:
    replicas = [name for name, service in compose["services"].items() if service["image"].startswith("homeroom:")]
    assert len(replicas) == 2
    caddy = (ROOT / "docker" / "Caddyfile").read_text()
    (upstreams,) = re.findall(r"reverse_proxy (.*) \{", caddy)
    assert sorted(upstreams.split()) == sorted(f"{name}:8000" for name in replicas)
    assert "health_uri /readyz" in caddy


def test_what_the_documentation_begins_with_is_an_installation() -> None:
    text = (ROOT / "docs" / "operator.md").read_text()
    (control,) = re.findall(r"--control '(.*)'", text)
    (store,) = re.findall(r"--store (\S+)", text)
    made = f'issuer = "https://x.example"\ncontrol = "{control}"\n[traffic]\nstore = "{store}"\n'
    assert parse_settings(made, Path("homeroom.toml")) != Settings()
    assert "password_file=/run/secrets/homeroom-database" in control


def test_the_databases_first_statements_make_a_role_and_its_schema(tmp_path: Path, postgres: Server) -> None:
    if shutil.which("psql") is None:
        pytest.skip("psql is not here. Install it (on Debian: apt-get install postgresql-client) to run this test.")
    (tmp_path / "secret").write_text("p'a:ss\n")
    script = (ROOT / "docker" / "database.sql").read_text()
    path = "/run/secrets/homeroom-database"
    assert path in script
    name = postgres.role() + "_control"  # roles are the server's, and other tests have theirs
    script = script.replace(path, str(tmp_path / "secret")).replace("ROLE homeroom", f"ROLE {name}")
    script = script.replace("AUTHORIZATION homeroom", f"AUTHORIZATION {name}")
    database = postgres.fresh()
    command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", database]
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    address = database.replace(f"homeroom:{postgres.password}@", f"{name}@")
    control = f"{address}?schema=control&password_file={tmp_path}/secret"
    made = create(tmp_path / "home", control=control)
    asyncio.run(make_control(made))


def test_a_server_writes_nothing_into_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image's root is read-only: the code is served from a folder that is as it was afterwards."""
    code = tmp_path / "code"
    shutil.copytree(ROOT / "app", code / "app", ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for path in [code, *code.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(code.rglob("*"))
    said = dict(stages()[-1][1])["ENV"].split()
    for variable in said:
        monkeypatch.setenv(*variable.replace("/opt/homeroom", os.fspath(code)).split("=", 1))
    home = Home(tmp_path / "data")
    vendor = world_installed(home)
    try:
        with served(home) as server:
            assert server.token(vendor, "tx/larkspur", purpose="instruction")
            server.stop()
        assert sorted(code.rglob("*")) == before
    finally:
        for path in [code, *code.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
