"""The console in a browser, over a sandbox in which names look like scripts."""

import sqlite3
import tomllib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.pages.accessible import findings
from tests.pages.conftest import SCRIPT, Visit
from tests.pages.serving import Served

SPACE = "ca/alder-creek"
ADDRESSES = (
    "/console",
    "/console/matrix?category=Schedule",  # axe compares each of the many marks with every other
    "/console/matrix?state=used",
    "/console/matrix?state=any&vendor=nobody",
    "/console/matrix/readwell/instruction/Student.firstName",
    "/console/matrix/readwell/instruction/Student.birthDate",
    "/console/vendors/readwell",
    "/console/vendors/nobody",
    "/console/requests",
    "/console/requests/1",
    "/console/requests/99",
    "/console/preview?request=1",
    "/console/preview?vendor=rostersync&purpose=rostering&type=Section",
    "/console/disclosures",
    "/console/disclosures?since=yesterday",
    "/console/students",
    "/console/students/STUDENT",
    "/console/students?key=nobody",
    "/console/opt-outs",
    "/console/policy",
    f"/console/policy/file?path={SPACE}/grants/readwell.toml",
    "/console/account",
    "/console/nowhere",
    "/console/students?key=%00",
)
FOUND = [one for one in ADDRESSES if not one.endswith(("nobody", "nowhere", "99", "yesterday", "%00"))]
"""A browser complains of the others: they are missed."""

QUERY = "{ students(first: 20) { nodes { firstName lastSurname birthDate schoolEnrollments { gradeLevel } } } }"


def facts(served: Served) -> dict[str, Any]:
    return tomllib.loads((served.home / "vendors.toml").read_text())


def student(served: Served) -> str:
    with sqlite3.connect(served.home / "spaces" / SPACE / "space.db") as database:
        third = "select student from school_enrollment where grade_level = '03'"
        wanted = f"select source_key from student where row in ({third})"
        return str(database.execute(wanted).fetchone()[0])


@pytest.fixture(scope="module")
def asked(sandbox: Served) -> None:
    """A vendor has asked, so that there is something to see."""
    vendor = facts(sandbox)["vendors"][0]
    form = {"grant_type": "client_credentials", "resource": f"{sandbox.url}/spaces/{SPACE}"}
    signed = httpx.post(
        f"{sandbox.url}/oauth/token", auth=(vendor["client_id"], vendor["client_secret"]), data=form, timeout=60
    )
    bearer = {"authorization": f"Bearer {signed.json()['access_token']}"}
    assert httpx.post(f"{sandbox.url}/graphql", json={"query": QUERY}, headers=bearer, timeout=60).status_code == 200


def enter(page: Page, served: Served, role: str = "steward") -> None:
    """Sign in as an officer does."""
    officer = next(one for one in facts(served)["officers"] if (one["space"], one["role"]) == (SPACE, role))
    page.goto(f"{served.url}/console")
    if "/sign-in" not in page.url:
        return
    page.get_by_label("District").fill(SPACE)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("E-mail address").fill(officer["email"])
    page.get_by_label("Password").fill(officer["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="To do")).to_be_visible()


@pytest.fixture
def page(sandbox: Served, asked: None, visit: Visit) -> Page:
    """A page of an officer who is signed in."""
    enter(visit.page, sandbox)
    return visit.page


@pytest.mark.parametrize("address", ADDRESSES)
def test_axe_finds_nothing_on_any_page(
    sandbox: Served, asked: None, person: BrowserContext, axe: str, address: str
) -> None:
    page = person.new_page()
    enter(page, sandbox)
    page.goto(sandbox.url + address.replace("STUDENT", student(sandbox)))
    assert [*findings(page, axe)] == []
    page.close()


def test_axe_finds_nothing_where_a_ledger_was_touched(
    sandbox: Served, asked: None, person: BrowserContext, axe: str
) -> None:
    page = person.new_page()
    enter(page, sandbox)
    with sqlite3.connect(sandbox.home / "spaces" / SPACE / "ledger.db") as ledger:
        number, vendor = ledger.execute("select sequence, client from entry order by at desc limit 1").fetchone()
        change = "update entry set client = ? where sequence = ?"
        ledger.execute(change, ("another", number))
        ledger.commit()
        try:
            page.goto(f"{sandbox.url}/console/disclosures")
            expect(page.get_by_role("alert")).to_contain_text("The ledger is not as it was recorded.")
            expect(page.get_by_role("table")).to_contain_text("Not as it was recorded.")
            assert [*findings(page, axe)] == []
        finally:
            ledger.execute(change, (vendor, number))
    page.close()


def test_axe_finds_nothing_at_the_door(sandbox: Served, browser: Browser, axe: str) -> None:
    with browser.new_context() as stranger:
        page = stranger.new_page()
        page.goto(f"{sandbox.url}/console/sign-in")
        assert [*findings(page, axe)] == []
        page.get_by_label("District").fill(SPACE)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("E-mail address").fill("nobody@alder-creek.example")
        page.get_by_label("Password").fill("a guess that is wrong")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert [*findings(page, axe)] == []


def test_a_keyboard_is_enough(page: Page, sandbox: Served) -> None:
    page.goto(f"{sandbox.url}/console/matrix")
    names = []
    for _ in range(11):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert names[:4] == ["Skip to the page", "Homeroom", "steward@alder-creek.example", "Sign out"]
    nav = ["To do", "Who reads what", "Requests", "Disclosures", "A student", "Opt-outs", "Policy"]
    assert names[4:11] == nav
    page.goto(f"{sandbox.url}/console/matrix")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "category"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_filters_take_effect_at_once_and_leave_nothing_behind(page: Page, sandbox: Served) -> None:
    page.goto(f"{sandbox.url}/console/matrix")
    page.get_by_label("State").select_option("used")
    expect(page.locator("tbody tr:not(.category)").first).to_be_visible()
    expect(page).to_have_url(f"{sandbox.url}/console/matrix?category=&sensitivity=&vendor=&state=used")
    expect(page.get_by_role("rowheader", name="Student.birthDate")).to_have_count(0)
    expect(page.get_by_label("State")).to_have_value("used")
    page.go_back()
    expect(page.get_by_role("rowheader", name="Student.birthDate")).to_have_count(1)
    kept = page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    assert set(kept) <= {"htmx-current-path-for-history"}  # where, and nothing of what was shown


def test_a_mark_leads_to_its_reason_and_to_the_line(page: Page, sandbox: Served) -> None:
    page.goto(f"{sandbox.url}/console/matrix")
    row = page.get_by_role("row").filter(has_text="Student.birthDate")
    row.get_by_role("link", name="requested").click()
    expect(page.get_by_text("readwell is not given this field")).to_be_visible()
    page.get_by_role("link", name="grants/readwell.toml").last.click()
    expect(page.locator("li:target")).to_be_visible()


def test_scripts_in_names_are_text_on_every_page(page: Page, sandbox: Served) -> None:
    for address in FOUND:
        page.goto(sandbox.url + address.replace("STUDENT", student(sandbox)))
        assert page.locator("img").count() == 0, address
        assert page.title() != "0"
        expect(page.locator(".district")).to_contain_text(SCRIPT)
    page.goto(f"{sandbox.url}/console/students/{student(sandbox)}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(SCRIPT)


@pytest.fixture
def without_script(browser: Browser) -> Iterator[Page]:
    """Somebody whose browser runs no script."""
    with browser.new_context(java_script_enabled=False) as context:
        yield context.new_page()


def test_everything_works_without_script(sandbox: Served, asked: None, without_script: Page) -> None:
    page = without_script
    enter(page, sandbox, "privacy-officer")
    page.get_by_role("link", name="Who reads what").click()
    page.get_by_label("Vendor", exact=True).select_option("readwell")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("columnheader", name="mathpath")).to_have_count(0)
    page.get_by_role("link", name="A student").click()
    page.get_by_label("Student's key").fill(student(sandbox))
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Who received data about")
    page.get_by_role("link", name="Opt-outs").click()
    page.get_by_label("Student's key").fill(student(sandbox))
    page.get_by_label("Out of").select_option("mathpath")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("status")).to_contain_text("is opted out of mathpath. It holds from the next request on.")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("No opt-out stands.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Which district?")).to_be_visible()
