"""`homeroom registry`: the learning registry, an index of learning resources and a subgraph of its own."""

import asyncio
import json
import signal
from pathlib import Path
from types import FrameType

import click
import uvicorn
from starlette.applications import Starlette

from app.cli.main import Context
from app.settings import Settings
from app.web.connection import Connection
from app.web.log import CONFIGURATION

REJECTED = 5
PORT = 8100

DATABASE = click.option(
    "--database",
    default="sqlite:///registry.db",
    show_default=True,
    help="The index's database, or postgresql://…; a file lies beside homeroom.toml.",
)


@click.group()
def registry() -> None:
    """The learning registry: what there is to learn with, and nothing of any student."""


@registry.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0: any that is free.")
@DATABASE
@click.pass_obj
def serve(context: Context, host: str, port: int, database: str) -> None:
    """Serve the registry until it is told to stop (SIGTERM, Ctrl+C). It asks nobody who they are."""
    from app.cli.serve import bind
    from app.registry_site import registry_site

    site = registry_site(_url(context, database))
    listener = bind(host, port)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"The learning registry is on http://{shown}:{listener.getsockname()[1]}/graphql", err=True)
    signal.signal(signal.SIGTERM, _end)
    uvicorn.Server(configuration(site)).run(sockets=[listener])


def configuration(site: Starlette) -> uvicorn.Config:
    """How the registry's requests are taken in."""
    return uvicorn.Config(
        site,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=CONFIGURATION,
        access_log=False,
        server_header=False,
    )


@registry.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["jsonld", "ndjson", "csv"]), help="By the file's name if left out."
)
@click.option("--replace", is_flag=True, help="Remove every resource that SOURCE does not hold.")
@click.option("--dry-run", is_flag=True, help="Do everything but store it.")
@DATABASE
@click.pass_obj
def import_command(  # noqa: PLR0917 - click hands each option over
    context: Context, source: Path, form: str | None, replace: bool, dry_run: bool, database: str
) -> int:
    """Take in resources of a file or a folder: JSON-LD, NDJSON or CSV.

    A resource is known by its address; the same SOURCE again changes nothing. What cannot be taken is listed with file,
    line and reason, and the rest is taken. The first line of CSV names its columns: url and name, and any of
    description, subject, gradeLevels, learningResourceType, license, publisher, educationalFramework, standards,
    scedCodes, paradata.view; lists are parted by |. docs/subgraphs.md has more.
    """
    from app.registry.intake import Report, import_resources
    from app.storage.engines import open_engine
    from app.storage.migrate import migrate

    async def run() -> Report:
        engine = open_engine(_url(context, database))
        try:
            await migrate(engine, "registry")
            return await import_resources(engine, source, form, replace=replace, dry_run=dry_run)  # type: ignore[arg-type]
        finally:
            await engine.dispose()

    report = asyncio.run(run())
    click.echo(json.dumps(report.as_dict(), indent=2) if context.json else report.as_text())
    return REJECTED if report.rejections else 0


@registry.command("schema")
def schema() -> None:
    """Print the registry's schema, as `homeroom compose` takes it."""
    from app.registry.answering import sdl

    click.echo(sdl())


def _url(context: Context, database: str) -> str:
    """The index's database: no part of an installation, as the registry may stand alone. Raises: ConfigurationError."""
    return Settings(home=context.config.resolve().parent).database_url(database)


def _end(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM is the ordinary way to stop a server, and no failure."""
    raise SystemExit(0)
