"""`homeroom serve`: answer vendors, in as many processes as asked for."""

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.cli.main import Context
from app.errors import HomeroomError, Unavailable, UsageError
from app.names import ClientId
from app.settings import Settings
from app.web.connection import Connection
from app.web.log import CONFIGURATION

if TYPE_CHECKING:
    from starlette.applications import Starlette

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any that is free.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="How many processes.")
@click.pass_obj
def serve(context: Context, host: str, port: int, workers: int) -> None:
    """Serve the installation until it is told to stop (SIGTERM, Ctrl+C)."""
    listen(context.settings(), host=host, port=port, workers=workers, config=context.config)


def listen(
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int = 1,
    config: Path | None = None,
    vendors: Mapping[ClientId, str] | None = None,
) -> None:
    """Serve an installation. `config` is its file, if that is not `homeroom.toml`; `vendors` are a sandbox's.

    Raises: ConfigurationError, Unavailable, UsageError.
    """
    listener = bind(host, port)
    try:
        address = f"[{host}]" if ":" in host else host
        said = f"Homeroom serves {counted(settings)} on http://{address}:{listener.getsockname()[1]}"
        said += f" with {workers} workers" if workers > 1 else ""
        issuer = urlsplit(settings.issuer)
        if issuer.hostname in LOOPBACK and (issuer.port or 80) != listener.getsockname()[1]:
            said += (
                f"\nThe issuer in homeroom.toml names port {issuer.port or 80}: tokens and addresses are made for that."
            )
        if workers == 1:
            serve_alone(settings, listener, said, vendors)
        else:
            made = "app.main:from_environment"
            config = config or settings.home / "homeroom.toml"
            serve_together(made, settings, listener, said, workers=workers, config=config)
    finally:
        listener.close()


def serve_alone(
    settings: Settings, listener: socket.socket, said: str, vendors: Mapping[ClientId, str] | None = None
) -> None:
    """Serve in this process."""
    from app.main import application

    serve_here(partial(application, vendors=vendors), settings, listener, said)


def serve_here(made: Callable[..., "Starlette"], settings: Settings, listener: socket.socket, said: str) -> None:
    """Serve an application in this process. `made` is given how an installation is opened, and who hears of failures.

    Raises: ConfigurationError, Unavailable.
    """
    from app.installation import Installation
    from app.opening import open_installation

    failures: list[HomeroomError] = []

    @asynccontextmanager
    async def opening() -> AsyncIterator[Installation]:
        async with open_installation(settings) as rooms:
            click.echo(said, err=True)
            yield rooms

    app = made(opening, failed=failures.append)
    signal.signal(signal.SIGTERM, _end)
    try:
        uvicorn.Server(_configuration(app, settings, 1)).run(sockets=[listener])
    except SystemExit as end:
        if end.code != STARTUP_FAILURE:
            raise
        raise failures[0] if failures else Unavailable("The server could not start; its log says why.") from None
    if failures:
        raise failures[0]


def serve_together(
    made: str, settings: Settings, listener: socket.socket, said: str, *, workers: int, config: Path
) -> None:
    """Serve in several processes that share the listener. What stops them is found before they start.

    `made` names what makes the application, of the installation that the environment names.
    """
    from app.main import CONFIG
    from app.telemetry.metrics import FOLDER

    asyncio.run(_try(settings))
    listener.set_inheritable(True)
    with tempfile.TemporaryDirectory(prefix="homeroom-metrics-") as folder:
        os.environ.update({CONFIG: str(config.resolve()), FOLDER: folder})
        supervisor = Multiprocess(_configuration(made, settings, workers), sockets=[listener])
        click.echo(said, err=True)
        supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise Unavailable("A worker could not start; the log says why.")


def counted(settings: Settings) -> str:
    """How many spaces there are, in words."""
    count = len(settings.spaces) + len(settings.premises)
    return "1 space" if count == 1 else f"{count} spaces"


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises: UsageError."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2_048
        )
    except OSError as error:
        raise UsageError(
            f"Nothing can listen on {host}, port {port} ({error.strerror or type(error).__name__}). "
            "Name another with --host or --port."
        ) from None


async def _try(settings: Settings) -> None:
    """Open everything once, and upgrade it, so that a fault is told here and by one process."""
    from app.opening import open_installation

    async with open_installation(settings):
        pass


def _configuration(app: object, settings: Settings, workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        factory=isinstance(app, str),
        workers=workers,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=CONFIGURATION,
        access_log=False,  # the edge writes a line for each request, without its address
        server_header=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=settings.server.grace_seconds,
        timeout_worker_healthcheck=30,
        limit_concurrency=settings.server.connections,
    )


def _end(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM is the ordinary way to stop a server, and no failure."""
    raise SystemExit(0)
