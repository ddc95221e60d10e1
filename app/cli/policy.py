"""`homeroom policy`: its commands, what an installation knows of its policies, and what misleads in them."""

import asyncio
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from app.cli.main import Commands, Context
from app.console.wording import plural
from app.errors import ConfigurationError, Unavailable
from app.ledger.usage import begun, used
from app.names import ClientId, Coordinate, Revision, Scope, SpaceId
from app.oauth.clients import State, list_clients
from app.policy.known import Known, Use
from app.policy.lint import lint
from app.policy.model import Finding, PolicySet, Severity
from app.policy.reading import read_folder, read_policies
from app.policy.usage import LONG_ENOUGH, long_given
from app.requests.store import revocations
from app.settings import Settings
from app.spaces.lookup import school_keys
from app.storage.engines import open_engine
from app.storage.published import current


@click.group(
    cls=Commands,
    found={
        "diff": "app.cli.policy_diff:diff_command",
        "explain": "app.cli.policy_explain:explain_command",
        "lint": "app.cli.policy:lint_command",
        "new": "app.cli.policy_new:new_command",
        "schema": "app.cli.policy_schema:schema_command",
        "test": "app.cli.policy_cases:test_command",
    },
)
def policy() -> None:
    """What districts and states decided: check it, explain it."""


@click.command("lint")
@click.option("--errors", is_flag=True, help="Leave warnings out, of what works as written but wants looking at.")
@click.pass_context
def lint_command(ctx: click.Context, errors: bool) -> None:
    """Find what policy files say that does not do what their authors meant. Exit status 1 if anything is found."""
    context: Context = ctx.obj
    settings = context.settings()
    policies = asyncio.run(in_force(settings))
    known, unasked = asyncio.run(what_is_known(settings, None if errors else policies))
    found = lint(policies, known, datetime.now(UTC))
    findings = [one for one in found if not errors or one.severity is Severity.ERROR]
    if context.json:
        click.echo(json.dumps({"findings": [as_json(one) for one in findings], "unasked": unasked}, indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
        for sentence in unasked:
            click.echo(sentence, err=True)
        grants = sum(len(space.grants) for space in policies.spaces.values())
        counts = plural(len(findings), "finding"), plural(len(policies.spaces), "space"), plural(grants, "grant")
        click.echo("{} in {} with {}.".format(*counts), err=True)
    ctx.exit(1 if findings else 0)


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


async def what_is_known(settings: Settings, used_under: PolicySet | None = None) -> tuple[Known, list[str]]:
    """What the installation knows, and a sentence for each part of it that could not be asked.

    With `used_under` the ledgers are asked what of these policies has not been used of late.
    """
    from app.federation.remotes import read_vocabulary

    vocabulary = read_vocabulary(settings)
    schools: dict[SpaceId, Collection[str]] = {}
    unasked: list[str] = []
    for space, where in settings.spaces.items():
        try:
            schools[SpaceId(space)] = await keys_of(settings.database_url(where.database))
        except (Unavailable, ConfigurationError):
            unasked.append(f"{space}: its database could not be asked, so that schools in its grants were not checked.")
    clients = await registrations(settings) if settings.gateway is None else None
    if settings.gateway is not None:
        unasked.append(
            "Clients are the trusted gateway's, and so those in grants, with their scopes, were not checked."
        )
    elif clients is None:
        unasked.append("The control database could not be asked, so that clients and their scopes were not checked.")
    unused: dict[SpaceId, Mapping[Use, Collection[Coordinate]]] = {}
    for name, given in long_given(used_under, vocabulary.facts, datetime.now(UTC)).items() if used_under else ():
        try:
            unused[name] = await not_used(settings, name, given)
        except (Unavailable, ConfigurationError):
            unasked.append(
                f"{name}: its ledger could not be asked, so that fields that nobody uses were not looked for."
            )
    known = Known(
        facts=vocabulary.facts,
        spaces=tuple(map(SpaceId, settings.spaces)),
        schools=schools,
        clients=None if clients is None else {client: scopes for client, (scopes, _) in clients.items()},
        scopes=frozenset(vocabulary.scopes),
        subgraphs=tuple({name for place in settings.spaces.values() for name in place.subgraphs}),
        unused=unused,
        revoked=await revoked(settings),
    )
    return known, unasked


async def not_used(
    settings: Settings, space: SpaceId, given: Mapping[Use, frozenset[Coordinate]]
) -> Mapping[Use, Collection[Coordinate]]:
    """What of the coordinates did not leave for as long as they were given. Raises: Unavailable, ConfigurationError."""
    if not given or space not in settings.spaces:
        return {}
    url = settings.database_url(settings.spaces[space].ledger)
    refuse_absent(url)
    engine = open_engine(url)
    since = datetime.now(UTC) - LONG_ENOUGH
    try:
        first = await begun(engine)
        if first is None or first > since:
            return {}  # nobody has had the time
        return {
            (client, purpose): coordinates - await used(engine, client, purpose, coordinates, since=since)
            for (client, purpose), coordinates in given.items()
        }
    finally:
        await engine.dispose()


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


async def revoked(settings: Settings) -> frozenset[Revision]:
    """The revisions with which officers ended grants in the console; none if the control database cannot be asked."""
    try:
        url = settings.database_url(settings.control)
        refuse_absent(url)
        engine = open_engine(url)
        try:
            found = [one for space in settings.spaces for one in await revocations(engine, SpaceId(space))]
        finally:
            await engine.dispose()
    except (Unavailable, ConfigurationError, SQLAlchemyError, OSError):
        return frozenset()
    return frozenset(Revision(one.revision) for one in found)


def refuse_absent(url: str) -> None:
    """Raises: Unavailable for an SQLite file that is not there: looking must not make one."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise Unavailable("There is no such database.")


def as_json(finding: Finding) -> dict[str, object]:
    """A finding for machines."""
    return {
        "file": finding.file,
        "line": finding.line,
        "key": finding.key,
        "message": finding.message,
        "severity": finding.severity,
    }
