"""Take the pictures of docs/district.md: `.venv/bin/python -m tests.pages.week [FOLDER]`."""

import sys
import tempfile
from pathlib import Path

import msgspec
from playwright.sync_api import Page

from app.cli.sandbox import Sandbox
from tests.conftest import ROOT
from tests.pages.serving import launched, listening

SPACE = "ca/alder-creek"


def take(folder: Path) -> None:
    """Make a sandbox, serve it, and take the pictures as a steward sees them."""
    with tempfile.TemporaryDirectory() as made:
        home = Path(made) / "home"
        with listening("demo", "--home", str(home), "--port", "0", "--students", "200") as url, launched() as browser:
            sandbox = msgspec.toml.decode((home / "vendors.toml").read_bytes(), type=Sandbox)
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
