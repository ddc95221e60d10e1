"""`/console`: what waits for the officer, the most urgent first."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias
from urllib.parse import quote

from starlette.responses import Response

from app.console.holding import Column, State, cells, columns
from app.console.item import Item
from app.console.linting import look
from app.console.visit import Visit
from app.console.wording import day, plural
from app.ledger.summed import Use, Used, catch_up, used_fields
from app.policy.model import Finding, Severity, last_day
from app.spaces.ssns import Ssns, count_ssns

REVIEW = timedelta(days=30)
END = timedelta(days=60)
UNUSED = timedelta(days=30)
"""A grant that is younger than this is not held against its vendor."""

States: TypeAlias = tuple[Column, list[State]]
"""A grant, with the state of every field that it lists."""

SHOWN = 12
"""How many findings are told one by one."""


async def show(visit: Visit) -> Response:
    """The first page."""
    behind = await catch_up(visit.place.ledger, visit.zone)
    used = await used_fields(visit.place.ledger)
    looked = await look(visit)
    held = columns(visit)
    states = [*of_states(visit, held, used)]
    broken = looked.broken
    others = [one for one in looked.findings if one not in broken]
    ssns = await count_ssns(visit.place.records)
    return visit.page(
        "todo.html",
        groups=[
            ("Requests", [*await visit.desk.waiting(visit.space)]),
            ("Files that cannot be read", [*of_findings(broken)]),
            ("Grants to renew or review", [*renewals(visit, held)]),
            ("Waiting for an approval", [*waiting(visit, states)]),
            ("Never used", [*never_used(visit, states)]),
            ("Findings", [*of_findings(others[:SHOWN])]),
            ("Social security numbers", [*of_ssns(visit, ssns)]),
        ],
        more=max(0, len(others) - SHOWN),
        grants=len(held),
        behind=behind,
    )


def of_findings(findings: Sequence[Finding]) -> Iterator[Item]:
    """A finding of a file, with its place."""
    for one in findings:
        address = f"/console/policy/file?path={quote(one.file, safe='')}#L{one.line}"
        title = f"{one.key}: {one.message}" if one.key else one.message
        urgency = "bad" if one.severity is Severity.ERROR else "warn"
        yield Item(urgency, title, "", address, f"{one.file}:{one.line}")


def renewals(visit: Visit, held: Sequence[Column]) -> Iterator[Item]:
    """Grants whose review is due, or whose last day comes near or is past."""
    for column in held:
        grant, today = column.authority.grant, visit.today
        if grant is None:
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


def waiting(visit: Visit, held: Sequence[States]) -> Iterator[Item]:
    """Grants with fields that are written down and not in force."""
    for column, states in held:
        count = states.count(State.WAITING)
        if count and column.authority.grant and visit.today <= last_day(column.authority.grant, column.authority.state):
            told = f"{plural(count, 'field')} granted and not in force: an approval is missing, or a rule denies them."
            address = f"/console/matrix?vendor={quote(column.client)}&state={quote(State.WAITING)}"
            yield Item("warn", f"{column.client} for {column.purpose}", told, address, "Which")


def never_used(visit: Visit, held: Sequence[States]) -> Iterator[Item]:
    """Vendors that were given fields for a month, and never asked for them."""
    for column, states in held:
        grant = column.authority.grant
        if grant is None or grant.not_before + UNUSED > visit.today:
            continue
        count = states.count(State.UNUSED)
        if count:
            all_ = sum(states.count(state) for state in (State.USED, State.UNUSED, State.TRANSFORMED))
            told = f"{plural(count, 'field')} of {all_} never used since {day(grant.not_before)}."
            address = f"/console/matrix?vendor={quote(column.client)}&state={quote(State.UNUSED)}"
            yield Item("", f"{column.client} for {column.purpose}", told, address, "Which")


def of_states(visit: Visit, held: Sequence[Column], used: Mapping[Use, Used]) -> Iterator[States]:
    """The state of every field that a vendor's grant lists."""
    vocabulary = visit.desk.vocabulary
    for column in held:
        listed = column.authority.grant.fields if column.authority.grant else {}
        facts = [fact for fact in vocabulary.facts.values() if fact.coordinate in listed]
        yield column, [cell.state for cell in cells(column, facts, vocabulary, used, {})]


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
