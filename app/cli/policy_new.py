"""`homeroom policy new`: a grant drawn up from a template, closed until an officer has decided what stands open."""

import asyncio
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import click

from app.cli.main import Context
from app.cli.policy import as_json, in_force, what_is_known
from app.errors import ConfigurationError, UsageError
from app.names import ClientId, SpaceId, is_client_id
from app.policy.authority import day_of
from app.policy.draft import PURPOSES, draft
from app.policy.known import Known
from app.policy.lint import lint
from app.policy.model import DistrictPolicy, Finding, PolicySet
from app.settings import Settings

YEARS = range(2000, 2200)


@click.command("new")
@click.argument("space")
@click.argument("client")
@click.option("--template", required=True, type=click.Choice(sorted(PURPOSES)), help="What kind of product it is for.")
@click.option("--purpose", help="One of the district's words; what the template is for if left out.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day; today if left out.")
@click.option("--until", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last day; open if left out.")
@click.pass_obj
def new_command(
    context: Context,
    *,
    space: str,
    client: str,
    template: str,
    purpose: str | None,
    first: datetime | None,
    last: datetime | None,
) -> None:
    """Draw up a grant to CLIENT in SPACE. It discloses nothing until an officer has decided what is listed as open."""
    settings = context.settings()
    if not is_client_id(client):
        raise UsageError("That is no client_id. See `homeroom client list`.")
    policies = asyncio.run(in_force(settings))
    district = district_of(policies, SpaceId(space))
    word = chosen_purpose(district, template, purpose)
    begin = first.date() if first else day_of(datetime.now(UTC), district)[0]
    end = last.date() if last else None
    check_period(begin, end)
    file = place(policies, SpaceId(space), ClientId(client), word)
    known, _ = asyncio.run(what_is_known(settings))
    text = draft(
        template,
        client=ClientId(client),
        purpose=word,
        first=begin,
        last=end,
        schools=known.schools.get(SpaceId(space), ()),
        schema=(settings.policies_folder / "schemas" / "grant.json").is_file(),
    )
    write(settings.policies_folder / file, text)
    report(context, file, undecided(settings, file, known))


def district_of(policies: PolicySet, space: SpaceId) -> DistrictPolicy:
    """The district that grants. Raises: UsageError."""
    policy = policies.spaces.get(space)
    if policy is None or policy.district is None:
        names = ", ".join(name for name, one in policies.spaces.items() if one.district) or "none"
        raise UsageError(f"There is no such district. Those that have a district.toml: {names}.")
    return policy.district


def chosen_purpose(district: DistrictPolicy, template: str, asked: str | None) -> str:
    """The purpose that was asked for, or that the template is for. Raises: UsageError if the district has none such."""
    purpose = PURPOSES[template] if asked is None else asked
    if purpose not in district.purposes:
        words = ", ".join(sorted(district.purposes)) or "none yet: write them in district.toml"
        raise UsageError(f"{district.name} has no purpose {purpose}. Name one with --purpose: {words}.")
    return purpose


def check_period(first: date, last: date | None) -> None:
    """Raises: UsageError for days that cannot be meant."""
    if first.year not in YEARS or (last is not None and last.year not in YEARS):
        raise UsageError("These days lie too far off. Write them as 2026-08-15.")
    if last is not None and last < first:
        raise UsageError("The last day lies before the first. Correct --from or --until.")


def place(policies: PolicySet, space: SpaceId, client: ClientId, purpose: str) -> str:
    """Where the grant goes: a file named after the client, or after its purpose too where there is one for another.

    Raises: UsageError if there is a grant for that already.
    """
    granted = {grant.file: grant.purpose for grant in policies.spaces[space].grants if grant.client == client}
    if purpose in granted.values():
        there = next(file for file, word in granted.items() if word == purpose)
        raise UsageError(f"{there} grants {client} data for {purpose} already. Change or renew it there.")
    return f"{space}/grants/{client}{f'-{purpose}' if granted else ''}.toml"


def write(file: Path, text: str) -> None:
    """Write a new file, whole. Raises: UsageError if there is one, ConfigurationError if it cannot be written."""
    try:
        file.parent.mkdir(exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        if file.exists():
            raise UsageError(f"{file} is there already, and is left as it is. Change it, or move it away.") from None
        raise ConfigurationError(f"The file cannot be written ({error.strerror}).", file=str(file)) from None


def undecided(settings: Settings, file: str, known: Known) -> list[Finding]:
    """What a check finds in the new file: what is the officer's to decide."""
    findings = lint(asyncio.run(in_force(settings)), known, datetime.now(UTC))
    return [finding for finding in findings if finding.file == file]


def report(context: Context, file: str, findings: list[Finding]) -> None:
    """Say where the grant lies, and what is open."""
    if context.json:
        told = {"file": file, "decide": [as_json(finding) for finding in findings]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    click.echo(f"{file} is drawn up, and discloses no record of anybody yet. Yours to decide:")
    for finding in findings:
        click.echo(f"  {finding}")
