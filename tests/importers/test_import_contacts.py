"""Contacts and gradebooks out of OneRoster: who is whose contact, and what is a mark and what a piece of work."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.importers.report import Report
from app.spaces.tables import contact, section_enrollment, student, student_gradebook_entry
from tests.importers.rosters import ONEROSTER, bring, changed, delta, everything, folder, rows, space

pytestmark = pytest.mark.anyio

MOTHER = "p1,,,true,parent,,Pat,Doe,,,pat@x.example,,777,s1,,,"
SHOWN = ("source_key", "contact_id", "first_name", "telephone", "relationship")


def noted(report: Report) -> list[tuple[str, int, str | None]]:
    return [(one.file, one.line, one.column) for one in report.noted]


async def keys(engine: AsyncEngine) -> list[str]:
    return [str(key) for (key,) in await rows(engine, "Contact", "source_key")]


async def test_a_parent_is_a_contact_of_each_of_their_children(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    report = await bring(database, folder(tmp_path / "r", ONEROSTER))
    assert await rows(database, "Contact", *SHOWN) == [
        ("s1|p1", "p1", "Pat", "777", "parent"),
        ("s2|p1", "p1", "Pat", "777", "parent"),
    ]
    async with database.connect() as connection:
        joined = select(contact.c.source_key, student.c.source_key).join_from(contact, student)
        assert sorted(tuple(row) for row in await connection.execute(joined)) == [("s1|p1", "s1"), ("s2|p1", "s2")]
    assert (report.counts_in["Contact"], report.counts_in["Family member"]) == (2, 1)
    before = await everything(database)
    again = await bring(database, folder(tmp_path / "r", ONEROSTER))
    assert not again.changed
    assert await everything(database) == before


async def test_version_1_1_has_its_families_too(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    users = (
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
        "agentSourcedIds,metadata.relationship\n"
        's1,,,true,a,student,,,Siobhán,O\'Brien,"g1,t1",\n'
        "g1,,,true,a,guardian,,,Kit,Moss,,Grandfather\n"
        "g2,,,true,a,relative,,,Lou,Moss,s1,\n"
        "t1,,,true,a,teacher,,,Ada,Bell,,\n"
    )
    files = {name: ONEROSTER[name] for name in ("orgs", "academicSessions", "courses", "classes")}
    report = await bring(sqlite_space, folder(tmp_path / "r", {**files, "users": users}, version="1.1"))
    assert (report.rejected, report.noted) == ([], [])
    assert await rows(sqlite_space, "Contact", "contact_id", "last_surname", "relationship") == [
        ("g1", "Moss", "Grandfather"),
        ("g2", "Moss", "relative"),
        ("t1", "Bell", None),
    ]


async def test_what_a_full_file_says_of_contacts_is_all_there_is(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    await bring(sqlite_space, folder(tmp_path / "r", ONEROSTER))
    nobodys = changed("users", s1="s1,,,true,u,,Ann,Lee,,,,,,,,,", p1=MOTHER.replace(",s1,", ",,"))
    report = await bring(sqlite_space, folder(tmp_path / "s", nobodys))
    assert await keys(sqlite_space) == ["s2|p1"]
    assert report.stored["Contact"].deleted == 1
    header = ONEROSTER["users"].replace("agentSourcedIds", "metadata.agents")
    silent = await bring(sqlite_space, folder(tmp_path / "t", {**ONEROSTER, "users": header}))
    assert await keys(sqlite_space) == ["s2|p1"], "a file without the column says nothing of contacts"
    assert [one.reason for one in silent.noted if "agentSourcedIds is missing" in one.reason] == []


async def test_families_are_not_guessed_where_the_file_does_not_name_contacts(
    sqlite_space: AsyncEngine, tmp_path: Path
) -> None:
    header = ONEROSTER["users"].replace("agentSourcedIds", "metadata.agents")
    report = await bring(sqlite_space, folder(tmp_path / "r", {**ONEROSTER, "users": header}))
    assert await keys(sqlite_space) == []
    assert noted(report) == [("users.csv", 1, None)]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ({"s1": "s1,,,true,u,,Ann,Lee,,,,,,nobody,,,"}, [("users.csv", 2, "agentSourcedIds")]),
        ({"s1": "s1,,,true,u,,Ann,Lee,,,,,,s2,,,"}, [("users.csv", 2, "agentSourcedIds")]),
        ({"p1": MOTHER.replace(",s1,", ",t1,")}, [("users.csv", 5, "agentSourcedIds")]),
        ({"p2": "p2,,,true,,,Jo,Doe,,,,,,,,,"}, [("users.csv", 6, "agentSourcedIds")]),
    ],
    ids=["an agent who is nowhere", "a student", "a parent of a teacher", "a parent of nobody"],
)
async def test_a_contact_that_cannot_be_is_left_out_and_listed(
    sqlite_space: AsyncEngine, tmp_path: Path, row: dict[str, str], place: list[tuple[str, int, str]]
) -> None:
    files = changed("users", **row)
    roles = changed("roles", r6="r6,,,p2,primary,guardian,,,a,")["roles"] if "p2" in row else ONEROSTER["roles"]
    report = await bring(sqlite_space, folder(tmp_path / "r", {**files, "roles": roles}))
    assert report.rejected == []
    assert noted(report) == place


@pytest.mark.parametrize(
    "row",
    [
        {"p1": "p1,,,true,parent,,P\0at,Doe,,,,,,,,,"},
        {"p1": "p1,,,true,parent"},
        {"s1": "s1,,,true,u,,A\0nn,Lee,,,,,,p1,,,"},
        {"s1": "s1,,,true,u,,Ann,Lee,,,,,,p\0,,,"},
        {"s1": ",,,true,u,,Ann,Lee,,,,,,p1,,,"},
        {"s1": f"s1,,,true,u,,Ann,Lee,,,,,,{'p' * 511},,,"},
    ],
    ids=["a parent's name", "a short row", "a student's name", "an agent", "no key", "an agent too long"],
)
async def test_contacts_whose_row_is_refused_stay_as_they_were(
    sqlite_space: AsyncEngine, tmp_path: Path, row: dict[str, str]
) -> None:
    await bring(sqlite_space, folder(tmp_path / "r", ONEROSTER))
    before = await rows(sqlite_space, "Contact", "row", *SHOWN)
    report = await bring(sqlite_space, folder(tmp_path / "s", changed("users", **row)))
    assert report.rejections == 1
    assert await rows(sqlite_space, "Contact", "row", *SHOWN) == before


async def test_a_key_that_is_a_social_security_number_is_not_stored(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    number = "123-45-6780"
    files = {name: text.replace("p1", number) for name, text in ONEROSTER.items()}
    report = await bring(sqlite_space, folder(tmp_path / "r", files))
    assert [(one.file, one.line, one.column) for one in report.rejected] == [("users.csv", 5, "sourcedId")]
    assert (await keys(sqlite_space), report.ssns_met) == ([], 2)
    assert number not in str(await everything(sqlite_space))
    await bring(sqlite_space, folder(tmp_path / "r", files), ssn="store")
    assert await keys(sqlite_space) == [f"s1|{number}", f"s2|{number}"]


async def test_a_changed_parent_changes_for_all_their_children(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    await bring(database, folder(tmp_path / "r", ONEROSTER))
    change = delta("users", "p1,active,,true,parent,,Pat,Doe-Lee,,,,,888,,,,")
    report = await bring(database, folder(tmp_path / "d", change, mode="delta"))
    assert (report.rejected, report.noted) == ([], [])
    assert await rows(database, "Contact", "last_surname", "email", *SHOWN[3:]) == [
        ("Doe-Lee", None, "888", "parent"),
        ("Doe-Lee", None, "888", "parent"),
    ]
    assert report.stored["Contact"].updated == 2


async def test_whom_a_changed_student_does_not_name_any_more_goes(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    await bring(database, folder(tmp_path / "r", ONEROSTER))
    change = delta(
        "users",
        "s1,active,,true,u,,Ann,Lee,,,,,,p2,,,",
        "p2,active,,true,u,,Jo,Doe,,,,,,,,,",
        "p3,active,,true,u,,Al,Doe,,,,,,s2,,,",
    ) | delta("roles", "r6,active,,p2,primary,guardian,,,a,", "r7,active,,p3,primary,relative,,,a,")
    report = await bring(database, folder(tmp_path / "d", change, mode="delta"))
    assert (report.rejected, report.noted) == ([], [])
    assert await rows(database, "Contact", *SHOWN[:3], "relationship") == [
        ("s1|p2", "p2", "Jo", "guardian"),
        ("s2|p1", "p1", "Pat", "parent"),
        ("s2|p3", "p3", "Al", "relative"),
    ]


async def test_a_changed_student_may_name_whom_the_space_knows(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    first = changed("users", s1="s1,,,true,u,,Ann,Lee,,,,,,,,,", p1=MOTHER.replace(",s1,", ",,"))
    await bring(sqlite_space, folder(tmp_path / "r", first))
    change = delta("users", 's1,active,,true,u,,Ann,Lee,,,,,,"p1,p9",,,')
    report = await bring(sqlite_space, folder(tmp_path / "d", change, mode="delta"))
    assert await rows(sqlite_space, "Contact", *SHOWN) == [
        ("s1|p1", "p1", "Pat", "777", None),  # what she is to this child was not said
        ("s2|p1", "p1", "Pat", "777", "parent"),
    ]
    assert noted(report) == [("users.csv", 2, "agentSourcedIds")]


@pytest.mark.parametrize(("gone", "left"), [("p1", []), ("s1", ["s2|p1"])])
async def test_a_contact_goes_with_either_of_its_people(
    sqlite_space: AsyncEngine, tmp_path: Path, gone: str, left: list[str]
) -> None:
    await bring(sqlite_space, folder(tmp_path / "r", ONEROSTER))
    change = delta("users", f"{gone},tobedeleted,,true,u,,A,B,,,,,,,,,")
    await bring(sqlite_space, folder(tmp_path / "d", change, mode="delta"))
    assert await keys(sqlite_space) == left


async def test_a_piece_of_work_is_an_entry_of_the_gradebook(database: AsyncEngine, tmp_path: Path) -> None:
    await space(database)
    report = await bring(database, folder(tmp_path / "r", ONEROSTER))
    assert (report.counts_in["Grade"], report.counts_in["StudentGradebookEntry"]) == (1, 1)
    assert await rows(database, "Grade", "source_key", "grade_type") == [("g1", "Grading Period")]
    async with database.connect() as connection:
        entry = student_gradebook_entry
        query = select(entry.c.source_key, entry.c.points_earned, section_enrollment.c.source_key)
        joined = query.join_from(entry, section_enrollment)
        assert [tuple(row) for row in await connection.execute(joined)] == [("w1", 8.5, "e2")]
    change = delta("enrollments", "e2,tobedeleted,,m3a,a,s1,student,false,2026-09-10,")
    await bring(database, folder(tmp_path / "d", change, mode="delta"))
    async with database.connect() as connection:
        assert [tuple(row) for row in await connection.execute(joined)] == [("w1", 8.5, "e1")]


@pytest.mark.parametrize(
    ("category", "span", "is_mark"),
    [
        ("Final", "q1", True),
        ("Mid-Term grades", "q1", True),
        ("SEMESTER EXAM", "f27", True),
        ("Progress Report", "q1", True),
        ("Quarter projects", "q1", False),
        ("Homework", "q1", False),
        ("Homework", "", False),
        ("", "q1", True),
        ("", "f27", True),
        ("", "", False),
    ],
)
async def test_the_words_for_a_category_say_what_is_a_mark(
    sqlite_space: AsyncEngine, tmp_path: Path, category: str, span: str, is_mark: bool
) -> None:
    items = f"l1,,,Title,,2026-08-15,2026-10-20,m3a,{'cat' if category else ''},{span},0,100"
    words = changed("categories", cat=f"cat,,,{category or 'Unused'}")["categories"]
    files = {**changed("lineItems", l1=items), "categories": words}
    await bring(sqlite_space, folder(tmp_path / "r", files))
    marks = await rows(sqlite_space, "Grade", "source_key")
    entries = await rows(sqlite_space, "StudentGradebookEntry", "source_key")
    assert ("g1",) in (marks if is_mark else entries)
    assert ("g1",) not in (entries if is_mark else marks)


async def test_changed_points_need_no_line_item(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    await bring(sqlite_space, folder(tmp_path / "r", ONEROSTER))
    change = delta(
        "results",
        "w1,active,,l2,s1,fully graded,3,,,",
        "g1,active,,l1,s1,fully graded,70,C,,",
        "w9,active,,l2,s1,fully graded,3,,,",
    )
    report = await bring(sqlite_space, folder(tmp_path / "d", change, mode="delta"))
    assert await rows(sqlite_space, "StudentGradebookEntry", "source_key", "points_earned") == [("w1", 3.0)]
    assert await rows(sqlite_space, "Grade", "source_key", "numeric_grade_earned") == [("g1", 70.0)]
    assert [(one.file, one.line) for one in report.rejected] == [("results.csv", 4)]


async def test_a_result_may_turn_out_to_be_of_the_other_kind(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    await bring(sqlite_space, folder(tmp_path / "r", ONEROSTER))
    change = (
        delta("categories", "cat,active,,Homework")
        | delta("lineItems", "l1,active,,Q,,,,m3a,cat,q1,0,100")
        | delta("results", "g1,active,,l1,s1,fully graded,70,C,,", "w1,tobedeleted,,l2,s1,fully graded,3,,,")
    )
    await bring(sqlite_space, folder(tmp_path / "d", change, mode="delta"))
    assert await rows(sqlite_space, "StudentGradebookEntry", "source_key", "points_earned") == [("g1", 70.0)]
    assert await rows(sqlite_space, "Grade", "source_key") == []


async def test_a_piece_of_work_without_points_is_listed(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    files = changed("results", w1="w1,,,l2,s1,fully graded,,Good,2026-09-21,")
    report = await bring(sqlite_space, folder(tmp_path / "r", files))
    assert noted(report) == [("results.csv", 3, "textScore")]
    assert await rows(sqlite_space, "StudentGradebookEntry", "points_earned") == [(None,)]
