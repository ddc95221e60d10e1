"""What is found in the index, and in which order: the same on SQLite and on PostgreSQL."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.registry.lookup import Asked, CursorError, for_courses, page
from app.registry.resource import folded, grade_levels, words
from tests.registry.resources import aligned, names, node, taken

pytestmark = pytest.mark.anyio


async def test_a_search_finds_beginnings_of_words_without_case_and_accents(index: AsyncEngine, tmp_path: Path) -> None:
    await taken(
        index,
        tmp_path,
        node("1", "Fractions"),
        node("2", "Español", description="About fractions, in Spanish"),
        node("3", "Décimas", about="Fraction"),
        node("4", "Actions"),
    )
    assert await names(index, search="fract") == ["Fractions", "Décimas", "Español"]  # a name counts most
    assert await names(index, search="ESPANOL fractions") == ["Español"]
    assert await names(index, search="decimas") == ["Décimas"]
    assert await names(index, search="fractions nowhere") == []


@pytest.mark.parametrize("search", ['"', "'", "a AND", "NEAR(", "a:*", "-x", "|&!", "()", "\\", "%", "\x00", "\ud800"])
async def test_no_search_breaks_out_of_its_language(index: AsyncEngine, tmp_path: Path, search: str) -> None:
    await taken(index, tmp_path, node("1", "Zebra"))
    assert await names(index, search=search) == []
    assert await names(index, subject=search, standard=search, grade_level=search) == []


async def test_filters_must_all_hold(index: AsyncEngine, tmp_path: Path) -> None:
    await taken(
        index,
        tmp_path,
        node("1", "A", about="Art", educationalLevel="Grade 5", educationalAlignment=[aligned("J", "J.5.NF")]),
        node("2", "B", about="ART", educationalLevel="K-2", educationalAlignment=[aligned("J", "J.5.NF.1")]),
        node("3", "C", about="Science", educationalLevel="5th grade", educationalAlignment=[aligned("J", "J.5.NFX")]),
    )
    assert await names(index, subject="art") == ["A", "B"]
    assert await names(index, grade_level="5") == ["A", "C"]
    assert await names(index, grade_level="kindergarten") == ["B"]
    assert await names(index, standard="j.5.nf") == ["A", "B"]
    assert await names(index, standard="J.5.N_") == []
    assert await names(index, subject="Art", grade_level="05", standard="J.5", search="a") == ["A"]


@pytest.mark.parametrize("search", [None, "maps"])
async def test_pages_hold_everything_once(index: AsyncEngine, tmp_path: Path, search: str | None) -> None:
    nodes = [node(str(number), f"Maps {'maps ' * (number % 3)}{number}") for number in range(23)]
    await taken(index, tmp_path, *nodes)
    asked, found, after = Asked(search=search), [], None
    while True:
        part = await page(index, asked, 5, after)
        found += [one.resource.name for one in part.placed]
        if not part.more:
            break
        after = part.placed[-1].cursor
    assert len(found) == len(set(found)) == 23
    assert found == [one.resource.name for one in (await page(index, asked, 100, None)).placed]


async def test_a_cursor_of_another_list_is_an_error(index: AsyncEngine, tmp_path: Path) -> None:
    await taken(index, tmp_path, node("1", "One"), node("2", "Two"))
    cursor = (await page(index, Asked(), 1, None)).placed[0].cursor
    for asked, after in ((Asked(subject="x"), cursor), (Asked(), "x"), (Asked(), "é"), (Asked(), cursor[:-3])):
        with pytest.raises(CursorError):
            await page(index, asked, 1, after)


async def test_a_course_has_the_most_used_first_and_no_more_than_asked(index: AsyncEngine, tmp_path: Path) -> None:
    def used(number: int) -> dict[str, object]:
        return {"interactionType": "ViewAction", "userInteractionCount": number}

    sced = [aligned("sced", "02005", "educationalSubject")]
    nodes = [
        node(str(number), f"R{number}", educationalAlignment=sced, interactionStatistic=used(number))
        for number in range(4)
    ]
    await taken(index, tmp_path, *nodes, node("x", "Other", educationalAlignment=[aligned("J", "02005")]))
    found = await for_courses(index, ["02005", "99999"], 3)
    assert {code: [one.name for one in some] for code, some in found.items()} == {
        "02005": ["R3", "R2", "R1"],
        "99999": [],
    }


@given(st.text(max_size=40))
def test_words_and_codes_are_compared_as_any_text(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)
    assert folded(folded(text)) == folded(text)
    assert grade_levels(text)


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ("K", ("KG",)),
        ("Pre-K", ("PK",)),
        ("9", ("09",)),
        ("Grade 10", ("10",)),
        ("3rd grade", ("03",)),
        ("K–2", ("KG", "01", "02")),
        ("Grades 11 to 12", ("11", "12")),
        ("99", ("99",)),
        ("5-2", ("5-2",)),
        ("Beginner", ("Beginner",)),
    ],
)
def test_grades_are_told_in_the_codes_of_the_graph(said: str, codes: tuple[str, ...]) -> None:
    assert grade_levels(said) == codes
