"""A form that was sent and not taken: why is said, and the way leads back to the page that it stands on."""

from datetime import timedelta

import pytest

from app.console.routes import DEEDS, PAGES, stands_on
from tests.console.office import OTHER, SPACE, Browser, Office, words

pytestmark = pytest.mark.anyio

REVOKE, VENDOR = "/console/vendors/readwell/revoke", "/console/vendors/readwell"
SAID = "Your sign-in had ended, so what you sent was not done."


async def idle(office: Office) -> Browser:
    """A browser whose sign-in ended while an officer was writing."""
    browser = await office.officer()
    office.now[0] += timedelta(seconds=office.desk.rooms.settings.console.idle_seconds + 1)
    return browser


@pytest.mark.parametrize(
    ("address", "stood"),
    [
        (REVOKE, VENDOR),
        ("/console/vendors/readwell/narrow", VENDOR),
        ("/console/vendors/readwell/standing", VENDOR),
        ("/console/requests/1", "/console/requests/1"),
        ("/console/opt-outs", "/console/opt-outs"),
        ("/console/opt-outs/remove", "/console/opt-outs"),
        ("/console/account", "/console/account"),
    ],
)
async def test_whose_sign_in_has_ended_is_told_so_and_comes_back_to_the_form(
    office: Office, address: str, stood: str
) -> None:
    browser = await idle(office)
    sent = await browser.post(address, data={"reason": "A breach.", "purpose": "instruction"})
    assert sent.status_code == 303
    page = await browser.get(sent.headers["location"])
    assert SAID in words(page.text)
    assert f'name="space" value="{SPACE}"' in page.text
    assert f'name="next" value="{stood}"' in page.text
    entered = await (await office.officer()).get(sent.headers["location"])
    assert entered.headers["location"] == stood


async def test_nothing_was_done(office: Office) -> None:
    await (await idle(office)).post(REVOKE, data={"reason": "A breach.", "purpose": "instruction"})
    assert "Revoked" not in await (await office.officer()).text(VENDOR)


async def test_of_whom_nothing_is_known_the_district_is_asked_for(office: Office) -> None:
    sent = await office.browser().post(REVOKE)
    page = (await office.browser().get(sent.headers["location"])).text
    assert SAID in words(page)
    for space in (SPACE, OTHER):
        assert space not in page


async def test_signing_out_when_the_sign_in_has_ended_says_nothing(office: Office) -> None:
    sent = await (await idle(office)).post("/console/sign-out")
    assert SAID not in words((await office.browser().get(sent.headers["location"])).text)
    assert SAID not in await office.browser().text("/console/sign-in?next=/console/matrix")


async def test_a_form_that_is_not_taken_leads_back_to_its_page(office: Office) -> None:
    steward = await office.officer()
    refused = await steward.post(REVOKE, data={"reason": "A breach."})
    assert refused.status_code == 400
    assert f'<a href="{VENDOR}">Back to the page with the form</a>' in refused.text
    reader = await (await office.officer("reader")).post(REVOKE)
    assert f'<a href="{VENDOR}">Back' in reader.text
    nowhere = (await steward.get("/console/nowhere")).text
    assert "Back to the page" not in nowhere


def test_every_form_stands_on_a_page_that_there_is() -> None:
    pages = {path for path, _ in PAGES}
    for path, _ in DEEDS:
        assert path in pages or path.rpartition("/")[0] in pages, path
        assert stands_on(path)
