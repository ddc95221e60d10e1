"""A district's console in this process: two spaces, officers in them, browsers that are signed in.

It is noon of 15 October 2026 in Larkspur, whose space holds the hand-written world. Of the other, nobody is to know.
"""

import re
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from pathlib import Path

import httpx
from starlette.applications import Starlette

from app.console.desk import Desk, open_desk
from app.console.door import SESSION, cookie
from app.console.routes import routes
from app.installing import add_space, create
from app.names import Scope, SpaceId
from app.oauth.clients import add_client
from app.officers.accounts import add_officer, find_officer
from app.officers.sessions import begin
from app.opening import open_installation
from app.schema.catalogue import SCOPES
from app.settings import read_settings
from app.signing_in import Role
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.web.site import site
from tests import worlds
from tests.postgres import Server

SPACE, OTHER = SpaceId("tx/larkspur"), SpaceId("mn/quarry-lake")
OTHER_NAME = "Quarry Lake Unified"
SCRIPT = "<script>document.title='taken'</script>"

DISTRICT = """\
name      = "Larkspur ISD"
time_zone = "America/Chicago"
purposes  = { instruction = "Instruction in the classroom", rostering = "Accounts and classes" }
deny      = [{ fields = ["Student.ssn"], reason = "Board policy 12" }]
"""

GRANT = """\
client     = "readwell"
purpose    = "instruction"
statement  = "Assign levelled reading."
basis      = "school-official"
not_before = 2026-07-01
not_after  = 2027-06-30
review_by  = 2026-10-01

[agreement]
title    = "NDPA v1 with Texas exhibit"
signed   = 2026-06-01
schedule = ["Student Name", "Enrollment", "Schedule"]

[fields]
Student          = ["firstName", { field = "lastSurname", as = "initial" }, "schoolEnrollments", "ssn", "races"]
SchoolEnrollment = ["gradeLevel", "school"]
School           = ["nameOfInstitution"]

[rows]
schools      = ["elm"]
grade_levels = ["04", "05"]
"""


@dataclass
class Office:
    """The console, and the day that it is there."""

    home: Path
    desk: Desk
    app: Starlette
    now: list[datetime] = field(default_factory=list)
    postgres: Server | None = None

    def browser(self, cookies: Mapping[str, str] | None = None, address: str = "192.0.2.7") -> "Browser":
        """A browser at some address."""
        transport = httpx.ASGITransport(self.app, client=(address, 4_000))
        return Browser(transport=transport, base_url="http://127.0.0.1:8000", cookies=dict(cookies or {}))

    async def officer(self, role: Role = "steward", space: SpaceId = SPACE, email: str | None = None) -> "Browser":
        """A browser that an officer is signed in with."""
        address = email or f"{role}@{space.partition('/')[2]}.example"
        limits = self.desk.rooms.settings.console
        now = self.desk.now().timestamp()
        control = self.desk.rooms.control
        if await find_officer(control, space, address) is None:
            await add_officer(control, space, address, role, secrets.token_hex(8), now=now)
        found = await find_officer(control, space, address)
        assert found
        token = await begin(control, space, address, role, officer=found[0].number, now=now, limits=limits)
        return self.browser({cookie(self.desk, SESSION): self.desk.seal.seal(SESSION, token)})

    def write(self, path: str, text: str) -> Path:
        """Write a policy file."""
        file = self.home / "policies" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{secrets.token_hex(4)}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
        return file


class Browser(httpx.AsyncClient):
    """A browser: it keeps cookies, and fills in the forms that it is shown."""

    async def text(self, path: str, status: int = 200) -> str:
        """What a page says, as a person reads it: without its tags."""
        page = await self.get(path)
        assert page.status_code == status, (page.status_code, page.text)
        return words(page.text)

    async def send_form(self, page: httpx.Response, action: str, **filled: str | list[str]) -> httpx.Response:
        """Fill in the form of a page that is posted to an address, and send it."""
        return await self.post(action, data={**fields(page.text, action), **filled})


def fields(text: str, action: str) -> dict[str, str]:
    """What a form of a page already holds."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', text, re.DOTALL)
    assert form, f"There is no form for {action}"
    found = {}
    for tag in re.findall(r"<input[^>]*>", form[1]):
        named = re.search(r'name="([^"]*)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if named and 'type="checkbox"' not in tag and 'type="radio"' not in tag:
            found[unescape(named[1])] = unescape(value[1]) if value else ""
    return found


def words(text: str) -> str:
    """A page without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text.replace("<wbr>", ""))).split())


@asynccontextmanager
async def opened(home: Path, postgres: Server | None = None) -> AsyncIterator[Office]:
    """The two districts, and their console; on a PostgreSQL server, if there is one, or else in SQLite files."""
    if postgres is None:
        shutil.copytree(await built(), home)
    else:
        await build(home, postgres)
    settings = read_settings(home / "homeroom.toml")
    clock = [worlds.NOW]
    async with open_installation(settings, clock=lambda: clock[0]) as rooms, open_desk(rooms) as desk:
        yield Office(home, desk, site(routes(desk)), clock, postgres)


BUILT: list[tempfile.TemporaryDirectory[str]] = []
"""The two districts as they are before a test, made once in each process that tests."""


async def built() -> Path:
    """A home to be copied."""
    if not BUILT:
        made = tempfile.TemporaryDirectory(prefix="homeroom-office-")
        await build(Path(made.name) / "home")
        BUILT.append(made)
    return Path(BUILT[0].name) / "home"


async def build(home: Path, postgres: Server | None = None) -> None:
    """Make the two districts, with their vendors and grants."""
    control_url, database = (postgres.fresh(), postgres.fresh()) if postgres else ("sqlite:///control.db", None)
    settings = create(home, control=control_url)
    settings = await add_space(settings, SPACE, "Larkspur ISD", worlds.TIME_ZONE, database=database)
    settings = await add_space(settings, OTHER, OTHER_NAME, "America/Chicago")
    records = open_engine(settings.database_url(settings.spaces[SPACE].database))
    await worlds.build(records)
    await records.dispose()
    control = open_engine(settings.database_url(settings.control))
    await migrate(control, "control")
    await add_client(control, "readwell", scopes=map(Scope, SCOPES), now=0, name=f"Readwell {SCRIPT}")
    await add_client(control, "quarrysoft", scopes=map(Scope, SCOPES), now=0)
    await control.dispose()
    policies = settings.policies_folder
    (policies / SPACE / "district.toml").write_text(DISTRICT)
    for space, client in ((SPACE, "readwell"), (OTHER, "quarrysoft")):
        (policies / space / "grants").mkdir()
        (policies / space / "grants" / f"{client}.toml").write_text(GRANT.replace("readwell", client))
