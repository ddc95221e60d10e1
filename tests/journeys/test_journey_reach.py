"""Records that hang on others outside the rows: a way that leads out of the rows leads nowhere, filters included."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert

from app.spaces import tables as t
from app.storage.engines import open_engine
from tests import worlds
from tests.journeys.world import Asked, granting, larkspur_database, opened

__all__ = ["larkspur_database"]
pytestmark = pytest.mark.anyio

FIELDS = {
    "Student": "firstName schoolEnrollments grades",
    "SchoolEnrollment": "gradeLevel school",
    "School": "nameOfInstitution",
    "Section": "localCourseCode school course session",
    "Course": "title",
    "Session": "name",
    "Grade": "letterGradeEarned gradingPeriod section",
    "GradingPeriod": "name",
}
GRANTS = {
    "elm": granting("elm", FIELDS, 'schools = ["elm"]'),
    "all": granting("all", FIELDS),
}
JOINT, SOLO = 8, 9  # sections: one at Elm by the middle school's course and session; one that is in no school
UNBOUND = 15  # a school enrollment in no school
LATE, LOOSE = 11, 12  # grades: one of Elm in the middle school's period; one in no section


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, larkspur_database: str | None) -> AsyncIterator[Asked]:
    """Larkspur with records whose parents are elsewhere or missing."""
    home = tmp_path_factory.mktemp("reach") / "home"
    async with opened(home, GRANTS, databases={worlds.SPACE: larkspur_database}) as asked:
        settings = asked.rooms.settings
        engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].database))
        section = {"source_key": "joint", "row": JOINT, "school": worlds.ELM, "local_course_code": "JOINT"}
        grade = {"source_key": "late", "row": LATE, "student": worlds.ANA, "letter_grade_earned": "L"}
        async with engine.begin() as connection:
            await connection.execute(insert(t.section), [section | {"course": worlds.MATH_6, "session": worlds.FALL}])
            solo = {"source_key": "solo", "row": SOLO, "local_course_code": "SOLO"}
            await connection.execute(insert(t.section), [solo | {"session": worlds.THIS_YEAR}])
            late = {"section": worlds.ELM_ENGLISH, "grading_period": worlds.SECOND_QUARTER}
            await connection.execute(insert(t.grade), [grade | late])
            await connection.execute(
                insert(t.grade), [grade | {"source_key": "loose", "row": LOOSE, "letter_grade_earned": "X"}]
            )
            await connection.execute(
                insert(t.school_enrollment),
                [{"source_key": "unbound", "row": UNBOUND, "student": worlds.ANA, "grade_level": "KG"}],
            )
        await engine.dispose()
        yield asked


async def test_an_edge_out_of_the_rows_is_null(world: Asked) -> None:
    query = """{ sections { nodes { localCourseCode course { title } session { name } } }
    grades(where: {letterGradeEarned: {eq: "L"}}) { nodes { gradingPeriod { name } } } }"""
    joint = {"localCourseCode": "JOINT", "course": {"title": "Mathematics 6"}, "session": {"name": "Fall 2026"}}
    data = await world.data("all", query)
    assert joint in data["sections"]["nodes"]
    assert data["grades"]["nodes"] == [{"gradingPeriod": {"name": "Second quarter"}}]
    data = await world.data("elm", query)
    assert {"localCourseCode": "JOINT", "course": None, "session": None} in data["sections"]["nodes"]
    assert data["grades"]["nodes"] == [{"gradingPeriod": None}]


FILTERS = [
    ("sections", "course", "Course", worlds.MATH_6, "localCourseCode", ["MID-MATH", "JOINT"]),
    ("sections", "session", "Session", worlds.FALL, "localCourseCode", ["MID-MATH", "JOINT"]),
    ("grades", "gradingPeriod", "GradingPeriod", worlds.SECOND_QUARTER, "letterGradeEarned", ["B", "L"]),
]


@pytest.mark.parametrize(("root", "parent", "type_name", "row", "field", "found"), FILTERS)
@pytest.mark.parametrize("comparison", ["{{eq: {}}}", "{{in: [{}]}}"])
async def test_the_id_of_a_parent_outside_the_rows_finds_nothing(
    world: Asked, root: str, parent: str, type_name: str, row: int, field: str, found: list[str], comparison: str
) -> None:
    query = f"query($id: ID!) {{ {root}(where: {{{parent}: {comparison.format('$id')}}}) {{ nodes {{ {field} }} }} }}"
    data = await world.data("all", query, {"id": world.id("all", type_name, row)})
    assert [one[field] for one in data[root]["nodes"]] == found
    outside = await world.raw("elm", query, {"id": world.id("elm", type_name, row)})
    assert outside == await world.raw("elm", query, {"id": "9" * 32})


async def test_what_is_in_no_school_or_section_is_in_the_rows_of_no_grant_that_asks_for_one(world: Asked) -> None:
    query = """{ sections { nodes { localCourseCode } } grades { nodes { letterGradeEarned } }
    students(where: {firstName: {eq: "Ana"}}) { nodes { schoolEnrollments { gradeLevel } } } }"""
    data = await world.data("all", query)
    assert {"localCourseCode": "SOLO"} in data["sections"]["nodes"]
    assert {"letterGradeEarned": "X"} in data["grades"]["nodes"]
    assert {"gradeLevel": "KG"} in data["students"]["nodes"][0]["schoolEnrollments"]
    data = await world.data("elm", query)
    assert {"localCourseCode": "SOLO"} not in data["sections"]["nodes"]
    assert {"letterGradeEarned": "X"} not in data["grades"]["nodes"]
    assert {"gradeLevel": "KG"} not in data["students"]["nodes"][0]["schoolEnrollments"]
