"""What families decided, on the page of one child and on the list: of whom, out of what, and what that does."""

import asyncio
from datetime import timedelta

import pytest
from pyroaring import BitMap

from app.ledger import Entry, Kind, Whose
from app.names import DIRECTORY_INFORMATION, EVERY_VENDOR
from app.spaces.opt_outs import OptOut, opt_students_in, opt_students_out
from app.spaces.writing import writing
from tests import worlds
from tests.console.office import SPACE, Browser, Office, opened, words

pytestmark = pytest.mark.anyio

ANA, LEO = worlds.STUDENTS[worlds.ANA - 1], worlds.STUDENTS[worlds.LEO - 1]
ASK = "You may ask the district to opt your child out"


def name(student: dict[str, object]) -> str:
    return f"{student['first_name']} {student['last_surname']}"


async def record(browser: Browser, key: str, client: str) -> str:
    page = await browser.get("/console/opt-outs")
    done = await browser.send_form(page, "/console/opt-outs", key=key, client=client)
    assert done.status_code == 303, words(done.text)
    return await browser.text(done.headers["location"])


async def test_a_parent_reads_what_the_grant_says_to_parents_and_no_name_of_a_type(office: Office) -> None:
    fields = ("Student.firstName", "Student.__typename")
    entry = Entry(
        kind=Kind.ANSWER,
        at=worlds.NOW - timedelta(days=1),
        request="r1",
        client="readwell",
        purpose="instruction",
        basis="school-official",
        disclosed=(Whose(fields, BitMap([worlds.ANA]), 1),),
    )
    await office.desk.rooms.ledgers[SPACE].record(entry)
    told = await (await office.officer("reader")).text(f"/console/students/{ANA['source_key']}")
    assert "99.31(a)(1). Assign levelled reading. Student: first name 14 October 2026" in told
    assert f"{ASK}." in told


@pytest.mark.parametrize(
    ("client", "told", "asks"),
    [
        (EVERY_VENDOR, "every vendor", ""),
        ("readwell", "Readwell <script>", f"{ASK} of other vendors too."),
        (DIRECTORY_INFORMATION, "directory information", f"{ASK} of other vendors too."),
    ],
)
async def test_the_page_for_a_parent_says_what_the_family_opted_out_of(
    office: Office, client: str, told: str, asks: str
) -> None:
    browser, one = await office.officer(), OptOut(str(LEO["source_key"]), client)
    records = office.desk.places[SPACE].records
    async with writing(records, alone=False) as connection:
        await opt_students_out(connection, [one], "2026-09-01")
    page = await browser.text(f"/console/students/{LEO['source_key']}")
    async with writing(records, alone=False) as connection:
        await opt_students_in(connection, [one])
    assert f"The family has opted out of {told}" in page
    assert "since 1 September 2026." in page
    assert asks in page
    assert (ASK in page) == bool(asks)


async def test_the_list_names_the_child_beside_the_key_and_so_does_what_was_done(office: Office) -> None:
    browser, key = await office.officer(), str(LEO["source_key"])
    told = await record(browser, str(LEO["student_unique_id"]), DIRECTORY_INFORMATION)
    assert f"{name(LEO)} ({key}) is opted out of directory information." in told
    assert f"{key} {name(LEO)} directory information 15 October 2026" in told
    listed = await browser.get("/console/opt-outs")
    acts = await browser.text("/console/disclosures")
    back = await browser.send_form(listed, "/console/opt-outs/remove")
    told = await browser.text(back.headers["location"])
    assert f"{name(LEO)} ({key}) is no longer opted out of directory information." in told
    assert "Opted out of directory information: 1 student. directory information" in acts
    assert DIRECTORY_INFORMATION not in await browser.text("/console/disclosures")
    assert "is opted out" not in await browser.text(f"/console/opt-outs?done=recorded&key={key}&client=readwell")


async def test_what_an_opt_out_does_is_said_as_the_district_decided(
    office: Office, tmp_path_factory: pytest.TempPathFactory
) -> None:
    told = await (await office.officer()).text("/console/opt-outs")
    assert "grants that disclose as directory information, 34 CFR 99.31(a)(11), lose the directory fields" in told
    assert "the child's record is withheld" in told
    async with opened(tmp_path_factory.mktemp("bases") / "home") as other:
        district = (other.home / "policies" / SPACE / "district.toml").read_text()
        both = 'directory = { applies_to = ["directory-information", "studies"], fields = "directory" }'
        other.write(f"{SPACE}/district.toml", f'{district}\n[opt_out]\nvendors = "withhold-fields"\n{both}\n')
        browser = await other.officer()
        async with asyncio.timeout(20):
            while "there with nothing in it" not in (told := await browser.text("/console/opt-outs")):
                await asyncio.sleep(0.05)
        assert "99.31(a)(11), or for a study on behalf of the district, 34 CFR 99.31(a)(6), lose" in told
