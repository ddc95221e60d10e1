"""`homeroom policy explain`: why a client is given a field, or why not, with file and line."""

import asyncio
import json
from datetime import UTC, datetime, time

import click

from app.cli.main import Context
from app.cli.policy import as_json, in_force, registrations
from app.errors import UsageError
from app.names import ClientId, Coordinate, SpaceId, is_client_id
from app.policy.authority import NOTHING, authority, purposes, zone_of
from app.policy.decide import Ask, Deny, Permit, advice
from app.policy.explain import Explanation, explain
from app.policy.model import PolicySet


@click.command("explain")
@click.argument("client")
@click.argument("space")
@click.argument("coordinate")
@click.option("--purpose", help="Which purpose; may be left out where the client has one alone.")
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="On which day, in the district's time zone; today if left out."
)
@click.pass_obj
def explain_command(
    context: Context, *, client: str, space: str, coordinate: str, purpose: str | None, on: datetime | None
) -> None:
    """Say why CLIENT is given COORDINATE (such as Student.birthDate) in SPACE, or why not, with file and line."""
    from app.schema.catalogue import CATALOGUE

    settings = context.settings()
    if not is_client_id(client):
        raise UsageError("That is no client_id. See `homeroom client list`.")
    fact = CATALOGUE.get(Coordinate(coordinate))
    if fact is None:
        raise UsageError("The graph has no such coordinate. Write Type.field, such as Student.birthDate.")
    policies = asyncio.run(in_force(settings))
    if space not in policies.spaces and space not in settings.spaces:
        names = ", ".join(sorted({*policies.spaces, *settings.spaces})) or "none"
        raise UsageError(f"There is no such space. The spaces of this installation: {names}.")
    clients = asyncio.run(registrations(settings)) or {}
    registered, suspended = clients.get(ClientId(client), (frozenset({fact.scope}), False))
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
    ask = Ask(fact.coordinate, fact.scope, fact.sensitivity, fact.is_text)
    told = explain(ask, held)
    broken = [one for one in policies.findings if one.file.startswith((f"{space}/", f"{space[:2]}/state.toml"))]
    sentence = "" if isinstance(told.decision, Permit) else advice(told.decision.reason, ask, held)
    if context.json:
        click.echo(
            json.dumps(
                {**explanation(told), "advice": sentence, "findings": [as_json(one) for one in broken]}, indent=2
            )
        )
        return
    click.echo(verdict(told, client))
    for step in told.steps:
        click.echo(f"  {'yes' if step.holds else 'NO ':3} {step.sentence}{f'  ({step.place})' if step.file else ''}")
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


def verdict(told: Explanation, client: str) -> str:
    """The decision in one line."""
    match told.decision:
        case Permit(transform=None):
            return f"{told.ask.coordinate} is disclosed to {client}."
        case Permit(transform=transform):
            return f"{told.ask.coordinate} is disclosed to {client} as {transform}."
        case Deny(reason=reason):
            return f"{told.ask.coordinate} is withheld from {client}: {reason}."


def explanation(told: Explanation) -> dict[str, object]:
    """An explanation for machines."""
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
    }
