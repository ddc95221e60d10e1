"""`homeroom policy new`: where a draft goes, what it refuses, and what it says is to decide."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.main import homeroom
from app.errors import ConfigurationError, UsageError
from app.policy.documents import schema_text
from tests.policy.texts import DISTRICT, DISTRICT_FILE, GRANT, GRANT_FILE, files

ROSTERING = GRANT_FILE.replace("readwell", "readwell-rostering")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name, data in files().items():
        (tmp_path / "policies" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "policies" / name).write_bytes(data)
    (tmp_path / "homeroom.toml").write_text("")
    return tmp_path


def run(home: Path, *arguments: str, template: str = "roster", form: str = "text") -> Result:
    whole = ["--config", str(home / "homeroom.toml"), "--format", form, "policy", "new", *arguments]
    return CliRunner().invoke(homeroom, [*whole, "--template", template])


def test_a_draft_lies_beside_the_other_grants_and_tells_what_is_to_decide(home: Path) -> None:
    ran = run(home, "tx/grand-bend", "mathpath", template="gradebook")
    assert ran.exit_code == 0
    file = home / "policies/tx/grand-bend/grants/mathpath.toml"
    assert 'purpose    = "instruction"' in file.read_text()
    assert ran.stdout.startswith("tx/grand-bend/grants/mathpath.toml is drawn up, and discloses no record of anybody")
    for words in ("agreement: A disclosure", "not_after: The grant ends before it begins", "rows.schools: The list is"):
        assert words in ran.stdout


def test_another_purpose_has_a_file_of_its_own_and_the_same_is_refused(home: Path) -> None:
    told = json.loads(run(home, "tx/grand-bend", "readwell", form="json").stdout)
    assert told["file"] == ROSTERING
    assert {one["key"] for one in told["decide"]} == {"agreement", "not_after", "rows.schools", "statement"}
    before = (home / "policies" / ROSTERING).read_bytes()
    for arguments in (("--purpose", "instruction"), ()):
        ran = run(home, "tx/grand-bend", "readwell", *arguments)
        assert isinstance(ran.exception, UsageError)
        assert "already. Change or renew it there." in ran.exception.message
    assert (home / "policies" / ROSTERING).read_bytes() == before
    assert (home / "policies" / GRANT_FILE).read_bytes() == GRANT.encode()


def test_a_file_that_is_there_is_never_overwritten_though_it_cannot_be_read(home: Path) -> None:
    (home / "policies" / GRANT_FILE).write_bytes(b"client =")
    ran = run(home, "tx/grand-bend", "readwell")
    assert isinstance(ran.exception, UsageError)
    assert (home / "policies" / GRANT_FILE).read_bytes() == b"client ="


def test_a_period_that_is_asked_for_is_written(home: Path) -> None:
    ran = run(home, "tx/grand-bend", "mathpath", "--from", "2026-08-15", "--until", "2027-06-30")
    text = (home / "policies/tx/grand-bend/grants/mathpath.toml").read_text()
    assert "not_before = 2026-08-15\nnot_after  = 2027-06-30 " in text
    assert "not_after: The grant ends before" not in ran.stdout


def test_the_form_is_named_where_it_lies_there(home: Path) -> None:
    (home / "policies" / "schemas").mkdir()
    (home / "policies" / "schemas" / "grant.json").write_text(schema_text("grant"))
    run(home, "tx/grand-bend", "mathpath")
    assert (home / "policies/tx/grand-bend/grants/mathpath.toml").read_text().startswith("#:schema ../../../schemas/")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tx/grand-bend", "math path"), "client_id"),
        (("tx/nowhere", "mathpath"), "tx/grand-bend"),
        (("tx/grand-bend", "mathpath", "--purpose", "marketing"), "instruction, rostering"),
        (("tx/grand-bend", "mathpath", "--from", "2027-01-02", "--until", "2027-01-01"), "before the first"),
        (("tx/grand-bend", "mathpath", "--from", "0001-01-01"), "too far off"),
        (("tx/grand-bend", "mathpath", "--until", "9999-12-31"), "too far off"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(home: Path, arguments: tuple[str, ...], words: str) -> None:
    ran = run(home, *arguments)
    assert isinstance(ran.exception, UsageError)
    assert words in ran.exception.message
    assert not (home / "policies/tx/grand-bend/grants/mathpath.toml").exists()


def test_a_district_without_words_for_purposes_is_told_to_write_them(home: Path) -> None:
    bare = "\n".join(line for line in DISTRICT.splitlines() if not line.startswith("purposes"))
    (home / "policies" / DISTRICT_FILE).write_text(bare)
    assert "write them in district.toml" in str(run(home, "tx/grand-bend", "mathpath").exception)


def test_a_folder_that_cannot_be_written_to_is_told(home: Path) -> None:
    grants = home / "policies/tx/grand-bend/grants"
    (grants / "readwell.toml").unlink()
    grants.rmdir()
    grants.write_bytes(b"")
    assert isinstance(run(home, "tx/grand-bend", "mathpath").exception, ConfigurationError)
