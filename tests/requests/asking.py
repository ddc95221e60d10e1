"""A district with its console, and a vendor's engineer who asks it for more."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from app.main import graphql, readiness_of, routes
from app.names import ClientId, SpaceId
from app.requests.form import Form
from app.requests.store import ask
from app.web.site import site
from tests.console.office import SPACE, Browser, Office, opened

ASKED: dict[str, Any] = {
    "purpose": "instruction",
    "fields": [
        {"coordinate": "Student.birthDate", "reason": "Texts are chosen by age."},
        {"coordinate": "Student.middleName", "as": "initial", "reason": "Two pupils of one name are told apart."},
        {"coordinate": "Student.homelessStatus", "reason": "A reading kit is lent out."},
    ],
    "remove": ["Student.races"],
}


@dataclass
class Asking:
    """Everything that is served, a vendor and officers."""

    office: Office
    app: Starlette

    @property
    def rooms(self) -> Any:
        return self.office.desk.rooms

    @property
    def grant(self) -> Path:
        """The file of the vendor's grant."""
        return self.office.home / "policies" / SPACE / "grants" / "readwell.toml"

    async def vendor(self, client: str = "readwell", space: SpaceId = SPACE) -> httpx.AsyncClient:
        """A vendor with a token."""
        token = await self.rooms.authorization.mint(ClientId(client), space, purpose="instruction")
        transport = httpx.ASGITransport(self.app, client=("192.0.2.9", 4_000))
        headers = {"authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)

    async def graph(self, query: str, client: str = "readwell") -> dict[str, Any]:
        """What a vendor's query is answered with."""
        async with await self.vendor(client) as vendor:
            answer = await vendor.post("/graphql", json={"query": query})
        found: dict[str, Any] = answer.json()
        return found

    async def asked(self, form: dict[str, Any] | None = None, client: str = "readwell") -> int:
        """Keep a request; gives its number."""
        import msgspec

        made = await ask(
            self.rooms.control,
            SPACE,
            ClientId(client),
            msgspec.convert(form or ASKED, Form),
            now=self.office.desk.now(),
        )
        return made.number

    async def officer(self, role: Any = "steward", space: SpaceId = SPACE) -> Browser:
        """A browser that an officer is signed in with."""
        browser = await self.office.officer(role, space)
        browser._transport = httpx.ASGITransport(self.app, client=("192.0.2.7", 4_000))
        return browser


def codes(answer: dict[str, Any]) -> dict[str, str]:
    """The reason of each denial of an answer."""
    return {one["extensions"]["coordinate"]: one["extensions"]["code"] for one in answer.get("errors", ())}


@asynccontextmanager
async def asking(home: Path) -> AsyncIterator[Asking]:
    """A district whose console and graph are served in this process."""
    async with opened(home) as office:
        rooms = office.desk.rooms
        all_routes = routes(rooms, graphql(rooms), readiness_of(rooms.settings), None, office.desk)
        yield Asking(office, site(all_routes))


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder."""
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def checkout(folder: Path) -> None:
    """Make a folder a git checkout, with all that lies in it."""
    git(folder, "init", "-q", "-b", "main")
    (folder / ".git" / "info" / "exclude").write_text(".deciding\n")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=x", "-c", "user.email=x@x.example", "commit", "-q", "--allow-empty", "-m", "all")
