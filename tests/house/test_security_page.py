"""docs/security.md names every threat, and exactly the tests that bear its number."""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
THREATS = range(1, 38)


def documented() -> dict[int, set[str]]:
    """The tests of each row."""
    rows = re.findall(r"^\| (\d+) \|(.*)\|$", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {int(number): set(re.findall(r"`(test_\w+)`", row)) for number, row in rows}


def existing() -> dict[int, set[str]]:
    """The tests whose names bear a number."""
    found: dict[int, set[str]] = defaultdict(set)
    for file in (ROOT / "tests").rglob("test_*.py"):
        for name, number in re.findall(r"def (test_threat_(\d+)_\w+)", file.read_text(encoding="utf-8")):
            found[int(number)].add(name)
    return dict(found)


def test_every_threat_has_its_row_and_its_tests() -> None:
    assert sorted(documented()) == list(THREATS)
    assert documented() == existing()
