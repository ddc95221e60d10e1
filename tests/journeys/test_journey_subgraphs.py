"""A space and a subgraph answer together: what is granted, of whom is admitted, and nothing else is fetched or sent."""

import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.ledger.entry import Entry, Kind
from app.ledger.reading import Filters, entries
from app.ledger.report import of_student
from app.names import Scope
from app.schema.catalogue import SCOPES
from app.storage.engines import open_engine
from app.subgraphs.endpoint import FAILURES
from tests import worlds
from tests.federation.lms.composed import GRADEBOOK, supergraph
from tests.journeys.world import Asked, granting, larkspur_database, opened

__all__ = ["larkspur_database"]
pytestmark = pytest.mark.anyio

REMOTE = frozenset(map(Scope, ("lms/submissions.read", "lms/profile.read", "lms/marks.read")))
FIELDS = {
    "Student": "firstName submissions homepage",
    "Submission": "title points student",
    "Query": "submissions",
}
ELM = 'schools = ["elm"]\nenrollment = "active"'
GRANTS = {
    "everything": granting("everything", FIELDS),
    "elm-only": granting("elm-only", FIELDS, ELM),
    "titles": granting("titles", {"Student": "firstName submissions", "Submission": "title:initial"}, ELM),
    "names": granting("names", {"Student": "firstName"}, ELM),
}
MAY = '[subgraphs.lms]\nmay_receive = ["Student.sourceKey"]\n'


@dataclass
class Gradebook:
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    def asked(self) -> list[Any]:
        found: list[Any] = httpx.get(f"http://127.0.0.1:{self.port}/asked", timeout=5).json()
        return found


@pytest.fixture(scope="module")
def gradebook() -> Iterator[Gradebook]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(GRADEBOOK), str(port)])
    it = Gradebook(port, process)
    try:
        for _ in range(200):
            try:
                it.asked()
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield it
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
async def joined(
    tmp_path_factory: pytest.TempPathFactory, larkspur_database: str | None, gradebook: Gradebook
) -> AsyncIterator[Asked]:
    home = tmp_path_factory.mktemp("joined") / "home"
    async with opened(
        home,
        GRANTS,
        databases={worlds.SPACE: larkspur_database},
        scopes=dict.fromkeys(GRANTS, frozenset(SCOPES) | REMOTE),
        settings={"supergraph": str(supergraph())},
        endpoints={"lms": gradebook.url},
        rule=MAY,
    ) as asked:
        yield asked


async def test_fields_of_both_arrive_in_one_answer(joined: Asked) -> None:
    data = await joined.data(
        "elm-only", "{ students { nodes { id firstName homepage submissions { id title points } } } }"
    )
    nodes = {one["firstName"]: one for one in data["students"]["nodes"]}
    assert set(nodes) == {"Ana", "Max"}
    assert nodes["Ana"]["homepage"] == "https://lms.example/ana"
    assert [one["title"] for one in nodes["Ana"]["submissions"]] == ["Essay 1", "Essay 2"]
    assert nodes["Ana"]["id"] == joined.id("elm-only", "Student", worlds.ANA)


async def test_a_student_outside_the_rows_never_appears_whoever_names_them(joined: Asked) -> None:
    data = await joined.data("elm-only", "{ submissions { title student { firstName } } }")
    assert {one["student"]["firstName"] for one in data["submissions"]} == {"Ana", "Max"}
    # ... nor where nothing of the space is asked for.
    data = await joined.data("elm-only", "{ submissions { title } }")
    assert len(data["submissions"]) == 4
    whole = await joined.data("everything", "{ submissions { title } }")
    assert len(whole["submissions"]) == 20


async def test_what_is_not_granted_is_neither_fetched_nor_sent(joined: Asked, gradebook: Gradebook) -> None:
    before = len(gradebook.asked())
    answer = await joined.ask("titles", "{ students { nodes { firstName homepage submissions { title points } } } }")
    assert {one["extensions"]["coordinate"] for one in answer["errors"]} == {"Student.homepage", "Submission.points"}
    assert answer["data"]["students"]["nodes"][0]["homepage"] is None
    assert answer["data"]["students"]["nodes"][0]["submissions"][0] == {"title": "E.", "points": None}
    (asked,) = gradebook.asked()[before:]
    assert "homepage" not in asked["query"]
    assert "points" not in asked["query"]
    assert asked["variables"]["representations"] == [
        {"__typename": "Student", "sourceKey": "ana"},
        {"__typename": "Student", "sourceKey": "max"},
    ]
    assert "authorization" not in asked["headers"]
    await joined.ask("names", "{ students { nodes { firstName submissions { title } } } }")
    assert len(gradebook.asked()) == before + 1


async def test_the_ledger_has_what_left_and_what_was_sent(joined: Asked) -> None:
    await joined.data("elm-only", "query Told { students { nodes { firstName submissions { id title } } } }")
    found = [one for one in await recorded(joined) if one.operation == "Told"]
    sent = next(one for one in found if one.kind is Kind.SENT)
    assert sent.subgraph == "lms"
    assert sent.disclosed[0].coordinates == ("Student.sourceKey",)
    assert set(sent.disclosed[0].students or ()) == {worlds.ANA, worlds.MAX}
    left = next(one for one in found if one.kind is Kind.ANSWER)
    told = {one.coordinates: set(one.students or ()) for one in left.disclosed}
    assert told[("Student.submissions",)] == {worlds.ANA, worlds.MAX}
    assert told[("Submission.id", "Submission.title")] == {worlds.ANA, worlds.MAX}
    assert not any("sourceKey" in name for names in told for name in names)


async def recorded(asked: Asked) -> list[Entry]:
    """Every entry of the ledger, newest first."""
    settings = asked.rooms.settings
    engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].ledger))
    try:
        return [one.entry async for one in entries(engine, Filters())]
    finally:
        await engine.dispose()


async def test_a_parent_reads_which_service_was_told_of_the_child(joined: Asked) -> None:
    await joined.data("elm-only", "{ students { nodes { firstName submissions { title } } } }")
    settings = joined.rooms.settings
    engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].ledger))
    try:
        received = await of_student(engine, worlds.ANA)
        others = await of_student(engine, worlds.GUS)
    finally:
        await engine.dispose()
    sent = [one for one in received if one.client == "lms, so that it could answer elm-only"]
    assert {one.coordinates for one in sent} == {("Student.sourceKey",)}
    assert not [one for one in others if "elm-only" in one.client]


async def test_what_changed_of_a_subgraph_is_not_known_and_that_is_said(joined: Asked) -> None:
    query = "{ students { nodes { firstName homepage } changeCursor removed } }"
    assert (await joined.refused("elm-only", query)).code == "CHANGES_OF_SUBGRAPHS"
    assert (await joined.data("elm-only", query.replace("homepage ", "")))["students"]["changeCursor"]


async def test_ids_of_what_only_a_subgraph_knows_are_pairwise(joined: Asked) -> None:
    query = "{ students { nodes { submissions { id } } } }"
    one = await joined.raw("elm-only", query)
    other = await joined.raw("everything", query)
    assert b"sub-ana" not in one + other
    ids = [x["id"] for n in (await joined.data("elm-only", query))["students"]["nodes"] for x in n["submissions"]]
    assert len(set(ids)) == 4
    assert not any(identifier.encode() in other for identifier in ids)


async def test_what_a_subgraph_may_not_receive_is_denied_and_not_sent(
    tmp_path_factory: pytest.TempPathFactory, gradebook: Gradebook
) -> None:
    home = tmp_path_factory.mktemp("closed") / "home"
    async with opened(
        home,
        {"everything": GRANTS["everything"]},
        databases={worlds.SPACE: None},
        scopes={"everything": frozenset(SCOPES) | REMOTE},
        settings={"supergraph": str(supergraph())},
        endpoints={"lms": gradebook.url},
    ) as asked:
        before = len(gradebook.asked())
        answer = await asked.ask("everything", "{ students { nodes { firstName submissions { title } homepage } } }")
        codes = {(e["extensions"]["code"], e["extensions"]["coordinate"]) for e in answer["errors"]}
        assert codes == {("DENIED_BY_DISTRICT", "Student.submissions"), ("DENIED_BY_DISTRICT", "Student.homepage")}
        assert answer["data"]["students"]["nodes"][0] == {"firstName": "Ana", "submissions": None, "homepage": None}
        assert len(gradebook.asked()) == before
        # What a subgraph names by itself needs nothing sent: the space admits it.
        data = await asked.data("everything", "{ submissions { title student { firstName } } }")
        assert {one["student"]["firstName"] for one in data["submissions"]} >= {"Ana", "Leo"}


async def test_a_space_without_the_subgraph_is_not_offered_its_fields(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("without") / "home"
    async with opened(
        home,
        {"everything": GRANTS["everything"]},
        databases={worlds.SPACE: None},
        scopes={"everything": frozenset(SCOPES) | REMOTE},
        settings={"supergraph": str(supergraph())},
        rule=MAY,
    ) as asked:
        answer = await asked.ask(
            "everything", "{ students(first: 1) { nodes { firstName homepage } } submissions { title } }"
        )
        codes = {(e["extensions"]["code"], e["extensions"]["coordinate"]) for e in answer["errors"]}
        assert codes == {("NOT_OFFERED", "Student.homepage"), ("NOT_OFFERED", "Query.submissions")}
        assert answer["data"] == {"students": {"nodes": [{"firstName": "Ana", "homepage": None}]}, "submissions": None}


async def test_a_field_that_declares_nothing_of_itself_is_denied(joined: Asked) -> None:
    answer = await joined.ask("everything", "{ students(first: 1) { nodes { firstName undeclared } } }")
    assert [(e["extensions"]["code"], e["extensions"]["coordinate"]) for e in answer["errors"]] == [
        ("NOT_GRANTED", "Student.undeclared")
    ]


async def test_a_subgraph_that_is_gone_nulls_its_own_fields_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("gone") / "home"
    async with opened(
        home,
        {"everything": GRANTS["everything"]},
        databases={worlds.SPACE: None},
        scopes={"everything": frozenset(SCOPES) | REMOTE},
        settings={"supergraph": str(supergraph())},
        endpoints={"lms": "http://127.0.0.1:1/graphql"},
        rule=MAY,
    ) as asked:
        answer = await asked.ask(
            "everything", "{ students(first: 2) { nodes { firstName homepage submissions { title } } } }"
        )
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "SUBGRAPH_FAILED", "subgraph": "lms"}
        assert error["path"] == ["students", "nodes"]
        assert "lms" in error["message"]
        assert answer["data"]["students"]["nodes"] == [
            {"firstName": "Ana", "homepage": None, "submissions": None},
            {"firstName": "Leo", "homepage": None, "submissions": None},
        ]
        for _ in range(FAILURES):
            answer = await asked.ask("everything", "{ students(first: 2) { nodes { firstName homepage } } }")
        assert "left alone" in answer["errors"][0]["message"]
        # Who is left alone is told nothing, and the ledger does not say otherwise.
        assert [one.kind for one in await recorded(asked)].count(Kind.SENT) == FAILURES


async def test_the_grant_and_the_schema_are_told_beside_what_subgraphs_tell(joined: Asked) -> None:
    data = await joined.data(
        "elm-only", '{ __typename grant { client } submissions { title } __type(name: "Submission") { name } }'
    )
    assert data["grant"] == {"client": "elm-only"}
    assert data["__type"] == {"name": "Submission"}
    assert data["__typename"] == "Query"
    assert list(data) == ["__typename", "grant", "submissions", "__type"]
