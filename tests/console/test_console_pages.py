"""What the pages show of one district: what is decided, what is used, what left."""

import asyncio
import csv
import io
import re
from datetime import timedelta

import pytest

from app.ledger import Kind, Whose
from app.ledger.acts import act
from tests import worlds
from tests.console.office import GRANT, SCRIPT, SPACE, Office, opened, words
from tests.console.recorded import ANA, FORMULA, LEO, recorded

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("recorded")]
__all__ = ["recorded"]


async def test_the_matrix_says_what_is_used_and_what_is_not(office: Office) -> None:
    page = (await (await office.officer()).get("/console/matrix")).text

    def cell(coordinate: str) -> tuple[str, str]:
        found = re.search(rf'/{re.escape(coordinate)}" aria-label="([^"]+)">(.)</a>', page)
        assert found, coordinate
        return found[2], found[1]

    assert cell("Student.firstName") == ("●", "used")
    assert cell("Student.lastSurname") == ("◐", "as initial, used")
    assert cell("School.nameOfInstitution") == ("○", "never used")
    assert cell("Student.races") == ("◌", "granted, not in force")  # nobody has approved it
    assert cell("Student.ssn") == ("◌", "granted, not in force")
    assert cell("Student.birthDate") == ("–", "not granted")
    assert "granted, not in force 2" in words(page)


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("category=Student+Name", "Student.firstName", "Student.birthDate"),
        ("sensitivity=restricted", "Student.ssn", "Student.firstName"),
        ("state=never+used", "School.nameOfInstitution", "Student.firstName"),
        ("state=shown+shortened", "Student.lastSurname", "Student.firstName"),
        ("vendor=readwell&state=used", "Student.firstName", "Student.lastSurname"),
    ],
)
async def test_the_matrix_is_filtered(office: Office, query: str, there: str, gone: str) -> None:
    browser = await office.officer()
    for path in ("/console/matrix", "/console/matrix.csv"):
        text = (await browser.get(f"{path}?{query}")).text
        table = text.partition("<table")[2] or text
        assert there in table
        assert gone not in table
    nothing = await browser.text("/console/matrix?vendor=nobody")
    assert "There is no grant to that vendor." in nothing
    assert "No field fits" in await browser.text("/console/matrix?category=Attendance&state=requested")


async def test_the_matrix_is_cleared_of_what_nobody_has(office: Office) -> None:
    told = await (await office.officer()).text("/console/matrix?state=any")
    assert "Student.ssn" in told  # granted, and not in force
    assert "Student.birthDate" in told  # asked for
    assert "Student.middleName" not in told


@pytest.mark.parametrize(("days", "told"), [(-110, "not yet"), (0, "readwell rostering no grant"), (300, "over")])
async def test_the_matrix_says_where_nothing_leaves_at_all(office: Office, days: int, told: str) -> None:
    office.now[0] = worlds.NOW + timedelta(days=days)
    text = await (await office.officer()).text("/console/matrix")
    assert text.partition("Field readwell instruction ")[2].startswith(told)


async def test_the_matrix_as_a_file_has_every_cell_in_words(office: Office) -> None:
    text = (await (await office.officer()).get("/console/matrix.csv")).text
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0] == ["category", "field", "sensitivity", "readwell for instruction", "readwell for rostering"]
    assert ["Student Name", "Student.firstName", "directory", "used", "not granted"] in rows
    assert ["Demographics", "Student.birthDate", "directory", "not granted", "requested"] in rows
    assert len(rows) == len(office.desk.vocabulary.facts) + 1


async def test_a_cell_names_file_line_and_revision(office: Office) -> None:
    browser = await office.officer()
    page = await browser.get("/console/matrix/readwell/instruction/Student.firstName")
    line = GRANT.splitlines().index(next(one for one in GRANT.splitlines() if "firstName" in one)) + 1
    revision = next(g.revision for g in office.desk.policy(SPACE).grants)
    assert f"{SPACE}/grants/readwell.toml:{line}" in page.text
    assert revision[:12] in page.text
    assert "readwell is given this field" in words(page.text)
    assert "on 2 days" in words(page.text)
    denied = await browser.text("/console/matrix/readwell/instruction/Student.ssn")
    assert "readwell is not given this field for instruction." in denied
    assert "APPROVAL_PENDING" in denied
    assert "Board policy 12" in denied
    text = await browser.get(f"/console/policy/file?path={SPACE}/grants/readwell.toml")
    assert f'id="L{line}"' in text.text


async def test_a_cell_says_all_that_stands_in_the_way_the_grant_first_and_what_the_field_is(office: Office) -> None:
    browser = await office.officer()

    async def unmet(coordinate: str) -> str:
        told = await browser.text(f"/console/matrix/readwell/instruction/{coordinate}")
        return told.partition("is not given this field for instruction.")[2]

    told = await unmet("Student.ssn")
    first, after, rest = told.partition("What the vendor is told")
    assert first.strip().startswith("The district denies Student.ssn: Board policy 12")
    assert "waits for approval by name by the steward" in first
    assert after
    assert "APPROVAL_PENDING" in rest.partition("What it is")[0]  # the vendor hears of the first in order
    told = await unmet("Student.homelessStatus")
    assert told.strip().startswith("The grant does not list Student.homelessStatus.")
    assert "What it is Whether the student is homeless." in told
    assert "restricted Can do great harm: approved" in told


async def test_a_vendors_page_tells_its_grant_in_a_districts_words(office: Office) -> None:
    told = await (await office.officer()).text("/console/vendors/readwell")
    assert "Assign levelled reading." in told
    assert "Pupils of Elm Elementary in grades 4 and 5." in told
    assert "as a school official with a legitimate educational interest" in told
    assert "NDPA v1 with Texas exhibit, signed 1 June 2026." in told
    assert "1 July 2026 to 30 June 2027" in told
    assert "2 answers and 1 refusal in 90 days." in told
    assert "A secret, since" in told
    assert "+ Student: firstName, lastSurname as initial, schoolEnrollments" in told


async def test_threat_22_scripts_in_names_are_text(office: Office) -> None:
    page = await (await office.officer()).get("/console/vendors/readwell")
    assert SCRIPT not in page.text
    assert "&lt;script&gt;" in page.text


async def test_what_waits_is_told_with_its_reason(office: Office) -> None:
    told = await (await office.officer()).text("/console")
    assert "A review was due by 1 October 2026." in told
    assert "2 fields granted and not in force" in told
    assert "4 fields of 6 never used since 1 July 2026." in told
    assert re.search(r"readwell\.toml:\d+", told)
    assert "not approved by name" not in told  # it was said of the grant


async def test_the_ledger_is_searched(office: Office) -> None:
    browser = await office.officer()
    everything = await browser.text("/console/disclosures")
    assert "The last entry is number 3." in everything
    assert "Answer 1 student" in everything
    assert "Student.birthDate NOT_GRANTED" in everything
    assert "Student firstName, lastSurname" in everything
    assert (await browser.get("/console/disclosures?field=Student.firstName")).text.count(">Answer <span") == 2
    assert (await browser.get("/console/disclosures?since=2026-10-14")).text.count(">Answer <span") == 1
    assert (await browser.get("/console/disclosures?until=2026-10-13")).text.count(">Answer <span") == 1
    assert (await browser.get(f"/console/disclosures?student={ANA}")).text.count(">Answer <span") == 2
    assert "Nothing is recorded that fits." in await browser.text(f"/console/disclosures?student={LEO}")
    assert "no student with that key" in await browser.text("/console/disclosures?student=nobody")
    assert "year-month-day" in await browser.text("/console/disclosures?since=yesterday")
    assert "Nothing is recorded that fits." in await browser.text("/console/disclosures?vendor=quarrysoft")


async def test_older_entries_are_led_to(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.console.disclosures.PAGE", 2)
    browser = await office.officer()
    first = await browser.get("/console/disclosures")
    onward = re.search(r'href="([^"]*before=[^"]*)"', first.text)
    assert onward
    second = await browser.get(onward[1].replace("&amp;", "&"))
    numbers = [re.findall(r'<tr><td class="n" data-label="Entry">(\d+)</td>', page.text) for page in (first, second)]
    assert [len(page) for page in numbers] == [2, 1]
    assert sorted({*numbers[0], *numbers[1]}) == ["1", "2", "3"]


async def test_a_search_that_takes_long_shows_what_there_is_and_goes_on_from_there(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.disclosures.PATIENCE", 0)
    monkeypatch.setattr("app.ledger.reading.PAGE", 1)
    browser = await office.officer()
    address, found, empty = "/console/disclosures?field=Student.firstName", [], 0
    while address:
        page = await browser.get(address)
        numbers = re.findall(r'<tr><td class="n" data-label="Entry">(\d+)</td>', page.text)
        empty += not numbers
        assert len(numbers) == 1 or "Nothing fits back to 1" in words(page.text) or "Nothing is recorded" in page.text
        found += numbers
        onward = re.search(r'href="([^"]*before=[^"]*)"', page.text)
        address = onward[1].replace("&amp;", "&") if onward else ""
    assert sorted(found) == ["1", "2"]  # the third, which was refused, is of another field
    assert empty >= 1


async def test_threat_32_no_cell_of_a_file_is_a_formula(office: Office) -> None:
    text = (await (await office.officer()).get("/console/disclosures.csv")).text
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert any(f"'{FORMULA}" in row for row in rows)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


async def test_a_parents_page_is_in_plain_language(office: Office) -> None:
    browser = await office.officer("reader")
    told = await browser.text(f"/console/students?key={ANA}")
    assert "Instruction in the classroom." in told
    assert "as a school official with a legitimate educational interest, 34 CFR 99.31(a)(1)" in told
    assert "Student: first name, last name 13 October 2026, 14 October 2026" in told
    assert "Nobody has received any data about this student." in await browser.text(f"/console/students/{LEO}")
    assert "no student with that key" in await browser.text("/console/students?key=nobody", 404)


async def test_an_opt_out_is_recorded_by_who_decides_and_stands_in_the_ledger(office: Office) -> None:
    reader = await office.officer("reader")
    assert '<form class="filters" method="post"' not in (await reader.get("/console/opt-outs")).text
    steward = await office.officer()
    page = await steward.get("/console/opt-outs")
    done = await steward.send_form(page, "/console/opt-outs", key=LEO, client="readwell")
    assert done.status_code == 303
    told = await steward.get(done.headers["location"])
    assert f"({LEO}) is opted out of readwell." in words(told.text)
    assert LEO in told.text
    assert "Opted out of readwell: 1 student." in await steward.text("/console/disclosures")
    back = await steward.send_form(told, "/console/opt-outs/remove")
    assert back.status_code == 303
    assert "No opt-out stands." in await steward.text("/console/opt-outs")
    wrong = await steward.send_form(page, "/console/opt-outs", key=LEO, client="quarrysoft")
    assert wrong.status_code == 400
    nobody = await steward.send_form(page, "/console/opt-outs", key="nobody", client="")
    assert nobody.status_code == 400
    assert "no student with this key" in nobody.text
    assert 'id="key" name="key" value="nobody" aria-invalid="true"' in nobody.text
    assert '<option value="" selected>' not in nobody.text
    mistyped = await steward.send_form(page, "/console/opt-outs", key="nobody", client="readwell")
    assert "<option selected>readwell</option>" in mistyped.text


async def test_a_broken_file_and_one_that_is_gone_are_shown(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with opened(tmp_path_factory.mktemp("broken") / "home") as office:
        steward = await office.officer()
        office.write(f"{SPACE}/grants/readwell.toml", GRANT.replace("2027-06-30", "soon"))
        told = await steward.text("/console")
        assert "Files that cannot be read" in told
        page = await steward.text("/console/policy")
        assert "the folder has another text" in page
        text = await steward.text(f"/console/policy/file?path={SPACE}/grants/readwell.toml")
        assert "What the folder has" in text
        assert "not_after = soon" in text
        office.write(f"{SPACE}/grants/readwell.toml", GRANT.replace('"firstName", ', ""))
        async with asyncio.timeout(20):
            while "Student.firstName" in office.desk.policy(SPACE).grants[0].fields:
                await asyncio.sleep(0.05)
        vendor = await steward.text("/console/vendors/readwell")
        assert "- Student: firstName" in vendor
        assert "+ Student: firstName" in vendor


async def test_a_database_that_does_not_answer_is_said_in_a_sentence(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with opened(tmp_path_factory.mktemp("gone") / "home") as office:
        steward = await office.officer()
        ledger = office.home / "spaces" / SPACE / "ledger.db"
        for file in ledger.parent.glob("ledger.db*"):
            file.unlink()
        page = await steward.get("/console/matrix")
        assert page.status_code == 503
        assert "Something does not answer" in page.text


async def test_the_districts_own_acts_stand_as_sentences(office: Office) -> None:
    entry = act(Kind.RETENTION, worlds.NOW, [Whose(("Grade",), None, 3)])
    await office.desk.rooms.ledgers[SPACE].record(entry)
    assert "Deleted at the end of their retention: 3 grades." in await (await office.officer()).text(
        "/console/disclosures"
    )
