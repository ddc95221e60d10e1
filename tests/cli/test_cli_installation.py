"""`init`, `space` and `check`: an installation is made, is never overwritten, and says what would mislead it."""

import asyncio
import json
import stat
import sys
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import insert

from app.cli.main import main
from app.settings import read_settings
from app.spaces.tables import ssn_met, student
from app.storage.engines import open_engine

SPACE = "tx/larkspur"


class Run:
    """Runs one command in this process; gives exit status, output and errors."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.monkeypatch, self.capsys = home, monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["homeroom", "--config", str(self.home / "homeroom.toml"), *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        return int(str(end.value.code)), said.out, said.err

    def add(self, space: str = SPACE, *more: str) -> tuple[int, str, str]:
        return self("space", "add", space, "--name", 'Larkspur "ISD"', "--timezone", "America/Chicago", *more)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture
def installed(run: Run) -> Run:
    assert run("init", str(run.home))[0] == 0
    assert run.add()[0] == 0
    return run


def test_init_makes_what_only_its_owner_can_read(run: Run) -> None:
    status, out, _ = run("init", str(run.home))
    assert status == 0
    assert str(run.home) in out
    assert "#" in (run.home / "homeroom.toml").read_text()  # it explains itself
    assert (run.home / "policies").is_dir()
    keys = [file for file in (run.home / "keys").rglob("*") if file.is_file()]
    assert keys
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in keys)


def test_init_may_keep_what_replicas_share_elsewhere(run: Run, postgres_url: str) -> None:
    options = ("--issuer", "https://homeroom.example", "--control", postgres_url, "--store", "valkey://store:6379/0")
    assert run("init", str(run.home), *options)[0] == 0
    settings = read_settings(run.home / "homeroom.toml")
    assert (settings.issuer, settings.control) == ("https://homeroom.example", postgres_url)
    assert settings.traffic.store == "valkey://store:6379/0"
    assert not (run.home / "control.db").exists()
    assert stat.S_IMODE((run.home / "homeroom.toml").stat().st_mode) == 0o600  # it holds a password
    _, out, _ = run("check")
    assert "traffic.store: The store does not answer" in out
    (run.home / "homeroom.toml").write_text((run.home / "homeroom.toml").read_text().replace("[traffic]\nstore", "#"))
    (run.home / "homeroom.toml").chmod(0o644)
    status, out, _ = run("check")
    assert status == 1
    assert f"chmod 600 {run.home / 'homeroom.toml'}" in out


def test_init_that_would_make_no_installation_makes_nothing(run: Run) -> None:
    status, _, err = run("init", str(run.home), "--issuer", "http://homeroom.example")
    assert status == 3
    assert "issuer" in err
    assert not run.home.exists()


def test_init_overwrites_nothing(installed: Run) -> None:
    before = {file: file.read_bytes() for file in installed.home.rglob("*") if file.is_file()}
    status, _, err = installed("init", str(installed.home))
    assert status == 2
    assert "there already" in err
    assert {file: file.read_bytes() for file in installed.home.rglob("*") if file.is_file()} == before


def test_init_in_a_place_that_cannot_hold_it_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run("init", str(tmp_path / "file" / "home"))
    assert status == 2
    assert "Name a folder that can" in err


def test_a_space_is_added_to_the_configuration_with_its_policy_and_databases(installed: Run) -> None:
    tree = tomllib.loads((installed.home / "homeroom.toml").read_text())
    assert list(tree["spaces"]) == [SPACE]
    district = tomllib.loads((installed.home / "policies" / SPACE / "district.toml").read_text())
    assert (district["name"], district["time_zone"]) == ('Larkspur "ISD"', "America/Chicago")
    status, out, _ = installed("--format", "json", "check")
    assert (status, json.loads(out)) == (0, {"findings": [], "remarks": []})
    _, out, _ = installed("--format", "json", "space", "list")
    assert json.loads(out)["spaces"][0]["name"] == 'Larkspur "ISD"'


def test_a_policy_that_is_there_is_kept(installed: Run) -> None:
    policy = installed.home / "policies" / "tx" / "oakdale" / "district.toml"
    policy.parent.mkdir()
    policy.write_text('name = "Oakdale"\ntime_zone = "America/Denver"\npurposes = { instruction = "Teaching" }\n')
    status, out, _ = installed.add("tx/oakdale")
    assert status == 0
    assert "kept as it was" in out
    assert "Denver" in policy.read_text()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("space", "add", "TX/Larkspur", "--name", "L", "--timezone", "America/Chicago"), "state/district"),
        (("space", "add", "../x", "--name", "L", "--timezone", "America/Chicago"), "state/district"),
        (("space", "add", SPACE, "--name", "L", "--timezone", "America/Chicago"), "already"),
        (("space", "add", "tx/b", "--name", "L", "--timezone", "America/Chicao"), "time zone"),
        (("space", "add", "tx/b", "--name", "L", "--timezone", "/etc/passwd"), "time zone"),
        (("space", "add", "tx/b", "--name", " ", "--timezone", "America/Chicago"), "name"),
        (("space", "add", "tx/b", "--timezone", "America/Chicago"), "--name"),
    ],
)
def test_a_space_that_cannot_be_is_refused_and_leaves_nothing(
    installed: Run, arguments: tuple[str, ...], word: str
) -> None:
    before = sorted(installed.home.rglob("*"))
    text = (installed.home / "homeroom.toml").read_text()
    status, _, err = installed(*arguments)
    assert status == 2
    assert word in err
    assert sorted(installed.home.rglob("*")) == before
    assert (installed.home / "homeroom.toml").read_text() == text


def test_a_database_that_does_not_answer_adds_no_space(installed: Run) -> None:
    text = (installed.home / "homeroom.toml").read_text()
    status, _, err = installed.add("tx/oakdale", "--database", "postgresql://user:hidden@127.0.0.1:1/none")
    assert status == 4
    assert "hidden" not in err
    assert (installed.home / "homeroom.toml").read_text() == text


def test_a_space_can_be_kept_in_postgresql(installed: Run, postgres_url: str) -> None:
    assert installed.add("tx/oakdale", "--database", postgres_url)[0] == 0
    assert installed("check")[0] == 0


def test_check_names_file_and_line_of_a_broken_policy(installed: Run) -> None:
    grant = installed.home / "policies" / SPACE / "grants" / "readwell.toml"
    grant.parent.mkdir()
    grant.write_text('client = "readwell"\npurpose = \n')
    status, out, _ = installed("check")
    assert status == 1
    assert f"policies/{SPACE}/grants/readwell.toml:2: " in out


def test_check_goes_on_after_what_it_finds(installed: Run) -> None:
    (installed.home / "keys" / "ledger.json").chmod(0o644)
    (installed.home / "keys" / "spaces" / "tx-larkspur.key").write_text("short")
    (installed.home / "spaces" / SPACE / "ledger.db").unlink()
    status, out, _ = installed("check")
    assert status == 1
    assert "chmod 600" in out
    assert "tx-larkspur.key" in out
    assert "The ledger cannot be used" in out
    assert not (installed.home / "spaces" / SPACE / "ledger.db").exists()  # looking makes nothing


def test_check_says_how_many_social_security_numbers_there_are_and_no_number(installed: Run) -> None:
    async def store() -> None:
        settings = read_settings(installed.home / "homeroom.toml")
        engine = open_engine(settings.database_url(settings.spaces[SPACE].database))
        async with engine.begin() as connection:
            await connection.execute(insert(ssn_met).values(at="2026-10-15T00:00:00Z", met=960, stored=1))
            await connection.execute(insert(student).values(source_key="s1", ssn="987-65-4320"))
        await engine.dispose()

    asyncio.run(store())
    status, out, _ = installed("check")
    assert status == 1  # district.toml says that they are left out
    assert "met 960 social security numbers; 1 are stored" in out
    assert "987-65" not in out
    district = installed.home / "policies" / SPACE / "district.toml"
    district.write_text(district.read_text().replace('"leave-out"', '"store"'))
    status, out, _ = installed("check")
    assert status == 0
    assert "met 960 social security numbers; 1 are stored." in out


def test_a_configuration_that_cannot_be_read_ends_with_3_and_names_the_key(installed: Run) -> None:
    file = installed.home / "homeroom.toml"
    file.write_text(file.read_text().replace('control  = "', 'contrl = "'))
    for command in ("check", "serve"):
        status, _, err = installed(command)
        assert status == 3
        assert "homeroom.toml" in err
        assert "contrl" in err


def test_check_misses_the_token_that_metrics_are_read_by(installed: Run) -> None:
    file = installed.home / "homeroom.toml"
    file.write_text(file.read_text() + '\n[metrics]\nread_by = "token"\n')
    status, out, _ = installed("check")
    assert status == 1
    assert f"{installed.home / 'keys' / 'metrics'}: The token" in out
