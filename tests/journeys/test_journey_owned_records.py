"""What a subgraph tells of a student's records is given of whom the space admits alone, and stands in the ledger."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.cli.composing import Schema, compose
from app.elsewhere import FieldSettings, SubgraphSettings
from app.errors import Unavailable
from app.federation.remote import OWNED, vocabulary
from app.federation.remote import opened as opened_supergraph
from app.federation.supergraph_sdl import read_supergraph
from app.ledger.entry import Kind
from app.ledger.reading import Filters, entries
from app.names import Scope
from app.schema.build import sdl
from app.schema.catalogue import SCOPES
from app.spaces import tables as t
from app.spaces.edges import owner
from app.storage.engines import open_engine
from tests import worlds
from tests.journeys.test_journey_lying_subgraph import Liar
from tests.journeys.world import Asked, granting, opened

pytestmark = pytest.mark.anyio

SAYS = (
    '@requiresScopes(scopes: [["lms/remarks.read"]]) @tag(name: "category/Student_work") @tag(name: "sensitivity/pii")'
)
LMS = f"""
extend schema
  @link(
    url: "https://specs.apollo.dev/federation/v2.5"
    import: ["@key", "@external", "@requires", "@requiresScopes", "@tag"]
  )
type Student @key(fields: "sourceKey") {{
  sourceKey: String!
  schoolEnrollments: [SchoolEnrollment!] @external
  stays: String @requires(fields: "schoolEnrollments {{ exitType }}")
    @requiresScopes(scopes: [["lms/remarks.read", "enrollment/school.read"]])
}}
type SchoolEnrollment @key(fields: "sourceKey") {{ sourceKey: String! exitType: String @external }}
type Grade @key(fields: "sourceKey") {{ sourceKey: String! remark: String {SAYS} }}
type DisciplineIncident @key(fields: "sourceKey") {{ sourceKey: String! remark: String {SAYS} }}
type Query {{ remarked: [Grade!] {SAYS} }}
"""
ELM = 'schools = ["elm"]\nenrollment = "active"'
FIELDS = {"Student": "firstName grades stays", "Grade": "letterGradeEarned remark student", "Query": "remarked"}

STAYS = FieldSettings("lms/remarks.read", "Student work", "pii")
"""What the installation says of it: composers want the scopes of what a field requires beside its own."""


def test_every_record_of_a_students_is_known_as_one() -> None:
    assert {name for name in t.BY_TYPE if owner(name) is not None} == OWNED


@pytest.fixture
async def remarking(tmp_path: Path) -> AsyncIterator[tuple[Asked, Liar, dict[str, int]]]:
    """... with the student of every grade, by its key."""
    file = tmp_path / "supergraph.graphql"
    try:
        file.write_text(compose([Schema("core", "", sdl()), Schema("lms", "", LMS)]))
    except Unavailable as error:
        pytest.skip(error.message)
    liar = Liar()
    server = await asyncio.start_server(liar.connected, "127.0.0.1", 0)
    async with opened(
        tmp_path / "home",
        {"reading": granting("reading", FIELDS, ELM)},
        databases={worlds.SPACE: None},
        scopes={"reading": frozenset({*SCOPES, Scope("lms/remarks.read")})},
        settings={"supergraph": str(file), "subgraphs": {"lms": SubgraphSettings(fields={"Student.stays": STAYS})}},
        endpoints={"lms": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"},
        rule='[subgraphs.lms]\nmay_receive = ["Grade.sourceKey", "Student.sourceKey", "SchoolEnrollment.exitType"]\n',
    ) as asked:
        settings = asked.rooms.settings
        engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].database))
        async with engine.connect() as connection:
            grade = t.BY_TYPE["Grade"]
            found = await connection.execute(select(grade.c.source_key, grade.c.student))
            students = {one.source_key: one.student for one in found}
        await engine.dispose()
        yield asked, liar, students
    server.close()


async def told(asked: Asked, operation: str, kind: Kind) -> dict[str, set[int]]:
    """Of whom what stands in the ledger."""
    settings = asked.rooms.settings
    engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].ledger))
    try:
        found = [one.entry async for one in entries(engine, Filters()) if one.entry.operation == operation]
    finally:
        await engine.dispose()
    (entry,) = (one for one in found if one.kind is kind)
    return {name: set(one.students or ()) for one in entry.disclosed for name in one.coordinates}


async def test_who_was_told_of_and_of_whom_was_told_is_recorded(remarking: Any) -> None:
    asked, liar, _ = remarking
    query = "query Remarks { students { nodes { grades { letterGradeEarned remark } } } }"
    whole = await asked.data("reading", query.replace("Remarks", "Others").replace("remark ", ""))
    count = sum(len(one["grades"]) for one in whole["students"]["nodes"])
    assert count
    liar.says = {"_entities": [{"remark": "Well done."}] * count}
    data = await asked.data("reading", query)
    assert all(each["remark"] == "Well done." for one in data["students"]["nodes"] for each in one["grades"])
    graded = (await told(asked, "Remarks", Kind.ANSWER))["Grade.letterGradeEarned"]
    assert graded
    assert (await told(asked, "Remarks", Kind.ANSWER))["Grade.remark"] == graded
    assert (await told(asked, "Remarks", Kind.SENT))["Grade.sourceKey"] == graded


async def test_a_record_of_a_student_outside_the_rows_is_not_there_whoever_names_it(remarking: Any) -> None:
    asked, liar, students = remarking
    admitted = await asked.data("reading", "{ grades { nodes { id } } }")
    liar.says = {"remarked": [{"sourceKey": key, "remark": f"Of {student}"} for key, student in students.items()]}
    data = await asked.data("reading", "query Named { remarked { remark } }")
    assert 0 < len(data["remarked"]) == len(admitted["grades"]["nodes"]) < len(students)
    said = {f"Of {student}" for student in (await told(asked, "Named", Kind.ANSWER))["Grade.remark"]}
    assert {one["remark"] for one in data["remarked"]} == said


async def test_what_is_required_is_recorded_down_to_the_last_field(remarking: Any) -> None:
    asked, liar, _ = remarking
    liar.says = {"_entities": [{"stays": "yes"}] * 2}
    data = await asked.data("reading", "query Stays { students { nodes { stays } } }")
    assert [one["stays"] for one in data["students"]["nodes"]] == ["yes", "yes"]
    sent = await told(asked, "Stays", Kind.SENT)
    of = {worlds.ANA, worlds.MAX}
    assert sent == {"Student.sourceKey": of, "Student.schoolEnrollments": of, "SchoolEnrollment.exitType": of}


async def test_what_concerns_several_students_a_subgraph_adds_nothing_to(remarking: Any) -> None:
    asked, _, _ = remarking
    text = Path(asked.rooms.settings.supergraph).read_text()
    known = vocabulary(text, opened_supergraph(read_supergraph(text)), {})
    assert "Grade.remark" in known.told_by
    assert "DisciplineIncident.remark" not in known.facts
