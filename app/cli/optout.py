"""`homeroom optout`: families' decisions that no vendor, or one vendor less, receives their child's record."""

import asyncio
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import click
from pyroaring import BitMap
from sqlalchemy import select

from app.cli.acting import acting, now, today_in
from app.cli.disclosures import printable
from app.cli.finding import known, opened
from app.cli.main import Context
from app.errors import UsageError
from app.ledger.acts import act, counted, whom
from app.ledger.entry import Entry, Kind, Whose
from app.names import DIRECTORY_INFORMATION, EVERY_VENDOR
from app.settings import Settings
from app.spaces.opt_outs import (
    OptOut,
    Standing,
    count_blocked,
    opt_students_in,
    opt_students_out,
    standing,
    student_keys,
)
from app.storage import control

REJECTED = 5
COLUMNS = ("key", "client")
NO_KEY = "There is no key. Write the district's own key or unique id of the student."
TOO_MANY = "The line has a cell too many. Name every column in the first line; beside --directory there is no client."
NO_STUDENT = "The space has no student with this key. Write the district's own key or unique id of the student."
NO_CLIENT = "There is no such client. `homeroom client list` names them; leave it empty for every vendor."


@dataclass(frozen=True, slots=True)
class Line:
    """One opt-out that is asked for, and the line of the file that asks."""

    number: int
    key: str
    client: str
    whole: bool = True  # whether all of its cells have a name


@dataclass(slots=True)
class Done:
    """What became of the lines."""

    changed: list[Standing] = field(default_factory=list)
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)  # line, reason
    others: list[Standing] = field(default_factory=list)  # what still stands of whoever was opted in


@click.command()
@click.argument("space")
@click.argument("key", required=False)
@click.option("--client", help="Only this client; every vendor if left out.")
@click.option("--file", "source", type=click.Path(path_type=Path), help="A CSV file: key, and client or nothing.")
@click.option("--directory", is_flag=True, help="Of directory information, on the bases that district.toml names.")
@click.option("--remove", is_flag=True, help="Take the opt-out back.")
@click.option("--list", "listing", is_flag=True, help="List the opt-outs that stand.")
@click.pass_obj
def optout(
    context: Context,
    *,
    space: str,
    key: str | None,
    client: str | None,
    source: Path | None,
    directory: bool,
    remove: bool,
    listing: bool,
) -> int:
    """Record that the student with the district's KEY opted out in SPACE: of every vendor, of one client, or of
    directory information.
    """
    settings = context.settings()
    known(settings, space)
    if [key is not None, source is not None, listing].count(True) != 1:
        raise UsageError("Name one student's KEY, or a --file of them, or ask for the --list.")
    if (source is not None and client is not None) or (listing and (client is not None or directory or remove)):
        raise UsageError("The file names clients itself, and the list has all. Leave out the other options there.")
    if directory and client is not None:
        raise UsageError("Directory information is withheld on bases, not from clients. Leave out --client.")
    if listing:
        asyncio.run(show(context, settings, space))
        return 0
    lines = read_lines(source) if source is not None else [Line(0, str(key), client or EVERY_VENDOR)]
    if directory:
        # A client beside it would be no decision that could be kept: such a line is not taken.
        lines = [replace(line, client=DIRECTORY_INFORMATION, whole=line.whole and not line.client) for line in lines]
    done = asyncio.run(take(settings, space, lines, remove=remove))
    if source is None and done.refused:
        raise UsageError(done.refused[0][1])
    report(context, done, source, remove=remove)
    return REJECTED if done.refused else 0


def read_lines(source: Path) -> list[Line]:
    """The lines of a CSV file. Raises: UsageError if it is not one."""
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(rows, [])]
            if "key" not in header or set(header) - set(COLUMNS) or len(set(header)) != len(header):
                raise UsageError("The file's first line names its columns: key, and client if some are for one vendor.")
            lines = []
            for row in rows:
                cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
                if any(cell.strip() for cell in row):
                    whole = len(row) <= len(header)
                    lines.append(Line(rows.line_num, cells.get("key", ""), cells.get("client", EVERY_VENDOR), whole))
            return lines
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"The file cannot be read as CSV in UTF-8 ({type(error).__name__}). Nothing was recorded."
        ) from None


async def take(settings: Settings, space: str, lines: Sequence[Line], *, remove: bool) -> Done:
    """Record or take back what the lines say, in one transaction; those that name nobody are left out and listed."""
    clients = None if remove else await registered(settings)
    done = Done()
    at = today_in(settings, space).isoformat()
    async with acting(settings, space, alone=False) as doing:
        keys = await student_keys(doing.connection, (line.key for line in lines))
        wanted: list[OptOut] = []
        for line in lines:
            if reason := wrong(line, keys, clients):
                done.refused.append((line.number, reason))
            else:
                wanted.append(OptOut(keys[line.key], line.client))
        if remove:
            done.changed = await opt_students_in(doing.connection, wanted)
            done.others = await standing(doing.connection, {one.student_key for one in wanted})
        else:
            done.changed = await opt_students_out(doing.connection, wanted, at)
        done.unchanged = len(wanted) - len(done.changed)
        await doing.enter(entries(done.changed, Kind.OPT_IN if remove else Kind.OPT_OUT))
    return done


def wrong(line: Line, keys: Mapping[str, str], clients: frozenset[str] | None) -> str | None:
    """Why a line cannot be taken, without its values."""
    if not line.whole:
        return TOO_MANY
    if not line.key:
        return NO_KEY
    if line.key not in keys:
        return NO_STUDENT
    return None if clients is None or line.client in clients else NO_CLIENT


def entries(changed: Sequence[Standing], kind: Kind) -> list[Entry]:
    """An entry of the ledger for each client that is concerned."""
    at, made = now(), []
    for client, group in groupby(sorted(changed, key=lambda one: one.client), key=lambda one: one.client):
        some = list(group)
        students = BitMap([one.student for one in some if one.student is not None])
        made.append(act(kind, at, [Whose(("Student",), students, len(some))], client=client))
    return made


async def registered(settings: Settings) -> frozenset[str]:
    """What one may opt out of: every client of this installation, all of them, or directory information."""
    async with opened(settings, settings.control) as engine, engine.connect() as connection:
        clients = (await connection.execute(select(control.client.c.id))).scalars()
        return frozenset({*clients, EVERY_VENDOR, DIRECTORY_INFORMATION})


def report(context: Context, done: Done, source: Path | None, *, remove: bool) -> None:
    """Say what was done."""
    verb = "taken back" if remove else "recorded"
    before = "did not stand" if remove else "stood already"
    if context.json:
        refused = [{"line": line, "reason": reason} for line, reason in done.refused]
        told = {"changed": len(done.changed), "unchanged": done.unchanged, "refused": refused}
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"Opt-outs {verb}: {len(done.changed)}. {done.unchanged} {before}.")
    for line, reason in done.refused:
        click.echo(f"  {source}:{line}: {reason}")
    if done.refused:
        click.echo(
            f"Not taken: {len(done.refused)} {counted('line', len(done.refused))}. Mend that, and run the file again."
        )
    for one in done.others if source is None else ():
        click.echo(f"The student is still opted out of {printable(whom(one.client))}.")


async def show(context: Context, settings: Settings, space: str) -> None:
    """List the opt-outs that stand."""
    async with opened(settings, known(settings, space).database) as engine, engine.connect() as connection:
        found, blocked = await standing(connection), await count_blocked(connection)
    if context.json:
        listed = [
            {"key": one.student_key, "of": whom(one.client), "since": one.at, "present": one.student is not None}
            for one in found
        ]
        click.echo(json.dumps({"optOuts": listed, "directoryBlocked": blocked}, indent=2, ensure_ascii=False))
        return
    for one in found:
        gone = "" if one.student is not None else "  (no record at present)"
        click.echo(printable(f"{one.student_key}  {whom(one.client)}  since {one.at}{gone}"))
    click.echo(f"Opt-outs that stand: {len(found)}. Students whose directory information is blocked: {blocked}.")
