"""What there is to do: a file that cannot be read comes first and leads to its line; what waits for others is apart."""

import asyncio
import re
from html import unescape

import pytest

from app.names import ClientId
from app.requests.form import AskedField, Form
from app.requests.store import ask
from tests import worlds
from tests.console.office import GRANT, SPACE, Office, opened, words

pytestmark = pytest.mark.anyio

FILE = f"{SPACE}/grants/readwell.toml"
BROKEN = GRANT.replace('"Assign levelled reading."', '"Assign levelled reading.')
LINE = next(number for number, line in enumerate(BROKEN.splitlines(), 1) if line.startswith("statement"))


def sections(text: str) -> list[str]:
    """The headings of a page's groups, in order."""
    return [words(one).rpartition(" ")[0] for one in re.findall(r"<h2>(.*?)</h2>", text)]


async def test_requests_wait_for_the_role_that_decides_them_and_for_nobody_else(office: Office) -> None:
    asked = Form("rostering", (AskedField("Student.birthDate", "Why."),))
    await ask(office.desk.rooms.control, SPACE, ClientId("readwell"), asked, now=worlds.NOW)
    of = {role: (await (await office.officer(role)).get("/console")).text for role in ("reader", "steward")}
    assert sections(of["steward"])[0] == "Requests"
    assert "Requests" not in sections(of["reader"])
    assert sections(of["reader"])[-1] == "Requests that wait for another role"
    assert "waits for you" not in words(of["reader"])
    assert "a steward or the privacy officer decides" in words(of["reader"])
    assert "a steward or the privacy officer decides" not in words(of["steward"])
    assert "Granted, not in force" in sections(of["steward"])  # one of them the district denies: no approval helps


async def test_a_file_that_cannot_be_read_comes_first_and_is_shown_at_the_line_to_mend(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with opened(tmp_path_factory.mktemp("unread") / "home") as office:
        steward = await office.officer()
        asked = Form("rostering", (AskedField("Student.birthDate", "Why."),))
        await ask(office.desk.rooms.control, SPACE, ClientId("readwell"), asked, now=worlds.NOW)
        office.write(FILE, BROKEN)
        page = (await steward.get("/console")).text
        assert sections(page)[:2] == ["Files that cannot be read", "Requests"]
        led = re.search(rf'<a href="([^"]*)"[^>]*>{FILE}:{LINE}</a>', page)
        assert led
        address, _, place = unescape(led[1]).partition("#")
        for shown in ((await steward.get(address)).text, (await steward.get("/console/policy")).text):
            assert f'#{place}">' in shown
        text = (await steward.get(address)).text
        assert f'id="{place}"><code>statement  = &#34;Assign levelled reading.</code>' in text
        assert f'id="L{LINE}"><code>statement  = &#34;Assign levelled reading.&#34;</code>' in text
        assert "This text cannot be read, so it is not in force." in text
        assert text.index(f'id="{place}"') < text.index("What is in force instead") < text.index(f'id="L{LINE}"')
        revision = office.desk.policy(SPACE).grants[0].revision
        assert f"#{place}" not in (await steward.get(f"{address}&revision={revision}")).text
        # One that never was in force is shown, too, and nothing is said to be in force instead.
        new = FILE.replace("readwell", "other")
        office.write(new, BROKEN)
        text = (await steward.get(address.replace("readwell", "other"))).text
        assert f'<a href="#D{LINE}">' in text
        assert f'id="D{LINE}"' in text
        assert "in force instead" not in text


async def test_a_file_that_is_good_again_is_shown_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with opened(tmp_path_factory.mktemp("mended") / "home") as office:
        steward = await office.officer()
        office.write(FILE, GRANT.replace("levelled", "good"))
        async with asyncio.timeout(20):
            while "good" not in office.desk.policy(SPACE).grants[0].statement:
                await asyncio.sleep(0.05)
        text = (await steward.get(f"/console/policy/file?path={FILE}")).text
        assert "What the folder has" not in text
        assert text.count("Assign good reading.") == 1


async def test_a_vendors_page_names_approvals_with_what_they_cover_and_no_others(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    approval = '\n[[approval]]\nby = "{}"\nrole = "steward"\nat = 2026-07-01T12:00:00Z\ncovers = [{}]\n'
    async with opened(tmp_path_factory.mktemp("approved") / "home") as office:
        steward = await office.officer()
        both = approval.format("empty@larkspur.example", "") + approval.format(
            "ana@larkspur.example", '"Student.races"'
        )
        office.write(FILE, GRANT + both)
        async with asyncio.timeout(20):
            while not office.desk.policy(SPACE).grants[0].approvals:
                await asyncio.sleep(0.05)
        told = (await steward.text("/console/vendors/readwell")).partition("Approvals")[2].partition("File")[0]
        assert "ana@larkspur.example as steward, 1 July 2026, 07:00, for Student.races" in told
        assert "empty@" not in told
