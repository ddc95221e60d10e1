"""An authorization server on a database of its own, asked over HTTP. Every answer is held against its description."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from app.names import ClientId, Scope, SpaceId
from app.oauth.authorization import Authorization
from app.oauth.clients import add_client
from app.oauth.keys import create_keys, read_keys
from app.settings import OAuth, Settings, SpaceSettings
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.web import openapi
from app.web.oauth import routes

from .described import Description

ISSUER = "http://127.0.0.1:8000"
SPACE = SpaceId("tx/grand-bend")
RESOURCE = f"{ISSUER}/spaces/{SPACE}"
SCOPES = frozenset({Scope("student/name.read"), Scope("section/schedule.read")})
CATALOGUE = SCOPES | {Scope("student/ssn.read")}
ONE_SPACE = SpaceSettings(database="sqlite:///space.db", ledger="sqlite:///ledger.db")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


class Served(SimpleNamespace):
    """One authorization server, its clock, its control database, and `readwell`, a client with its secret."""

    authorization: Authorization
    application: Starlette
    control: AsyncEngine
    settings: Settings
    clock: Clock
    purposes: dict[tuple[str, str], tuple[str, ...]]
    http: httpx.AsyncClient
    secret: str
    another: Callable[[], Authorization]

    async def ask(self, path: str = "/oauth/token", auth: Any = None, **form: str) -> httpx.Response:
        """Post a form, as `readwell` unless said otherwise."""
        proof = auth if auth is not None else ("readwell", self.secret)
        return await self.http.post(path, data=form, auth=proof or None)

    async def token(self, **form: str) -> str:
        """A good token."""
        answer = await self.ask(**{"grant_type": "client_credentials", "resource": RESOURCE, **form})
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


@pytest.fixture
def control_url() -> str:
    """Where the control database lies. A module that tests another kind of server has its own."""
    return "sqlite:///control.db"


@pytest.fixture
async def served(tmp_path: Path, control_url: str) -> AsyncIterator[Served]:
    settings = Settings(
        issuer=ISSUER,
        control=control_url,
        home=tmp_path,
        oauth=OAuth(attempts_per_minute=5),
        spaces={str(SPACE): ONE_SPACE, "ca/seaview": ONE_SPACE},
    )
    control = open_engine(settings.database_url(settings.control))
    await migrate(control, "control")
    create_keys(settings.keys_folder)
    clock = Clock()
    secret = await add_client(control, "readwell", scopes=SCOPES, now=clock())
    assert secret is not None
    purposes: dict[tuple[str, str], tuple[str, ...]] = {(SPACE, "readwell"): ("instruction",)}

    def granted(space: SpaceId, client: ClientId) -> tuple[str, ...]:
        return purposes.get((space, client), ())

    def another() -> Authorization:
        """The same server in another process."""
        keys = read_keys(settings.keys_folder, settings.oauth.token_seconds)
        return Authorization(control, keys, settings, purposes=granted, scopes=CATALOGUE, clock=clock)

    authorization = another()
    await authorization.follow()
    application = Starlette(routes=routes(authorization))
    transport = httpx.ASGITransport(application)
    judged = {"response": [Description(openapi.document(authorization.server_metadata())).judge]}
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER, event_hooks=judged) as http:
        yield Served(
            authorization=authorization,
            application=application,
            control=control,
            settings=settings,
            clock=clock,
            purposes=purposes,
            http=http,
            secret=secret,
            another=another,
        )
    await control.dispose()
