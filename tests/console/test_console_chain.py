"""What the page of disclosures says of the chain: what it looked at, and what is amiss there; on both databases."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pyroaring import BitMap
from sqlalchemy import text

from app.ledger import Entry, Kind, Whose
from app.ledger.entry import link, prepare
from tests import worlds
from tests.console.office import SPACE, Browser, Office, opened, words
from tests.ledger.samples import tamper

pytestmark = pytest.mark.anyio

PAGE = "/console/disclosures"
RED = "The ledger is not as it was recorded."
GREEN = "What was checked is as its hash says, and follows from the entry before it, which is there."
COLUMNS = "sequence, hash, at, client, first_student, last_student, body"


def answer(number: int, **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "kind": Kind.ANSWER,
        "at": worlds.NOW - timedelta(minutes=60 - number),
        "request": f"r{number}",
        "client": "readwell" if number % 2 else "quarrysoft",
        "purpose": "instruction",
        "disclosed": (Whose(("Student.firstName",), BitMap([worlds.ANA]), 1),),
    }
    return Entry(**(values | changes))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A console on each kind of database, whose ledger has seven entries, and a checkpoint of the last."""
    server = request.getfixturevalue("postgres") if request.param == "postgres" else None
    async with opened(tmp_path_factory.mktemp("chain") / "home", server) as office:
        ledger = office.desk.rooms.ledgers[SPACE]
        for number in range(1, 8):
            await ledger.record(answer(number))
        checkpoints = office.desk.places[SPACE].checkpoints
        async with asyncio.timeout(20):
            while (last := checkpoints.last()) is None or last.sequence < 7:
                await asyncio.sleep(0.02)
        yield office


@pytest.fixture
async def chained(kept: Office) -> AsyncIterator[Office]:
    """The same, put back as it was afterwards."""
    engine = kept.desk.places[SPACE].ledger
    async with engine.connect() as connection:
        rows = [dict(row) for row in (await connection.execute(text(f"SELECT {COLUMNS} FROM entry"))).mappings()]
    yield kept
    insert = f"INSERT INTO entry ({COLUMNS}) VALUES ({', '.join(f':{name}' for name in COLUMNS.split(', '))})"
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM entry"))
        await connection.execute(text(insert), rows)


async def change(office: Office, statement: str, **values: object) -> None:
    await tamper(office.desk.places[SPACE].ledger, statement, **values)


async def rows(browser: Browser, query: str = "") -> tuple[str, dict[int, str]]:
    """What the notice says, and what each entry's row does."""
    page = (await browser.get(f"{PAGE}{query}")).text
    notice = re.search(r'<(p|div) class="notice (good|bad)"[^>]*>(.*?)</\1>\n', page, re.DOTALL)
    assert notice
    assert (GREEN in words(notice[3])) == (notice[2] == "good")
    found = re.findall(r'<tr><td class="n" data-label="Entry">(\d+)</td>(.*?)</tr>', page, re.DOTALL)
    return words(notice[0]), {int(number): words(row) for number, row in found}


async def test_a_ledger_that_nobody_touched_is_said_to_stand_where_it_was_looked_at(chained: Office) -> None:
    notice, told = await rows(await chained.officer())
    assert "The last entry is number 7. Checked for this page: entry 7, for which the last signed checkpoint" in notice
    assert "and each of the 7 entries below." in notice
    assert not any("Not as it was recorded" in row for row in told.values())
    notice, told = await rows(await chained.officer(), "?vendor=quarrysoft")
    assert [*told] == [6, 4, 2]
    assert "and each of the 3 entries below." in notice
    notice, told = await rows(await chained.officer(), "?vendor=nobody")
    assert told == {}
    assert "below" not in notice


@pytest.mark.parametrize("query", ["", "?vendor=quarrysoft"])
async def test_threat_33_an_edited_entry_is_marked_in_the_table(chained: Office, query: str) -> None:
    forged = prepare(answer(4, disclosed=()))
    edit = "UPDATE entry SET body = :body, first_student = NULL, last_student = NULL WHERE sequence = 4"
    await change(chained, edit, body=forged.body)
    notice, told = await rows(await chained.officer(), query)
    assert RED in notice
    assert "Entry 4 does not follow from the one before it" in notice
    assert [number for number, row in told.items() if "Not as it was recorded." in row] == [4]


async def test_threat_33_an_edited_entry_that_a_checkpoint_vouches_for_is_found(chained: Office) -> None:
    await change(chained, "UPDATE entry SET body = :body WHERE sequence = 7", body=prepare(answer(7, denied=())).body)
    notice, _ = await rows(await chained.officer())
    assert GREEN in notice  # the same bytes are the same entry
    forged = prepare(answer(7, purpose="rostering"))
    await change(chained, "UPDATE entry SET body = :body WHERE sequence = 7", body=forged.body)
    for query in ("", "?vendor=quarrysoft"):  # whether it is shown or not
        notice, told = await rows(await chained.officer(), query)
        assert RED in notice
        assert "Entry 7 does not follow from the one before it" in notice
        assert [number for number, row in told.items() if "Not as" in row] == ([] if query else [7])


@pytest.mark.parametrize("query", ["", "?field=Student.firstName", "?before=9999999999999999-9"])
async def test_threat_33_an_entry_that_cannot_be_read_any_more_is_told(chained: Office, query: str) -> None:
    await change(chained, "UPDATE entry SET body = :body WHERE sequence = 4", body=b"spoilt")
    browser = await chained.officer()
    notice, told = await rows(browser, query)
    assert "Entry 4 cannot be read: it was edited." in notice
    assert [*told] == [7, 6, 5, 3, 2, 1]
    told_in_file = (await browser.get(f"/console/disclosures.csv{query}")).text
    assert "4,,This entry cannot be read: somebody has edited it." in told_in_file


async def test_threat_33_an_entry_linked_anew_is_not_the_one_that_was_vouched_for(chained: Office) -> None:
    engine = chained.desk.places[SPACE].ledger
    async with engine.connect() as connection:
        former = (await connection.execute(text("SELECT hash FROM entry WHERE sequence = 6"))).scalar_one()
    forged = prepare(answer(7, purpose="rostering"))
    edit = "UPDATE entry SET body = :body, hash = :hash WHERE sequence = 7"
    await change(chained, edit, body=forged.body, hash=link(bytes(former), forged.body))
    notice, told = await rows(await chained.officer())
    assert "Entry 7 is not the one that the last checkpoint vouches for." in notice
    assert "Not as it was recorded." in told[7]


async def test_threat_33_an_entry_listed_under_another_vendor_is_marked(chained: Office) -> None:
    await change(chained, "UPDATE entry SET client = 'readwell' WHERE sequence = 2")
    notice, told = await rows(await chained.officer(), "?vendor=readwell")
    assert "Entry 2 is listed under another client, time or students than it says itself" in notice
    assert "Not as it was recorded." in told[2]


async def test_threat_33_a_removed_entry_is_missed_by_the_one_after_it(chained: Office) -> None:
    await change(chained, "DELETE FROM entry WHERE sequence IN (3, 4)")
    notice, told = await rows(await chained.officer())
    assert RED in notice
    assert "The entry before entry 5 is missing: it was removed." in notice
    assert "The entry before entry 5 is missing" in told[5]


async def test_threat_33_entries_cut_off_at_the_end_are_missed(chained: Office) -> None:
    await change(chained, "DELETE FROM entry WHERE sequence > 5")
    notice, told = await rows(await chained.officer())
    assert "Entry 7 is missing: it was removed." in notice
    assert "The last entry that is there is number 5." in notice
    assert not any("Not as" in row for row in told.values())
    await change(chained, "DELETE FROM entry")
    notice, told = await rows(await chained.officer())
    assert RED in notice
    assert told == {}


async def test_threat_33_checkpoints_that_are_gone_vouch_for_nothing(chained: Office) -> None:
    file = chained.desk.places[SPACE].checkpoints.file
    signed = file.read_bytes()
    try:
        for left in (signed + b"{}\n", b""):
            file.write_bytes(left)
            notice, _ = await rows(await chained.officer())
            assert "Nothing vouches for the ledger. No signed checkpoint can be read" in notice
    finally:
        file.write_bytes(signed)


async def test_many_that_do_not_fit_are_told_by_their_number(chained: Office) -> None:
    await change(chained, "UPDATE entry SET client = 'taken'")
    notice, told = await rows(await chained.officer())
    assert notice.count("its columns were edited") == 5
    assert "2 more of the entries that were looked at." in notice
    assert all("Not as it was recorded." in row for row in told.values())
