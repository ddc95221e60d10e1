"""`homeroom retention`: what the district does not keep any longer goes."""

import asyncio
import json

import click

from app.cli.acting import acting, district_policy, now, today_in
from app.cli.main import Context
from app.errors import ConfigurationError
from app.ledger.acts import act, counted, listed
from app.ledger.entry import Kind, Whose
from app.ledger.report import plain
from app.policy.model import DistrictPolicy
from app.settings import Settings
from app.spaces.retention import Class, Kept, expire
from app.spaces.tables import BY_TYPE


@click.command()
@click.argument("space")
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@click.pass_obj
def retention(context: Context, space: str, *, dry_run: bool) -> None:
    """Delete the records of SPACE that are older than district.toml keeps them."""
    settings = context.settings()
    policy = district_policy(settings, space)
    refuse_unknown(policy)
    kept = asyncio.run(run(settings, space, policy, dry_run=dry_run))
    gone = concerned(kept)
    if context.json:
        click.echo(json.dumps(as_json(kept, dry_run=dry_run), indent=2))
        return
    for one in kept.classes:
        click.echo(as_line(one))
    if not kept.classes:
        click.echo("district.toml has no [retention]: everything is kept.")
    click.echo(f"{'This would delete' if dry_run else 'Deleted'}: {listed(gone)}.")


def refuse_unknown(policy: DistrictPolicy) -> None:
    """Raises: ConfigurationError for a class that there is not."""
    for name in policy.retention:
        if name not in BY_TYPE:
            key = f"retention.{name}"
            raise ConfigurationError(
                "There is no such class of records. Correct its name: nothing was deleted.",
                file=policy.file, key=key, line=policy.line(key),
            )  # fmt: skip


async def run(settings: Settings, space: str, policy: DistrictPolicy, *, dry_run: bool) -> Kept:
    """One run, in one transaction that the ledger knows of before it holds."""
    async with acting(settings, space, dry_run=dry_run) as doing:
        kept = await expire(doing.connection, policy.retention, today_in(settings, space))
        if kept.removed and not dry_run:
            await doing.enter([act(Kind.RETENTION, now(), concerned(kept))])
    return kept


def concerned(kept: Kept) -> list[Whose]:
    """What went, as the ledger keeps it."""
    return [Whose((one.type,), one.students, one.records) for one in kept.removed]


def as_line(one: Class) -> str:
    """What became of one class."""
    name, years = counted(plain(one.type), 2), f"{one.years} school year{'' if one.years == 1 else 's'}"
    said = f"{name}, kept {years} after their own: {one.gone:,} too old"
    if one.held:
        said += f"; {one.held:,} more are, but a record that stays needs them"
    if one.undated:
        said += f"; {one.undated:,} kept, for no date tells their school year"
    return said


def as_json(kept: Kept, *, dry_run: bool) -> dict[str, object]:
    """The report for other programs."""
    return {
        "classes": {
            one.type: {"years": one.years, "gone": one.gone, "held": one.held, "undated": one.undated}
            for one in kept.classes
        },
        "deleted": {one.type: one.records for one in kept.removed},
        "dryRun": dry_run,
    }
