"""A real installation around the hand-written world: Larkspur's records, grant files, registered clients, tokens.

Shape: a test module names its grant files in `GRANTS` (file name → TOML; see `granting`); the fixture `larkspur`
makes the installation once for the module on SQLite and once on PostgreSQL, and asks it through the gateway. It is
noon of 15 October 2026 in Larkspur, whatever the hour is outside.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.elsewhere import EndpointSettings
from app.errors import RequestError
from app.gateway import Request, answer
from app.installation import Installation
from app.installing import add_space, create
from app.names import ClientId, Scope, SpaceId
from app.oauth.clients import add_client
from app.opening import open_installation, space_secret
from app.schema.catalogue import SCOPES
from app.settings import Settings
from app.spaces.identifiers import identifiers
from app.storage.engines import open_engine
from app.telemetry.trail import Trail
from tests import worlds

ALL = frozenset(SCOPES)

DISTRICT = """\
name      = "Larkspur ISD"
time_zone = "America/Chicago"
purposes  = { instruction = "Instruction in the classroom" }
deny      = [{ fields = ["Student.ssn"], reason = "Board policy 12" }]

[approvals]
sensitive  = ["steward"]
restricted = ["steward", "privacy-officer"]
"""

STATE = """\
deny = [{ fields = ["Student.homeLanguage"], reason = "State code 7" }]
"""

HEAD = """\
client     = "{client}"
purpose    = "instruction"
statement  = "Show teachers their own pupils."
basis      = "school-official"
not_before = {not_before}
not_after  = {not_after}

[agreement]
title    = "NDPA v1"
signed   = 2026-07-01
schedule = []

[fields]
{fields}
[rows]
{rows}
{more}
"""


def granting(
    client: str,
    fields: Mapping[str, str],
    rows: str = "",
    *,
    more: str = "",
    not_before: str = "2026-07-01",
    not_after: str = "2027-06-30",
) -> str:
    """A grant file: `fields` names a type's coordinates parted by spaces, `lastSurname:initial` with a transform."""
    lines = [f"{name} = [{', '.join(map(_granted, names.split()))}]\n" for name, names in fields.items()]
    return HEAD.format(
        client=client, fields="".join(lines), rows=rows, more=more, not_before=not_before, not_after=not_after
    )


def _granted(text: str) -> str:
    name, _, transform = text.partition(":")
    return f'{{ field = "{name}", as = "{transform}" }}' if transform else f'"{name}"'


@dataclass
class Asked:
    """An installation whose answers a test reads as a vendor would."""

    rooms: Installation
    secrets: Mapping[SpaceId, bytes]
    tokens: dict[tuple[str, SpaceId], str] = field(default_factory=dict)

    async def raw(
        self,
        client: str,
        document: str,
        variables: Mapping[str, object] | None = None,
        *,
        space: SpaceId = worlds.SPACE,
    ) -> bytes:
        """The bytes of an answer. Raises: RequestError."""
        if (client, space) not in self.tokens:
            self.tokens[client, space] = await self.rooms.authorization.mint(client, space)
        header = f"Bearer {self.tokens[client, space]}"
        answered = await answer(Request(header, document, None, variables, Trail("r-1")), self.rooms)
        if isinstance(answered.body, bytes):
            return answered.body
        return b"".join([piece async for piece in answered.body])

    async def ask(
        self,
        client: str,
        document: str,
        variables: Mapping[str, object] | None = None,
        *,
        space: SpaceId = worlds.SPACE,
    ) -> dict[str, Any]:
        """An answer. Raises: RequestError."""
        answered: dict[str, Any] = json.loads(await self.raw(client, document, variables, space=space))
        return answered

    async def data(
        self,
        client: str,
        document: str,
        variables: Mapping[str, object] | None = None,
        *,
        space: SpaceId = worlds.SPACE,
    ) -> Any:
        """The `data` of an answer in which nothing was denied. Raises: RequestError."""
        answered = await self.ask(client, document, variables, space=space)
        assert "errors" not in answered, answered["errors"]
        return answered["data"]

    async def refused(self, client: str, document: str, variables: Mapping[str, object] | None = None) -> RequestError:
        """The error that a request is refused with."""
        with pytest.raises(RequestError) as refusal:
            await self.raw(client, document, variables)
        return refusal.value

    def id(self, client: str, type_name: str, row: int, *, space: SpaceId = worlds.SPACE) -> str:
        """The id by which a client knows a record."""
        return identifiers(self.secrets[space], space, ClientId(client)).one(type_name, row)


@asynccontextmanager
async def opened(
    home: Path,
    grants: Mapping[str, str],
    *,
    databases: Mapping[SpaceId, str | None],
    scopes: Mapping[str, frozenset[Scope]] | None = None,
    settings: Mapping[str, object] | None = None,
    rule: str = "",
    opt_outs: worlds.OptOuts | None = None,
    endpoints: Mapping[str, str] | None = None,
) -> AsyncIterator[Asked]:
    """An installation whose spaces all hold the world, and whose grants, by client, are in force in each of them.

    `rule` is what each district's policy says besides, `opt_outs` what its families decided.
    """
    made: Settings = create(home)
    for space, database in databases.items():
        made = await add_space(made, space, "Larkspur ISD", worlds.TIME_ZONE, database=database)
        await _fill(made.database_url(made.spaces[space].database), opt_outs)
        policies = made.policies_folder / space
        (policies / "district.toml").write_text(DISTRICT + rule, encoding="utf-8")
        (policies.parent / "state.toml").write_text(STATE, encoding="utf-8")
        (policies / "grants").mkdir(parents=True, exist_ok=True)
        for client, text in grants.items():
            (policies / "grants" / f"{client}.toml").write_text(text, encoding="utf-8")
    places = {
        name: msgspec.structs.replace(
            place, subgraphs={sub: EndpointSettings(url) for sub, url in (endpoints or {}).items()}
        )
        for name, place in made.spaces.items()
    }
    made = msgspec.structs.replace(made, spaces=places, **(settings or {}))
    async with open_installation(made, clock=lambda: worlds.NOW) as rooms:
        assert not rooms.policies.findings, rooms.policies.findings
        for client in grants:
            held = (scopes or {}).get(client, ALL)
            await add_client(rooms.control, client, scopes=held, now=worlds.NOW.timestamp())
        await rooms.authorization.follow()
        yield Asked(rooms, {space: space_secret(made, space) for space in databases})


async def _fill(url: str, opt_outs: worlds.OptOuts | None) -> None:
    engine = open_engine(url)
    try:
        await worlds.build(engine, opt_outs)
    finally:
        await engine.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def larkspur_database(request: pytest.FixtureRequest) -> str | None:
    """Where the space is kept: None for a file of its own under the installation, else PostgreSQL's URL."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres").fresh()
    return url


@pytest.fixture(scope="module")
async def larkspur(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, larkspur_database: str | None
) -> AsyncIterator[Asked]:
    """Larkspur's installation, with the module's `GRANTS`, and `SCOPES_HELD` by clients that hold less than all."""
    home = tmp_path_factory.mktemp("larkspur") / "home"
    grants: Mapping[str, str] = request.module.GRANTS
    scopes: Mapping[str, frozenset[Scope]] = getattr(request.module, "SCOPES_HELD", {})
    async with opened(home, grants, databases={worlds.SPACE: larkspur_database}, scopes=scopes) as asked:
        yield asked
