"""Plans, as they are printed: one file each, so that a change of a plan is read in review.

Each file of `plans/` says in its first line what it shows, then over which supergraph and what is asked, then the plan.
HOMEROOM_WRITE_PLANS=1 writes what is planned now.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.federation.planning import plan_operation
from app.federation.supergraph_sdl import Composed, read_supergraph
from app.operation.parse import parse_operation
from app.settings import Limits

PLANS = Path(__file__).with_name("plans")
SUITES = Path(__file__).resolve().parents[3] / "shared" / "federation" / "data"
WRITES = bool(os.environ.get("HOMEROOM_WRITE_PLANS"))
OVER = re.compile(r"over (?:(?P<own>\w+)|suite (?P<suite>[\w-]+), case (?P<case>\d+))")


@cache
def composed(file: Path) -> Composed:
    return read_supergraph(file.read_text(encoding="utf-8"))


def planned(file: Path, query: str) -> str:
    """The plan, and what each request is asked where that takes more than what the plan says."""
    operation = parse_operation(query, None, composed(file).schema, Limits(depth=50, edges=5_000))
    return str(plan_operation(operation, composed(file)).plan)


def asked(over: str, query: str) -> tuple[Path, str]:
    """The supergraph and the query that a file names."""
    found = OVER.fullmatch(over)
    assert found, over
    if found["own"]:
        return PLANS / f"{found['own']}.graphql", query
    if not SUITES.exists():
        pytest.skip(f"The federation suites are not here: put them at {SUITES}.")
    cases = json.loads((SUITES / found["suite"] / "tests.json").read_text(encoding="utf-8"))
    return SUITES / found["suite"] / "supergraph.graphql", cases[int(found["case"])]["query"]


def parts(file: Path) -> Iterator[str]:
    """What a file shows, over what, what is asked (where no suite says it), and the plan."""
    head, _, plan = file.read_text(encoding="utf-8").partition("\n\n")
    shown, over, *query = head.splitlines()
    yield from (shown, over, "\n".join(query), plan.rstrip("\n"))


FILES = sorted(PLANS.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_plan_is_as_it_was_reviewed(file: Path) -> None:
    shown, over, query, plan = parts(file)
    now = planned(*asked(over, query))
    if WRITES:
        file.write_text("\n".join(filter(None, (shown, over, query))) + f"\n\n{now}\n", encoding="utf-8")
    else:
        assert now == plan


def test_there_are_plans() -> None:
    assert len(FILES) >= 12


@pytest.mark.skipif(
    shutil.which("npm") is None, reason="Composing needs npm. Install it (on Debian: apt-get install nodejs npm)."
)
def test_the_school_is_composed_of_its_subgraphs() -> None:
    from app.cli.composing import Schema, compose

    schemas = [
        Schema(name, "", (PLANS / "school" / f"{name}.graphql").read_text(encoding="utf-8"))
        for name in ("roster", "lms", "library")
    ]
    assert compose(schemas) == (PLANS / "school.graphql").read_text(encoding="utf-8")
