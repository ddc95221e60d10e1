"""`homeroom space`: the spaces of an installation."""

import asyncio
import json
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.cli.main import Context
from app.errors import UsageError
from app.installing import add_space
from app.names import SpaceId
from app.policy.reading import read_folder, read_policies
from app.settings import Settings


@click.group()
def space() -> None:
    """The protected data stores, one for each education agency."""


@space.command("add")
@click.argument("space_id", metavar="ID")
@click.option("--name", required=True, help="The district's name.")
@click.option("--timezone", "time_zone", required=True, help="Such as America/Chicago: where its days begin and end.")
@click.option("--database", help="sqlite:///FILE or postgresql://…; a file of its own if left out.")
@click.pass_obj
def add_command(context: Context, space_id: str, name: str, time_zone: str, database: str | None) -> None:
    """Add one space, named `state/district`: its databases, its secret, its district.toml."""
    settings = context.settings()
    if not name.strip():
        raise UsageError("The district has a name. Say it with --name.")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError("There is no such time zone. Write one such as America/Chicago.") from None
    policy = settings.policies_folder / space_id / "district.toml"
    kept = policy.exists()
    settings = asyncio.run(add_space(settings, space_id, name, time_zone, database=database))
    if context.json:
        click.echo(json.dumps(_row(settings, space_id, name, time_zone)))
        return
    click.echo(f"The space {space_id} is there. Its policy is {policy}{', kept as it was' if kept else ''}.")
    click.echo(f"Load a roster: homeroom --config {context.config} import {space_id} FILE")


@space.command("list")
@click.pass_obj
def list_command(context: Context) -> None:
    """Every space with its name, time zone and database."""
    settings = context.settings()
    spaces = read_policies(read_folder(settings.policies_folder)).spaces
    rows = []
    for name in sorted(settings.spaces):
        policy = spaces.get(SpaceId(name))
        district = policy.district if policy else None
        rows.append(
            _row(settings, name, district.name if district else None, str(district.time_zone) if district else None)
        )
    if context.json:
        elsewhere = [{"id": name, "at": one.at} for name, one in sorted(settings.premises.items())]
        click.echo(json.dumps({"spaces": rows, "premises": elsewhere}, indent=2))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['name'] or '(no district.toml)'}  {row['time_zone'] or '-'}  {row['database']}")
    for name, premises in sorted(settings.premises.items()):
        click.echo(f"{name}  on its district's premises: {premises.at}")
    if not rows and not settings.premises:
        click.echo("There is no space yet. Add one with `homeroom space add`.", err=True)


def _row(settings: Settings, name: str, district: str | None, time_zone: str | None) -> dict[str, str | None]:
    return {
        "id": name,
        "name": district,
        "time_zone": time_zone,
        "database": _shown(settings.spaces[name].database),
        "ledger": _shown(settings.spaces[name].ledger),
    }


def _shown(url: str) -> str:
    """A database's URL without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(not a database URL)"
