"""Who is let in, who is not, and that nobody can tell from outside what there is."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from app.console.door import SESSION, cookie
from app.officers.accounts import add_officer, remove_officer, set_password
from app.officers.devices import DEVICE
from app.officers.seal import Seal
from app.storage import control as tables
from tests import worlds
from tests.console.office import OTHER, OTHER_NAME, SPACE, Browser, Office, fields, words

pytestmark = pytest.mark.anyio

PASSWORD = "a long enough password"
EMAIL = "a.ramos@larkspur.example"
SIGN_IN = "/console/sign-in"


@pytest.fixture(scope="module", autouse=True)
async def ramos(shared: Office) -> None:
    await add_officer(shared.desk.rooms.control, SPACE, EMAIL, "steward", PASSWORD, now=worlds.NOW.timestamp())


async def attempt(browser: Browser, **typed: str) -> httpx.Response:
    page = await browser.get(f"{SIGN_IN}?space={typed.get('space', SPACE)}")
    filled = {"space": SPACE, "email": EMAIL, "password": PASSWORD} | typed
    return await browser.send_form(page, SIGN_IN, **filled)


async def test_an_officer_signs_in_goes_where_they_were_going_and_signs_out(office: Office) -> None:
    browser = office.browser()
    turned_away = await browser.get("/console/policy?file=x")
    assert turned_away.status_code == 303
    page = await browser.get(turned_away.headers["location"] + f"&space={SPACE}")
    assert "Larkspur" not in page.text
    entered = await browser.send_form(page, SIGN_IN, space=SPACE, email="A.Ramos@larkspur.example", password=PASSWORD)
    assert entered.headers["location"] == "/console/policy?file=x"
    first = await browser.get("/console")
    assert EMAIL in words(first.text)
    assert "Larkspur ISD" in first.text
    before = dict(browser.cookies)
    gone = await browser.send_form(first, "/console/sign-out")
    assert gone.headers["location"] == SIGN_IN
    assert (await office.browser(before).get("/console")).status_code == 303


async def test_threat_21_a_cookie_is_read_by_no_script_and_sent_along_by_no_other_site(office: Office) -> None:
    entered = await attempt(office.browser())
    kept = next(c for c in entered.headers.get_list("set-cookie") if c.startswith("homeroom-session="))
    assert "HttpOnly" in kept
    assert "SameSite=lax" in kept
    assert "Path=/" in kept
    assert "Secure" not in kept  # loopback has no TLS
    assert PASSWORD not in kept


@pytest.mark.parametrize(
    "typed",
    [
        {"password": "another long password"},
        {"email": "nobody@larkspur.example"},
        {"space": "tx/nowhere"},
        {"space": OTHER},
    ],
    ids=["password", "address", "no such district", "another district"],
)
async def test_threat_37_whatever_is_wrong_the_same_is_said(office: Office, typed: dict[str, str]) -> None:
    page = await attempt(office.browser(address="192.0.2.77"), **typed)
    assert page.status_code == 403
    said = words(page.text)
    assert "That did not let you in. Check the district, the e-mail address and the password." in said
    assert OTHER_NAME not in page.text
    assert "Larkspur ISD" not in page.text
    assert PASSWORD not in page.text
    assert not any(c.startswith("homeroom-session=") for c in page.headers.get_list("set-cookie"))


async def test_threat_37_a_district_without_a_provider_is_told_like_one_that_is_not_there(office: Office) -> None:
    told = []
    for space in (SPACE, "tx/nowhere", ""):
        page = await office.browser().get("/console/sign-in/openid", params={"space": space})
        text = re.sub(r'name="csrf" value="[0-9a-f]+"', "", page.text.replace(space, "SPACE") if space else page.text)
        told.append((page.status_code, text, sorted(page.headers)))
    assert told[0] == told[1]
    assert told[2][0] == told[0][0] == 403
    assert "Your district's sign-in did not let you in." in words(told[2][1])


async def test_threat_37_a_guesser_is_locked_out_and_the_officer_elsewhere_is_not(office: Office) -> None:
    guesser = office.browser(address="198.51.100.9")
    limit = office.desk.rooms.settings.console.attempts
    for n in range(limit):
        assert (await attempt(guesser, password=f"guess number {n}")).status_code == 403
    locked = await attempt(guesser)  # the right one
    assert locked.status_code == 429
    assert "too many attempts" in words(locked.text)
    assert (await attempt(office.browser(address="192.0.2.8"))).status_code == 303
    office.now[0] = worlds.NOW + timedelta(minutes=16)
    assert (await attempt(office.browser(address="198.51.100.9"))).status_code == 303


async def lock_out(office: Office, email: str) -> None:
    """Guess from a dozen addresses until the account is locked everywhere."""
    limit = office.desk.rooms.settings.console.attempts
    for n in range(limit * 10 + 8):
        await attempt(office.browser(address=f"198.51.100.{20 + n // 9}"), email=email, password=f"guess number {n}")
    assert (await attempt(office.browser(address="192.0.2.99"), email=email)).status_code == 429


def device(office: Office, browser: Browser) -> dict[str, str]:
    """What a browser still holds when its session is over."""
    return {cookie(office.desk, DEVICE): browser.cookies[cookie(office.desk, DEVICE)]}


async def test_threat_37_strangers_who_lock_an_account_do_not_lock_out_a_browser_that_it_knows(office: Office) -> None:
    control, email = office.desk.rooms.control, "known@larkspur.example"
    await add_officer(control, SPACE, email, "steward", PASSWORD, now=0)
    await add_officer(control, SPACE, "other@larkspur.example", "steward", PASSWORD, now=0)
    known, other = office.browser(), office.browser()
    kept = next(c for c in (await attempt(known, email=email)).headers.get_list("set-cookie") if "-device=" in c)
    for attribute in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=15552000"):
        assert attribute in kept
    assert email not in kept
    assert SPACE not in str(office.desk.seal.open(DEVICE, device(office, known)[cookie(office.desk, DEVICE)]))
    await attempt(other, email="other@larkspur.example")
    await lock_out(office, email)
    # The same browser, from wherever: with another account's cookie, or a forged one, it is anybody's.
    assert (await attempt(office.browser(device(office, known), "198.51.100.20"), email=email)).status_code == 303
    assert (await attempt(office.browser(device(office, other)), email=email)).status_code == 429
    for forged in ("x", office.desk.seal.seal(SESSION, ["a", "b"]), Seal(b"\0" * 32).seal(DEVICE, ["a", "b"])):
        assert (await attempt(office.browser({cookie(office.desk, DEVICE): forged}), email=email)).status_code == 429
    await set_password(control, SPACE, email, f"{PASSWORD} 2")
    late = await attempt(office.browser(device(office, known)), email=email, password=f"{PASSWORD} 2")
    assert late.status_code == 429


async def test_threat_37_a_stolen_cookie_of_a_browser_guesses_no_oftener_than_one_address(office: Office) -> None:
    email = "stolen@larkspur.example"
    await add_officer(office.desk.rooms.control, SPACE, email, "steward", PASSWORD, now=0)
    browser = office.browser()
    await attempt(browser, email=email)
    for n in range(office.desk.rooms.settings.console.attempts):
        thief = office.browser(device(office, browser), f"198.51.100.{n}")
        assert (await attempt(thief, email=email, password=f"guess number {n}")).status_code == 403
    thief = office.browser(device(office, browser), "198.51.100.99")
    assert (await attempt(thief, email=email)).status_code == 429
    assert (await attempt(office.browser(address="192.0.2.60"), email=email)).status_code == 303  # who has none
    office.now[0] += timedelta(minutes=16)
    assert (await attempt(office.browser(device(office, browser)), email=email)).status_code == 303


async def test_signing_in_again_ends_the_session_that_the_browser_had(office: Office) -> None:
    browser, elsewhere = office.browser(), office.browser()
    await attempt(browser)
    await attempt(elsewhere)
    before = dict(browser.cookies)
    door = await office.browser(dict(before)).get(SIGN_IN)
    assert door.status_code == 303  # whoever is signed in is not asked: the form was open before
    browser.cookies.delete(cookie(office.desk, SESSION))
    page = await browser.get(f"{SIGN_IN}?space={SPACE}")
    browser.cookies.set(cookie(office.desk, SESSION), before[cookie(office.desk, SESSION)])
    entered = await browser.send_form(page, SIGN_IN, space=SPACE, email=EMAIL, password=PASSWORD)
    assert entered.status_code == 303
    assert (await office.browser(before).get("/console")).status_code == 303
    assert (await elsewhere.get("/console")).status_code == 200


async def test_threat_37_an_account_that_does_not_exist_is_locked_like_one_that_does(office: Office) -> None:
    for n in range(office.desk.rooms.settings.console.attempts):
        await attempt(
            office.browser(address="198.51.100.10"), email="ghost@larkspur.example", password=f"guess no. {n}"
        )
    page = await attempt(office.browser(address="198.51.100.10"), email="ghost@larkspur.example")
    assert page.status_code == 429


async def test_threat_21_the_form_for_signing_in_is_taken_from_its_own_page_alone(office: Office) -> None:
    typed = {"space": SPACE, "email": EMAIL, "password": PASSWORD}
    for sent in (typed, {**typed, "csrf": "0" * 64}):
        page = await office.browser().post(SIGN_IN, data=sent)
        assert page.status_code == 400
        assert "not one of this sign-in's" in words(page.text)
    browser = office.browser()
    mark = fields((await browser.get(f"{SIGN_IN}?space={SPACE}")).text, SIGN_IN)["csrf"]
    stolen = await office.browser().post(SIGN_IN, data={**typed, "csrf": mark})  # without the browser's own cookie
    assert stolen.status_code == 400
    cross = await browser.post(SIGN_IN, data={**typed, "csrf": mark}, headers={"sec-fetch-site": "cross-site"})
    assert cross.status_code == 400


async def test_threat_36_a_forged_session_opens_nothing(office: Office) -> None:
    name = cookie(office.desk, SESSION)
    real = (await office.officer()).cookies[name]
    forgeries = [
        "",
        "steward",
        # Not the last letter: its lowest bits say nothing, so another one may seal the same.
        real[:-9] + ("A" if real[-9] != "A" else "B") + real[-8:],
        Seal(b"\0" * 32).seal(SESSION, "a token of ours"),
        office.desk.seal.seal("visitor", "x"),
        office.desk.seal.seal(SESSION, "a token that was never given"),
        office.desk.seal.seal(SESSION, {"space": SPACE, "role": "steward"}),
    ]
    for forged in forgeries:
        page = await office.browser({name: forged}).get("/console")
        assert page.status_code == 303, forged
        assert page.headers["location"] == SIGN_IN


async def test_a_session_ends_when_nobody_clicks_and_in_any_case_after_some_hours(office: Office) -> None:
    settings = office.desk.rooms.settings.console
    browser = await office.officer(email="idle@larkspur.example")
    office.now[0] += timedelta(seconds=settings.idle_seconds - 60)
    assert (await browser.get("/console")).status_code == 200
    office.now[0] += timedelta(seconds=settings.idle_seconds - 60)
    assert (await browser.get("/console")).status_code == 200
    office.now[0] += timedelta(seconds=settings.idle_seconds + 1)
    assert (await browser.get("/console")).status_code == 303

    office.now[0] = worlds.NOW
    browser = await office.officer(email="busy@larkspur.example")
    for _ in range(settings.session_seconds // settings.idle_seconds * 2 - 1):
        office.now[0] += timedelta(seconds=settings.idle_seconds // 2)
        assert (await browser.get("/console")).status_code == 200
    office.now[0] += timedelta(seconds=settings.idle_seconds // 2)
    assert (await browser.get("/console")).status_code == 303


async def test_another_password_and_a_removal_end_what_was_signed_in(office: Office) -> None:
    control = office.desk.rooms.control
    await add_officer(control, SPACE, "leaver@larkspur.example", "reader", PASSWORD, now=0)
    first, second = office.browser(), office.browser()
    await attempt(first, email="leaver@larkspur.example")
    assert (await first.get("/console")).status_code == 200
    await set_password(control, SPACE, "leaver@larkspur.example", f"{PASSWORD} 2")
    assert (await first.get("/console")).status_code == 303
    await attempt(second, email="leaver@larkspur.example", password=f"{PASSWORD} 2")
    assert (await second.get("/console")).status_code == 200
    await remove_officer(control, SPACE, "leaver@larkspur.example")
    assert (await second.get("/console")).status_code == 303


async def test_the_database_holds_neither_password_nor_cookie(office: Office) -> None:
    browser = office.browser()
    await attempt(browser)
    sealed = browser.cookies[cookie(office.desk, SESSION)]
    token = office.desk.seal.open(SESSION, sealed)
    async with office.desk.rooms.control.connect() as connection:
        ids = (await connection.execute(select(tables.officer_session.c.id))).scalars().all()
        kept = (await connection.execute(select(tables.officer.c.password))).scalars().all()
        assert (await connection.execute(select(func.count()).select_from(tables.officer_failure))).scalar_one() >= 0
    assert token not in ids
    assert all(hash_.startswith("$argon2id$") for hash_ in kept)


@pytest.mark.parametrize(
    "after", ["https://evil.example/", "//evil.example/", "/graphql", "/console/sign-out", "javascript:1"]
)
async def test_threat_36_signing_in_leads_to_our_own_pages_alone(office: Office, after: str) -> None:
    browser = office.browser()
    page = await browser.get(SIGN_IN, params={"space": SPACE, "next": after})
    entered = await browser.send_form(page, SIGN_IN, space=SPACE, email=EMAIL, password=PASSWORD, next=after)
    assert entered.headers["location"] == "/console"


async def test_threat_22_pages_are_kept_in_no_cache_and_run_only_our_own_script(office: Office) -> None:
    for page in (await (await office.officer()).get("/console"), await office.browser().get(SIGN_IN)):
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "data:" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert "<style" not in page.text
        assert "style=" not in page.text
        assert " on" not in "".join(part.partition(">")[0] for part in page.text.split("<")[1:] if "onclick" in part)
