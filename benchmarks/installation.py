"""A Homeroom as an operator would set it up, by its own command line: a space, a roster, a client, a grant."""

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.names import SpaceId
from app.settings import Settings, read_settings
from benchmarks.queries import GRANTED
from benchmarks.servers import ROOT, environment, free_port

SPACE = SpaceId("tx/bench")
CLIENT, OTHER = "bench", "bench-other"
PURPOSE = "rostering"
SECONDS = 900


class CommandFailedError(Exception):
    """A command of the installation failed; its text says what it said."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation with one space, ready to serve."""

    home: Path
    port: int
    secrets: Mapping[str, str]

    @property
    def config(self) -> Path:
        return self.home / "homeroom.toml"

    @property
    def settings(self) -> Settings:
        return read_settings(self.config)

    @property
    def database(self) -> str:
        """The space's database: an absolute `sqlite:///FILE`, or `postgresql://…` as the configuration has it."""
        url = self.settings.database_url(self.settings.spaces[SPACE].database)
        return re.sub(r"^(sqlite|postgresql)\+\w+:", r"\1:", url)

    def serve(self) -> list[str]:
        """The arguments that make Python serve this installation."""
        return ["-m", "app", "--config", str(self.config), "serve", "--port", str(self.port)]

    def run(self, *arguments: str) -> str:
        """What a command of the installation prints. Raises: CommandFailedError."""
        return command("--config", str(self.config), *arguments)

    def token(self, client: str = CLIENT) -> str:
        """A fresh access token, asked for as any vendor asks."""
        form = {
            "grant_type": "client_credentials",
            "resource": self.settings.resource(SPACE),
            "purpose": PURPOSE,
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/oauth/token",
            data=urllib.parse.urlencode(form).encode(),
            headers={"Authorization": "Basic " + b64encode(f"{client}:{self.secrets[client]}".encode()).decode()},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            token: str = json.load(response)["access_token"]
            return token


def command(*arguments: str) -> str:
    """Run `homeroom ARGUMENTS`. Raises: CommandFailedError."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if done.returncode:
        raise CommandFailedError(
            f"homeroom {' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}"
        )
    return done.stdout


def install(home: Path, roster: Path, database: str | None) -> Installation:
    """Make the installation and load the roster. Without a database's URL the space is an SQLite file."""
    port = free_port()
    command("init", str(home))
    config = home / "homeroom.toml"
    text = config.read_text()
    issuer = f'issuer = "http://127.0.0.1:{port}"'
    text, found = re.subn(r"(?m)^issuer\s*=.*$", issuer, text)
    config.write_text(text if found else f"{issuer}\n{text}")
    at = ["--config", str(config)]
    where = ["--database", database] if database else []
    command(*at, "space", "add", SPACE, "--name", "Bench ISD", "--timezone", "America/Chicago", *where)
    command(*at, "import", SPACE, str(roster))
    # What is measured is how fast answers are, not how often one may ask.
    config.write_text(config.read_text() + "\n[traffic]\npoints_per_minute = 1_000_000_000\n")
    secrets = {}
    for client in (CLIENT, OTHER):
        _allow(config, client)
        said = command(*at, "client", "add", client)
        found = re.search(r"client_secret\W+([A-Za-z0-9._~-]+)", said)
        if found is None:
            raise CommandFailedError("homeroom client add printed no client_secret.")
        secrets[client] = found[1]
    return Installation(home, port, secrets)


def _allow(config: Path, client: str) -> None:
    """Write the grant of every field that the queries ask for. Its purpose is one of those that a new district has."""
    grants = read_settings(config).policies_folder / SPACE / "grants"
    grants.mkdir(parents=True, exist_ok=True)
    (grants / f"{client}.toml").write_text(grant(client, GRANTED))


def grant(client: str, granted: Mapping[str, Sequence[str]]) -> str:
    """A grant of those fields, of every student's."""
    today = datetime.now(UTC).date()
    fields = "\n".join(f"{name} = {json.dumps(names)}" for name, names in granted.items())
    return f"""client     = "{client}"
purpose    = "{PURPOSE}"
statement  = "Measure how fast a roster with its marks can be read."
basis      = "school-official"
not_before = {today - timedelta(days=30)}
not_after  = {today + timedelta(days=180)}

[fields]
{fields}
"""
