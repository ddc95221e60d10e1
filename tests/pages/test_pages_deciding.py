"""A first week of a district in a browser, with script and without: what a vendor asks is decided, what it has ends."""

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from app.cli.sandbox import Sandbox
from tests.pages.accessible import findings
from tests.pages.serving import Served, listening

SPACE = "ca/alder-creek"
WIDE: ViewportSize = {"width": 1280, "height": 900}
QUERY = """{ students(first: 3) { nodes { firstName preferredFirstName birthDate homeLanguage ideaIndicator } } }"""


@dataclass
class District:
    """A sandbox that is served for one journey."""

    served: Served
    sandbox: Sandbox
    page: Page
    axe: str = ""  # empty where pages are without script
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, role: str) -> None:
        """Sign in as the district's officer of a role."""
        officer = next(one for one in self.sandbox.officers if (one.space, one.role) == (SPACE, role))
        self.page.goto(f"{self.served.url}/console?space={SPACE}")
        self.page.get_by_label("E-mail address").fill(officer.email)
        self.page.get_by_label("Password").fill(officer.password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="To do")).to_be_visible()

    def sign_out(self) -> None:
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def ask(self, query: str = QUERY) -> dict[str, Any]:
        """The vendor's next query."""
        vendor = next(one for one in self.sandbox.vendors if one.client_id == "readwell")
        form = {"grant_type": "client_credentials", "resource": f"{self.served.url}/spaces/{SPACE}"}
        form["purpose"] = "instruction"
        with httpx.Client(base_url=self.served.url, timeout=60) as client:
            given = client.post("/oauth/token", data=form, auth=(vendor.client_id, vendor.client_secret))
            headers = {"authorization": f"Bearer {given.json()['access_token']}"}
            answer: dict[str, Any] = client.post("/graphql", json={"query": query}, headers=headers).json()
        return answer

    def denied(self) -> dict[str, str]:
        """What the vendor's next query is denied, and why."""
        return {
            one["extensions"]["coordinate"].partition(".")[2]: one["extensions"]["code"]
            for one in self.ask().get("errors", ())
        }

    def inspect(self) -> None:
        """Whatever the page says now, everybody can read it."""
        if self.axe:
            assert [*findings(self.page, self.axe)] == []
            self.page.emulate_media(color_scheme="light")
            self.page.set_viewport_size(WIDE)


@pytest.fixture(scope="module", params=[True, False], ids=["with script", "without script"])
def district(
    request: pytest.FixtureRequest, browser: Browser, axe: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[District]:
    """A sandbox of its own, and an officer's browser."""
    home = tmp_path_factory.mktemp("week") / "home"
    with listening("demo", "--home", os.fspath(home), "--port", "0", "--students", "40") as url:
        sandbox = msgspec.toml.decode((home / "vendors.toml").read_bytes(), type=Sandbox)
        with browser.new_context(java_script_enabled=request.param, viewport=WIDE) as context:
            context.set_default_timeout(20_000)
            expect.set_options(timeout=60_000)
            found = District(Served(url, home), sandbox, context.new_page(), axe if request.param else "")
            found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
            yield found
            assert found.complaints == []


def test_a_first_week(district: District) -> None:
    page = district.page
    assert set(district.denied().values()) == {"NOT_GRANTED"}

    district.sign_in("steward")
    page.get_by_role("link", name="Decide").click()
    expect(page.get_by_role("heading", name="readwell asks, for instruction")).to_be_visible()
    expect(page.get_by_text("Outside the agreement's schedule").first).to_be_visible()
    page.get_by_role("link", name="Preview: see as readwell would").click()
    expect(page.get_by_role("row", name="ideaIndicator").get_by_text("APPROVAL_PENDING").first).to_be_visible()
    page.get_by_role("link", name="Request 1").click()

    # Narrow it: neither the language of the home nor another grade level.
    page.get_by_role("checkbox", name="Add Student.homeLanguage").uncheck()
    page.get_by_text("Tighten: fewer pupils, fewer days").click()
    page.get_by_label("Grade levels").fill("KG, 01, 02, 03, 04, 05")
    page.get_by_label("Your reason").fill("Birth date and names are in the new agreement.")
    page.get_by_role("button", name="Approve what is ticked").click()
    expect(page.get_by_text("Narrowed and approved")).to_be_visible()

    # The vendor's next query shows the new field at once; the restricted one waits.
    assert district.denied() == {"homeLanguage": "NOT_GRANTED", "ideaIndicator": "APPROVAL_PENDING"}
    assert any(one["birthDate"] for one in district.ask()["data"]["students"]["nodes"])
    (told,) = district.ask("{ requests { state reason } }")["data"]["requests"]
    assert told == {"state": "WAITING", "reason": "Birth date and names are in the new agreement."}
    expect(page.get_by_text("waits for privacy officer")).to_be_visible()
    district.inspect()
    district.sign_out()

    district.sign_in("privacy-officer")
    page.get_by_role("link", name="Decide").click()
    district.inspect()
    page.get_by_label("Your reason").fill("Accommodations are the product's task.")
    page.get_by_role("button", name="Approve what is ticked").click()
    expect(page.get_by_text("Second approval", exact=True)).to_be_visible()
    district.inspect()
    assert district.denied() == {"homeLanguage": "NOT_GRANTED"}
    district.sign_out()

    # Narrow to what is used: nobody asked for a school's name.
    district.sign_in("steward")
    page.goto(f"{district.served.url}/console/vendors/readwell")
    page.get_by_text("Narrow instruction to what is used").click()
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("Remove School.nameOfInstitution")).to_be_visible()
    district.inspect()
    page.get_by_label("Your reason").fill("Never used.")
    page.get_by_role("button", name="Approve what is ticked").click()
    expect(page.get_by_text("Approved", exact=True)).to_be_visible()
    shown = district.ask("{ schools(first: 1) { nodes { nameOfInstitution } } }")
    assert [one["extensions"]["code"] for one in shown["errors"]] == ["NOT_GRANTED"]

    # What just left stands on the parent's page.
    page.goto(f"{district.served.url}/console/students/{student(district)}")
    expect(page.get_by_text("birth date")).to_be_visible()
    expect(page.get_by_role("heading", name="readwell")).to_be_visible()

    page.goto(f"{district.served.url}/console/vendors/readwell")
    page.get_by_text("Revoke instruction: end the grant now").click()
    page.get_by_label("Your reason").first.fill("The contract ended.")
    page.get_by_role("button", name="End the grant now").click()
    expect(page.get_by_text("It discloses nothing.")).to_be_visible()
    district.inspect()
    assert district.ask()["data"]["students"] is None
    assert {one["extensions"]["code"] for one in district.ask()["errors"]} == {"GRANT_EXPIRED"}


def student(district: District) -> str:
    """The key of a pupil who was in an answer."""
    name = district.ask("{ students(first: 1) { nodes { firstName preferredFirstName birthDate } } }")
    (one,) = name["data"]["students"]["nodes"]
    with sqlite3.connect(district.served.home / "spaces" / SPACE / "space.db") as database:
        found = database.execute(
            "select source_key from student where first_name = ? and birth_date = ?",
            (one["firstName"], one["birthDate"]),
        )
        return str(found.fetchone()[0])
