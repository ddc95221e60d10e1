"""Small stand-ins: a gateway that is a plain function, and a real server on a free port."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from app.errors import Unauthenticated
from app.gateway import Answer, Request
from app.telemetry.trail import Trails
from app.web.connection import Connection
from app.web.edge import Watch
from app.web.graphql import GraphQL
from app.web.site import site

Gateway = Callable[[Request], Awaitable[Answer]]
LIMIT = 2_000


def challenge(error: Unauthenticated) -> str:
    return f'Bearer error="{error.challenge}"' if error.challenge else "Bearer"


def app_of(answer: Gateway, *, stream_seconds: float = 60, id_header: str = "", body_bytes: int = LIMIT) -> Starlette:
    graph = GraphQL(answer, challenge=challenge, body_bytes=body_bytes, stream_seconds=stream_seconds)
    watch = Watch()
    watch.trails = Trails(id_header)
    return site([Route("/graphql", graph)], watch=watch)


def client_of(answer: Gateway, *, id_header: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app_of(answer, id_header=id_header))
    return httpx.AsyncClient(transport=transport, base_url="http://homeroom.test")


@contextlib.asynccontextmanager
async def served(
    app: Starlette, connection: type[Connection] = Connection, *, connections: int | None = None
) -> AsyncIterator[int]:
    """The application on a real socket; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=connection,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
        limit_concurrency=connections,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment,method-assign]
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running
