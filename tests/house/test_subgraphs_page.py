"""docs/subgraphs.md leads where it says: its subgraph composes, and its plan is the plan."""

import re
import shutil
import types
from pathlib import Path

import pytest

from tests.cli.commands import Commands

PAGE = Path(__file__).resolve().parents[2] / "docs" / "subgraphs.md"


def block(kind: str, number: int = 0) -> str:
    found: str = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[
        number
    ]
    return found


@pytest.mark.skipif(shutil.which("npm") is None, reason="Composing needs npm (on Debian: apt-get install nodejs npm).")
def test_the_subgraph_of_the_page_has_the_plan_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    library = types.ModuleType("library")
    monkeypatch.setitem(__import__("sys").modules, "library", library)
    exec(compile(block("python"), "library.py", "exec"), library.__dict__)
    (tmp_path / "library.graphql").write_text(library.app.schema.as_str())
    (tmp_path / "loans.graphql").write_text(block("graphql"))
    monkeypatch.chdir(tmp_path)
    run = Commands(tmp_path, monkeypatch, capsys)
    status, out, _ = run("compose", "library=library.graphql")
    assert status == 0
    assert "nobody" not in out
    status, out, _ = run("plan", "loans.graphql")
    printed = next(
        part for part in re.findall(r"^```\n(.*?)^```$", PAGE.read_text(), re.M | re.S) if " plan loans" in part
    )
    assert (status, out) == (0, printed.partition("\n")[2])
