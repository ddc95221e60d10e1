"""`homeroom policy diff`: what each client gains and loses between two sets of policies."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

import click

from app.cli.main import Context
from app.cli.policy import refuse_absent
from app.errors import UsageError
from app.names import Coordinate
from app.policy.compare import Change, SpaceDifference, compare
from app.policy.model import PolicySet, Rows, Transform
from app.policy.reading import read_folder, read_policies
from app.policy.wording import condition, sentence
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
    from app.operation.vocabulary import CORE_VOCABULARY

    facts = CORE_VOCABULARY.facts if other is not None else _facts(context)
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
    """What can be granted here, subgraphs included."""
    from app.federation.remotes import read_vocabulary

    return read_vocabulary(context.settings()).facts


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


def lines(difference: SpaceDifference) -> Iterator[str]:
    """What is other in one space, for people: + gained, - lost, ~ other."""
    yield str(difference.space)
    for each in difference.clients:
        yield f"  {each.client} for {each.purpose}"
        for change in each.changes:
            yield f"    from {change.first} to {change.last}"
            yield from (f"      {line}" for line in of_change(change))
    for term in difference.terms:
        yield f"  ~ {term.key}: {said(term.before)} -> {said(term.after)}"


def of_change(change: Change) -> Iterator[str]:
    """What is other on some days."""
    yield from by_type("+", change.gained)
    yield from by_type("-", change.lost)
    for coordinate, (before, after) in change.shown.items():
        yield f"~ {coordinate}: {before or 'as it is'} -> {after or 'as it is'}"
    if change.before is None or change.after is None:
        mark, rows = ("+", change.after) if change.after else ("-", change.before)
        if rows is not None:
            yield f"{mark} {sentence(rows)}"
    else:
        yield from (row_line(row.key, row.wider, change.before, change.after) for row in change.rows)
    yield from (f"~ {term.key}: {said(term.before)} -> {said(term.after)}" for term in change.terms)


def by_type(mark: str, fields: Mapping[Coordinate, Transform | None]) -> Iterator[str]:
    """Fields that are gained or lost, a line for each type."""
    for type_name, of_type in groupby(sorted(fields), key=lambda coordinate: coordinate.partition(".")[0]):
        names = (f"{coordinate.partition('.')[2]}{shown_as(fields[coordinate])}" for coordinate in of_type)
        yield f"{mark} {type_name}: {', '.join(names)}"


def row_line(key: str, wider: bool | None, before: Rows, after: Rows) -> str:
    """A condition on rows that is another."""
    mark = "~" if wider is None else "+" if wider else "-"
    return f"{mark} {condition(key, before)} -> {condition(key, after)}"


def shown_as(shown: Transform | None) -> str:
    """How a field is shortened."""
    return f" as {shown}" if shown else ""


def said(words: str) -> str:
    """What is said, or that nothing is."""
    return words or "(nothing)"


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
