"""`homeroom policy test`: the cases beside the grants, tried out by the rules and statements that answer vendors."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.main import homeroom
from app.cli.make_sandbox import copy_policies
from app.errors import UsageError
from tests.policy.texts import CASES, CASES_FILE, GRANT_FILE, files

EXAMPLES = Path(__file__).resolve().parents[2] / "policies"


def run(folder: Path, *, form: str = "text") -> Result:
    return CliRunner().invoke(homeroom, ["--format", form, "policy", "test", str(folder)])


def write(folder: Path, tree: dict[str, bytes]) -> Path:
    for name, data in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_every_case_of_the_repositorys_policies_holds() -> None:
    ran = run(EXAMPLES)
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert ran.stderr == "29 of 29 cases hold.\n"


@pytest.mark.parametrize("today", [date(2026, 7, 1), date(2028, 6, 30), date(2031, 2, 1)])
def test_every_case_of_a_sandbox_holds_whenever_it_is_made(tmp_path: Path, today: date) -> None:
    copy_policies(EXAMPLES, tmp_path, today)
    assert run(tmp_path).stdout == ""


def test_a_case_that_does_not_hold_names_its_line_and_what_decided(tmp_path: Path) -> None:
    write(tmp_path, {**files(), CASES_FILE: CASES.replace('"initial"', '"disclosed"').encode()})
    ran = run(tmp_path)
    assert ran.exit_code == 1
    assert ran.stdout == (
        f"{CASES_FILE}:5: A last name is an initial: Expected disclosed; found initial. "
        f"The grant lists Student.lastSurname as initial. ({GRANT_FILE}:16)\n"
    )
    told = json.loads(run(tmp_path, form="json").stdout)
    assert [(one["name"], one["holds"]) for one in told["cases"]] == [
        ("A last name is an initial", False),
        ("Fifth graders are in", True),
        ("A query loses the social security number", True),
    ]


def test_a_query_that_cannot_be_answered_is_told(tmp_path: Path) -> None:
    write(tmp_path, {**files(), CASES_FILE: CASES.replace("firstName ssn", "nickname").encode()})
    assert "Cannot query field 'nickname'" in run(tmp_path).stdout


def test_the_home_configuration_names_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "policies", {**files(), CASES_FILE: CASES.encode()})
    (tmp_path / "homeroom.toml").write_text("")
    ran = CliRunner().invoke(homeroom, ["--config", str(tmp_path / "homeroom.toml"), "policy", "test"])
    assert (ran.exit_code, ran.stderr) == (0, "3 of 3 cases hold.\n")


@pytest.mark.parametrize("broken", [CASES_FILE, GRANT_FILE])
def test_a_file_that_cannot_be_read_ends_with_three(tmp_path: Path, broken: str) -> None:
    write(tmp_path, {**files(), CASES_FILE: CASES.encode(), broken: b"client = 3"})
    ran = run(tmp_path)
    assert ran.exit_code == 3
    assert f"{broken}:1: client: Expected `str`, got `int`" in ran.stdout


def test_a_folder_without_cases_is_a_usage_error(tmp_path: Path) -> None:
    assert isinstance(run(write(tmp_path, files())).exception, UsageError)
