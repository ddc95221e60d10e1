"""Take the pictures of docs/district.md: `.venv/bin/python -m tests.pages.week [FOLDER]`."""

import sqlite3
import sys
import tempfile
from pathlib import Path

import httpx
import msgspec
from playwright.sync_api import Page

from app.cli.sandbox import Sandbox
from tests.conftest import ROOT
from tests.pages.serving import launched, listening

SPACE = "ca/alder-creek"
PEOPLE = "nodes { firstName lastSurname schoolEnrollments { gradeLevel school { nameOfInstitution } } }"
QUERIES = (
    ("readwell", "instruction", f"{{ students(first: 200) {{ {PEOPLE} }} }}"),
    (
        "readwell",
        "instruction",
        "{ sections(first: 20) { nodes { title staffAssociations { staff { lastSurname } } } } }",
    ),
    ("mathpath", "instruction", "{ students(first: 200) { nodes { firstName grades { letterGradeEarned } } } }"),
    ("rostersync", "rostering", "{ students(first: 200) { nodes { firstName lastSurname email studentUniqueId } } }"),
)
"""What the three vendors of the sandbox ask on a day."""


def take(folder: Path) -> None:
    """Make a sandbox, serve it, and take the pictures as a steward sees them."""
    with tempfile.TemporaryDirectory() as made:
        home = Path(made) / "home"
        with listening("demo", "--home", str(home), "--port", "0", "--students", "200") as url, launched() as browser:
            sandbox = msgspec.toml.decode((home / "vendors.toml").read_bytes(), type=Sandbox)
            for client, purpose, query in QUERIES:
                ask(url, sandbox, client, purpose, query)
            page = browser.new_page(viewport={"width": 1120, "height": 800})
            sign_in(page, url, sandbox)
            page.screenshot(path=folder / "week-todo.png")
            page.get_by_role("link", name="Decide").click()
            page.screenshot(path=folder / "week-request.png", full_page=True)
            page.goto(f"{url}/console/preview?request=1")
            page.screenshot(path=folder / "week-preview.png")
            page.goto(f"{url}/console/vendors/readwell")
            page.get_by_text("Revoke instruction: end the grant now").click()
            page.screenshot(path=folder / "week-vendor.png")
            page.goto(f"{url}/console/matrix?state=any")
            page.screenshot(path=folder / "week-matrix.png")
            page.goto(f"{url}/console/students/{student(home)}")
            page.screenshot(path=folder / "week-parent.png")


def ask(url: str, sandbox: Sandbox, client: str, purpose: str, query: str) -> None:
    """As a vendor asks, so that there is something to see."""
    vendor = next(one for one in sandbox.vendors if one.client_id == client)
    form = {"grant_type": "client_credentials", "resource": f"{url}/spaces/{SPACE}", "purpose": purpose}
    given = httpx.post(f"{url}/oauth/token", auth=(vendor.client_id, vendor.client_secret), data=form)
    bearer = {"authorization": f"Bearer {given.json()['access_token']}"}
    httpx.post(f"{url}/graphql", json={"query": query}, headers=bearer).raise_for_status()


def student(home: Path) -> str:
    """The key of a pupil whom all three vendors read."""
    with sqlite3.connect(home / "spaces" / SPACE / "space.db") as database:
        third = "select student from school_enrollment where grade_level = '03'"
        found = database.execute(f"select source_key from student where row in ({third}) order by row")
        return str(found.fetchone()[0])


def sign_in(page: Page, url: str, sandbox: Sandbox) -> None:
    """As the steward of the sandbox's first district."""
    officer = next(one for one in sandbox.officers if (one.space, one.role) == (SPACE, "steward"))
    page.goto(f"{url}/console?space={SPACE}")
    page.get_by_label("E-mail address").fill(officer.email)
    page.get_by_label("Password").fill(officer.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/console")


if __name__ == "__main__":
    take(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "docs")
