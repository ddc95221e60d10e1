"""The published form of policy files says what reading says."""

import json
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.policy.documents import FORMS, json_schema, schema_text
from tests.policy.texts import CASES, DISTRICT, GRANT, STATE

EXAMPLES = {"grant": GRANT, "district": DISTRICT, "state": STATE, "cases": CASES}


def plain(value: Any) -> Any:
    """TOML's dates as JSON has them."""
    match value:
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
        case date() | datetime():
            return value.isoformat()
        case _:
            return value


@pytest.mark.parametrize("form", FORMS)
def test_a_schema_accepts_what_is_read_and_refuses_unknown_keys(form: str) -> None:
    schema = json_schema(form)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    example = plain(tomllib.loads(EXAMPLES[form]))
    assert list(validator.iter_errors(example)) == []
    assert [error.validator for error in validator.iter_errors({**example, "unheard": 1})] == ["additionalProperties"]


@pytest.mark.parametrize("change", [{"client": "read well"}, {"basis": "because"}, {"fields": {"Student": [3]}}])
def test_a_schema_refuses_what_reading_refuses(change: dict[str, object]) -> None:
    example = {**plain(tomllib.loads(GRANT)), **change}
    assert len(list(Draft202012Validator(json_schema("grant")).iter_errors(example))) == 1


@pytest.mark.parametrize("form", FORMS)
def test_every_key_of_a_form_is_described_or_stands_for_a_described_table(form: str) -> None:
    definitions = json_schema(form)["$defs"]
    assert all("description" in one for one in definitions.values())


EXAMPLES_FOLDER = Path(__file__).resolve().parents[2] / "policies"


@pytest.mark.parametrize("form", FORMS)
def test_the_published_schema_is_the_codes(form: str) -> None:
    published = (EXAMPLES_FOLDER / "schemas" / f"{form}.json").read_text(encoding="utf-8")
    assert published == schema_text(form), "Run: ./run policy schema --into policies/schemas"


@pytest.mark.parametrize("file", sorted(EXAMPLES_FOLDER.rglob("*.toml")), ids=lambda file: file.stem)
def test_an_example_names_its_schema_and_keeps_to_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    mark, named = text.splitlines()[0].split(" ")
    assert mark == "#:schema"
    schema = json.loads((file.parent / named).read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(plain(tomllib.loads(text)))) == []
