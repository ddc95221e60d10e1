"""docs/operator.md, "A district on its own premises", followed to the letter but for addresses, ports and folders."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import requests

from app.importers.sandbox.generate import generate_district
from app.importers.sandbox.profile import ALDER_CREEK
from tests.conftest import ROOT
from tests.console.office import fields, words
from tests.journeys.premises import HELLO, free_port
from tests.journeys.served import Home, Server, Vendor, granting, ready, until

PAGE = ROOT / "docs" / "operator.md"
SPACE = "tx/grand-bend"


@dataclass
class Machine:
    """A folder in which commands of the page are typed, with what they are to be here instead."""

    folder: Path
    here: Mapping[str, str]

    def shell(self, text: str) -> str:
        """Type a block; gives what is printed. Each command has to end well."""
        done = subprocess.run(self.typed(text), **self.within, check=False)  # type: ignore[call-overload]
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        printed: str = done.stdout
        return printed

    def typed(self, text: str) -> list[str]:
        return ["bash", "-ec", f'homeroom() {{ {sys.executable} -m app "$@"; }}\n{self.local(text)}']

    @property
    def within(self) -> dict[str, Any]:
        """Where and how it is typed."""
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return {"cwd": self.folder, "env": env, "capture_output": True, "text": True, "timeout": 300}

    def grant(self) -> None:
        """Decide on what a drawn-up grant leaves open."""
        Home(self.folder).grant(SPACE, "readwell", granting("readwell", {"Student": "firstName"}))

    def local(self, text: str) -> str:
        for theirs, ours in self.here.items():
            text = text.replace(theirs, ours)
        return text

    def add(self, block: str) -> None:
        """Write a block into homeroom.toml."""
        file = self.folder / "homeroom.toml"
        file.write_text(f"{file.read_text()}\n{self.local(block)}")

    @contextmanager
    def serving(self, line: str) -> Iterator[Server]:
        """A command that serves."""
        log = self.folder.parent / f"{len(list(self.folder.parent.iterdir()))}.log"
        command = self.local(line).partition("#")[0].split()
        assert command[0] == "homeroom"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", *command[1:]],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=out,
                stderr=out,
            )
        try:
            url = until(lambda: re.search(r"on (http://\S+)", log.read_text()), process)[1]
            until(lambda: ready(url), process)
            yield Server(url, Home(self.folder), process, log)
        finally:
            process.terminate()
            process.wait(60)


def section() -> str:
    text = PAGE.read_text(encoding="utf-8")
    return text.partition("## A district on its own premises\n")[2].partition("\n## ")[0]


def blocks() -> list[str]:
    return [text for _, text in re.findall(r"^```(sh|toml)\n(.*?)^```$", section(), re.MULTILINE | re.DOTALL)]


def test_the_steps_of_the_page_lead_there(tmp_path: Path) -> None:
    setting_up, gateway_named, serving, premises_named, at_gateway, looking = blocks()
    gate, there, inside = free_port(), free_port(), free_port()
    roster = generate_district(
        tmp_path / "rosters", profile=ALDER_CREEK, students=40, today=date(2026, 10, 15), years=1, enrollments=2
    )
    here = {
        "https://homeroom.gbisd.example": f"http://127.0.0.1:{there}",
        "https://graph.example": f"http://127.0.0.1:{gate}",
        "https://console.gbisd.example": f"http://127.0.0.1:{inside}",
        "/srv/homeroom": str(tmp_path / "premises"),
        "roster.zip": str(roster.path),
        "--port 8000": f"--port {there}",
        "--port 8001": f"--port {inside}",
    }
    (tmp_path / "premises").mkdir()
    (tmp_path / "gateway").mkdir()
    premises, gateway = Machine(tmp_path / "premises", here), Machine(tmp_path / "gateway", here)
    gateway.shell("homeroom init . --issuer https://graph.example")
    premises.shell(setting_up)
    premises.add(gateway_named)
    premises.grant()
    check, add_officer, subgraph_serve, console_serve = serving.splitlines()
    with gateway.serving(f"homeroom serve --port {gate}"):
        premises.shell(check)
    printed = premises.shell(add_officer)
    assert f"http://127.0.0.1:{inside}/console" in printed
    password = printed.split()[-1]
    gateway.add(premises_named)
    add_client, check_there, serve = at_gateway.splitlines()
    secret = re.search(r"client_secret\W+(\S+)", gateway.shell(add_client))
    assert secret
    vendor = Vendor("readwell", secret[1])
    with (
        gateway.serving(f"{serve} --port {gate}") as graph,
        premises.serving(subgraph_serve),
        premises.serving(console_serve) as console,
    ):
        said = gateway.shell(check_there)
        assert "Nothing to mend" in said
        assert "another schema" not in said
        token = graph.token(vendor, SPACE)
        assert graph.ask(token, HELLO)["data"]["students"]["nodes"][0]["firstName"]
        looks_and_suspends(console, password)
        until(lambda: "CLIENT_SUSPENDED" in graph.post(token, HELLO).text)
        # Nobody but the gateway's vendors is answered: here no tokens are given.
        refused = requests.post(f"{console.url}/oauth/token", data={"grant_type": "client_credentials"}, timeout=30)
        assert refused.json()["error"] == "unauthorized_client"
        listed, verified = looking.splitlines()
        assert "readwell" in premises.shell(listed)
        premises.shell(verified)
    done = subprocess.run(premises.typed("homeroom client add another"), **premises.within, check=False)  # type: ignore[call-overload]
    assert done.returncode == 2
    assert "Let it be registered there." in done.stderr


def looks_and_suspends(console: Server, password: str) -> None:
    """An officer signs in at the console of the premises, looks at the vendor, and suspends it in the district."""
    with requests.Session() as browser:
        door = browser.get(f"{console.url}/console/sign-in?space={SPACE}", timeout=30)
        who = {"space": SPACE, "email": "a.ramos@gbisd.example", "password": password}
        form = fields(door.text, "/console/sign-in") | who
        entered = browser.post(f"{console.url}/console/sign-in", data=form, timeout=30)
        assert entered.status_code == 200, words(entered.text)
        page = browser.get(f"{console.url}/console/vendors/readwell", timeout=30)
        assert "Suspend in this district" in words(page.text)
        address = "/console/vendors/readwell/standing"
        form = fields(page.text, address) | {"reason": "Until the agreement is signed anew.", "deed": "suspend"}
        assert browser.post(console.url + address, data=form, timeout=30).status_code == 200
