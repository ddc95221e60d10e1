"""An installation made by the command line, served by a process of its own, and asked as vendors ask it.

Shape: `Home` is the folder that `homeroom init` made; `copy` gives a test one of its own, databases and all. `Server`
is `homeroom serve` on a free port. Tokens are fetched by requests-oauthlib, questions are asked by requests.
"""

import asyncio
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from unittest import mock
from urllib.parse import urlsplit

import pytest
import requests
import uvicorn
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from app.installation import Clock
from app.installing import add_space, create
from app.ledger.checkpoints import Checkpoints
from app.ledger.verify import Verdict, verify
from app.main import application
from app.names import Scope, SpaceId
from app.oauth.clients import add_client
from app.opening import open_installation
from app.schema.catalogue import SCOPES
from app.settings import Settings, read_settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.web.connection import Connection
from tests import commandline, forked, worlds
from tests.conftest import ROOT
from tests.postgres import Server as Postgres

GRANT = """\
client     = "{client}"
purpose    = "instruction"
statement  = "Assign reading."
basis      = "school-official"
not_before = {not_before}
not_after  = {not_after}

[agreement]
title    = "NDPA v1"
signed   = 2020-01-01
schedule = ["Student Name", "Enrollment", "Schedule", "Assessment", "Course"]

[fields]
{fields}
[rows]
{rows}
"""


Running: TypeAlias = subprocess.Popen[bytes] | forked.Process


@dataclass(frozen=True, slots=True)
class Vendor:
    """A registered client, with the secret that `client add` printed."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Home:
    """An installation; `postgres` is the server that holds its databases, if they are not SQLite files."""

    folder: Path
    postgres: Postgres | None = None

    @property
    def config(self) -> Path:
        return self.folder / "homeroom.toml"

    @property
    def settings(self) -> Settings:
        return read_settings(self.config)

    def command(self, *arguments: str) -> list[str]:
        return commandline.process(self.config, *arguments)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of the command line to its end."""
        return commandline.run(self.config, *arguments)

    def ok(self, *arguments: str) -> str:
        """What a command prints that ends well."""
        done = self.run(*arguments)
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """What a command that ends well prints for other programs."""
        return json.loads(self.ok("--format", "json", *arguments))

    def vendor(self, client: str, *scopes: str) -> Vendor:
        """Register a client."""
        facts = self.json("client", "add", client, *(part for scope in scopes for part in ("--scope", scope)))
        return Vendor(facts["client_id"], facts["client_secret"])

    def grant_file(self, space: str, client: str) -> Path:
        return self.folder / "policies" / space / "grants" / f"{client}.toml"

    def grant(self, space: str, client: str, text: str) -> Path:
        """Write a grant as an editor does: the new file whole, in place of the old one."""
        file = self.grant_file(space, client)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
        return file

    def copy(self, folder: Path) -> "Home":
        """The same installation once more, in a folder and in databases of its own."""
        shutil.copytree(self.folder, folder)
        if self.postgres is not None:
            config, server = folder / "homeroom.toml", self.postgres
            names = set(re.findall(rf":{server.port}/(\w+)", config.read_text()))
            copies = {name: server.fresh(template=name).rpartition("/")[2] for name in sorted(names)}
            every = rf"(?<=:{server.port}/)\w+"
            config.write_text(re.sub(every, lambda found: copies[found[0]], config.read_text()))
        return Home(folder, self.postgres)


def made(folder: Path, postgres: Postgres | None, spaces: Mapping[str, tuple[str, str]]) -> Home:
    """A new installation with spaces, each by its id with name and time zone. Each database of its own."""
    home = Home(folder, postgres)
    home.ok("init", os.fspath(folder))
    if postgres is not None:
        home.config.write_text(home.config.read_text().replace("sqlite:///control.db", postgres.fresh()))
    for space, (name, zone) in spaces.items():
        database = [] if postgres is None else ["--database", postgres.owned()]
        home.ok("space", "add", space, "--name", name, "--timezone", zone, *database)
    return home


def world_installed(
    home: Home,
    client: str = "readwell",
    *,
    chunk: int = 500,
    store: str = "memory",
    scopes: frozenset[Scope] = frozenset(SCOPES),
) -> Vendor:
    """A new installation whose one space holds the hand-written world, and a vendor of every scope who may ask much."""

    async def install() -> str:
        create(home.folder)
        server = home.postgres
        control = server.fresh() if server else "sqlite:///control.db"
        text = home.config.read_text().replace("sqlite:///control.db", control)
        text += f"\n[limits]\nchunk = {chunk}\n"
        text += f'\n[traffic]\nstore = "{store}"\npoints_per_minute = 1_000_000\ntokens_per_minute = 1_000_000\n'
        home.config.write_text(text)
        settings = await add_space(
            home.settings,
            worlds.SPACE,
            "Larkspur ISD",
            worlds.TIME_ZONE,
            database=server.owned() if server else None,
        )
        urls = settings.spaces[worlds.SPACE].database, settings.control
        space, clients = (open_engine(settings.database_url(url)) for url in urls)
        try:
            await worlds.build(space)
            await migrate(clients, "control")
            return str(await add_client(clients, client, scopes=scopes, now=time.time()))
        finally:
            await space.dispose()
            await clients.dispose()

    return Vendor(client, asyncio.run(install()))


def verdict(home: Home, space: str) -> Verdict:
    """What `disclosures verify` finds, without a process for it."""

    async def look() -> Verdict:
        engine = open_engine(home.settings.database_url(home.settings.spaces[space].ledger))
        try:
            return await verify(engine, Checkpoints.of(home.settings, SpaceId(space)))
        finally:
            await engine.dispose()

    return asyncio.run(look())


def granting(
    client: str,
    fields: Mapping[str, str],
    rows: str = "",
    *,
    not_before: str = "2020-01-01",
    not_after: str = "2099-12-31",
) -> str:
    """A grant file; `fields` has a type's coordinates parted by spaces, `lastSurname:initial` with a transform."""

    def granted(text: str) -> str:
        name, _, transform = text.partition(":")
        return f'{{ field = "{name}", as = "{transform}" }}' if transform else f'"{name}"'

    lines = "".join(f"{name} = [{', '.join(map(granted, names.split()))}]\n" for name, names in fields.items())
    return GRANT.format(client=client, fields=lines, rows=rows, not_before=not_before, not_after=not_after)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready."""

    url: str
    home: Home
    process: Running | None
    log: Path

    def token(self, vendor: Vendor, space: str, *, scope: str | None = None, **more: str) -> str:
        """A token, fetched by a client that we did not write."""
        with (
            OAuth2Session(client=BackendApplicationClient(vendor.id, scope=scope)) as session,
            mock.patch.dict(os.environ, OAUTHLIB_INSECURE_TRANSPORT="1"),  # loopback has no TLS
        ):
            fetched = session.fetch_token(
                f"{self.url}/oauth/token",
                auth=HTTPBasicAuth(vendor.id, vendor.secret),
                resource=self.home.settings.resource(SpaceId(space)),
                **more,
            )
        return str(fetched["access_token"])

    def post(self, token: str | None, document: str, **variables: object) -> requests.Response:
        """Ask the graph on a connection of its own."""
        headers = {"accept": "application/graphql-response+json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        body = {"query": document, "variables": variables}
        return requests.post(f"{self.url}/graphql", json=body, headers=headers, timeout=60)

    def ask(self, token: str, document: str, **variables: object) -> dict[str, Any]:
        """An answer with its data."""
        response = self.post(token, document, **variables)
        assert response.status_code == 200, response.text
        answered: dict[str, Any] = response.json()
        return answered

    def slowly(self, token: str, document: str) -> http.client.HTTPResponse:
        """Ask for much through a small window: the server must wait for whoever reads."""
        address = urlsplit(self.url)
        body = json.dumps({"query": document}).encode()
        with socket.socket() as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            caller.settimeout(60)
            caller.connect((str(address.hostname), int(address.port or 0)))
            caller.sendall(
                b"POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (token.encode(), len(body)) + body
            )
            response = http.client.HTTPResponse(caller)  # keeps the connection open until it is closed itself
        response.begin()
        assert response.status == 200, response.read()
        return response

    def stop(self) -> None:
        """Tell it to stop, and see that it ends well."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.log.read_text()

    def kill(self) -> None:
        """End it as a power failure would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)


@contextmanager
def served(
    home: Home, *arguments: str, command: Sequence[str] = ("serve", "--port", "0"), fresh: bool = False
) -> Iterator[Server]:
    """`homeroom serve` on a free port, or another command that serves, from its readiness to its end.

    `fresh`: by an interpreter of its own. So are servers with workers; others are forked, which is quicker.
    """
    log = home.folder.parent / f"{home.folder.name}-{time.monotonic_ns()}.log"
    log.touch()
    if fresh or "--workers" in (*command, *arguments):
        with log.open("wb") as out:
            process: Running = subprocess.Popen(home.command(*command, *arguments), cwd=ROOT, stdout=out, stderr=out)
    else:
        process = forked.Process(["--config", os.fspath(home.config), *command, *arguments], ROOT, log)
    try:
        url = until(lambda: re.search(r"http://\S+", log.read_text()), process)[0]
        until(lambda: ready(url), process)
        yield Server(url, home, process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


@contextmanager
def served_here(home: Home, clock: Clock, listening: socket.socket | None = None) -> Iterator[Server]:
    """The same application over a real socket in a thread of this process, by a clock that the test sets."""
    application_ = application(lambda: open_installation(home.settings, clock=clock))
    configuration = uvicorn.Config(
        application_, loop="uvloop", http=Connection, ws="none", lifespan="on", interface="asgi3", log_config=None
    )
    server = uvicorn.Server(configuration)
    with listening or socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive())
            assert thread.is_alive(), "The server did not start."
            yield Server(url, home, None, home.folder / "no.log")
        finally:
            server.should_exit = True
            thread.join(60)


def rest_of(answer: http.client.HTTPResponse) -> bytes:
    """What still comes of an answer that breaks off."""
    try:
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
        return broken.value.partial
    except ConnectionError:  # pragma: no cover - the kernel may take back what was on its way
        return b""
    finally:
        answer.close()


def ready(url: str) -> bool:
    """Whether a server says that it can answer."""
    try:
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    except (requests.ConnectionError, requests.Timeout):  # the socket listens before its workers have started
        return False


def until(
    condition: Any, process: "subprocess.Popen[bytes] | forked.Process | None" = None, seconds: float = 60
) -> Any:
    """Wait until a condition holds; gives what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        assert process is None or process.poll() is None, "The server ended."
        time.sleep(0.02)
    raise AssertionError(f"Nothing came of it within {seconds} seconds.")
