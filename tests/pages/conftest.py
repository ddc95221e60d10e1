"""What tests of pages stand on: GraphiQL built, a sandbox that is served, and one browser."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from app.cli.make_sandbox import make_sandbox
from app.cli.sandbox import as_toml
from tests.pages.serving import Served, build, chromium, launched, listening

SCRIPT = '<img src=x onerror="document.title=0">'
"""What a vendor may call itself, and what may stand in a roster."""


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A sandbox with a page built, in which names look like scripts."""
    build()
    home = tmp_path_factory.mktemp("pages") / "home"
    plant(home)
    with listening("demo", "--home", os.fspath(home), "--port", "0") as url:
        yield Served(url, home)


@pytest.fixture(scope="session")
def server(sandbox: Served) -> Iterator[Served]:
    """The same installation, served as a real one is."""
    config = os.fspath(sandbox.home / "homeroom.toml")
    with listening("--config", config, "serve", "--port", "0") as url:
        yield Served(url, sandbox.home)


def plant(home: Path) -> None:
    """Make a sandbox whose vendor, district and students have names that look like scripts."""

    async def make() -> None:
        today = datetime.now(UTC).date()
        made = await make_sandbox(home, issuer="http://127.0.0.1:1", students=40, today=today, say=lambda _: None)
        script = SCRIPT.replace('"', "'")
        vendors = tuple(msgspec.structs.replace(vendor, about=f"{vendor.about} {script}") for vendor in made.vendors)
        (home / "vendors.toml").write_text(as_toml(msgspec.structs.replace(made, vendors=vendors)))

    anyio.run(make)
    district = home / "policies" / "ca" / "alder-creek" / "district.toml"
    text = district.read_text().replace('"Alder Creek Unified School District"', f"'{SCRIPT} Unified School District'")
    district.write_text(text)
    with sqlite3.connect(home / "spaces" / "ca" / "alder-creek" / "space.db") as database:
        database.execute("update student set first_name = ?", (SCRIPT,))


@pytest.fixture(
    scope="module"
)  # Playwright's loop runs as long as the browser, and other modules' tests bring their own
def browser() -> Iterator[Browser]:
    """A Chromium of the machine's own, with nothing in it."""
    if chromium() is None:
        pytest.skip("There is no Chromium. Install it (on Debian: apt-get install chromium) to run the tests of pages.")
    with launched() as browser:
        yield browser


@dataclass
class Visit:
    """One person's page, and what it did: every address that it asked, everything that it complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def person(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody with a browser that keeps what it has loaded, as browsers do."""
    with browser.new_context(viewport={"width": 1360, "height": 840}) as context:
        context.set_default_timeout(20_000)
        expect.set_options(timeout=60_000)
        yield context


@pytest.fixture
def visit(person: BrowserContext) -> Iterator[Visit]:
    """A new page. However it goes: nothing is asked of another machine, and no policy is run into."""
    visit = Visit(person.new_page())
    yield visit
    visit.page.evaluate("localStorage.clear()")
    visit.page.close()
    assert {urlsplit(url).hostname for url in visit.asked if not url.startswith("data:")} == {"127.0.0.1"}
    assert visit.complaints == []


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The text of axe-core, installed from its lock."""
    if shutil.which("npm") is None:
        pytest.skip("axe-core needs npm. Install it (on Debian: apt-get install nodejs npm).")
    folder = tmp_path_factory.mktemp("axe")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(Path(__file__).parent / "axe" / name, folder / name)
    done = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()
