"""`/console/requests`: what vendors ask, and each as a difference: what is added, removed, shown otherwise, and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby

from starlette.responses import Response

from app.console.asked import Asked, before_it, blocking, filterable, find, reviewed, take_up
from app.console.holding import columns
from app.console.outcome import outcome
from app.console.vendor import ended_by
from app.console.visit import Rejected, Visit
from app.console.whose import whose
from app.console.wording import DEEDS, STATES, day, plural
from app.errors import Unavailable
from app.ledger.summed import catch_up, used_fields
from app.names import Coordinate
from app.policy.amend import Amendment, Unwritable, lapsed, wider
from app.policy.known import Known
from app.policy.lint import lint
from app.policy.model import Basis, Grant, PolicySet, Rows, SpacePolicy, last_day
from app.requests.form import Form
from app.requests.model import AccessRequest, Done, State
from app.requests.review import Around, Line, drafted, held_by_others, lines, rows_after, told_rows
from app.requests.store import decisions, newest, revocations, undecided
from app.schema.ndpa import NOT_STUDENT_DATA
from app.spaces.lookup import school_keys


@dataclass(frozen=True, slots=True)
class Use:
    """What the vendor made of what it has, since the grant was last looked at, or began."""

    since: datetime
    looked_at: bool
    used: int
    unused: tuple[Coordinate, ...]


async def show_all(visit: Visit) -> Response:
    """Every request, those that wait first."""
    control = visit.desk.rooms.control
    waiting = await undecided(control, visit.space)
    others = [one for one in await newest(control, visit.space) if one not in waiting]
    return visit.page("requests.html", waiting=waiting, others=others, states=STATES, what=in_short)


def in_short(form: Form) -> list[str]:
    """What is asked for, in a few words."""
    told = [f"+ {plural(len(form.fields), 'field')}"] if form.fields else []
    told += [f"− {plural(len(form.remove), 'field')}"] if form.remove else []
    told += ["other records"] if form.rows else []
    return [*told, f"until {day(form.not_after)}"] if form.not_after else told


async def show(visit: Visit) -> Response:
    """One request."""
    return await shown(visit, await find(visit))


async def shown(
    visit: Visit,
    request: AccessRequest,
    *,
    status: int = 200,
    said: str = "",
    changed: Sequence[str] = (),
    reason: str = "",
) -> Response:
    """A request's page, with what there is to say of a decision that was not taken."""
    history = await decisions(visit.desk.rooms.control, visit.space, request=request.number)
    decided = request.state not in {State.OPEN, State.WAITING}
    try:
        asked = None if decided else await take_up(visit, request)
    except Rejected as error:
        asked, said = None, said or error.message
    return visit.page(
        "request.html",
        status,
        request=request,
        states=STATES,
        deeds=DEEDS,
        history=history,
        said=said,
        changed=changed,
        reason=reason,
        bases=[*Basis],
        asked=asked,
        outcome=[*outcome(visit, request)] if request.decided else [],
        asked_of=await whose(visit, request.form.asked_rows() or Rows()),
        **(await _difference(visit, asked) if asked is not None else {}),
    )


async def _difference(visit: Visit, asked: Asked) -> dict[str, object]:
    """Everything that a page shows of what there is to decide."""
    request, base = asked.request, asked.base
    # What waits is in the file already: the second officer sees what the decision made of the grant that was.
    was = await before_it(visit, asked) if request.state is State.WAITING else None
    desk, facts = visit.desk, visit.desk.vocabulary.facts
    others = [one.authority for one in columns(visit) if one.client != request.client]
    waiting = asked.waiting(visit, base.grant) if request.state is State.WAITING else {}
    # What waits stands in the file already: the second officer looks at it as the first one did.
    concerned = {**asked.amendment.fields, **{one: base.grant.fields[one] for one in waiting}}
    coordinates = [*concerned]
    told = lines(
        base,
        replace(asked.amendment, fields=concerned),
        request.form,
        desk.vocabulary,
        Around(
            visit.policy, asked.authority, held_by_others(coordinates, others, facts), filterable(visit, coordinates)
        ),
    )
    rows = rows_after(base, asked.amendment)
    first = asked.amendment.not_before or base.grant.not_before
    last = asked.amendment.not_after or base.grant.not_after
    statement = asked.amendment.statement or base.grant.statement
    former = was or (None if base.new or request.state is State.WAITING else base.grant)
    return {
        "groups": [(name, [*group]) for name, group in groupby(told, key=lambda line: line.fact.category)],
        "rows": rows,
        "whose": await whose(visit, rows),
        "row_changes": [] if former is None else [*told_rows(former.rows, rows), *told_period(former, first, last)],
        "statement": statement,
        "former_statement": former.statement if former is not None and former.statement != statement else "",
        "was": {} if was is None else was.fields,
        "undone": was is not None,
        "further": was is not None
        and not waiting.keys().isdisjoint(was.fields)
        and wider(was, Amendment(rows=rows, not_before=first, not_after=last)),
        "ended": await _ended(visit, base.grant) if not base.new else None,
        "given_already": request.state is State.OPEN and not base.new and asked.amendment == Amendment(),
        "blocked": await blocking(visit, request) if request.state is State.OPEN else None,
        "closable": request.state is State.WAITING and not waiting and visit.session.role != "reader",
        "not_after": last,
        "period": (first, last),
        "again": () if base.new else _again(visit, asked),
        "waiting": [line for line in told if visit.session.role in waiting.get(line.fact.coordinate, ())],
        "waiting_for_others": {one: roles for one, roles in waiting.items() if visit.session.role not in roles},
        "findings": () if waiting else await _findings(visit, asked, told),
        "use": None if base.new else await _use(visit, asked),
        "categories": sorted({one.category for one in facts.values()} - {NOT_STUDENT_DATA}),
        "steward": visit.session.role == "steward",
    }


async def _ended(visit: Visit, grant: Grant) -> tuple[date, Done | None] | None:
    """The last day of a grant that is over, and who revoked it, if anybody did."""
    last = last_day(grant, visit.policy.state)
    if last >= visit.today:
        return None
    done = await revocations(visit.desk.rooms.control, visit.space, grant.client)
    return last, ended_by(visit, [grant], [one for one in done if one.purpose == grant.purpose])


def told_period(former: Grant, first: date, last: date) -> list[tuple[str, str]]:
    """Each end of the period that becomes another, with + for longer, − for shorter."""
    told = []
    if first != former.not_before:
        told.append(("+" if first < former.not_before else "−", f"from {day(former.not_before)} → from {day(first)}"))
    if last != former.not_after:
        told.append(("+" if last > former.not_after else "−", f"until {day(former.not_after)} → until {day(last)}"))
    return told


def _again(visit: Visit, asked: Asked) -> list[Coordinate]:
    """Fields of the grant as it is that have to be approved again."""
    gone = lapsed(asked.base.grant, asked.amendment) - asked.amendment.fields.keys() - asked.amendment.removed
    covered = {one for approval in asked.base.grant.approvals for one in approval.covers}
    return sorted(gone & covered)


async def _findings(visit: Visit, asked: Asked, told: Sequence[Line]) -> list[str]:
    """What else somebody should look at in the file that would be written, and was not so before."""
    try:
        after = drafted(asked.base, asked.after(visit, asked.amendment))
    except Unwritable as error:
        return [str(error)]
    try:
        schools = await school_keys(visit.place.records)
    except Unavailable:
        schools = set()
    before = () if asked.base.new else _linted(visit, asked.base.grant, schools)
    return [one for one in _linted(visit, after, schools) if one not in before and not _said(one, told)]


def _linted(visit: Visit, grant: Grant, schools: Collection[str]) -> list[str]:
    own = SpacePolicy(visit.policy.state, visit.policy.district, (grant,))
    known = {visit.space: schools} if schools else {}
    found = lint(PolicySet({visit.space: own}), Known(visit.desk.vocabulary.facts, schools=known), visit.desk.now())
    return [one.message for one in found if one.file == grant.file and not one.waits]


def _said(finding: str, told: Sequence[Line]) -> bool:
    """Whether a finding is one of a field that stands beside it already."""
    fields = [line.fact.coordinate for line in told]
    return any(finding.startswith(f"{one} is") or f"denies {one}" in finding for one in fields)


async def _use(visit: Visit, asked: Asked) -> Use:
    """What was used since the last review."""
    await catch_up(visit.place.ledger, visit.zone)
    request, grant = asked.request, asked.base.grant
    used = await used_fields(visit.place.ledger, request.client)
    past = await decisions(visit.desk.rooms.control, visit.space, who=request.client)
    since = reviewed(visit, grant, request.client, [one.at for one in past if one.file == grant.file])
    lately = {
        one
        for one in grant.fields
        if (use := used.get((request.client, request.purpose, one))) is not None and use.last >= since
    }
    looked_at = since.astimezone(visit.zone).date() > grant.not_before
    return Use(since, looked_at, len(lately), tuple(sorted(grant.fields.keys() - lately)))
