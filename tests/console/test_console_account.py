"""An officer changes their own password, and nobody else does."""

import secrets

import httpx
import msgspec
import pytest

from app.console.door import SESSION, cookie
from app.officers.accounts import add_officer
from app.officers.sessions import begin
from app.signing_in import SignIn
from tests import worlds
from tests.console.office import SPACE, Browser, Office, fields, words

pytestmark = pytest.mark.anyio

OLD, NEW = "a long enough password", "four words, a comma"
ADDRESS, SIGN_IN = "/console/account", "/console/sign-in"


@pytest.fixture
async def email(office: Office) -> str:
    """An account of a test's own."""
    address = f"{secrets.token_hex(4)}@larkspur.example"
    await add_officer(office.desk.rooms.control, SPACE, address, "reader", OLD, now=worlds.NOW.timestamp())
    return address


async def enter(office: Office, email: str, password: str = OLD, browser: Browser | None = None) -> tuple[Browser, int]:
    """A browser at the door, a new one if none is given, and what it was answered."""
    browser = browser or office.browser()
    page = await browser.get(f"{SIGN_IN}?space={SPACE}")
    entered = await browser.send_form(page, SIGN_IN, space=SPACE, email=email, password=password)
    return browser, entered.status_code


async def change(browser: Browser, **typed: str) -> httpx.Response:
    page = await browser.get(ADDRESS)
    return await browser.send_form(page, ADDRESS, **({"current": OLD, "new": NEW, "again": NEW} | typed))


async def test_an_officer_changes_the_password_and_is_signed_in_nowhere_else(office: Office, email: str) -> None:
    (browser, _), (elsewhere, _) = await enter(office, email), await enter(office, email)
    before = dict(browser.cookies)
    changed = await change(browser)
    assert (changed.status_code, changed.headers["location"]) == (303, f"{ADDRESS}?done=changed")
    assert "Your password is changed." in await browser.text(changed.headers["location"])
    assert (await elsewhere.get("/console")).status_code == 303
    assert (await office.browser(before).get("/console")).status_code == 303  # nor with the cookie of before
    assert [(await enter(office, email, password))[1] for password in (OLD, NEW)] == [403, 303]


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"current": "not the password"}, 403, "That is not your current password."),
        ({"current": ""}, 403, "That is not your current password."),
        ({"again": "four words, a colon"}, 400, "typed in two ways"),
        ({"new": "short", "again": "short"}, 400, "12 to 256 characters"),
        ({"new": "x" * 300, "again": "x" * 300}, 400, "12 to 256 characters"),
        ({"new": "aaaaaaaaaaaaaaaa", "again": "aaaaaaaaaaaaaaaa"}, 400, "5 different characters"),
        ({"new": OLD, "again": OLD}, 400, "is the current one"),
    ],
)
async def test_what_cannot_be_a_password_changes_nothing(
    office: Office, email: str, typed: dict[str, str], status: int, said: str
) -> None:
    browser, _ = await enter(office, email)
    refused = await change(browser, **typed)
    assert refused.status_code == status
    assert said in words(refused.text)
    assert NEW not in refused.text
    assert OLD not in refused.text
    assert (await browser.get("/console")).status_code == 200
    assert (await enter(office, email))[1] == 303


async def test_threat_37_whoever_finds_a_browser_open_guesses_no_oftener_than_at_the_door(
    office: Office, email: str
) -> None:
    browser, _ = await enter(office, email)
    for n in range(office.desk.rooms.settings.console.attempts):
        assert (await change(browser, current=f"guess number {n}")).status_code == 403
    locked = await change(browser)  # the right one
    assert locked.status_code == 429
    assert "too many attempts" in words(locked.text)
    at_the_door = office.browser({name: value for name, value in browser.cookies.items() if "session" not in name})
    assert (await enter(office, email, browser=at_the_door))[1] == 429


async def test_threat_21_a_password_is_changed_from_its_own_page_alone(office: Office, email: str) -> None:
    browser, _ = await enter(office, email)
    other, _ = await enter(office, email)
    typed = {"current": OLD, "new": NEW, "again": NEW}
    mark = fields((await other.get(ADDRESS)).text, ADDRESS)["csrf"]
    for sent in (typed, {**typed, "csrf": mark}):
        assert (await browser.post(ADDRESS, data=sent)).status_code == 400
    own = {**typed, "csrf": fields((await browser.get(ADDRESS)).text, ADDRESS)["csrf"]}
    assert (await browser.post(ADDRESS, data=own, headers={"sec-fetch-site": "cross-site"})).status_code == 400
    nobody = await office.browser().post(ADDRESS, data=own)
    assert nobody.headers["location"] == f"{SIGN_IN}?ended=1&next=%2Fconsole%2Faccount"
    assert (await enter(office, email))[1] == 303


async def test_whoever_came_from_a_provider_has_no_password_here(
    office: Office, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, settings = office.desk, office.desk.rooms.settings
    sign_in = SignIn("https://id.example", "homeroom", officers={email: "reader"})
    space = msgspec.structs.replace(settings.spaces[SPACE], sign_in=sign_in)
    spaces = {**settings.spaces, SPACE: space}
    monkeypatch.setattr(desk.rooms, "settings", msgspec.structs.replace(settings, spaces=spaces))
    now = desk.now().timestamp()
    token = await begin(desk.rooms.control, SPACE, email, "reader", officer=None, now=now, limits=settings.console)
    browser = office.browser({cookie(desk, SESSION): desk.seal.seal(SESSION, token)})
    page = await browser.get(ADDRESS)
    assert "your district's own sign-in, which keeps your password" in words(page.text)
    # Not even of an account with a password that has the same address.
    typed = {"csrf": fields(page.text, "/console/sign-out")["csrf"], "current": OLD, "new": NEW, "again": NEW}
    assert (await browser.post(ADDRESS, data=typed)).status_code == 404
    assert (await enter(office, email))[1] == 303
