"""An officer sees what a vendor would see, under the officer's own name."""

import pytest

from app.ledger.entry import Kind
from app.ledger.reading import Filters, entries
from tests.console.office import SPACE, words
from tests.requests.asking import Asking

pytestmark = pytest.mark.anyio


async def test_a_preview_shows_real_records_and_says_why_not(here: Asking) -> None:
    number = await here.asked()
    steward = await here.officer()
    text = await steward.text(f"/console/preview?request={number}")
    assert "birthDate asked for" in text
    assert "APPROVAL_PENDING" in text
    assert "NOT_GRANTED" in text
    assert "homelessStatus asked for ▨ Waits for an approval by name. APPROVAL_PENDING" in text
    now = await steward.text("/console/preview?vendor=readwell&purpose=instruction")
    assert "birthDate ▨ Not in the grant. NOT_GRANTED" in now
    assert (await (await here.officer("reader")).get(f"/console/preview?request={number}")).status_code == 403
    nested = await steward.text("/console/preview?vendor=readwell&purpose=instruction&type=School")
    assert "nameOfInstitution" in nested
    found = [one.entry async for one in entries(here.office.desk.places[SPACE].ledger, Filters())]
    assert {one.kind for one in found} == {Kind.PREVIEW}
    assert {one.officer for one in found} == {"steward@larkspur.example"}
    assert any(whose.students for one in found for whose in one.disclosed)
    assert "Preview by an officer" in await steward.text("/console/disclosures")


async def test_threat_21_another_sites_link_makes_nobody_look(here: Asking) -> None:
    steward, address = await here.officer(), "/console/preview?vendor=readwell&purpose=instruction"
    for site in ("cross-site", "same-site"):
        page = await steward.get(address, headers={"sec-fetch-site": site})
        assert page.status_code == 400
        assert "another site's link" in words(page.text)
    assert not [one async for one in entries(here.office.desk.places[SPACE].ledger, Filters())]
    for site in ("same-origin", "none"):
        assert (await steward.get(address, headers={"sec-fetch-site": site})).status_code == 200
