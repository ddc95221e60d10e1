"""What one vendor knows a record by means nothing to another, nor in another space, nor in another list."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import update

from app.errors import RequestError, Unauthenticated
from app.gateway import Request, answer
from app.names import SpaceId
from app.spaces.tables import student
from app.storage.engines import open_engine
from app.telemetry.trail import Trail
from tests import worlds
from tests.journeys.world import Asked, granting, larkspur_database, opened

__all__ = ["larkspur_database"]
pytestmark = pytest.mark.anyio

FIELDS = {
    "Student": "firstName grades sectionEnrollments",
    "Grade": "letterGradeEarned student section",
    "Section": "title school",
    "School": "nameOfInstitution",
    "SectionEnrollment": "student section",
    "Course": "title",
}
GRANTS = {name: granting(name, FIELDS) for name in ("readwell", "mathpath")} | {
    "elm-only": granting("elm-only", FIELDS, 'schools = ["elm"]')
}
HERE = worlds.SPACE
THERE = SpaceId("tx/larkspur-east")  # another district with the very same row numbers


@pytest.fixture(scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory, larkspur_database: str | None) -> AsyncIterator[Asked]:
    """One installation with two spaces that hold the same records under the same numbers."""
    home = tmp_path_factory.mktemp("two") / "home"
    url = larkspur_database
    databases = {
        HERE: url and f"{url}?schema=here",
        THERE: url and f"{url}?schema=there",
    }
    async with opened(home, GRANTS, databases=databases) as asked:
        yield asked


async def ids(asked: Asked, client: str, root: str, space: SpaceId = HERE) -> list[str]:
    data = await asked.data(client, f"{{ {root} {{ nodes {{ id }} }} }}", space=space)
    return [one["id"] for one in data[root]["nodes"]]


async def code(asked: Asked, client: str, query: str, variables: dict[str, Any], space: SpaceId = HERE) -> str:
    with pytest.raises(RequestError) as refusal:
        await asked.raw(client, query, variables, space=space)
    assert len(variables["after"]) < 8 or variables["after"] not in refusal.value.message
    return refusal.value.code


@pytest.mark.parametrize("root", ["students", "sections", "grades", "schools", "courses"])
async def test_threat_9_two_vendors_share_no_id_nor_do_two_spaces(two: Asked, root: str) -> None:
    one, other = await ids(two, "readwell", root), await ids(two, "mathpath", root)
    elsewhere = await ids(two, "readwell", root, THERE)
    assert len(one) == len(other) == len(elsewhere) > 3 - (root == "schools")
    assert len({*one, *other, *elsewhere}) == 3 * len(one)
    assert one == await ids(two, "readwell", root)  # but each vendor's own stay


BY_ID = {
    "student": "query($id: ID!) { student(id: $id) { id firstName } }",
    "section": "query($id: ID!) { section(id: $id) { id title } }",
    "node": "query($id: ID!) { node(id: $id) { id ... on Student { firstName } ... on Section { title } } }",
    "grades of a student": "query($id: ID!) { grades(where: {student: {eq: $id}}) { nodes { letterGradeEarned } } }",
    "grades of students": "query($id: ID!) { grades(where: {student: {in: [$id]}}) { nodes { letterGradeEarned } } }",
    "grades of a section": "query($id: ID!) { grades(where: {section: {eq: $id}}) { nodes { letterGradeEarned } } }",
    "sections of a school": "query($id: ID!) { sections(where: {school: {eq: $id}}) { nodes { title } } }",
}
UNKNOWN = ["0" * 32, "f" * 32, "", "1", "no id at all", "٣" * 32]


@pytest.mark.parametrize("way", BY_ID)
async def test_threat_9_a_foreign_id_is_answered_exactly_as_an_unknown_one(two: Asked, way: str) -> None:
    query = BY_ID[way]
    own: list[bytes] = []
    for type_name in ("Student", "Section", "School"):
        row = 1
        own.append(await two.raw("readwell", query, {"id": two.id("readwell", type_name, row)}))
        foreign = two.id("mathpath", type_name, row)
        elsewhere = two.id("readwell", type_name, row, space=THERE)
        altered = two.id("readwell", type_name, row).translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
        upper = two.id("readwell", type_name, row).upper() + " "
        answers = {
            await two.raw("readwell", query, {"id": each}) for each in (foreign, elsewhere, altered, upper, *UNKNOWN)
        }
        assert len(answers) == 1
        assert answers.pop() == await two.raw("readwell", query, {"id": "9" * 32})
    nothing = await two.raw("readwell", query, {"id": "9" * 32})
    assert any(answer != nothing for answer in own)  # the client's own id does find the record


async def test_an_id_of_another_type_is_unknown(two: Asked) -> None:
    section = two.id("readwell", "Section", worlds.ELM_MATH)
    assert await two.data("readwell", BY_ID["student"], {"id": section}) == {"student": None}
    assert await two.data("readwell", BY_ID["grades of a student"], {"id": section}) == {"grades": {"nodes": []}}


async def test_an_id_outside_the_rows_is_answered_exactly_as_an_unknown_one(two: Asked) -> None:
    outside = {
        "student": two.id("elm-only", "Student", worlds.KIM),
        "section": two.id("elm-only", "Section", worlds.OAK_MATH),
        "node": two.id("elm-only", "Student", worlds.KIM),
        "grades of a student": two.id("elm-only", "Student", worlds.KIM),
        "grades of a section": two.id("elm-only", "Section", worlds.OAK_MATH),
        "sections of a school": two.id("elm-only", "School", worlds.OAK),
    }
    for way, each in outside.items():
        assert await two.raw("elm-only", BY_ID[way], {"id": each}) == await two.raw(
            "elm-only", BY_ID[way], {"id": "9" * 32}
        ), way
    deleted = two.id("elm-only", "Student", 4_000)  # a record that was, or will be
    assert await two.raw("elm-only", BY_ID["student"], {"id": deleted}) == await two.raw(
        "elm-only", BY_ID["student"], {"id": outside["student"]}
    )


PAGE = "query($after: String) { students(first: 2, after: $after) { nodes { firstName } pageInfo { endCursor } } }"
GRADES = "query($after: String) { grades(first: 2, after: $after) { nodes { letterGradeEarned } } }"
FILTERED = """query($after: String, $name: String) {
students(first: 2, after: $after, where: {firstName: {eq: $name}}) { nodes { firstName } pageInfo { endCursor } } }"""


async def cursor(two: Asked, client: str, space: SpaceId = HERE) -> str:
    data = await two.data(client, PAGE, {"after": None}, space=space)
    assert [one["firstName"] for one in data["students"]["nodes"]] == ["Ana", "Leo"]
    return str(data["students"]["pageInfo"]["endCursor"])


async def test_a_cursor_goes_on_where_its_page_ended(two: Asked) -> None:
    data = await two.data("readwell", PAGE, {"after": await cursor(two, "readwell")})
    assert [one["firstName"] for one in data["students"]["nodes"]] == ["Tess", "Kim"]
    # ... whatever is selected, under whatever name, page by page of any size
    more = """query($after: String) { list: students(first: 100, after: $after) { edges { node { firstName } } } }"""
    edges = (await two.data("readwell", more, {"after": await cursor(two, "readwell")}))["list"]["edges"]
    assert [edge["node"]["firstName"] for edge in edges] == ["Tess", "Kim", "Max", "Ivy", "Gus", "Nia", "Pat", "Zed"]


async def test_threat_8_a_cursor_is_refused_to_another_vendor_and_in_another_space(two: Asked) -> None:
    theirs = await cursor(two, "mathpath")
    assert await code(two, "readwell", PAGE, {"after": theirs}) == "CURSOR_UNKNOWN"
    assert await code(two, "readwell", PAGE, {"after": await cursor(two, "readwell", THERE)}) == "CURSOR_UNKNOWN"
    assert await code(two, "readwell", PAGE, {"after": await cursor(two, "readwell")}, THERE) == "CURSOR_UNKNOWN"


async def test_threat_8_a_cursor_is_refused_in_another_list_and_with_another_filter(two: Asked) -> None:
    own = await cursor(two, "readwell")
    assert await code(two, "readwell", GRADES, {"after": own}) == "CURSOR_UNKNOWN"
    assert await code(two, "readwell", FILTERED, {"after": own, "name": "Ana"}) == "CURSOR_UNKNOWN"
    first = await two.data("readwell", FILTERED, {"after": None, "name": "Ana"})
    filtered = first["students"]["pageInfo"]["endCursor"]
    assert await code(two, "readwell", PAGE, {"after": filtered}) == "CURSOR_UNKNOWN"
    assert await code(two, "readwell", FILTERED, {"after": filtered, "name": "Leo"}) == "CURSOR_UNKNOWN"
    assert await two.data("readwell", FILTERED, {"after": filtered, "name": "Ana"}) == {
        "students": {"nodes": [], "pageInfo": {"endCursor": None}}
    }


async def test_threat_8_an_altered_cursor_is_refused(two: Asked) -> None:
    own = await cursor(two, "readwell")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    altered = [own[:at] + alphabet[(alphabet.index(own[at]) + 4) % 64] + own[at + 1 :] for at in range(len(own))]
    sealed = base64.urlsafe_b64decode(own + "=" * (-len(own) % 4))
    altered += [own[:-1], own + "A", own * 2, "", "0", "A" * len(own), "é", "=", own.lower(), own.upper()]
    altered += [
        base64.urlsafe_b64encode(sealed[8:] + sealed[:8]).decode().rstrip("="),
        "2",
        base64.b64encode(b"2").decode(),
    ]
    for each in altered:
        if each != own:
            assert await code(two, "readwell", PAGE, {"after": each}) == "CURSOR_UNKNOWN", each


async def test_threat_8_a_cursor_says_nothing_of_the_row(two: Asked) -> None:
    own = await cursor(two, "readwell")
    assert len(own) == 32
    assert (2).to_bytes(8, "big") not in base64.urlsafe_b64decode(own)


async def test_threat_9_a_token_of_one_space_finds_nothing_of_another(two: Asked) -> None:
    here = await two.data("readwell", "{ students { nodes { id firstName } } }")
    for one in here["students"]["nodes"]:
        assert await two.data("readwell", BY_ID["node"], {"id": one["id"]}, space=THERE) == {"node": None}
        found = await two.data("readwell", BY_ID["student"], {"id": one["id"]})
        assert found == {"student": one}


async def test_each_space_answers_from_its_own_records(two: Asked) -> None:
    settings = two.rooms.settings
    engine = open_engine(settings.database_url(settings.spaces[THERE].database))
    try:
        async with engine.begin() as connection:
            await connection.execute(update(student).where(student.c.row == worlds.ZED).values(first_name="Zoë"))
    finally:
        await engine.dispose()
    query = "{ students { nodes { firstName } } }"
    here, there = await two.data("readwell", query), await two.data("readwell", query, space=THERE)
    assert [one["firstName"] for one in here["students"]["nodes"]][-1] == "Zed"
    assert [one["firstName"] for one in there["students"]["nodes"]][-1] == "Zoë"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer not.a.token"])
async def test_no_token_no_answer(two: Asked, header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        await answer(Request(header, "{ __typename }", None, None, Trail("r")), two.rooms)
