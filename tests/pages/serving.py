"""GraphiQL built, a server that listens, and a browser of the machine's own."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.conftest import ROOT

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens, and the folder of its installation."""

    url: str
    home: Path


def build() -> None:
    """Build GraphiQL's page, unless it is built."""
    done = subprocess.run([str(ROOT / "run"), "graphiql"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def listening(*arguments: str) -> Iterator[str]:
    """`homeroom …` from when it says where it listens until it is told to stop."""
    command = [sys.executable, "-m", "app", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = ""
    while (found := re.search(r"Homeroom serves .*(http://\S+)", said)) is None:
        assert process.poll() is None, said
        said += process.stderr.readline()
    drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
    try:
        yield found[1]
    finally:
        process.terminate()
        process.wait(60)
        drain.wait(10)


def chromium() -> str | None:
    """Where the machine's Chromium lies, if it has one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser with nothing in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*SWITCHES])
        yield browser
        browser.close()
