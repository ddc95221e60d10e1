"""Take the picture of GraphiQL that the README shows: `.venv/bin/python -m tests.pages.picture`."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.pages.serving import build, launched, listening

PICTURE = ROOT / "docs" / "graphiql.png"


def pose(page: Page) -> None:
    """readwell asks for what it was granted and for a birth date, which it was not."""
    expect(page.locator(".homeroom-scopes")).to_be_visible()
    expect(page.locator(".graphiql-query-editor .view-line").first).to_be_visible()
    page.get_by_role("button", name="A denial, explained").click()
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".homeroom-withheld")).to_contain_text("1 field was withheld")
    page.locator(".homeroom-withheld").hover()
    page.wait_for_timeout(1_000)  # until what moved has come to rest


def take() -> None:
    """Make a sandbox, serve it, and take the picture."""
    build()
    with tempfile.TemporaryDirectory() as folder:
        home = str(Path(folder) / "home")
        with listening("demo", "--home", home, "--port", "0") as url, launched() as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 860})
            page.goto(f"{url}/graphiql")
            pose(page)
            page.screenshot(path=PICTURE)


if __name__ == "__main__":
    take()
