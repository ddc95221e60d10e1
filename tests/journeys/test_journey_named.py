"""What a child's records name, a class or a school, is told of the child; what is asked of classes is nobody's."""

from collections.abc import AsyncIterator

import pytest

from app.ledger.report import of_student
from app.names import Row
from app.storage.engines import open_engine
from tests import worlds
from tests.journeys.world import Asked, granting, larkspur_database, opened

__all__ = ["larkspur_database"]
pytestmark = pytest.mark.anyio

FIELDS = {
    "Student": "firstName sectionEnrollments schoolEnrollments",
    "SectionEnrollment": "section",
    "SchoolEnrollment": "school",
    "Section": "title course sectionEnrollments",
    "Course": "title",
    "School": "nameOfInstitution sections",
}


@pytest.fixture(scope="module")
async def asked(tmp_path_factory: pytest.TempPathFactory, larkspur_database: str | None) -> AsyncIterator[Asked]:
    async with opened(
        tmp_path_factory.mktemp("named") / "home",
        {"naming": granting("naming", FIELDS), "classes": granting("classes", FIELDS)},
        databases={worlds.SPACE: larkspur_database},
    ) as opened_:
        yield opened_


async def received(asked: Asked, client: str, student: Row) -> set[str]:
    settings = asked.rooms.settings
    engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].ledger))
    try:
        told = await of_student(engine, student)
    finally:
        await engine.dispose()
    return {name for one in told if one.client == client for name in one.coordinates}


async def test_the_title_of_a_class_that_a_child_is_in_is_told_of_the_child(asked: Asked) -> None:
    await asked.data(
        "naming",
        """{ students { nodes { sectionEnrollments { section { title course { title } } }
                                schoolEnrollments { school { nameOfInstitution sections { id } } } } } }""",
    )
    told = await received(asked, "naming", Row(worlds.ANA))
    assert {"Section.title", "Section.course", "Course.title", "School.nameOfInstitution"} <= told
    assert "Section.id" not in told  # every class of the school: that they are there says nothing of the child


async def test_the_titles_of_all_classes_are_told_of_nobody(asked: Asked) -> None:
    await asked.data("classes", "{ sections { nodes { title course { title } } } }")
    assert await received(asked, "classes", Row(worlds.ANA)) == set()
    await asked.data("classes", "{ sections { nodes { title sectionEnrollments { id } } } }")
    assert await received(asked, "classes", Row(worlds.ANA)) == {"SectionEnrollment.id"}
