"""The search of the ledger: what is called a disclosure, and what is said of a search that can find nothing."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from app.ledger import Entry, Kind, Whose
from tests import worlds
from tests.console.office import SPACE, Office, words

pytestmark = pytest.mark.anyio

GONE = "Student.hairColor"
"""A field of a subgraph that is no more."""


def answer(request: str, **changes: object) -> Entry:
    values: dict[str, object] = {"kind": Kind.ANSWER, "at": worlds.NOW - timedelta(days=1), "client": "readwell"}
    return Entry(request=request, purpose="instruction", **(values | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module", autouse=True)
async def recorded(shared: Office) -> None:
    ledger = shared.desk.rooms.ledgers[SPACE]
    await ledger.record(answer("r1", disclosed=(Whose((GONE,), BitMap([worlds.ANA]), 1),)))
    await ledger.record(answer("r2", denied=(("Student.firstName", "CLIENT_SUSPENDED"),)))
    await ledger.record(answer("r3"))
    await ledger.record(answer("r4", removed=(Whose(("Student",), BitMap([worlds.LEO]), 1),)))


async def test_an_answer_that_nothing_left_with_is_not_called_a_disclosure(office: Office) -> None:
    told = await (await office.officer()).text("/console/disclosures")
    lines = {number: told.partition(f" {number} 14 October 2026")[2].partition(" October 2026")[0] for number in "1234"}
    assert "Answer 1 student readwell" in lines["1"]
    assert "Answer, nothing given readwell instruction Student.firstName CLIENT_SUSPENDED" in lines["2"]
    assert "Answer, nothing given it asked for no record, or there was none readwell" in lines["3"]
    assert "Answer told to remove 1 record (Student) readwell" in lines["4"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "field=homeLanguage",
            "The graph has no field homeLanguage, so that nothing was looked for. Write Student.home",
        ),
        (
            "field=Student.nonsense",
            "The graph has no field Student.nonsense, so that nothing was looked for. Choose one",
        ),
        ("field=Contact.homelessStatus", "Write Student.homelessStatus."),
        ("field=student.birthdate", "Write Student.birthDate."),
        ("since=2026-10-02&until=2026-10-01", "The first day of the search is after its last"),
    ],
)
async def test_a_search_that_can_find_nothing_is_told_why(office: Office, query: str, said: str) -> None:
    browser = await office.officer()
    told = await browser.text(f"/console/disclosures?{query}")
    assert said in told
    assert "Nothing is recorded that fits." not in told
    file = await browser.get(f"/console/disclosures.csv?{query}")
    assert file.status_code == 400
    assert said in words(file.text)


async def test_a_field_that_was_once_in_the_graph_is_found(office: Office) -> None:
    told = await (await office.officer()).text(f"/console/disclosures?field={GONE}")
    assert "Student hairColor" in told
    nothing = await (await office.officer()).text("/console/disclosures?field=Student.birthDate&since=2026-10-15")
    assert "Nothing is recorded that fits." in nothing
