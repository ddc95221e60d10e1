"""`homeroom erase`: a student whose record must go, with everything of theirs."""

import asyncio
import json

import click
from pyroaring import BitMap
from sqlalchemy import func, select

from app.cli.acting import acting, now, today_in
from app.cli.finding import known
from app.cli.main import Context
from app.errors import UsageError
from app.ledger.acts import OPT_OUTS, act, listed
from app.ledger.entry import Kind, Whose
from app.names import SpaceId
from app.opening import space_secret
from app.settings import Settings
from app.spaces import erasing
from app.spaces.lookup import row_of
from app.spaces.tables import opt_out


@click.command()
@click.argument("space")
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--readmit", is_flag=True, help="Let imports bring an erased student back.")
@click.pass_obj
def erase(context: Context, *, space: str, key: str, yes: bool, readmit: bool) -> None:
    """Take the student with the district's KEY, and everything of theirs, out of SPACE for good.

    Imports leave the student out from then on. What vendors received before can still be told to a parent.
    """
    settings = context.settings()
    known(settings, space)
    if readmit:
        asyncio.run(let_in(settings, space, key))
        click.echo(json.dumps({"readmitted": True}) if context.json else READMITTED)
        return
    if not yes:
        gone = asyncio.run(take_out(settings, space, key, dry_run=True))
        click.confirm(f"This takes {listed(gone)} out of {space}, and cannot be undone. Go on?", abort=True, err=True)
    gone = asyncio.run(take_out(settings, space, key))
    if context.json:
        click.echo(json.dumps({"erased": {whose.coordinates[0]: whose.records for whose in gone}}, indent=2))
    else:
        click.echo(f"Erased: {listed(gone)}. {AFTERWARDS}")


AFTERWARDS = (
    "Imports leave the student out until `homeroom erase --readmit`; `homeroom disclosures student` still answers."
)
READMITTED = "The next import that names the student brings them back, as a new record and without opt-outs."


async def take_out(settings: Settings, space: str, key: str, *, dry_run: bool = False) -> list[Whose]:
    """Erase a student, in one transaction that the ledger knows of before it holds."""
    secret = space_secret(settings, SpaceId(space))
    at = today_in(settings, space).isoformat()
    async with acting(settings, space, dry_run=dry_run) as doing:
        row = await row_of(doing.connection, key)
        if row is None:
            raise UsageError(f"{space} has no student with that key. Give the district's own key or unique id.")
        before = await doing.connection.scalar(select(func.count()).select_from(opt_out))
        removed = await erasing.erase(doing.connection, row, secret=secret, at=at)
        after = await doing.connection.scalar(select(func.count()).select_from(opt_out))
        gone = [Whose((one.type,), one.students, one.records) for one in removed]
        if count := (before or 0) - (after or 0):
            gone.append(Whose((OPT_OUTS,), BitMap([row]), count))
        if not dry_run:
            await doing.enter([act(Kind.ERASURE, now(), gone)])
    return gone


async def let_in(settings: Settings, space: str, key: str) -> None:
    """Readmit a student."""
    hashed = erasing.key_hash(space_secret(settings, SpaceId(space)), key)
    async with acting(settings, space) as doing:
        rows = await erasing.readmit(doing.connection, hashed)
        if not rows:
            raise UsageError(f"No student with that key is kept out of {space}.")
        await doing.enter([act(Kind.READMISSION, now(), [Whose(("Student",), BitMap(rows), 1)])])
