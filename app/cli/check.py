"""`homeroom check`: everything that would stop or mislead `serve`, in sentences."""

import asyncio
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import click

from app.cli.check_locks import check_locks
from app.cli.check_premises import check_premises
from app.cli.main import Context
from app.cli.policy import refuse_absent, what_is_known
from app.errors import ConfigurationError, Unavailable
from app.ledger.checkpoints import read_key
from app.names import SpaceId
from app.oauth.keys import read_keys
from app.opening import space_secret
from app.policy.lint import lint
from app.policy.model import PolicySet, Severity
from app.policy.reading import read_folder, read_policies
from app.settings import Settings
from app.spaces.ssns import count_ssns
from app.storage.engines import open_engine
from app.storage.migrate import Kind, pending


@dataclass(slots=True)
class Report:
    """What a check saw: `findings` want mending, `remarks` want knowing."""

    findings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@click.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Check configuration, keys, databases and policies. Exit status 1 if anything is found."""
    context: Context = ctx.obj
    report = examine(context.settings())
    if context.json:
        click.echo(json.dumps({"findings": report.findings, "remarks": report.remarks}, indent=2, ensure_ascii=False))
    else:
        tell(report)
    ctx.exit(1 if report.findings else 0)


def examine(settings: Settings) -> Report:
    """Look at everything."""
    report = Report()
    if not settings.spaces and not settings.premises:
        report.remarks.append("There is no space yet, and so nothing to ask for. Add one with `homeroom space add`.")
    check_keys(settings, report)
    policies = check_policies(settings, report)
    asyncio.run(check_databases(settings, policies, report))
    check_around(settings, report)
    return report


def tell(report: Report) -> None:
    """A report in sentences."""
    for line in (*report.findings, *report.remarks):
        click.echo(line)
    if not report.findings:
        click.echo("Nothing to mend: this installation can be served.")


def check_keys(settings: Settings, report: Report) -> None:
    """Signing keys and spaces' secrets can be read, by their owner alone."""
    reads: list[Callable[[], object]] = [
        partial(read_keys, settings.keys_folder, settings.oauth.token_seconds),
        partial(read_key, settings.keys_folder / "ledger.json"),
        *(partial(space_secret, settings, SpaceId(name)) for name in settings.spaces),
    ]
    for read in reads:
        try:
            read()
        except ConfigurationError as error:
            report.findings.append(error.message)
    report.findings += [
        f"{file}: Others on this machine can read it. Run: chmod 600 {file}" for file in _open_to_others(settings)
    ]


def check_around(settings: Settings, report: Report) -> None:
    """What else the server leans on: the store that requests are counted in, and the token for `/metrics`."""
    if settings.traffic.store != "memory":
        from redis import Redis
        from redis.exceptions import RedisError

        try:
            with Redis.from_url(settings.traffic.store.replace("valkey", "redis", 1), socket_timeout=5) as store:
                store.ping()
        except (RedisError, OSError, ValueError) as error:
            report.findings.append(
                f"traffic.store: The store does not answer ({type(error).__name__}). Start it, or correct its address."
            )
    check_subgraphs(settings, report)
    findings, remarks = asyncio.run(check_premises(settings, datetime.now(UTC).timestamp()))
    report.findings += findings
    report.remarks += remarks
    token = settings.home / settings.metrics.token_file
    if settings.metrics.read_by == "token" and not token.is_file():
        report.findings.append(f"{token}: The token for /metrics is missing, and so nobody can read them. Write one.")


def check_subgraphs(settings: Settings, report: Report) -> None:
    """The supergraph can be read, and every subgraph that a space names answers."""
    from app.federation.remotes import read_remotes
    from app.subgraphs.endpoints import open_endpoints, silent

    async def look() -> list[str]:
        remotes = read_remotes(settings)
        known = remotes.names.values() if remotes is not None else ()
        async with open_endpoints(settings, known) as endpoints:
            return [
                f"{space}: The subgraph {name} does not answer. {why}"
                for space, named in endpoints.items()
                for name, endpoint in named.items()
                if (why := await silent(endpoint))
            ]

    try:
        report.findings += asyncio.run(look())
    except ConfigurationError as error:
        report.findings.append(error.message)


def _open_to_others(settings: Settings) -> Iterator[Path]:
    urls = [settings.control, *(url for place in settings.spaces.values() for url in (place.database, place.ledger))]
    config = settings.home / "homeroom.toml"
    if any(urlsplit(url).password for url in urls) and _is_open(config):
        yield config
    for file in sorted(settings.keys_folder.rglob("*")):
        if _is_open(file):
            yield file


def _is_open(file: Path) -> bool:
    return file.is_file() and bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def check_policies(settings: Settings, report: Report) -> PolicySet:
    """What policy files say can be read, and does what its authors meant."""
    try:
        policies = read_policies(read_folder(settings.policies_folder))
    except ConfigurationError as error:
        report.findings.append(error.message)
        return read_policies({})
    known, unasked = asyncio.run(what_is_known(settings))
    for finding in lint(policies, known, datetime.now(UTC)):
        said = report.findings if finding.severity is Severity.ERROR else report.remarks
        said.append(f"{settings.policies}/{finding}")
    report.remarks += unasked
    return policies


async def check_databases(settings: Settings, policies: PolicySet, report: Report) -> None:
    """Every database answers, has the newest tables and is locked; how many social security numbers each space met."""
    await _check_database(settings, settings.control, "control", "The control database", report)
    for name, place in settings.spaces.items():
        if await _check_database(settings, place.database, "space", f"{name}: The space's database", report):
            await _check_ssns(settings, SpaceId(name), policies, report)
        await _check_database(settings, place.ledger, "ledger", f"{name}: The ledger", report)
    findings, remarks = await check_locks(settings)
    report.findings += findings
    report.remarks += remarks


async def _check_database(settings: Settings, url: str, kind: Kind, what: str, report: Report) -> bool:
    """Whether it can be read as it is."""
    try:
        address = settings.database_url(url)
        refuse_absent(address)
        engine = open_engine(address)
        try:
            behind = await pending(engine, kind)
        finally:
            await engine.dispose()
    except (ConfigurationError, Unavailable) as error:
        report.findings.append(f"{what} cannot be used. {error.message}")
        return False
    if behind:
        report.remarks.append(f"{what} is of an older version; the next `homeroom serve` upgrades it.")
    return not behind


async def _check_ssns(settings: Settings, space: SpaceId, policies: PolicySet, report: Report) -> None:
    engine = open_engine(settings.database_url(settings.spaces[space].database))
    try:
        ssns = await count_ssns(engine)
    except Unavailable as error:
        report.findings.append(f"{space}: {error.message}")
        return
    finally:
        await engine.dispose()
    policy = policies.spaces.get(space)
    wanted = policy is not None and policy.district is not None and policy.district.ssn == "store"
    said = f"{space}: The last import met {ssns.met:,} social security numbers; {ssns.stored:,} are stored"
    if ssns.stored and not wanted:
        report.findings.append(
            f'{said}, though district.toml does not say ssn = "store". Import the roster again: they are left out.'
        )
    elif ssns.students:
        report.remarks.append(f"{said}.")
