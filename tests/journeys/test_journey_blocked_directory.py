"""Directory information that a family blocked stays blocked where a subgraph tells it: null, and no error says why."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.elsewhere import FieldSettings, SubgraphSettings
from app.ledger.entry import Kind
from app.ledger.reading import Filters, entries
from app.names import DIRECTORY_INFORMATION, Scope
from app.schema.catalogue import SCOPES
from app.storage.engines import open_engine
from tests import worlds
from tests.federation.lms.composed import supergraph
from tests.journeys.test_journey_subgraphs import MAY, REMOTE, gradebook
from tests.journeys.world import Asked, granting, larkspur_database, opened

__all__ = ["gradebook", "larkspur_database"]
pytestmark = pytest.mark.anyio

FIELDS = {"Student": "firstName homepage submissions", "Submission": "title points student", "Query": "submissions"}
READING = granting("reading", FIELDS)
YEARBOOK = READING.replace('"reading"', '"yearbook"').replace('"school-official"', '"directory-information"')
DIRECTORY = {
    "Student.homepage": FieldSettings("lms/profile.read", "Student work", "directory"),
    "Submission.title": FieldSettings("lms/submissions.read", "Student work", "directory"),
}
BLOCKED = {"Ivy", "Tess"}  # by the roster, and by the family


@pytest.fixture(scope="module")
async def blocked(
    tmp_path_factory: pytest.TempPathFactory, larkspur_database: str | None, gradebook: Any
) -> AsyncIterator[Asked]:
    async with opened(
        tmp_path_factory.mktemp("blocked") / "home",
        {"reading": READING, "yearbook": YEARBOOK},
        databases={worlds.SPACE: larkspur_database},
        scopes=dict.fromkeys(("reading", "yearbook"), frozenset(map(Scope, SCOPES)) | REMOTE),
        settings={"supergraph": str(supergraph()), "subgraphs": {"lms": SubgraphSettings(fields=DIRECTORY)}},
        endpoints={"lms": gradebook.url},
        rule=MAY,
        opt_outs={worlds.TESS: DIRECTORY_INFORMATION},
    ) as asked:
        yield asked


async def test_a_blocked_students_directory_fields_are_null_whoever_tells_them(blocked: Asked) -> None:
    query = "{ students { nodes { firstName homepage submissions { title points } } } }"
    whole = (await blocked.data("reading", query))["students"]["nodes"]
    assert {one["firstName"] for one in whole} >= BLOCKED
    assert all(one["homepage"] and one["submissions"][0]["title"] for one in whole)
    told = (await blocked.data("yearbook", query))["students"]["nodes"]
    lost = [one for one in told if one["homepage"] is None]
    assert len(lost) == len(BLOCKED)
    assert [one["firstName"] for one in lost] == [None, None]  # the space's own directory field
    assert all(each == {"title": None, "points": each["points"]} for one in lost for each in one["submissions"])
    assert all(each["points"] for one in lost for each in one["submissions"])
    kept = [one for one in told if one not in lost]
    assert all(each["title"] for one in kept for each in one["submissions"])


async def test_so_it_is_where_a_subgraph_names_the_student(blocked: Asked) -> None:
    for below in ("", " student { firstName }"):
        whole = (await blocked.data("reading", f"{{ submissions {{ title{below} }} }}"))["submissions"]
        told = (await blocked.data("yearbook", f"{{ submissions {{ title{below} }} }}"))["submissions"]
        assert len(told) == len(whole)
        assert sum(one["title"] is None for one in told) == 2 * len(BLOCKED)
    query = "{ submissions { points student { homepage } } }"
    told = (await blocked.data("yearbook", query))["submissions"]
    assert sum(one["student"]["homepage"] is None for one in told) == 2 * len(BLOCKED)


async def test_the_ledger_does_not_claim_what_was_held_back(blocked: Asked) -> None:
    await blocked.data("yearbook", "query Held { students { nodes { homepage } } }")
    settings = blocked.rooms.settings
    engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].ledger))
    try:
        found = [one.entry async for one in entries(engine, Filters()) if one.entry.operation == "Held"]
    finally:
        await engine.dispose()
    left = next(one for one in found if one.kind is Kind.ANSWER)
    told = {one.coordinates: set(one.students or ()) for one in left.disclosed}
    assert told[("Student.homepage",)].isdisjoint({worlds.IVY, worlds.TESS})
    assert worlds.ANA in told[("Student.homepage",)]
