"""`homeroom disclosures`: what left, to whom, whose it was; and the proof that the record of it is whole."""

import asyncio
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec
from pyroaring import BitMap
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.cli.finding import find_student, known, opened
from app.cli.main import Context
from app.ledger.acts import sentence
from app.ledger.checkpoints import Checkpoints
from app.ledger.entry import OWN, Recorded, Whose
from app.ledger.reading import Filters, entries
from app.ledger.report import of_student, page
from app.ledger.summary import make_anew
from app.ledger.verify import Verdict
from app.ledger.verify import verify as verify_ledger
from app.names import SpaceId
from app.settings import Settings
from app.storage import control

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def disclosures() -> None:
    """What left, to whom, whose it was, when and why."""


@disclosures.command("list")
@click.argument("space")
@click.option("--client", help="Only what this client received.")
@click.option("--since", type=DAY, help="From this day on, in the district's time zone.")
@click.option("--until", type=DAY, help="Up to and with this day.")
@click.option("--student", help="Only what held something of the student with this key.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many.")
@click.pass_obj
def list_command(
    context: Context,
    *,
    space: str,
    client: str | None,
    since: datetime | None,
    until: datetime | None,
    student: str | None,
    limit: int,
) -> None:
    """List answers and refusals, newest first."""
    settings = context.settings()
    zone = district_of(settings, space)[1]

    async def collect() -> list[Recorded]:
        filters = Filters(
            client=client,
            since=since and since.replace(tzinfo=zone),
            until=until and (until + timedelta(days=1)).replace(tzinfo=zone),
            students=None if student is None else await find_student(settings, space, student),
        )
        found: list[Recorded] = []
        async with opened(settings, known(settings, space).ledger) as ledger:
            async for recorded in entries(ledger, filters):
                found.append(recorded)
                if len(found) > limit:
                    break
        return found

    found = asyncio.run(collect())
    more = len(found) > limit
    del found[limit:]
    if context.json:
        print_json([as_json(recorded) for recorded in found])
        return
    for recorded in found:
        click.echo(as_line(recorded, zone))
    if not found:
        click.echo("Nothing is recorded that fits.")
    if more:
        click.echo(f"These are the newest {limit}; there are more. Say --limit, --since or --until.", err=True)


@disclosures.command("student")
@click.argument("space")
@click.argument("key")
@click.pass_obj
def student_command(context: Context, space: str, key: str) -> None:
    """Answer a parent: who received which fields of the student with the district's KEY, when, why."""
    settings = context.settings()
    name, zone = district_of(settings, space)

    async def report() -> None:
        rows = await find_student(settings, space, key)
        async with opened(settings, known(settings, space).ledger) as ledger:
            received = await of_student(ledger, *rows, zone=zone)
        if context.json:
            print_json(received)
        else:
            names = await vendor_names(settings)
            purposes = purposes_of(settings, space)
            told = page(received, district=printable(name), student=printable(key), names=names, purposes=purposes)
            click.echo(told, nl=False)

    asyncio.run(report())


@disclosures.command("verify")
@click.argument("space")
@click.pass_context
def verify(ctx: click.Context, space: str) -> None:
    """Check that no entry was edited, removed, reordered or cut off. Exit status 1 if one was."""
    context: Context = ctx.obj
    settings = context.settings()
    ledger_url = known(settings, space).ledger
    checkpoints = Checkpoints.of(settings, SpaceId(space))

    async def check() -> Verdict:
        async with opened(settings, ledger_url) as ledger:
            return await verify_ledger(ledger, checkpoints)

    verdict = asyncio.run(check())
    if context.json:
        print_json({"sound": verdict.sound, "head": verdict.head.hash.hex(), **verdict_as_json(verdict)})
    else:
        print_verdict(verdict, space)
    ctx.exit(0 if verdict.sound else 1)


@disclosures.command("summarize")
@click.argument("space")
@click.pass_obj
def summarize_command(context: Context, space: str) -> None:
    """Make anew, from the entries, the summary that the console's pages are made of. Servers may go on meanwhile."""
    settings = context.settings()
    zone = district_of(settings, space)[1]

    async def make() -> int:
        async with opened(settings, known(settings, space).ledger) as ledger:
            return await make_anew(ledger, zone)

    count = asyncio.run(make())
    if context.json:
        print_json({"entries": count})
    else:
        click.echo(f"The summary of {space} was made anew from {count} entries.")


def district_file(settings: Settings, space: str) -> Mapping[str, Any]:
    """A district's policy file as it lies; empty where it cannot be read: a parent is answered all the same."""
    try:
        return tomllib.loads((settings.policies_folder / space / "district.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def district_of(settings: Settings, space: str) -> tuple[str, tzinfo]:
    """A district's name and time zone, as its policy file says; its id and UTC where that cannot be read."""
    known(settings, space)
    tree = district_file(settings, space)
    try:
        return str(tree["name"]), ZoneInfo(str(tree["time_zone"]))
    except (OSError, ValueError, KeyError):
        return space, UTC


def purposes_of(settings: Settings, space: str) -> Mapping[str, str]:
    """The sentences that a district wrote for its purposes, by their words."""
    purposes = district_file(settings, space).get("purposes")
    entries = purposes.items() if isinstance(purposes, dict) else ()
    return {word: printable(str(sentence)) for word, sentence in entries}


async def vendor_names(settings: Settings) -> Mapping[str, str]:
    """The vendors' names by client; none where the control database does not answer: ids do as well."""
    try:
        async with opened(settings, settings.control) as engine, engine.connect() as connection:
            rows = await connection.execute(select(control.client.c.id, control.client.c.name))
            return {row.id: f"{printable(row.name)} ({row.id})" for row in rows if row.name != row.id}
    except (SQLAlchemyError, OSError):
        return {}


def as_line(recorded: Recorded, zone: tzinfo) -> str:
    """An entry on one line."""
    entry = recorded.entry
    students = BitMap()
    for whose in entry.disclosed:
        students |= whose.students or BitMap()
    fields = sorted({coordinate for whose in entry.disclosed for coordinate in whose.coordinates})
    place = [f"{recorded.sequence:>8}", entry.at.astimezone(zone).isoformat(sep=" ", timespec="seconds")]
    if entry.kind in OWN:
        return printable("  ".join([*place, sentence(entry)]))
    parts = [
        *place,
        f"{entry.kind:<7}",
        entry.client,
        entry.purpose,
        entry.operation or "-",
        f"{len(students)} student{'' if len(students) == 1 else 's'}",
    ]
    if entry.officer is not None:
        parts.append(f"by {entry.officer}:")
    if entry.subgraph is not None:
        parts.append(f"to {entry.subgraph}:")
    if fields:
        parts.append(", ".join(fields))
    for whose in entry.removed:
        parts.append(f"told to remove {whose.records} {', '.join(whose.coordinates)}")
    if entry.denied:
        parts.append("denied: " + ", ".join(f"{coordinate} {reason}" for coordinate, reason in entry.denied))
    if not entry.complete:
        parts.append("incomplete")
    return printable("  ".join(parts))


def as_json(recorded: Recorded) -> dict[str, Any]:
    """An entry for other programs: how many students, not which."""
    entry = recorded.entry
    return {
        "sequence": recorded.sequence,
        "hash": recorded.hash.hex(),
        "kind": entry.kind,
        "at": entry.at,
        "request": entry.request,
        "client": entry.client,
        "purpose": entry.purpose,
        "basis": entry.basis,
        "revision": entry.revision,
        "district_revision": entry.district_revision,
        "state_revision": entry.state_revision,
        "operation": entry.operation,
        "officer": entry.officer,
        "digest": entry.digest,
        "disclosed": [whose_as_json(whose) for whose in entry.disclosed],
        "removed": [whose_as_json(whose) for whose in entry.removed],
        "denied": [{"coordinate": coordinate, "reason": reason} for coordinate, reason in entry.denied],
        "complete": entry.complete,
        "subgraph": entry.subgraph,
        "concerned": [whose_as_json(whose) for whose in entry.concerned],
    }


def whose_as_json(whose: Whose) -> dict[str, Any]:
    """Coordinates, or a type whose records a vendor was told to remove, with how many students and records."""
    return {
        "coordinates": whose.coordinates,
        "students": None if whose.students is None else len(whose.students),
        "records": whose.records,
    }


def verdict_as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for other programs."""
    return {
        "entries": verdict.entries,
        "checkpoints": verdict.checkpoints,
        "vouched": verdict.vouched,
        "findings": verdict.findings,
        "more": verdict.more,
        "interrupted": verdict.interrupted,
    }


def print_verdict(verdict: Verdict, space: str) -> None:
    """A verdict in sentences."""
    for finding in verdict.findings:
        click.echo(finding)
    if verdict.more:
        click.echo(f"... and {verdict.more} findings more.")
    for stream in verdict.interrupted:
        click.echo(printable(str(stream)))
    state = "is as it was recorded" if verdict.sound else "is not as it was recorded"
    click.echo(
        f"The ledger of {space} {state}: {verdict.entries} entries, {verdict.checkpoints} checkpoints "
        f"up to entry {verdict.vouched}."
    )


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(msgspec.json.encode(value).decode())


def printable(text: str) -> str:
    """Text that cannot steer a terminal: a purpose may be the caller's own words."""
    return "".join(character if character.isprintable() else "�" for character in text)
