"""docs/configuration.md is complete: every key of homeroom.toml with its default, and no key that is not there."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest

from app.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
NOT_IN_THE_FILE = {("", "home")}
REQUIRED = "required"


def keys(struct: type[msgspec.Struct], section: str = "") -> Iterator[tuple[tuple[str, str], Any]]:
    """Every key under a struct, by section and name, with its default."""
    for field in msgspec.structs.fields(struct):
        within = f"{section}.{field.name}" if section else field.name
        forms = [field.type, *get_args(field.type)]
        structs = [form for form in forms if isinstance(form, type) and issubclass(form, msgspec.Struct)]
        if structs:
            free = ".*" if get_origin(field.type) is dict else ""
            yield from keys(structs[0], within + free)
        elif (section, field.name) not in NOT_IN_THE_FILE:
            made = field.default_factory is not msgspec.NODEFAULT
            default = field.default_factory() if made else field.default  # type: ignore[operator]
            yield (section, field.name), REQUIRED if default is msgspec.NODEFAULT else default


def documented() -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Every key that the page has, by section and name, with the rest of its row."""
    section: str | None = None
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            found = re.fullmatch(r"## `\[+(.+?)\]+`", line)
            top = line == "## The top of the file"
            section = "" if top else re.sub(r'\."[^"]+"', ".*", found[1]) if found else None
        elif section is not None and (row := re.fullmatch(r"\| `([^`]+)` \|(.*)\|", line)):
            yield (section, row[1]), [cell.strip() for cell in row[2].split(" | ")]


def test_every_key_has_its_row_and_every_row_its_key() -> None:
    rows = [key for key, _ in documented()]
    assert sorted(rows) == sorted(key for key, _ in keys(Settings))


@pytest.mark.parametrize(("key", "cells"), [pytest.param(*row, id=".".join(row[0])) for row in documented()])
def test_a_row_has_default_unit_and_meaning(key: tuple[str, str], cells: list[str]) -> None:
    default, unit, meaning = cells
    expected = dict(keys(Settings))[key]
    if default == REQUIRED:
        assert expected == REQUIRED
    elif default == "none":
        assert expected is None
    else:
        assert tomllib.loads(f"default = {default.strip('`')}")["default"] == expected
    assert unit
    assert len(meaning) > 10
