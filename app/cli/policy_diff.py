"""`homeroom policy diff`: what each client gains and loses between two sets of policies."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path

import click

from app.cli.main import Context
from app.cli.policy import refuse_absent
from app.errors import UsageError
from app.names import Coordinate
from app.policy.compare import Change, SpaceDifference, compare
from app.policy.model import PolicySet
from app.policy.reading import read_folder, read_policies
from app.policy.telling import lines
from app.policy.wording import sentence
from app.schema.facts import Fact
from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.published import Published, current, former, last_with

IN_FORCE = "in-force"
REVISION = re.compile(r"[0-9a-f]{8,64}")


@click.command("diff")
@click.argument("one", metavar="A")
@click.argument("other", metavar="[B]", required=False)
@click.option("--space", help="Of this space alone.")
@click.pass_context
def diff_command(ctx: click.Context, one: str, other: str | None, space: str | None) -> None:
    """Say what each client gains and loses when the policies A become the policies B.

    Each is a folder of policies; `in-force`, what servers follow now; the number of a set that was in force; or the
    revision of a file (8 digits or more), as the ledger has it: the last set that held it. B is the installation's own
    folder if left out. Exit status 1 if anything is other, 3 if a file of either cannot be read.
    """
    context: Context = ctx.obj
    facts = _facts(context)
    before = policies_of(one, context)
    after = policies_of(str(context.settings().policies_folder) if other is None else other, context)
    if space is not None and space not in {*before.spaces, *after.spaces}:
        raise UsageError("Neither has policies for such a space. Write state/district, such as tx/grand-bend.")
    found = [each for each in compare(before, after, facts) if space in (None, each.space)]
    findings = sorted({*before.findings, *after.findings})
    if context.json:
        click.echo(json.dumps({"spaces": [as_json(each) for each in found]}, indent=2, ensure_ascii=False))
    else:
        for each in found:
            click.echo("\n".join(lines(each)))
    for finding in findings:
        click.echo(f"{finding} It is compared as if it were not there.", err=True)
    ctx.exit(3 if findings else 1 if found else 0)


def _facts(context: Context) -> Mapping[Coordinate, Fact]:
    """What can be granted here, subgraphs included; where no installation is, what the core has."""
    from app.federation.remotes import read_vocabulary
    from app.operation.vocabulary import CORE_VOCABULARY

    return read_vocabulary(context.settings()).facts if context.config.exists() else CORE_VOCABULARY.facts


def policies_of(named: str, context: Context) -> PolicySet:
    """The policies in a folder, or those that were in force. Raises: UsageError, PolicyError, Unavailable."""
    if Path(named).is_dir():
        return read_policies(read_folder(Path(named)))
    if named == IN_FORCE or named.isdecimal() or REVISION.fullmatch(named):
        return read_policies(asyncio.run(published(named, context.settings())).files)
    raise UsageError(f"{named} is no folder, no number of a set, no revision and not `{IN_FORCE}`. Write one of them.")


async def published(named: str, settings: Settings) -> Published:
    """A set that was in force. Raises: UsageError, Unavailable."""
    url = settings.database_url(settings.control)
    refuse_absent(url)
    engine = open_engine(url)
    try:
        newest = await current(engine)
        if named == IN_FORCE:
            return newest
        # A revision may have digits alone; no installation comes to a number of eight of them.
        number = int(named) if named.isdecimal() and len(named) < 8 else None
        found = await (last_with(engine, named) if number is None else former(engine, number))
    finally:
        await engine.dispose()
    if found is None:
        raise UsageError(f"No such policies were in force. The sets that were are numbered 1 to {newest.number}.")
    return found


def as_json(difference: SpaceDifference) -> dict[str, object]:
    """What is other in one space, for machines."""
    return {
        "space": difference.space,
        "clients": [
            {"client": each.client, "purpose": each.purpose, "changes": [change_as_json(one) for one in each.changes]}
            for each in difference.clients
        ],
        "terms": [{"key": one.key, "before": one.before, "after": one.after} for one in difference.terms],
    }


def change_as_json(change: Change) -> dict[str, object]:
    """What is other on some days, for machines. A transform is null where the value is shown as it is."""
    return {
        "first": str(change.first),
        "last": str(change.last),
        "gained": dict(change.gained),
        "lost": dict(change.lost),
        "shown": {coordinate: {"before": one, "after": other} for coordinate, (one, other) in change.shown.items()},
        "records": {
            "before": change.before and sentence(change.before),
            "after": change.after and sentence(change.after),
        },
        "rows": [
            {
                "key": row.key,
                "wider": row.wider,
                "before": change.before and getattr(change.before, row.key),
                "after": change.after and getattr(change.after, row.key),
            }
            for row in change.rows
        ],
        "terms": [{"key": one.key, "before": one.before, "after": one.after} for one in change.terms],
    }
