"""To whom the pages are closed: to whoever is not signed in, to other districts, to forms of nobody's, to readers."""

import re

import pytest

from app.console.routes import DEEDS, PAGES
from tests.console.office import OTHER, OTHER_NAME, SPACE, Office, words
from tests.console.recorded import ADDRESSES, ANA, FOR_DECIDERS, LEO, recorded

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("recorded")]
__all__ = ["recorded"]


async def test_every_page_is_among_the_addresses() -> None:
    for path, _ in PAGES:
        pattern = re.sub(r"\{[^}]+\}", "[^/?]+", path).replace(".", r"\.")
        assert any(re.fullmatch(pattern, one.partition("?")[0]) for one in (*ADDRESSES, *FOR_DECIDERS)), path


@pytest.mark.parametrize("address", ADDRESSES)
async def test_threat_36_a_page_is_for_officers_who_are_signed_in(office: Office, address: str) -> None:
    page = await office.browser().get(address)
    assert page.status_code == 303
    assert page.headers["location"].startswith("/console/sign-in")
    assert "Larkspur" not in page.text
    for role in ("reader", "steward", "privacy-officer"):
        browser = await office.officer(role)
        assert (await browser.get(address)).status_code == 200, role


@pytest.mark.parametrize("address", ADDRESSES)
async def test_threat_36_an_officer_of_another_space_sees_nothing_of_this_one(office: Office, address: str) -> None:
    page = await (await office.officer(space=OTHER)).get(address)
    for secret in ("Larkspur", "larkspur", "readwell", "Readwell", ANA, "Elm", "Assign levelled"):
        told = page.text.replace(f"read about {ANA}", "")
        if page.status_code == 200 or secret not in address:
            assert secret not in told, secret
    if "readwell" in address or "students/" in address:
        assert page.status_code == 404


@pytest.mark.parametrize("address", ADDRESSES)
async def test_an_officer_of_this_space_is_not_told_the_name_of_another(office: Office, address: str) -> None:
    page = await (await office.officer()).get(address)
    for secret in (OTHER_NAME, OTHER, "quarrysoft", "quarry-lake"):
        assert secret not in page.text


@pytest.mark.parametrize(
    "address",
    [
        "/console/nowhere",
        "/console/vendors/quarrysoft",
        f"/console/policy/file?path={OTHER}/district.toml",
        f"/console/policy/file?path={SPACE}/../{OTHER.partition('/')[2]}/district.toml",
        "/console/policy/file?path=../../homeroom.toml",
        "/console/policy/file?path=../keys/ledger.json",
        "/console/policy/file?path=/etc/passwd",
        "/console/policy/file?path=",
        f"/console/policy/file?path={SPACE}/grants/%2e%2e/district.toml",
        f"/console/policy/file?path={SPACE}/district.toml&revision={'0' * 64}",
        "/console/matrix/readwell/research/Student.firstName",
        "/console/matrix/readwell/instruction/Student.nothing",
        "/console/students/nobody",
    ],
)
async def test_threat_36_what_is_not_the_districts_is_not_there(office: Office, address: str) -> None:
    page = await (await office.officer()).get(address)
    assert page.status_code == 404
    assert "root:" not in page.text
    assert OTHER_NAME not in page.text


@pytest.mark.parametrize("address", ["/console", "/console/sign-in", "/console/nowhere", "/console/matrix.csv"])
async def test_threat_22_no_page_stands_in_another_sites_frame(office: Office, address: str) -> None:
    for browser in (office.browser(), await office.officer()):
        page = await browser.get(address)
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cross-origin-resource-policy"] == "same-origin"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "no-referrer"


async def test_threat_36_a_revision_of_another_file_is_none_of_this_one(office: Office) -> None:
    browser = await office.officer()
    revision = office.desk.policy(SPACE).grants[0].revision
    mine = f"/console/policy/file?path={SPACE}/grants/readwell.toml&revision={revision}"
    assert (await browser.get(mine)).status_code == 200
    others = f"/console/policy/file?path={SPACE}/district.toml&revision={revision}"
    assert (await browser.get(others)).status_code == 404


@pytest.mark.parametrize("address", [path for path, _ in DEEDS] + ["/console/sign-out"])
async def test_threat_21_a_form_without_its_mark_does_nothing(office: Office, address: str) -> None:
    steward, other = await office.officer(), await office.officer()
    mark = re.search(r'name="csrf" value="([0-9a-f]+)"', (await other.get("/console")).text)
    assert mark
    for data in ({"key": LEO, "client": ""}, {"key": LEO, "client": "", "csrf": mark[1]}):
        refused = await steward.post(address, data=data)
        assert refused.status_code == 400
        assert "not one of this sign-in" in words(refused.text)
    own = re.search(r'name="csrf" value="([0-9a-f]+)"', (await steward.get("/console")).text)
    assert own
    elsewhere = {"sec-fetch-site": "cross-site"}
    refused = await steward.post(address, data={"csrf": own[1], "key": LEO, "client": ""}, headers=elsewhere)
    assert refused.status_code == 400
    assert (await steward.post(address, content=b'{"csrf": 1}')).status_code == 400
    assert (await steward.post(address, data={"csrf": own[1], "x": "y" * 140_000})).status_code == 400
    bad = await steward.post(
        address, content=b"csrf=%ff", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert bad.status_code == 400
    assert "No opt-out stands." in await steward.text("/console/opt-outs")
    assert (await steward.get("/console")).status_code == 200


@pytest.mark.parametrize("address", [path for path, _ in DEEDS])
async def test_a_reader_decides_nothing(office: Office, address: str) -> None:
    reader = await office.officer("reader")
    mark = re.search(r'name="csrf" value="([0-9a-f]+)"', (await reader.get("/console")).text)
    assert mark
    refused = await reader.post(address, data={"csrf": mark[1], "key": LEO, "client": ""})
    assert refused.status_code == 403
    assert "Ask an officer whose role does." in refused.text
    nobody = await office.browser().post(address, data={"key": LEO})
    assert nobody.headers["location"].startswith("/console/sign-in?ended=1&next=%2Fconsole%2F")
