"""A vendor asks what changed since, and hears of everything that it may no longer hold."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.optout import Line, take
from app.errors import RequestError
from app.ledger.entry import Kind
from app.ledger.reading import Filters, entries
from app.ledger.report import of_student
from app.settings import Changes
from app.spaces.asked import Asked as RootAsked
from tests import worlds
from tests.journeys.vendor import Vendor, change, in_force, last_entry, remove, reset, space_of
from tests.journeys.world import Asked, granting, larkspur, larkspur_database

__all__ = ["larkspur", "larkspur_database"]

pytestmark = pytest.mark.anyio

FIELDS = {
    "Student": "firstName lastSurname birthDate schoolEnrollments",
    "SchoolEnrollment": "gradeLevel school",
    "School": "nameOfInstitution",
    "Section": "title",
    "Grade": "letterGradeEarned",
}
GRANTS = {
    "readwell": granting("readwell", FIELDS),
    "gradebook": granting("gradebook", FIELDS),
}
ROSTER = """query($first: Int, $after: String, $since: String) {
  list: students(first: $first, after: $after, changedSince: $since) {
    nodes { id firstName birthDate schoolEnrollments { gradeLevel school { nameOfInstitution } } }
    pageInfo { hasNextPage endCursor }
    changeCursor
    removed
  }
}"""


@pytest.fixture
async def space(larkspur: Asked) -> AsyncIterator[AsyncEngine]:
    """The space as the world has it, under the module's grants."""
    async with space_of(larkspur) as engine:
        await reset(engine)
        in_force(larkspur, GRANTS)
        yield engine
    in_force(larkspur, GRANTS)


@pytest.fixture
async def vendor(larkspur: Asked, space: AsyncEngine) -> Vendor:
    """A vendor that has synced the whole roster."""
    synced = Vendor(larkspur, "readwell", ROSTER)
    await synced.sync()
    assert len(synced.held) == 10
    return synced


def ids(asked: Asked, *rows: int) -> list[str]:
    return [asked.id("readwell", "Student", row) for row in rows]


async def test_where_nothing_changed_the_cursor_stays_and_nothing_is_read(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = vendor.cursor

    async def never(*_: object) -> None:
        raise AssertionError("The list was read")

    monkeypatch.setattr(RootAsked, "page", never)
    assert not await vendor.step(100)
    assert (vendor.sent, vendor.removed, vendor.cursor) == ([], [], before)


async def test_where_something_else_changed_the_cursor_stays_and_the_list_is_not_read_twice(
    larkspur: Asked, space: AsyncEngine, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = vendor.cursor
    await change(space, "Grade", 1, letter_grade_earned="F")
    assert not await vendor.step(100)
    assert (vendor.sent, vendor.removed, vendor.cursor) == ([], [], before)
    await test_where_nothing_changed_the_cursor_stays_and_nothing_is_read(vendor, monkeypatch)


async def test_a_nested_change_sends_the_record_that_it_stands_in_and_no_other(
    larkspur: Asked, space: AsyncEngine, vendor: Vendor
) -> None:
    await change(space, "SchoolEnrollment", 8, grade_level="06")  # Kim's
    await vendor.step(100)
    assert (vendor.sent, vendor.removed) == (ids(larkspur, worlds.KIM), [])
    (recorded,) = {tuple(sorted(one.students or ())) for one in (await last_entry(larkspur)).disclosed} - {()}
    assert recorded == (worlds.KIM,)


async def test_a_shared_parent_that_changed_sends_all_that_hang_on_it(
    larkspur: Asked, space: AsyncEngine, vendor: Vendor
) -> None:
    await change(space, "School", worlds.MIDDLE, name_of_institution="Larkspur Junior High")
    await vendor.step(100)
    assert sorted(vendor.sent) == sorted(ids(larkspur, worlds.LEO, worlds.PAT))
    left = {coordinate for one in (await last_entry(larkspur)).disclosed for coordinate in one.coordinates}
    assert "School.nameOfInstitution" in left


async def test_a_deleted_student_is_a_removal(larkspur: Asked, space: AsyncEngine, vendor: Vendor) -> None:
    await remove(space, "Student", worlds.GUS)
    await vendor.step(100)
    assert (vendor.sent, vendor.removed) == ([], ids(larkspur, worlds.GUS))


async def test_a_student_who_leaves_the_rows_is_a_removal_and_comes_back_whole(
    larkspur: Asked, space: AsyncEngine, vendor: Vendor
) -> None:
    in_force(larkspur, {"readwell": granting("readwell", FIELDS, 'schools = ["elm"]\nenrollment = "active"')})
    await vendor.sync()
    assert set(vendor.held) == set(ids(larkspur, worlds.ANA, worlds.MAX))
    await change(space, "SchoolEnrollment", 2, school=worlds.OAK)  # Ana's
    await vendor.step(100)
    assert (vendor.sent, vendor.removed) == ([], ids(larkspur, worlds.ANA))
    await change(space, "SchoolEnrollment", 2, school=worlds.ELM)
    await vendor.step(100)
    assert (vendor.sent, vendor.removed) == (ids(larkspur, worlds.ANA), [])


async def test_a_student_whose_family_opts_out_is_a_removal_and_nobody_else_is_named(
    larkspur: Asked, vendor: Vendor
) -> None:
    engine = larkspur.rooms.ledgers[worlds.SPACE].holdings.engine
    others = await of_student(engine, worlds.IVY)
    line = Line(0, "max", "readwell")
    await take(larkspur.rooms.settings, worlds.SPACE, [line], remove=False)
    await vendor.step(100)
    assert (vendor.sent, vendor.removed) == ([], ids(larkspur, worlds.MAX))
    (removed,) = (await last_entry(larkspur)).removed
    assert list(removed.students or ()) == [worlds.MAX]
    assert await of_student(engine, worlds.IVY) == others
    await take(larkspur.rooms.settings, worlds.SPACE, [line], remove=True)
    await vendor.step(100)
    assert (vendor.sent, vendor.removed) == (ids(larkspur, worlds.MAX), [])


async def test_a_field_that_is_granted_no_longer_comes_again_as_null(
    larkspur: Asked, space: AsyncEngine, vendor: Vendor
) -> None:
    assert vendor.held[ids(larkspur, worlds.ANA)[0]]["birthDate"] == "2015-11-02"
    narrower = FIELDS | {"Student": "firstName lastSurname schoolEnrollments"}
    in_force(larkspur, {"readwell": granting("readwell", narrower)})
    await vendor.sync(3)
    assert {one["birthDate"] for one in vendor.held.values()} == {None}


async def test_a_removal_stands_in_the_ledger_and_nothing_is_claimed_of_those_who_stayed(
    larkspur: Asked, space: AsyncEngine, vendor: Vendor
) -> None:
    engine = larkspur.rooms.ledgers[worlds.SPACE].holdings.engine
    others = await of_student(engine, worlds.IVY)
    await remove(space, "Student", worlds.ZED)
    await vendor.step(100)
    (removed,) = (await last_entry(larkspur)).removed
    assert (removed.coordinates, list(removed.students or ()), removed.records) == (("Student",), [worlds.ZED], 1)
    assert await of_student(engine, worlds.IVY) == others


async def test_first_bounds_what_leaves_and_the_rest_comes_with_the_next_cursor(
    larkspur: Asked, space: AsyncEngine, vendor: Vendor
) -> None:
    await change(space, "School", worlds.OAK, name_of_institution="Oak")  # Tess, Kim, Ivy and Gus
    await remove(space, "Student", worlds.ZED)
    answers = []
    while await vendor.step(2):
        answers.append((vendor.sent, vendor.removed))
    answers.append((vendor.sent, vendor.removed))
    assert answers == [
        (ids(larkspur, worlds.TESS, worlds.KIM), []),
        (ids(larkspur, worlds.IVY, worlds.GUS), ids(larkspur, worlds.ZED)),
    ]


async def test_an_answer_that_was_lost_is_asked_for_again(space: AsyncEngine, larkspur: Asked, vendor: Vendor) -> None:
    await remove(space, "Student", worlds.ZED)
    await change(space, "Student", worlds.ANA, first_name="Anna")
    for _ in range(3):
        await vendor.step(100, lost=True)
    await vendor.step(100)
    assert (vendor.sent, vendor.removed) == (ids(larkspur, worlds.ANA), ids(larkspur, worlds.ZED))


async def test_pages_that_follow_each_other_are_covered_by_the_last_ones_cursor(
    larkspur: Asked, space: AsyncEngine
) -> None:
    vendor = Vendor(larkspur, "readwell", ROSTER, pages=True)
    for _ in range(4):
        await vendor.step(3)
    assert (len(vendor.held), vendor.after) == (10, None)
    await remove(space, "Student", worlds.ANA)
    await vendor.step(3)
    assert (vendor.sent, vendor.removed) == ([], ids(larkspur, worlds.ANA))


async def test_a_list_that_is_shut_is_denied_whether_or_not_its_changes_are_asked_for(
    larkspur: Asked, vendor: Vendor
) -> None:
    in_force(larkspur, {"readwell": granting("readwell", {"Section": "title"})})
    answered = await larkspur.ask("readwell", ROSTER, {"since": vendor.cursor})
    assert answered["data"] == {"list": None}
    assert answered["errors"][0]["extensions"]["coordinate"] == "Query.students"


OTHER_RECORDS = ROSTER.replace("birthDate", "lastSurname")
OTHER_LIST = ROSTER.replace("list: students", "list: sections").replace(
    "firstName birthDate schoolEnrollments { gradeLevel school { nameOfInstitution } }", "title"
)
FILTERED = ROSTER.replace("changedSince: $since", 'changedSince: $since, where: { firstName: { eq: "Ana" } }')


async def refusal(asked: Asked, client: str, document: str, since: str | None, **more: object) -> RequestError:
    return await asked.refused(client, document, {"since": since, **more})


@pytest.mark.parametrize("document", [OTHER_RECORDS, OTHER_LIST, FILTERED], ids=["records", "list", "filter"])
async def test_a_cursor_of_another_query_is_unknown(larkspur: Asked, vendor: Vendor, document: str) -> None:
    assert (await refusal(larkspur, "readwell", document, vendor.cursor)).code == "CURSOR_UNKNOWN"


async def test_a_cursor_of_another_client_and_what_is_none_are_unknown(larkspur: Asked, vendor: Vendor) -> None:
    assert vendor.cursor is not None
    page_cursor = (await larkspur.data("readwell", ROSTER, {"first": 2}))["list"]["pageInfo"]["endCursor"]
    for client, since in (
        ("gradebook", vendor.cursor),
        ("readwell", vendor.cursor[:-2]),
        ("readwell", "x"),
        ("readwell", ""),
        ("readwell", page_cursor),
    ):
        error = await refusal(larkspur, client, ROSTER, since)
        assert (error.code, "from the beginning" in error.message) == ("CURSOR_UNKNOWN", True)
    assert (await refusal(larkspur, "readwell", ROSTER, None, after=vendor.cursor)).code == "CURSOR_UNKNOWN"


async def test_another_layout_of_the_same_query_goes_on_with_its_cursor(
    larkspur: Asked, space: AsyncEngine, vendor: Vendor
) -> None:
    await change(space, "Student", worlds.ANA, first_name="Anna")
    document = f"""fragment Pupil on Student {{ id, firstName, birthDate
          schoolEnrollments {{ gradeLevel, school {{ ...{{ nameOfInstitution }} }} }} }}
        {{ students(changedSince: "{vendor.cursor}") {{ removed, changeCursor, nodes {{ ...Pupil }} }} }}"""
    listed = (await larkspur.data("readwell", document))["students"]
    assert [one["firstName"] for one in listed["nodes"]] == ["Anna"]
    assert listed["removed"] == []


async def test_what_cannot_be_asked_together_is_said(larkspur: Asked, vendor: Vendor) -> None:
    listed = (await larkspur.data("readwell", ROSTER, {"first": 2}))["list"]
    both = await refusal(larkspur, "readwell", ROSTER, vendor.cursor, after=listed["pageInfo"]["endCursor"])
    assert (both.code, "exclude each other" in both.message) == ("BAD_USER_INPUT", True)
    silent = await refusal(larkspur, "readwell", ROSTER.replace("removed", ""), vendor.cursor)
    assert (silent.code, "`removed`" in silent.message) == ("BAD_USER_INPUT", True)
    plain = (await larkspur.data("readwell", "{ students(first: 2) { pageInfo { endCursor } } }"))["students"]
    late = await refusal(larkspur, "readwell", ROSTER, None, after=plain["pageInfo"]["endCursor"])
    assert (late.code, "from the first page on" in late.message) == ("BAD_USER_INPUT", True)


async def test_what_nobody_asked_for_in_time_is_let_go(larkspur: Asked, vendor: Vendor) -> None:
    holdings = larkspur.rooms.ledgers[worlds.SPACE].holdings
    holdings.clock = lambda: worlds.NOW + timedelta(days=31)
    try:
        error = await refusal(larkspur, "readwell", ROSTER, vendor.cursor)
    finally:
        holdings.clock = lambda: worlds.NOW
    assert (error.code, "from the beginning" in error.message) == ("CHANGES_EXPIRED", True)
    await vendor.step(100)


async def test_a_list_past_a_clients_share_is_refused(larkspur: Asked, space: AsyncEngine) -> None:
    holdings = larkspur.rooms.ledgers[worlds.SPACE].holdings
    usual, holdings.changes = holdings.changes, Changes(client_bytes=100)
    try:
        error = await refusal(larkspur, "readwell", ROSTER, None)
        assert (error.code, error.extensions["limit"]) == ("CHANGES_TOO_LARGE", 100)
        await larkspur.data("readwell", ROSTER, {"first": 5})
    finally:
        holdings.changes = usual


async def test_a_query_without_a_cursor_keeps_nothing(larkspur: Asked, space: AsyncEngine) -> None:
    async def kept() -> list[Any]:
        async with larkspur.rooms.ledgers[worlds.SPACE].holdings.engine.connect() as connection:
            return list((await connection.exec_driver_sql("SELECT id FROM holding")).scalars())

    before = await kept()
    listed = (await larkspur.data("readwell", "{ students { nodes { id } removed } }"))["students"]
    assert listed["removed"] == []
    vendor = Vendor(larkspur, "readwell", ROSTER)
    await vendor.step(100)
    since = {"since": vendor.cursor}
    without = (await larkspur.data("readwell", ROSTER.replace("changeCursor", ""), since))["list"]
    assert without["nodes"] == []
    assert len(await kept()) == len(before) + 1


async def test_a_long_answer_still_leaves_in_chunks_and_its_cursor_covers_all_of_it(
    larkspur: Asked, space: AsyncEngine
) -> None:

    usual = larkspur.rooms.settings
    limits = msgspec.structs.replace(usual.limits, chunk=2)
    larkspur.rooms.settings = msgspec.structs.replace(usual, limits=limits)
    try:
        vendor = Vendor(larkspur, "readwell", ROSTER)
        await vendor.step(100)
        assert len(vendor.held) == 10
        await change(space, "School", worlds.OAK, name_of_institution="Oak")
        await change(space, "School", worlds.ELM, name_of_institution="Elm")
        await vendor.step(100)
        assert (await last_entry(larkspur)).kind is Kind.CLOSING
        engine = larkspur.rooms.ledgers[worlds.SPACE].holdings.engine
        kinds = [recorded.entry.kind async for recorded in entries(engine, Filters())]
        assert kinds[: kinds.index(Kind.OPENING)].count(Kind.CHUNK) > 2
        assert not await vendor.step(100)
        assert vendor.sent == []
    finally:
        larkspur.rooms.settings = usual
