"""Find what one grant says that does not do what its author meant."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath

from app.names import Coordinate, SpaceId
from app.policy.authority import Authority, day_of
from app.policy.decide import Ask, denied_by_district, denied_by_state, missing_roles, required_roles
from app.policy.known import Known
from app.policy.model import WRITTEN_AGREEMENT, DistrictPolicy, Finding, Grant, Severity, SpacePolicy, last_day
from app.policy.reach import lead_nowhere, unreachable

NOT_STUDENT_DATA = "(not student data)"
"""The category of what no agreement has to cover."""

EMPTY = "The list is empty, so the grant reaches nobody. Fill it; without the key there is no such condition at all."

GRADE_LEVELS = frozenset(
    {"IT", "PR", "PK", "TK", "KG", "PS", "UG", "AE", "ABE", "AS", "BA", "PB", "MD", "PM", "DO", "PD"}
)
"""CEDS 000100 beside 01 to 13."""


def as_it_stands(grant: Grant, policy: SpacePolicy, space: SpaceId, known: Known, now: datetime) -> Authority:
    """The authority of a client that holds every scope."""
    held = frozenset(fact.scope for fact in known.facts.values())
    today, midnight = day_of(now, policy.district)
    return Authority(
        client=grant.client,
        space=space,
        purpose=grant.purpose,
        scopes=held,
        registered=held,
        suspended=False,
        grant=grant,
        district=policy.district,
        state=policy.state,
        today=today,
        valid_until=midnight,
    )


def lint_grant(grant: Grant, authority: Authority, district: DistrictPolicy, known: Known) -> Iterator[Finding]:
    """Everything in a grant that its author should look at. The authority is that of `as_it_stands`."""
    yield from _identity(grant, district, known)
    yield from _period(grant, authority)
    yield from _rows(grant, authority.space, known)
    yield from _agreement(grant, known)
    for coordinate in grant.fields:
        yield from _coordinate(coordinate, grant, authority, district, known)
    yield from _unused(grant, authority, known)
    yield from _two_roles(grant, district, known)
    for approval in grant.approvals:
        for coordinate in approval.covers:
            if coordinate not in grant.fields:
                message = f"{coordinate} is approved but not granted. Grant it under [fields], or take it out."
                yield Finding(grant.file, approval.line, "approval", message)
    edges = {coordinate: known.facts[coordinate].leads_to for coordinate in grant.fields if coordinate in known.facts}
    for coordinate, leads_to in lead_nowhere(edges):
        message = (
            f"Nothing of {leads_to} is granted, so {coordinate} leads nowhere. Grant a field of it, or take this out."
        )
        yield _at(grant, coordinate, message)
    for coordinate in unreachable(edges):
        type_name = coordinate.partition(".")[0]
        message = f"No granted edge leads to {type_name}, so {coordinate} is out of reach. Grant one, or take this out."
        yield _at(grant, coordinate, message)


def _at(
    grant: Grant, coordinate: Coordinate, message: str, severity: Severity = Severity.ERROR, *, waits: bool = False
) -> Finding:
    type_name = coordinate.partition(".")[0]
    line = grant.lines.get(coordinate, grant.line("fields"))
    return Finding(grant.file, line, f"fields.{type_name}", message, severity, waits)


def _key(grant: Grant, key: str, message: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(grant.file, grant.line(key), key, message, severity)


def _identity(grant: Grant, district: DistrictPolicy, known: Known) -> Iterator[Finding]:
    stem = PurePosixPath(grant.file).name.removesuffix(".toml")
    if stem != grant.client and not stem.startswith((f"{grant.client}-", f"{grant.client}.")):
        message = f"The file is named {stem} but grants to {grant.client}. Name it {grant.client}.toml."
        yield _key(grant, "client", message, Severity.WARNING)
    if known.clients is not None and grant.client not in known.clients:
        yield _key(
            grant, "client", "There is no such client. Register it with `homeroom client add`, or correct its name."
        )
    if grant.purpose not in district.purposes:
        words = ", ".join(sorted(district.purposes)) or "none yet"
        message = f"The district has no such purpose; its words are: {words}. Use one, or add this under `purposes`."
        yield _key(grant, "purpose", message)
    if not grant.statement:
        message = "No sentence says what the data is for. Write one that a parent understands."
        yield _key(grant, "statement", message, Severity.WARNING)
    if not grant.fields:
        yield _key(grant, "fields", "The grant lists no field, and so gives nothing. List some, or remove the file.")


def _period(grant: Grant, authority: Authority) -> Iterator[Finding]:
    end = last_day(grant, authority.state)
    if grant.not_after < grant.not_before:
        yield _key(grant, "not_after", "The grant ends before it begins, and so is never in force. Correct the days.")
    elif authority.today > end:
        yield _key(grant, "not_after", f"The grant expired after {end}. Renew it, or remove the file.")
    if end < grant.not_after and authority.state:
        message = f"The state allows {authority.state.max_days} days, so the grant ends on {end}. Write that day."
        yield _key(grant, "not_after", message)
    if grant.review_by and authority.today > grant.review_by:
        message = f"The review was due by {grant.review_by}. Look at the grant, and set the next."
        yield _key(grant, "review_by", message, Severity.WARNING)


def _rows(grant: Grant, space: SpaceId, known: Known) -> Iterator[Finding]:
    for key in ("schools", "grade_levels", "subjects"):
        if getattr(grant.rows, key) == ():
            yield _key(grant, f"rows.{key}", EMPTY)
    schools = known.schools.get(space)
    for n, school in enumerate(grant.rows.schools or ()):
        if schools is not None and school not in schools:
            message = f"The district has no school with the key {school}. Correct it, or import the school."
            yield _key(grant, f"rows.schools[{n}]", message)
    for n, level in enumerate(grant.rows.grade_levels or ()):
        if level not in GRADE_LEVELS and level not in {f"{year:02}" for year in range(1, 14)}:
            message = f"{level} is no grade level. They are written 01 to 13, PK, KG and so on (CEDS 000100)."
            yield _key(grant, f"rows.grade_levels[{n}]", message)


def _agreement(grant: Grant, known: Known) -> Iterator[Finding]:
    if grant.agreement is None:
        if grant.basis in WRITTEN_AGREEMENT:
            message = f"A disclosure on the basis {grant.basis} rests on a written agreement. Add [agreement]."
            yield _key(grant, "agreement", message)
        return
    covered = {*grant.agreement.schedule, NOT_STUDENT_DATA}
    for coordinate in grant.fields:
        fact = known.facts.get(coordinate)
        if fact is not None and fact.category not in covered:
            message = f"{coordinate} is {fact.category} data, which the agreement's schedule does not cover. Amend one."
            yield _at(grant, coordinate, message)
    categories = {fact.category for fact in known.facts.values()}
    if grant.agreement.signed > grant.not_before:
        yield _key(
            grant, "agreement.signed", "The agreement is signed after the grant begins. Correct one of the days."
        )
    for n, category in enumerate(grant.agreement.schedule):
        # An agreement may cover more than the graph has; a name that differs in case or spaces alone is a slip.
        slip = {c.casefold(): c for c in categories}.get(category.strip().casefold())
        if slip is not None and slip != category:
            yield _key(grant, f"agreement.schedule[{n}]", f"The category is written {slip}. Correct it.")


def _unused(grant: Grant, authority: Authority, known: Known) -> Iterator[Finding]:
    """Of the grant that counts today, what its client has not asked for."""
    if grant.not_before <= authority.today <= last_day(grant, authority.state):
        unused = known.unused.get(authority.space, {}).get((grant.client, grant.purpose), ())
        for coordinate in grant.fields:
            if coordinate in unused:
                sensitivity = known.facts[coordinate].sensitivity
                message = (
                    f"{coordinate} is {sensitivity} and was not used for 90 days. Take it out, or ask what it is for."
                )
                yield _at(grant, coordinate, message, Severity.WARNING)


def _two_roles(grant: Grant, district: DistrictPolicy, known: Known) -> Iterator[Finding]:
    """Approvals that are to be those of several people, and are one person's."""
    for coordinate in grant.fields:
        fact = known.facts.get(coordinate)
        roles = required_roles(fact.sensitivity, district) if fact else ()
        covering = [one for one in grant.approvals if coordinate in one.covers and one.role in roles]
        people = {one.by.casefold() for one in covering}
        if len({one.role for one in covering}) > len(people):
            message = f"{coordinate} is approved in several roles by one person. Have another officer approve it."
            yield Finding(grant.file, covering[-1].line, "approval", message, Severity.WARNING)


def _coordinate(
    coordinate: Coordinate, grant: Grant, authority: Authority, district: DistrictPolicy, known: Known
) -> Iterator[Finding]:
    fact = known.facts.get(coordinate)
    if fact is None:
        yield _at(
            grant, coordinate, f"The graph has no {coordinate}, so nothing is granted. Correct it, or take it out."
        )
        return
    if known.scopes is not None and fact.scope not in known.scopes:
        yield _at(grant, coordinate, f"There is no scope {fact.scope}, so nobody can hold it. Take the field out.")
    registered = None if known.clients is None else known.clients.get(grant.client)
    if registered is not None and fact.scope not in registered:
        message = f"{grant.client} is not registered for {fact.scope}, which {coordinate} needs. Register it."
        yield _at(grant, coordinate, message)
    transform = grant.fields[coordinate]
    if transform is not None and not fact.is_text:
        message = (
            f"{coordinate} is {fact.graphql_type}, and only a text can be shown as {transform}. Nothing of it leaves."
        )
        yield _at(grant, coordinate, message)
    for role in missing_roles(Ask(coordinate, fact.scope, fact.sensitivity, fact.is_text), authority):
        message = f"{coordinate} is {fact.sensitivity} and is not approved by name by the {role}. Add an [[approval]]."
        yield _at(grant, coordinate, message, waits=True)
    if authority.state and (denial := denied_by_state(coordinate, authority.state, grant)):
        place = f"{authority.state.file}:{denial.line}"
        yield _at(grant, coordinate, f"The state denies {coordinate} ({place}), so it is withheld. Take it out.")
    if denial := denied_by_district(coordinate, district):
        place = f"{district.file}:{denial.line}"
        yield _at(grant, coordinate, f"The district denies {coordinate} ({place}), so it is withheld. Take it out.")
