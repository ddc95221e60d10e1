"""The learning registry as a server of its own: its graph over HTTP, and what an operator's machines ask.

It opens the index and nothing else of an installation. Whoever reaches it reads it: it is a catalogue.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.routing import Route

from app.errors import RequestError, Unauthenticated
from app.gateway import Answer, Request
from app.registry.answering import answer
from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.storage.probe import answers
from app.web import probes
from app.web.graphql import GraphQL
from app.web.probes import Readiness
from app.web.site import site

BODY = 8 * 1024**2
"""Units: bytes of a request. A gateway asks for many courses at once."""
SECONDS = 60

encode = msgspec.json.Encoder().encode


def registry_site(url: str) -> Starlette:
    """The application over the index that a URL names, as `Settings.database_url` gives it."""
    engine = open_engine(url)
    graph = GraphQL(partial(_answer, engine), challenge=_no_challenge, body_bytes=BODY, stream_seconds=SECONDS)
    readiness = Readiness({"registry": partial(answers, url, "resource")})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await migrate(engine, "registry")
        yield
        await engine.dispose()

    return site([Route("/graphql", graph), *probes.routes(Settings(), readiness)], lifespan=lifespan)


async def _answer(engine: AsyncEngine, request: Request) -> Answer:
    if request.variables is not None and not isinstance(request.variables, dict):
        raise RequestError("`variables` is a JSON object. Send one.", code="BAD_REQUEST")
    return Answer(encode(await answer(engine, request.document, request.operation_name, request.variables)))


def _no_challenge(_error: Unauthenticated) -> str:
    return "Bearer"
