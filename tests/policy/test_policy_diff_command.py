"""`homeroom policy diff`: folders and sets that were in force, compared in words and for machines."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.main import homeroom
from app.errors import Unavailable, UsageError
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.storage.published import publish
from tests.policy.texts import GRANT, GRANT_FILE, STATE, files

WIDER = (
    GRANT.replace('"firstName"', '"birthDate"').replace('"initial"', '"masked"')
    + '[rows]\nschools = ["255901107"]\nenrollment = "active"\n'
)
TOLD = """\
tx/grand-bend
  readwell for instruction
    from 2026-08-15 to 2027-06-30
      + Student: birthDate
      - Student: firstName
      ~ Student.lastSurname: initial -> masked
      - of every school -> of school 255901107
      - whether enrolled or not -> enrolled today
"""


def write(folder: Path, tree: dict[str, bytes]) -> Path:
    for name, data in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def run(*arguments: str | Path, home: Path = Path("nowhere"), form: str = "text") -> Result:
    whole = ["--config", str(home / "homeroom.toml"), "--format", form, "policy", "diff", *map(str, arguments)]
    return CliRunner().invoke(homeroom, whole)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An installation in which two sets were published, of which the second is in force; a third lies in the folder."""

    async def fill(control: AsyncEngine) -> None:
        await migrate(control, "control")
        await publish(control, files())
        await publish(control, files(grant=WIDER))
        await control.dispose()

    asyncio.run(fill(open_engine(f"sqlite+aiosqlite:///{tmp_path / 'control.db'}")))
    (tmp_path / "homeroom.toml").write_text("")
    write(tmp_path / "policies", files(grant=WIDER, state=STATE.replace("400", "30")))
    return tmp_path


def test_folders_need_no_installation(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a", files()), write(tmp_path / "b", files(grant=WIDER))
    ran = run(one, other)
    assert (ran.exit_code, ran.stdout, ran.stderr) == (1, TOLD, "")
    assert (run(one, one).exit_code, run(one, one).stdout) == (0, "")


def test_sets_that_were_in_force_are_named_by_number_revision_or_as_they_stand(home: Path) -> None:
    revision = hashlib.sha256(GRANT.encode()).hexdigest()
    for one, other in [("1", "2"), ("1", "in-force"), (revision, "2"), (revision[:8], "in-force")]:
        assert run(one, other, home=home).stdout == TOLD
    ran = run("in-force", home=home)
    assert "~ state.max_days: 400 -> 30" in ran.stdout
    assert "    from 2026-09-14 to 2027-06-30\n      - SchoolEnrollment: gradeLevel\n" in ran.stdout
    assert "lastSurname as masked" in ran.stdout
    assert "      - Pupils enrolled today of school 255901107.\n" in ran.stdout


def test_machines_are_told_the_same(home: Path) -> None:
    (space,) = json.loads(run("1", "2", home=home, form="json").stdout)["spaces"]
    (change,) = space["clients"][0]["changes"]
    assert (space["space"], change["first"], change["gained"]) == (
        "tx/grand-bend",
        "2026-08-15",
        {"Student.birthDate": None},
    )
    assert change["shown"] == {"Student.lastSurname": {"before": "initial", "after": "masked"}}
    assert change["rows"][0] == {"key": "schools", "wider": False, "before": None, "after": ["255901107"]}
    assert json.loads(run("1", "1", home=home, form="json").stdout) == {"spaces": []}


def test_one_space_is_told_alone(home: Path) -> None:
    assert run("1", "2", "--space", "tx/grand-bend", home=home).stdout == TOLD
    assert isinstance(run("1", "2", "--space", "tx/nowhere", home=home).exception, UsageError)


def test_a_file_that_cannot_be_read_is_told_and_ends_with_three(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a", files()), write(tmp_path / "b", {**files(), GRANT_FILE: b"client ="})
    ran = run(one, other)
    assert ran.exit_code == 3
    assert "      - Student: firstName, lastSurname as initial, races, schoolEnrollments\n" in ran.stdout
    assert f"{GRANT_FILE}:1: " in ran.stderr


@pytest.mark.parametrize("named", ["3", "0", "abcdef0123", "last-week"])
def test_what_was_never_in_force_is_a_usage_error(home: Path, named: str) -> None:
    assert isinstance(run(named, "2", home=home).exception, UsageError)


def test_without_the_control_database_nothing_that_was_in_force_is_known(tmp_path: Path) -> None:
    (tmp_path / "homeroom.toml").write_text("")
    assert isinstance(run("1", "2", home=tmp_path).exception, Unavailable)
    assert not (tmp_path / "control.db").exists()
