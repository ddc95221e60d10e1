"""`homeroom policy`: find what misleads in policies, say why a field is disclosed or not, print the files' forms."""

import asyncio
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from app.cli.main import Context
from app.errors import ConfigurationError, Unavailable, UsageError
from app.names import ClientId, Coordinate, Scope, SpaceId, is_client_id
from app.oauth.clients import State, list_clients
from app.policy.authority import authority, purposes
from app.policy.decide import Ask, Deny, Permit, advice
from app.policy.documents import FORMS, json_schema
from app.policy.explain import Explanation, explain
from app.policy.lint import Known, lint
from app.policy.model import Finding, PolicySet
from app.policy.reading import read_folder, read_policies
from app.settings import Settings
from app.spaces.lookup import school_keys
from app.storage.engines import open_engine
from app.storage.published import current


@click.group()
def policy() -> None:
    """What districts and states decided: check it, explain it."""


@policy.command("lint")
@click.pass_context
def lint_command(ctx: click.Context) -> None:
    """Find what policy files say that does not do what their authors meant. Exit status 1 if anything is found."""
    context: Context = ctx.obj
    settings = context.settings()
    policies = asyncio.run(in_force(settings))
    known, unasked = asyncio.run(what_is_known(settings))
    findings = lint(policies, known, datetime.now(UTC))
    if context.json:
        click.echo(json.dumps({"findings": [as_json(one) for one in findings], "unasked": unasked}, indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
        for sentence in unasked:
            click.echo(sentence, err=True)
        grants = sum(len(space.grants) for space in policies.spaces.values())
        click.echo(f"{len(findings)} findings in {len(policies.spaces)} spaces with {grants} grants.", err=True)
    ctx.exit(1 if findings else 0)


@policy.command("explain")
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


@policy.command("schema")
@click.argument("form", type=click.Choice(sorted(FORMS)), required=False)
def schema_command(form: str | None) -> None:
    """Print the JSON Schema of one FORM of policy file, or of all three."""
    schemas = json_schema(form) if form else {name: json_schema(name) for name in sorted(FORMS)}
    click.echo(json.dumps(schemas, indent=2, ensure_ascii=False))


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
    policy = policies.spaces.get(space)
    zone = ZoneInfo(policy.district.time_zone) if policy and policy.district else UTC
    return datetime.combine(on.date(), time(12), tzinfo=zone)


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


def as_json(finding: Finding) -> dict[str, object]:
    """A finding for machines."""
    return {"file": finding.file, "line": finding.line, "key": finding.key, "message": finding.message}


async def in_force(settings: Settings) -> PolicySet:
    """The policy as it lies on disk, with the last good revision of a file that cannot be read, as servers have it."""
    last_good: Mapping[str, bytes] = {}
    try:
        url = settings.database_url(settings.control)
        refuse_absent(url)
        engine = open_engine(url)
        try:
            last_good = (await current(engine)).files
        finally:
            await engine.dispose()
    except (Unavailable, ConfigurationError, SQLAlchemyError, OSError):
        pass  # without it, what cannot be read is explained as absent
    return read_policies(read_folder(settings.policies_folder), last_good)


async def what_is_known(settings: Settings) -> tuple[Known, list[str]]:
    """What the installation knows, and a sentence for each part of it that could not be asked."""
    from app.schema.catalogue import CATALOGUE, SCOPES

    schools: dict[SpaceId, Collection[str]] = {}
    unasked: list[str] = []
    for space, where in settings.spaces.items():
        try:
            schools[SpaceId(space)] = await keys_of(settings.database_url(where.database))
        except (Unavailable, ConfigurationError):
            unasked.append(f"{space}: its database could not be asked, so that schools in its grants were not checked.")
    clients = await registrations(settings)
    if clients is None:
        unasked.append("The control database could not be asked, so that clients and their scopes were not checked.")
    known = Known(
        facts=CATALOGUE,
        spaces=tuple(map(SpaceId, settings.spaces)),
        schools=schools,
        clients=None if clients is None else {client: scopes for client, (scopes, _) in clients.items()},
        scopes=frozenset(SCOPES),
    )
    return known, unasked


async def keys_of(url: str) -> set[str]:
    """The school keys in a space's database. Raises: Unavailable."""
    refuse_absent(url)
    engine = open_engine(url)
    try:
        return await school_keys(engine)
    finally:
        await engine.dispose()


async def registrations(settings: Settings) -> Mapping[ClientId, tuple[frozenset[Scope], bool]] | None:
    """Every client's scopes, and whether it is suspended; None if the control database cannot be asked."""
    try:
        url = settings.database_url(settings.control)
        refuse_absent(url)
        engine = open_engine(url)
        try:
            clients = await list_clients(engine)
        finally:
            await engine.dispose()
    except (Unavailable, ConfigurationError, SQLAlchemyError, OSError):
        return None
    return {one.id: (one.scopes, one.state is State.SUSPENDED) for one in clients if one.state is not State.REVOKED}


def refuse_absent(url: str) -> None:
    """Raises: Unavailable for an SQLite file that is not there: looking must not make one."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise Unavailable("There is no such database.")
