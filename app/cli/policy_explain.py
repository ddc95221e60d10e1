"""`homeroom policy explain`: why a client is given a field, or why not, with file and line."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time

import click

from app.cli.main import Context
from app.cli.policy import as_json, in_force, refuse_absent, registrations
from app.errors import UsageError
from app.names import ClientId, Coordinate, SpaceId, is_client_id
from app.policy.authority import NOTHING, Authority, authority, purposes, zone_of
from app.policy.decide import Deny, Permit, advice
from app.policy.explain import Explanation, explain
from app.policy.model import PolicySet
from app.policy.wording import CONDITIONS
from app.settings import Settings
from app.spaces.driver import Readers
from app.spaces.lookup import student_row
from app.spaces.standing import Standing, standing
from app.storage.engines import open_engine


@click.command("explain")
@click.argument("client")
@click.argument("space")
@click.argument("coordinate")
@click.option("--purpose", help="Which purpose; may be left out where the client has one alone.")
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="On which day, in the district's time zone; today if left out."
)
@click.option("--student", "key", help="Say also whether the student with this key is in the rows, and why not.")
@click.pass_obj
def explain_command(
    context: Context,
    *,
    client: str,
    space: str,
    coordinate: str,
    purpose: str | None,
    on: datetime | None,
    key: str | None,
) -> None:
    """Say why CLIENT is given COORDINATE (such as Student.birthDate) in SPACE, or why not, with file and line.

    What follows is of whose records it is given, condition by condition.
    """
    from app.federation.remotes import read_vocabulary
    from app.operation.authorize import ask_for

    settings = context.settings()
    vocabulary = read_vocabulary(settings)
    if not is_client_id(client):
        raise UsageError("That is no client_id. See `homeroom client list`.")
    fact = vocabulary.facts.get(Coordinate(coordinate))
    if fact is None:
        raise UsageError("The graph has no such coordinate. Write Type.field, such as Student.birthDate.")
    policies = asyncio.run(in_force(settings))
    if space not in policies.spaces and space not in settings.spaces:
        names = ", ".join(sorted({*policies.spaces, *settings.spaces})) or "none"
        raise UsageError(f"There is no such space. The spaces of this installation: {names}.")
    clients = asyncio.run(registrations(settings)) or {}
    registered, suspended = clients.get(ClientId(client), (frozenset(vocabulary.scopes), False))
    held = authority(
        policies,
        client=ClientId(client),
        space=SpaceId(space),
        purpose=chosen_purpose(policies, SpaceId(space), ClientId(client), purpose),
        scopes=registered,
        registered=registered,
        suspended=suspended,
        now=moment(policies, SpaceId(space), on),
    )
    ask = ask_for(fact)
    told = explain(ask, held, [*map(ask_for, vocabulary.by_type.get(fact.leads_to, ()))] if fact.leads_to else [])
    student = None if key is None else asyncio.run(of_student(settings, SpaceId(space), key, held))
    broken = [one for one in policies.findings if one.file.startswith((f"{space}/", f"{space[:2]}/state.toml"))]
    sentence = "" if isinstance(told.decision, Permit) else advice(told.decision.reason, ask, held)
    if context.json:
        found = [as_json(one) for one in broken]
        click.echo(json.dumps({**explanation(told, student), "advice": sentence, "findings": found}, indent=2))
        return
    click.echo("\n".join(lines(told, client, student)))
    if ClientId(client) not in clients:
        click.echo(f"{client} is not registered here: its scopes are taken for granted.", err=True)
    for finding in broken:
        stands = (
            " The revision before it is in force, and is what is explained." if finding.file in policies.files else ""
        )
        click.echo(f"{finding}{stands}", err=True)


def chosen_purpose(policies: PolicySet, space: SpaceId, client: ClientId, asked: str | None) -> str:
    """The purpose that was asked for, or else the client's only one. Raises: UsageError if there are several."""
    there_are = purposes(policies, space, client)
    if asked is None and len(there_are) > 1:
        raise UsageError(f"{client} has grants for several purposes. Name one with --purpose: {', '.join(there_are)}.")
    return asked if asked is not None else "".join(there_are)


def moment(policies: PolicySet, space: SpaceId, on: datetime | None) -> datetime:
    """Now, or noon of a day in the district's time zone."""
    if on is None:
        return datetime.now(UTC)
    policy = policies.spaces.get(space, NOTHING)
    return datetime.combine(on.date(), time(12), tzinfo=zone_of(policy.district))


async def of_student(settings: Settings, space: SpaceId, key: str, by: Authority) -> Standing:
    """Where one student stands. Raises: UsageError if the space has none of that key, Unavailable."""
    if space not in settings.spaces:
        raise UsageError("The installation does not serve that space, so its students cannot be looked up.")
    url = settings.database_url(settings.spaces[space].database)
    refuse_absent(url)
    engine, readers = open_engine(url), Readers(url)
    try:
        row = await student_row(engine, key)
        if row is None:
            raise UsageError("The space has no student of that key. Write the key that the district's own systems use.")
        return await standing(readers, row, by)
    finally:
        await readers.close()
        await engine.dispose()


def lines(told: Explanation, client: str, student: Standing | None) -> Iterator[str]:
    """An explanation for people."""
    yield f"{verdict(told, client)}{f'  ({told.deciding.place})' if told.deciding.file else ''}"
    for step in told.steps:
        yield f"  {yes(step.holds)} {step.sentence}{f'  ({step.place})' if step.file else ''}"
    yield "Of these records:"
    if not any(each.key in CONDITIONS for each in told.records):
        yield "      every one of the district"
    for each in told.records:
        met = "   " if student is None or each.key not in student.met else yes(student.met[each.key])
        yield f"  {met} {each.sentence}  ({each.place})"
    if student is not None:
        yield f"The student is {'in the rows' if student.admitted else 'outside the rows'}{together(student)}."
    if student is not None and student.opted_out:
        yield f"Their family opted out of {client}: nothing of the student is disclosed to it."


def together(student: Standing) -> str:
    """What is missing where each condition is met, and not all of them by one enrollment."""
    apart = not student.admitted and student.met and all(student.met.values())
    return ": no one enrollment meets all of them" if apart else ""


def yes(holds: bool) -> str:
    """Whether a condition holds, in a column of three."""
    return "yes" if holds else "NO "


def verdict(told: Explanation, client: str) -> str:
    """The decision in one line."""
    match told.decision:
        case Permit(transform=None):
            return f"{told.ask.coordinate} is disclosed to {client}."
        case Permit(transform=transform):
            return f"{told.ask.coordinate} is disclosed to {client} as {transform}."
        case Deny(reason=reason):
            return f"{told.ask.coordinate} is withheld from {client}: {reason}."


def explanation(told: Explanation, student: Standing | None) -> dict[str, object]:
    """An explanation for machines."""
    deciding = told.deciding
    return {
        "coordinate": told.ask.coordinate,
        "scope": told.ask.scope,
        "disclosed": isinstance(told.decision, Permit),
        "transform": told.decision.transform if isinstance(told.decision, Permit) else None,
        "reason": told.decision.reason if isinstance(told.decision, Deny) else None,
        "steps": [
            {"holds": s.holds, "reason": s.reason, "sentence": s.sentence, "file": s.file, "line": s.line}
            for s in told.steps
        ],
        "decided_at": {"file": deciding.file, "line": deciding.line},
        "records": [
            {
                "key": each.key,
                "sentence": each.sentence,
                "file": each.file,
                "line": each.line,
                "met": student and student.met.get(each.key),
            }
            for each in told.records
        ],
        "student_in_rows": student and student.admitted,
        "student_opted_out": student and student.opted_out,
    }
