"""A district on its own premises, and the gateway elsewhere that asks there: two installations, two processes.

Shape: `Pair` is the gateway with the premises that it names.
"""

import asyncio
import base64
import hmac
import json
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from app.importers.roster import import_roster
from app.importers.sandbox.generate import generate_district
from app.importers.sandbox.profile import ALDER_CREEK
from app.installing import add_space, create
from app.ledger.entry import Entry
from app.ledger.reading import Filters, entries
from app.names import ClientId, Scope, SpaceId
from app.oauth.assertion import Posted, audience, state
from app.oauth.caller import Caller, Standing
from app.oauth.clients import add_client
from app.oauth.keys import Keys, read_keys
from app.opening import space_secret
from app.schema.catalogue import SCOPES
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.subgraphs.premises import PATH
from tests.journeys.served import Home, Server, Vendor, granting, served

SPACE = str(ALDER_CREEK.space)
STUDENTS = 400
FIELDS = {
    "Student": "firstName lastSurname:initial schoolEnrollments sectionEnrollments",
    "SchoolEnrollment": "gradeLevel school",
    "School": "nameOfInstitution",
    "SectionEnrollment": "beginDate section",
    "Section": "title room period",
}
ROWS = 'enrollment = "any"'

HELLO = "query Hello { students(first: 1) { nodes { firstName } } }"

LONG = f"""query Long {{ students(first: 400) {{ nodes {{ firstName sectionEnrollments {{ section {{
  {" ".join(f"{'t' * 100}{number}: title" for number in range(190))} }} }} }} }} }}"""
"""An answer of more bytes than lie between two machines, unread."""

AT_WILL = "\n[traffic]\npoints_per_minute = 1_000_000\ntokens_per_minute = 1_000_000\n"
"""Vendors may ask much."""

Told: TypeAlias = tuple[int, dict[str, str], bytes]
"""Status, headers and body of an answer."""

ISSUER = "http://127.0.0.1:8000"
"""The gateway's own: its tokens and statements are made by it, on whatever port it listens."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def district(folder: Path, students: int) -> Home:
    """An installation that keeps a generated district, and answers in many small chunks."""
    home = Home(folder / "home")
    source = generate_district(
        folder / "rosters", profile=ALDER_CREEK, students=students, today=date(2026, 10, 15), years=1, enrollments=6
    )
    create(home.folder)
    home.config.write_text(home.config.read_text() + "\n[limits]\nchunk = 10\n" + AT_WILL)

    async def fill() -> None:
        made = await add_space(home.settings, str(ALDER_CREEK.space), ALDER_CREEK.name, ALDER_CREEK.time_zone)
        engine = open_engine(made.database_url(made.spaces[ALDER_CREEK.space].database))
        try:
            secret = space_secret(made, ALDER_CREEK.space)
            await import_roster(engine, source.path, None, secret=secret, today=date(2026, 10, 15))
        finally:
            await engine.dispose()

    asyncio.run(fill())
    return home


def empty(folder: Path) -> Home:
    """An installation that keeps no space."""
    home = Home(folder)
    create(folder)
    home.config.write_text(home.config.read_text() + AT_WILL)
    return home


def gateway_home(home: Home, space: str, at: str) -> Home:
    """An installation that names the premises of one space."""
    home.config.write_text(home.config.read_text() + f'\n[premises."{space}"]\nat = "{at}"\nseconds = 20\n')
    return home


def trusting(home: Home, port: int, jwks: str) -> str:
    """Let an installation trust the gateway, and be reached at a port; gives its address."""
    at = f"http://127.0.0.1:{port}"
    text = home.config.read_text().replace(f'"{ISSUER}"', f'"{at}"', 1)
    home.config.write_text(text + f'\n[gateway]\nissuer = "{ISSUER}"\njwks = "{jwks}"\n')
    return at


def registered(home: Home, client: str, scopes: Collection[Scope] = SCOPES) -> Vendor:
    """A client of an installation, of every scope of the core."""

    async def add() -> str:
        control = open_engine(home.settings.database_url(home.settings.control))
        try:
            await migrate(control, "control")
            return str(await add_client(control, client, scopes=frozenset(scopes), now=time.time()))
        finally:
            await control.dispose()

    return Vendor(client, asyncio.run(add()))


def ledger_of(home: Home, space: str) -> list[Entry]:
    """Every entry of a space's ledger, oldest first."""

    async def look() -> list[Entry]:
        engine = open_engine(home.settings.database_url(home.settings.spaces[space].ledger))
        try:
            return [it.entry async for it in entries(engine, Filters())][::-1]
        finally:
            await engine.dispose()

    return asyncio.run(look())


@dataclass(frozen=True, slots=True)
class Pair:
    """A gateway that runs, and the premises that it names, which run too."""

    gateway: Server
    premises: Server
    space: str

    @property
    def keys(self) -> Keys:
        return read_keys(self.gateway.home.settings.keys_folder, 300)

    def statement(
        self,
        body: bytes,
        *,
        client: str = "readwell",
        request: str = "",
        path: str = PATH,
        suspended: bool = False,
        **otherwise: object,
    ) -> str:
        """What the gateway would say of a client of every scope; `otherwise` is what it would not."""
        caller = Caller(ClientId(client), SpaceId(self.space), "instruction", frozenset(SCOPES), "", 0.0)
        standing = Standing(frozenset(map(Scope, SCOPES)), suspended=suspended)
        said: dict[str, object] = {
            "issuer": ISSUER,
            "audience": audience(self.premises.home.settings.issuer, SpaceId(self.space)),
            "keys": self.keys,
            "now": time.time(),
        }
        return state(caller, standing, Posted(path, body, request), **(said | otherwise))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Side:
    """Where a vendor asks."""

    server: Server
    vendor: Vendor

    def token(self, vendor: Vendor | None = None, **more: str) -> str:
        return self.server.token(vendor or self.vendor, SPACE, **more)

    def post(self, document: str, **variables: object) -> requests.Response:
        return self.server.post(self.token(), document, **variables)

    def ask(self, document: str, **variables: object) -> dict[str, Any]:
        return self.server.ask(self.token(), document, **variables)

    def call(self, method: str, path: str, token: str, **more: Any) -> requests.Response:
        """Any request of a vendor's."""
        headers = {"authorization": f"Bearer {token}"}
        return requests.request(method, self.server.url + path, headers=headers, timeout=60, **more)


@dataclass(frozen=True, slots=True)
class Sides:
    """The same space twice, with the same secret: on premises behind a gateway, and as its own server."""

    pair: "Pair"
    there: Side  # asked at the gateway, answered on the premises
    here: Side  # asked where the space is kept

    def both(self, done: Callable[[Side], Told]) -> tuple[Told, Told]:
        """What comes of the same thing on both sides."""
        return done(self.here), done(self.there)

    @property
    def keeping(self) -> tuple[Home, Home]:
        """The installations that keep the space."""
        return self.here.server.home, self.pair.premises.home

    @property
    def registering(self) -> tuple[Home, Home]:
        """The installations that clients are registered with."""
        return self.here.server.home, self.pair.gateway.home

    def granted(self, client: str, *texts: str) -> None:
        """Let the district grant something to a client, on both sides."""
        for home in self.keeping:
            for number, text in enumerate(texts):
                file = home.grant(SPACE, f"{client}-{number}", text)
                assert file.exists()


@contextmanager
def both_sides(folder: Path, district: Home) -> Iterator[Sides]:
    """Both sides of a generated district, and a vendor of it."""
    kept, there = district.copy(folder / "kept"), district.copy(folder / "there")
    for home in (kept, there):
        home.grant(SPACE, "readwell", granting("readwell", FIELDS, ROWS))
    vendor = registered(kept, "readwell")
    with paired(folder, there, SPACE) as (pair, of_gateway), served(kept) as server:
        yield Sides(pair, Side(pair.gateway, of_gateway), Side(server, vendor))


def told(response: requests.Response) -> Told:
    """All that a vendor is told, to the byte, but for the request's own id and what is of this very second."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    for own in ("x-request-id", "date"):
        assert headers.pop(own)
    body = response.content.replace(response.headers["x-request-id"].encode(), b"REQUEST")
    for counted in ("ratelimit", "content-length", "transfer-encoding", "connection"):
        headers.pop(counted, None)
    return response.status_code, headers, body


@contextmanager
def paired(
    folder: Path, home: Home, space: str, *arguments: str, before: Home | None = None
) -> Iterator[tuple[Pair, Vendor]]:
    """The premises, out of an installation that keeps a space, with a gateway before them and a vendor of it.

    `before` is the gateway's installation, if it keeps spaces of its own; `arguments` are for `subgraph serve`.
    """
    port = free_port()
    gateway = gateway_home(before or empty(folder / "gateway"), space, f"http://127.0.0.1:{port}")
    vendor = registered(gateway, "readwell")
    with served(gateway) as central:
        trusting(home, port, f"{central.url}/oauth/jwks")
        command = ("subgraph", "serve", "--port", str(port), *arguments)
        with served(home, command=command) as premises:
            yield Pair(central, premises, space), vendor


def claims_of(statement: str) -> dict[str, object]:
    """What a statement says."""
    payload = statement.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def signed(key: ECKey, header: Mapping[str, object], claims: Mapping[str, object]) -> str:
    """A JWT by a key of the gateway's, whatever it says."""
    return jwt.encode({"alg": "ES256", **header}, dict(claims), key, algorithms=["ES256"])


def by_hand(header: Mapping[str, object], claims: Mapping[str, object], secret: bytes | None = None) -> str:
    """A JWT as anybody may write it: unsigned, or with a MAC by what is no secret."""
    said = ".".join(map(_part, (json.dumps(header).encode(), json.dumps(claims).encode())))
    return f"{said}.{_part(hmac.digest(secret, said.encode(), 'sha256')) if secret is not None else ''}"


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
