"""The house keeps its lines: imports run downward, names are nouns or verbs, the code is typed, tidy and documented."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

VAGUE = {
    *("base", "common", "misc", "util", "utils", "helper", "helpers"),
    *("handler", "handlers", "manager", "managers", "service", "services"),
}
LONGEST = 300
PAGE = 120
LOCKS = ("requirements.lock", "requirements-dev.lock", "app/web/graphiql/nodejs.lock")
ELSEWHERE = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|/(?:root|work)/")


def tracked() -> list[Path]:
    """Every file of the repository as a clone would have it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True)
    if listed.returncode:
        pytest.skip("This is not a git clone, so its files cannot be told from what lies beside them.")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[Path]:
    """The application's modules."""
    return sorted((ROOT / "app").rglob("*.py"))


def said_by(*command: str) -> str:
    """What a tool prints when it finds something; empty when it finds nothing."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    return done.stdout + done.stderr if done.returncode else ""


def test_imports_run_downward() -> None:
    assert said_by(str(BIN / "lint-imports")) == ""


def test_the_application_is_typed_strictly() -> None:
    assert said_by(sys.executable, "-m", "mypy", "--strict") == ""


def test_the_code_is_linted() -> None:
    assert said_by(str(BIN / "ruff"), "check", "app", "benchmarks", "tests") == ""


def test_the_code_is_formatted() -> None:
    assert said_by(str(BIN / "ruff"), "format", "--check", "app", "benchmarks", "tests") == ""


def test_no_module_has_a_vague_name() -> None:
    vague = [
        path for path in modules() if path.stem in VAGUE or (path.name == "__init__.py" and path.parent.name in VAGUE)
    ]
    assert vague == []


def test_no_module_is_two() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in modules()
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert long == {}


def test_the_request_path_fits_on_a_page() -> None:
    assert len((ROOT / "app/gateway.py").read_text().splitlines()) <= PAGE


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        for number, line in numbered(path)
        if ELSEWHERE.search(line)
    ]
    assert found == []


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    """A text file's lines with their numbers; nothing of a file that is not text."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    yield from enumerate(text.splitlines(), 1)


def test_locks_pin_every_package_by_its_hash() -> None:
    for name in LOCKS:
        lines = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
        pinned = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        assert pinned
        assert [line.split()[0] for line in pinned if "==" not in line or "--hash=sha256:" not in line] == []
