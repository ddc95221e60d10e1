"""`/console`: what there is to see to, the most urgent first, and apart what waits for another role."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from urllib.parse import quote

from starlette.responses import Response

from app.console.holding import Cell, Column, State, cells, columns
from app.console.item import DECIDE, Item
from app.console.linting import Looked, look
from app.console.visit import Visit
from app.console.wording import day, plural
from app.ledger.summed import Use, Used, catch_up, used_fields
from app.names import ClientId, Revision
from app.oauth.clients import list_clients
from app.policy.decide import Permit
from app.policy.model import Finding, Severity, last_day
from app.spaces.ssns import Ssns, count_ssns

REVIEW = timedelta(days=30)
END = timedelta(days=60)
UNUSED = timedelta(days=30)
"""A grant, or a vendor, that is younger than this has not had the time to use what it was given."""

Listed: TypeAlias = tuple[Column, list[Cell]]
"""A grant, with the cell of every field that it lists."""

SHOWN = 12
"""How many findings are told one by one."""


async def show(visit: Visit) -> Response:
    """The first page."""
    behind = await catch_up(visit.place.ledger, visit.zone)
    used = await used_fields(visit.place.ledger)
    looked = await look(visit)
    held = columns(visit)
    listed = [*of_grants(visit, held, used)]
    broken = looked.broken
    # What waits for an approval is told of its grant, once.
    told = {column.authority.grant.file for column, _ in listed if column.authority.grant and not column.shut}
    others = [one for one in looked.findings if one not in broken and not (one.waits and one.file in told)]
    ssns = await count_ssns(visit.place.records)
    requests = await visit.desk.waiting(visit.space, visit.session.role)
    mine, theirs = ([one for one in requests if (one.action == DECIDE) == own] for own in (True, False))
    return visit.page(
        "todo.html",
        groups=[
            ("Files that cannot be read", [*of_findings(looked, broken)]),
            ("Requests", mine),
            ("Grants to renew or review", [*renewals(visit, held, looked.revoked)]),
            ("Granted, not in force", [*waiting(visit, listed, await visit.desk.seconded(visit.space))]),
            ("Never used", [*never_used(visit, listed, await registered(visit))]),
            ("Findings", [*of_findings(looked, others[:SHOWN])]),
            ("Social security numbers", [*of_ssns(visit, ssns)]),
            ("Requests that wait for another role", theirs),
        ],
        more=max(0, len(others) - SHOWN),
        grants=len(held),
        decides=visit.session.role != "reader",
        behind=behind,
    )


def of_findings(looked: Looked, findings: Sequence[Finding]) -> Iterator[Item]:
    """A finding of a file, with its place."""
    for one in findings:
        title = f"{one.key}: {one.message}" if one.key else one.message
        urgency = "bad" if one.severity is Severity.ERROR else "warn"
        yield Item(urgency, title, "", looked.address(one), f"{one.file}:{one.line}")


def renewals(visit: Visit, held: Sequence[Column], revoked: Collection[Revision]) -> Iterator[Item]:
    """Grants whose review is due, or whose last day comes near or is past, unless an officer chose it."""
    for column in held:
        grant, today = column.authority.grant, visit.today
        if grant is None or grant.revision in revoked:
            continue
        end = last_day(grant, column.authority.state)
        title = f"{column.client} for {column.purpose}"
        if today > end:
            yield Item("bad", title, f"Was in force until {day(end)}. It discloses nothing.", column.address, "Look")
        elif end <= today + END:
            yield Item("warn", title, f"In force until {day(end)}, the last day included.", column.address, "Look")
        if grant.review_by is not None and grant.review_by <= today + REVIEW and today <= end:
            late = grant.review_by < today
            told = f"A review {'was' if late else 'is'} due by {day(grant.review_by)}."
            yield Item("warn" if late else "", title, told, column.address, "Review")


def waiting(visit: Visit, held: Sequence[Listed], seconded: Collection[tuple[ClientId, str]]) -> Iterator[Item]:
    """Grants with fields that are written down and not in force, but for those that wait with a request."""
    for column, of_grant in held:
        count = sum(cell.state is State.WAITING for cell in of_grant)
        if count and not column.shut and (column.client, column.purpose) not in seconded:
            told = f"{plural(count, 'field')} granted and not in force: an approval is missing, or a rule denies them."
            address = f"/console/matrix?vendor={quote(column.client)}&state={quote(State.WAITING)}"
            yield Item("warn", f"{column.client} for {column.purpose}", told, address, "Which")


async def registered(visit: Visit) -> Mapping[ClientId, date]:
    """Since which day each vendor is registered."""
    return {
        one.id: datetime.fromtimestamp(one.created, UTC).astimezone(visit.zone).date()
        for one in await list_clients(visit.desk.rooms.control)
    }


def never_used(visit: Visit, held: Sequence[Listed], since: Mapping[ClientId, date]) -> Iterator[Item]:
    """Vendors that could use fields for a month, and never asked for them."""
    for column, of_grant in held:
        grant = column.authority.grant
        if grant is None or column.client not in since:
            continue
        first = max(grant.not_before, since[column.client])
        count = sum(cell.is_unused for cell in of_grant)
        if count and first + UNUSED <= visit.today:
            all_ = sum(isinstance(cell.decision, Permit) for cell in of_grant)
            told = f"{plural(count, 'field')} of {all_} never used since {day(first)}."
            address = f"/console/matrix?vendor={quote(column.client)}&state={quote(State.UNUSED)}"
            yield Item("", f"{column.client} for {column.purpose}", told, address, "Which")


def of_grants(visit: Visit, held: Sequence[Column], used: Mapping[Use, Used]) -> Iterator[Listed]:
    """The cell of every field that a vendor's grant lists."""
    vocabulary = visit.desk.vocabulary
    for column in held:
        listed = column.authority.grant.fields if column.authority.grant else {}
        facts = [fact for fact in vocabulary.facts.values() if fact.coordinate in listed]
        yield column, cells(column, facts, vocabulary, used, {})


def of_ssns(visit: Visit, ssns: Ssns) -> Iterator[Item]:
    """What the last import met, and what is stored."""
    wanted = visit.district is not None and visit.district.ssn == "store"
    if ssns.stored:
        told = (
            "The district's policy says to store them."
            if wanted
            else "The policy says to leave them out: import again."
        )
        yield Item("warn" if wanted else "bad", f"{plural(ssns.stored, 'number')} stored", told, "", "")
    elif ssns.met:
        yield Item("", f"{plural(ssns.met, 'number')} met by the last import", "None is stored.", "", "")
