"""`homeroom schema` prints the graph and finds what a change would break."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.main import homeroom
from app.errors import UsageError
from app.schema.build import sdl


def run(*arguments: str) -> Result:
    return CliRunner().invoke(homeroom, list(arguments))


def test_print_prints_the_schema() -> None:
    assert run("schema", "print").output == sdl()


def test_a_schema_equals_itself(tmp_path: Path) -> None:
    old = tmp_path / "old.graphql"
    old.write_text(sdl(), encoding="utf-8")
    result = run("schema", "diff", str(old))
    assert (result.exit_code, result.output) == (0, "Nothing changed for a query.\n")


def test_a_field_that_is_gone_breaks_queries(tmp_path: Path) -> None:
    old = tmp_path / "old.graphql"
    old.write_text(sdl().replace("  letterGradeEarned: String @", "  mark: String @"), encoding="utf-8")
    result = run("schema", "diff", str(old))
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "breaking: Field Grade.mark was removed.",
        "safe: Field Grade.letterGradeEarned was added.",
    ]


def test_a_new_field_breaks_nothing(tmp_path: Path) -> None:
    old = tmp_path / "old.graphql"
    old.write_text(sdl().replace("  INTERSESSION\n", ""), encoding="utf-8")
    result = run("--format", "json", "schema", "diff", str(old))
    assert result.exit_code == 0
    assert json.loads(result.output) == [
        {"kind": "dangerous", "change": "Enum value SessionType.INTERSESSION was added."}
    ]


@pytest.mark.parametrize("text", ["type {", "type A { b: Missing }", ""])
def test_what_is_no_schema_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    old = tmp_path / "old.graphql"
    old.write_text(text, encoding="utf-8")
    result = run("schema", "diff", str(old))
    assert isinstance(result.exception, UsageError)
    assert "holds no GraphQL schema" in result.exception.message
