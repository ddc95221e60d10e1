"""The registry as a subgraph: what a gateway asks of it, and what it says of its fields."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from graphql import FieldDefinitionNode, ObjectTypeDefinitionNode, parse
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.operation.invalid import InvalidOperation
from app.registry.answering import LIMITS, answer, sdl
from app.schema.build import graphql_schema
from app.schema.ndpa import NOT_STUDENT_DATA, of_tag
from tests.registry.resources import aligned, node, taken

pytestmark = pytest.mark.anyio

ENTITIES = """query ($_0: [_Any!]!, $_1: [_Any!]!) {
  courses: _entities(representations: $_0) { ... on Course { scedCode learningResources(first: 2) { name } } }
  resources: _entities(representations: $_1) { __typename ... on LearningResource { name publisher } }
}"""


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """The SELECTs that run meanwhile."""
    run: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            run.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield run
    event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_a_gateway_finds_courses_and_resources_in_one_statement_each(index: AsyncEngine, tmp_path: Path) -> None:
    sced = [[aligned("SCED", code, "educationalSubject")] for code in ("01005", "02005")]
    await taken(index, tmp_path, *(node(str(n), f"R{n}", educationalAlignment=one) for n, one in enumerate(sced)))
    listed: Any = (await answer(index, "{ learningResources { nodes { id } } }", None, None))["data"]
    ids = [one["id"] for one in listed["learningResources"]["nodes"]]
    courses = [{"__typename": "Course", "scedCode": code} for code in ("01005", "02005", "x") * 50]
    resources = [{"__typename": "LearningResource", "id": id_} for id_ in (*ids, "unknown")]
    with statements(index) as run:
        found: Any = await answer(index, ENTITIES, None, {"_0": courses, "_1": resources})
    assert len(run) == 2
    assert "errors" not in found
    assert [len(one["learningResources"]) for one in found["data"]["courses"]] == [1, 1, 0] * 50
    assert [one and one["name"] for one in found["data"]["resources"]] == ["R0", "R1", None]


async def test_a_page_is_asked_for_with_everything(index: AsyncEngine, tmp_path: Path) -> None:
    await taken(index, tmp_path, *(node(str(n), f"Rivers {n}", about="Maps", educationalLevel="5") for n in range(3)))
    query = """query ($after: String) {
      learningResources(search: "riv", subject: "maps", gradeLevel: "5", first: 2, after: $after) {
        edges { cursor node { name subject gradeLevels } }
        pageInfo { hasNextPage hasPreviousPage endCursor startCursor }
      }
    }"""
    first: Any = (await answer(index, query, None, None))["data"]
    info = first["learningResources"]["pageInfo"]
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (True, False)
    second: Any = (await answer(index, query, None, {"after": info["endCursor"]}))["data"]
    assert [edge["node"]["name"] for edge in second["learningResources"]["edges"]] == ["Rivers 2"]
    assert second["learningResources"]["pageInfo"]["hasPreviousPage"] is True


@pytest.mark.parametrize(
    "query",
    [
        "{ learningResources(first: 0) { nodes { name } } }",
        "{ learningResources(first: 501) { nodes { name } } }",
        '{ learningResources(after: "x") { nodes { name } } }',
        '{ _entities(representations: [{__typename: "Course"}]) { __typename } }',
        '{ _entities(representations: [{__typename: "Course", scedCode: "1", extra: 1}]) { __typename } }',
        '{ _entities(representations: [{__typename: "Student", id: "1"}]) { __typename } }',
        '{ _entities(representations: [{__typename: "Query"}]) { __typename } }',
        '{ _entities(representations: [{__typename: "String"}]) { __typename } }',
        '{ _entities(representations: [{__typename: "CourseWhere", scedCode: "1"}]) { __typename } }',
        "{ _entities(representations: [{__typename: 7}]) { __typename } }",
        "{ _entities(representations: [{}]) { __typename } }",
    ],
)
async def test_a_mistake_is_told_in_a_sentence(index: AsyncEngine, query: str) -> None:
    found: Any = await answer(index, query, None, None)
    (error,) = found["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].endswith(".")
    assert "Error" not in error["message"]


@pytest.mark.parametrize(
    "query",
    [
        "{ nothing }",
        "{",
        "{ learningResources { nodes { " + " ".join(f"a{n}: name" for n in range(LIMITS.aliases + 1)) + " } } }",
        "{" + " learningResources { nodes { name } }" * 5_000 + "}",
        "query ($first: Int!) { learningResources(first: $first) { nodes { name } } }",
        "{ learningResources { nodes { ...a0 } } } fragment a30 on LearningResource { name }"
        + "".join(f" fragment a{n} on LearningResource {{ ...a{n + 1} ...a{n + 1} }}" for n in range(30)),
        "{ " + " ".join(f"a{n}: learningResources(first: 500) {{ nodes {{ name url }} }}" for n in range(1_000)) + " }",
    ],
)
async def test_threat_3_what_cannot_be_run_is_refused_at_once(index: AsyncEngine, query: str) -> None:
    with pytest.raises(InvalidOperation):
        await answer(index, query, None, None)


async def test_a_database_that_does_not_answer_is_no_empty_list(database: AsyncEngine) -> None:
    with pytest.raises(Unavailable):
        await answer(database, "{ learningResources { nodes { name } } }", None, None)


def test_every_field_says_scope_category_and_sensitivity() -> None:
    """Else a gateway with district policy denies it."""
    seen = 0
    for type_ in parse(sdl()).definitions:
        if not isinstance(type_, ObjectTypeDefinitionNode) or type_.name.value.startswith("_"):
            continue
        tags = _tags(type_)
        if type_.name.value not in {"Query", "Course", "PageInfo"}:
            assert tags in ({"student": "none"}, {"arranges": ""})
        for field in type_.fields or ():
            name = f"{type_.name.value}.{field.name.value}"
            if "arranges" in tags or type_.name.value == "PageInfo" or field.name.value.startswith("_"):
                continue
            if name in {"LearningResource.id", "Course.scedCode"}:
                continue
            said = _tags(field)
            assert of_tag(said["category"]) == NOT_STUDENT_DATA, name
            assert said["sensitivity"] == "public"
            assert any(one.name.value == "requiresScopes" for one in field.directives or ())
            seen += 1
    assert seen > 15


def _tags(node: ObjectTypeDefinitionNode | FieldDefinitionNode) -> dict[str, str]:
    names = [one.arguments[0].value.value for one in node.directives or () if one.name.value == "tag"]  # type: ignore
    return {name.partition("/")[0]: name.partition("/")[2] for name in names}


def test_it_knows_a_course_by_its_code_and_no_student() -> None:
    course = next(
        one
        for one in parse(sdl()).definitions
        if isinstance(one, ObjectTypeDefinitionNode) and one.name.value == "Course"
    )
    assert [field.name.value for field in course.fields or ()] == ["scedCode", "learningResources"]
    core = set(graphql_schema().type_map) - {"Course", "PageInfo", "Query", "String", "Int", "ID", "Boolean", "Float"}
    declared = {one.name.value for one in parse(sdl()).definitions if isinstance(one, ObjectTypeDefinitionNode)}
    assert not core & declared
