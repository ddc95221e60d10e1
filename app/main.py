"""Wire the rooms into one application: the routes, and the installation that they stand on.

The installation is opened when the server starts and closed when the last answer has left; the routes exist between.
"""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path

from graphql import print_schema
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from app import gateway
from app.console.desk import Desk, open_desk
from app.console.routes import routes as console_routes
from app.errors import HomeroomError, Unauthenticated
from app.gateway import Answer, Request
from app.installation import Installation
from app.names import ClientId, SpaceId
from app.opening import open_installation
from app.schema.build import sdl
from app.settings import Settings, read_settings
from app.storage.probe import answers
from app.telemetry.metrics import STAGES, turns
from app.telemetry.trail import Trails
from app.web import explorer, oauth, pages, probes, requests, sandbox
from app.web.edge import Watch
from app.web.graphql import GraphQL
from app.web.log import note
from app.web.probes import Question, Readiness
from app.web.site import site
from app.web.stopping import heeding

CONFIG = "HOMEROOM_CONFIG"
"""The environment variable that names `homeroom.toml` to a worker."""

LAST_WORDS = 5.0
"""Units: seconds that answers which were cut off have to close their ledger entries."""

Opening = Callable[[], AbstractAsyncContextManager[Installation]]


def from_environment() -> Starlette:
    """The application of the installation that the environment names. Raises: ConfigurationError."""
    settings = read_settings(Path(os.environ.get(CONFIG, "homeroom.toml")))
    return application(lambda: open_installation(settings))


def tell(error: HomeroomError) -> None:
    """Say in the log why the server did not start."""
    note("start-up failed", level=logging.ERROR, reason=error.message)


def application(
    opening: Opening,
    *,
    failed: Callable[[HomeroomError], None] = tell,
    vendors: Mapping[ClientId, str] | None = None,
) -> Starlette:
    """The application; `opening` is entered at its start and left at its end, `failed` hears why it did not start.

    `vendors` are a sandbox's, each with what it is: whoever opens the page of a sandbox may run as one of them.
    """

    watch = Watch()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            async with opening() as rooms, open_desk(rooms) as desk:
                graph = graphql(rooms)
                watch.trails = trails(rooms.settings)
                telling = asyncio.create_task(tell_metrics(rooms))
                settle()
                readiness = readiness_of(rooms.settings)
                app.router.routes.extend(routes(rooms, graph, readiness, vendors, desk))
                with heeding(readiness, rooms.settings.server.notice_seconds):
                    yield
                await graph.finished(LAST_WORDS)
                telling.cancel()
                await asyncio.to_thread(watch.trails.close)
        except HomeroomError as error:
            failed(error)
            raise

    return site([], lifespan=lifespan, watch=watch)


def trails(settings: Settings) -> Trails:
    """How requests are followed: with traces only where a collector is named."""
    if not settings.telemetry.endpoint:
        return Trails(settings.server.request_id_header)
    from app.telemetry.traces import TracedTrails

    return TracedTrails(settings.server.request_id_header, settings.telemetry)


async def tell_metrics(rooms: Installation) -> None:
    """Hand on what was added up, so that whichever worker is asked can tell it."""
    while True:
        STAGES.tell()
        turns.labels("running").set(rooms.turns.running)
        turns.labels("waiting").set(rooms.turns.waiting)
        await asyncio.sleep(1)


def settle() -> None:
    """What was made at the start stays: the collector never looks at it, and not at every answer's records.

    Records are structs that take no part in cycles; what is left of a request goes when its last reference does.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def routes(
    rooms: Installation, graph: GraphQL, readiness: Readiness, vendors: Mapping[ClientId, str] | None, desk: Desk
) -> list[BaseRoute]:
    """Every address of an installation. INVARIANT: only a sandbox has vendors, and so a route that gives tokens."""
    whole = cache(lambda: f"{print_schema(rooms.schema)}\n")
    return [
        Route("/graphql", graph),
        *requests.routes(rooms, _challenge(rooms.settings)),
        *oauth.routes(rooms.authorization, rooms.rates.ask_for_token),
        *explorer.routes(sandbox=vendors is not None),
        *(sandbox.routes(rooms, vendors) if vendors is not None else ()),
        *pages.routes(issuer=rooms.settings.issuer, sdl=sdl if rooms.remotes is None else whole),
        *probes.routes(rooms.settings, readiness),
        *console_routes(desk),
    ]


def graphql(rooms: Installation) -> GraphQL:
    """The graph over HTTP, answered by the gateway."""

    async def answer(request: Request) -> Answer:
        return await gateway.answer(request, rooms)

    limits = rooms.settings.limits
    return GraphQL(
        answer,
        challenge=_challenge(rooms.settings),
        body_bytes=limits.body_bytes,
        stream_seconds=limits.stream_seconds,
    )


def _challenge(settings: Settings) -> Callable[[Unauthenticated], str]:
    """WWW-Authenticate for whoever has no good token. Spec: RFC 6750 §3, RFC 9728 §5.1.

    With one space its own metadata is named, so that a client can go on from there alone; with several, the graph's.
    """
    spaces = [SpaceId(name) for name in (*settings.spaces, *settings.premises)]
    resource = settings.resource(spaces[0]) if len(spaces) == 1 else f"{settings.issuer}/graphql"
    path = resource.removeprefix(settings.issuer)
    where = f'resource_metadata="{settings.issuer}/.well-known/oauth-protected-resource{path}"'

    def challenge(error: Unauthenticated) -> str:
        if error.challenge is None:
            return f"Bearer {where}"
        return f'Bearer error="{error.challenge}", {where}'

    return challenge


def readiness_of(settings: Settings, more: Mapping[str, Question] | None = None) -> Readiness:
    """Every database that an answer needs, and what else does."""

    def asked(url: str, table: str) -> Callable[[], Awaitable[bool]]:
        return lambda: answers(settings.database_url(url), table)

    questions = {"control": asked(settings.control, "change"), **(more or {})}
    for name, place in settings.spaces.items():
        questions |= {f"space {name}": asked(place.database, "student")}
        questions |= {f"ledger {name}": asked(place.ledger, "entry")}
    return Readiness(questions)
