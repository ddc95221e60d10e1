"""Whatever happens to a space and a grant, a vendor that applies the changes holds exactly what a full sync gives."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.names import ClientId
from app.settings import Traffic
from app.spaces.identifiers import identifiers
from tests import worlds
from tests.journeys.vendor import Vendor, add, change, decide, full, in_force, last_entry, remove, reset, space_of
from tests.journeys.world import Asked, granting, opened
from tests.operations import grants
from tests.postgres import Server

CLIENT = "readwell"
EXAMPLES = int(os.environ.get("HOMEROOM_EXAMPLES", "200"))

PUPIL = """id firstName lastSurname birthYear
    schoolEnrollments { id gradeLevel entryDate school { id nameOfInstitution } }
    sectionEnrollments { section { id title course { title } staffAssociations { staff { lastSurname } } } }
    grades { letterGradeEarned numericGradeEarned gradingPeriod { name } }"""
LISTS = {
    "students": ("students", f"nodes {{ {PUPIL} }}"),
    "students twice": ("students", "nodes { id firstName } edges { cursor node { lastSurname grades { id } } }"),
    "sections": (
        "sections",
        "edges { node { id title school { nameOfInstitution } sectionEnrollments { student { id } } } }",
    ),
    "grades": ("grades", "nodes { id letterGradeEarned student { id firstName } section { title } }"),
}


def query(name: str) -> str:
    root, records = LISTS[name]
    return (
        "query($first: Int, $after: String, $since: String) { list: "
        f"{root}(first: $first, after: $after, changedSince: $since) {{ {records} "
        "pageInfo { hasNextPage endCursor } changeCursor removed } }"
    )


# What can happen. A step of the vendor is (first, whether the answer is lost).
names = st.sampled_from(["Ana", "Zoë", "x", None])
pupils, places = st.integers(1, 12), st.integers(1, 14)
edits = st.one_of(
    st.tuples(st.just("change"), st.just("Student"), pupils, st.fixed_dictionaries({"first_name": names})),
    st.tuples(st.just("change"), st.just("SchoolEnrollment"), places, st.fixed_dictionaries(
        {}, optional={"school": st.integers(1, 3), "grade_level": st.sampled_from(["04", "05", "06", None]),
                      "exit_date": st.sampled_from([None, "2026-10-01", "2027-01-01"])})),
    st.tuples(st.just("change"), st.just("Section"), st.integers(1, 7), st.fixed_dictionaries({"title": names})),
    st.tuples(st.just("change"), st.just("Course"), st.integers(1, 4), st.fixed_dictionaries(
        {}, optional={"title": names, "subject": st.sampled_from(["Mathematics", "English Language Arts", None])})),
    st.tuples(st.just("change"), st.just("Staff"), st.integers(1, 4), st.fixed_dictionaries({"last_surname": names})),
    st.tuples(st.just("change"), st.just("Grade"), st.integers(1, 11), st.fixed_dictionaries(
        {"letter_grade_earned": st.sampled_from(["A", "B", None])})),
    st.tuples(st.just("remove"), st.just("Student"), pupils, st.none()),
    st.tuples(st.just("remove"), st.sampled_from(["Grade", "Section", "SchoolEnrollment", "SectionEnrollment"]),
              st.integers(1, 11), st.none()),
    st.tuples(st.just("add"), st.just("Student"), st.integers(1, 3), names),
)  # fmt: skip
WIDE = granting(
    CLIENT,
    {
        "Student": "firstName lastSurname schoolEnrollments sectionEnrollments grades",
        "SchoolEnrollment": "gradeLevel entryDate school",
        "School": "nameOfInstitution",
        "SectionEnrollment": "section student",
        "Section": "title school course staffAssociations sectionEnrollments",
        "Course": "title",
        "StaffSectionAssociation": "staff",
        "Staff": "lastSurname",
        "Grade": "letterGradeEarned numericGradeEarned gradingPeriod student section",
        "GradingPeriod": "name",
    },
)
some_rows = st.sampled_from(
    ["", 'schools = ["elm"]', 'schools = ["oak", "middle"]', 'grade_levels = ["05"]', 'enrollment = "any"',
     'subjects = ["Mathematics"]', "history_years = 0", "schools = []"]
)  # fmt: skip
regrants = st.one_of(
    some_rows.map(lambda rows: WIDE.replace("[rows]\n", f"[rows]\n{rows}\n")),
    st.sampled_from(['"firstName", ', '"letterGradeEarned", ', '"gradeLevel", ', '"grades"', '"course", ']).map(
        lambda field: WIDE.replace(field, "")
    ),
    st.sampled_from(["initial", "masked"]).map(
        lambda how: WIDE.replace('"firstName"', f'{{ field = "firstName", as = "{how}" }}')
    ),
    some_rows.map(lambda rows: WIDE.replace("[rows]\n", f"[rows]\n{rows}\n")),
    grants(),
    st.none(),
)
family = st.tuples(st.sampled_from(["opt out", "opt out", "opt in"]), pupils, st.sampled_from(["", CLIENT, "another"]))
days = st.sampled_from([1, 14, 15, 16, 31]).map(lambda day: ("day", day))
events = st.one_of(edits, edits, edits, family, days, regrants.map(lambda text: ("grant", text)))
steps = st.tuples(st.sampled_from([0, 1, 2, 3, 100]), st.sampled_from([False, False, True]))
rounds = st.lists(
    st.tuples(st.lists(events, min_size=1, max_size=3), st.lists(steps, max_size=3)), min_size=1, max_size=6
)


@st.composite
def histories(draw: st.DrawFn) -> "History":
    return History(
        name=draw(st.sampled_from(sorted(LISTS))),
        pages=draw(st.booleans()),
        chunk=draw(st.sampled_from([1, 3, 500])),
        families=draw(st.sampled_from(["withhold-record", "withhold-fields"])),
        synced=draw(st.sampled_from([None, 2, 100, 100])),
        rounds=draw(rounds),
    )


@dataclass
class History:
    """Rounds of what happens and of what the vendor then asks, of one list; before them perhaps a whole sync."""

    name: str
    pages: bool  # whether the first sync goes page by page with `after`
    chunk: int
    families: str  # what the district does for those who opted out
    synced: int | None  # with how many records in a page, if at all
    rounds: list[tuple[list[tuple[object, ...]], list[tuple[int, bool]]]]


@dataclass
class Stage:
    """An installation in a loop of its own, which one history after another is played in."""

    portal: BlockingPortal
    asked: Asked
    space: AsyncEngine


HURRIED = {"traffic": Traffic(points_per_minute=10**9)}


@contextmanager
def staged(home: Path, database: str | None) -> Iterator[Stage]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(
            opened(home, {CLIENT: WIDE}, databases={worlds.SPACE: database}, settings=HURRIED)
        ) as asked,
        portal.wrap_async_context_manager(space_of(asked)) as space,
    ):
        yield Stage(portal, asked, space)


@pytest.fixture(scope="module")
def on_a_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("histories") / "home", None) as stage:
        yield stage


@pytest.fixture(scope="module")
def on_a_server(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("histories") / "home", postgres.fresh()) as stage:
        yield stage


new_rows = itertools.count(1001)


async def happen(stage: Stage, event: tuple[object, ...], rule: str) -> None:
    match event:
        case ("grant", text):
            in_force(stage.asked, {CLIENT: str(text)} if text else {}, rule)
        case ("day", int(day)):
            stage.asked.rooms.clock = lambda: worlds.NOW.replace(day=day)
        case ("opt out" | "opt in" as which, int(row), str(client)):
            await decide(stage.space, row, client, out=which == "opt out")
        case ("change", str(type_name), int(row), dict(values)):
            if values:
                await change(stage.space, type_name, row, **values)
        case ("remove", str(type_name), int(row), _):
            await remove(stage.space, type_name, row)
        case ("add", _, int(school), name):
            row = next(new_rows)
            await add(stage.space, "Student", {"row": row, "source_key": f"new-{row}", "first_name": name})
            enrolled = {"row": row, "source_key": f"new-{row}", "student": row, "school": school, "grade_level": "05"}
            await add(stage.space, "SchoolEnrollment", enrolled)


async def recorded_as_it_left(stage: Stage, vendor: Vendor) -> None:
    """The ledger's last entry has exactly the students that were in the last answer to a query for students."""
    names = identifiers(stage.asked.secrets[worlds.SPACE], worlds.SPACE, ClientId(CLIENT))
    entry = await last_entry(stage.asked)
    left = [one for one in entry.disclosed if any(c.startswith("Student.") for c in one.coordinates)]
    for noted, told in ((left, vendor.sent), (entry.removed, vendor.removed)):
        assert set().union(*(one.students or () for one in noted)) == {names.row("Student", one) for one in told}


async def play(stage: Stage, history: History) -> None:
    asked = stage.asked
    limits = msgspec.structs.replace(asked.rooms.settings.limits, chunk=history.chunk)
    asked.rooms.settings = msgspec.structs.replace(asked.rooms.settings, limits=limits)
    await reset(stage.space)
    asked.rooms.clock = lambda: worlds.NOW
    rule = f'\n[opt_out]\nvendors = "{history.families}"\n'
    in_force(asked, {CLIENT: WIDE}, rule)
    vendor = Vendor(asked, CLIENT, query(history.name), history.pages)
    if history.synced is not None:
        await vendor.sync(history.synced)
    exact = (history.name, history.chunk, history.families) == ("students", 500, "withhold-record")
    for events, steps in history.rounds:
        for event in events:
            await happen(stage, event, rule)
        for first, lost in steps:
            await vendor.step(first, lost=lost)
            if exact and not lost:
                await recorded_as_it_left(stage, vendor)
    await vendor.sync(3)
    assert vendor.held == await full(asked, CLIENT, vendor.query)
    before = vendor.cursor
    for _ in range(2):  # it is told so at once, and then because every record was compared
        assert not await vendor.step(3)
        assert (vendor.sent, vendor.removed, vendor.cursor) == ([], [], before)
        await change(stage.space, "Student", 0, first_name="nobody")


def profile(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=bool(os.environ.get("CI")),
    )


@profile(EXAMPLES)
@given(history=histories())
def test_a_vendor_that_applies_the_changes_holds_what_a_full_sync_gives(on_a_file: Stage, history: History) -> None:
    on_a_file.portal.call(play, on_a_file, history)


@profile(EXAMPLES // 8)
@given(history=histories())
def test_so_does_the_vendor_of_a_space_on_postgresql(on_a_server: Stage, history: History) -> None:
    on_a_server.portal.call(play, on_a_server, history)
