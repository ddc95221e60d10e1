"""`homeroom init`: a new installation."""

import asyncio
import json
from pathlib import Path

import click

from app.cli.main import Context
from app.errors import UsageError
from app.installing import create
from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--issuer", default="http://127.0.0.1:8000", show_default=True, help="The address that vendors will reach it at."
)
@click.option(
    "--control", default="sqlite:///control.db", show_default=True, help="The control database; or postgresql://…"
)
@click.option("--store", help="Where several servers count requests together: redis://… or valkey://…")
@click.pass_obj
def init(context: Context, folder: Path, issuer: str, control: str, store: str | None) -> None:
    """Make a new installation in DIR: homeroom.toml, keys and policies/. Nothing that is there is overwritten."""
    try:
        settings = create(folder, issuer=issuer, control=control, store=store)
        asyncio.run(make_control(settings))
    except OSError as error:
        raise UsageError(
            f"{folder} cannot hold an installation ({error.strerror or type(error).__name__}). Name a folder that can."
        ) from None
    file = settings.home / "homeroom.toml"
    if context.json:
        click.echo(json.dumps({"config": str(file), "keys": str(settings.keys_folder)}))
        return
    click.echo(f"A new installation stands in {settings.home}. Back up {settings.keys_folder}, and show it to nobody.")
    click.echo("Add a space to it:")
    click.echo(f'  homeroom --config {file} space add tx/grand-bend --name "Grand Bend ISD" --timezone America/Chicago')


async def make_control(settings: Settings) -> None:
    """Make the control database, so that one that is missing later is known to be lost. Raises: Unavailable."""
    engine = open_engine(settings.database_url(settings.control))
    try:
        await migrate(engine, "control")
    finally:
        await engine.dispose()
