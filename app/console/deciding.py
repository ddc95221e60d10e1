"""Decide on a request: approve it, approve less, or refuse it, each with a reason; and the second officer's approval.

INVARIANT: a decision is written over the very file that the officer saw, or not at all; and of two decisions on one
request one is made, and the other is not.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

from starlette.responses import Response

from app.console.asked import Asked, before_it, blocking, find, take_up
from app.console.chosen import contract, day, kept, rows
from app.console.forms import Form
from app.console.requests import shown
from app.console.vendor import changed as difference
from app.console.visit import Forbidden, Rejected, Visit
from app.console.writing import commit, in_force, put_down, reason_of
from app.errors import Unavailable
from app.names import Coordinate
from app.policy.amend import Amendment
from app.policy.model import Grant
from app.requests.filing import alone
from app.requests.model import AccessRequest, Deed, Done, State
from app.requests.review import asked_of, effective, narrowed, rows_after, stranded, to_approve
from app.requests.store import by_number, deciding, decisions
from app.requests.undoing import says_the_same, withheld
from app.spaces.lookup import school_names
from app.storage.published import revision

MOVED = "The grant has changed since you opened this page. Nothing was written: look at what changed."
FIRST = (
    "Request {} is about the same grant, and some of it waits for a second officer's approval. That comes first: "
    "then decide on this one. You may refuse it now."
)
ELSE = "Somebody else has decided on this request in the meantime. Nothing of yours was written."

SHOWN = 40
"""How many schools a sentence names."""

Outcome: TypeAlias = tuple[State, frozenset[Coordinate], Deed]
"""What becomes of a request, what is given of it, and what the officer did."""


async def take(visit: Visit, form: Form) -> Response:
    """A decision that was sent. Raises: Rejected, Forbidden, Unavailable."""
    request = await find(visit)
    deed = form.text("deed")
    if request.state is State.OPEN and deed in {"approve", "refuse"}:
        if visit.session.role != "steward":
            raise Forbidden("A steward decides on requests. You give the second approval of sensitive fields.")
        if deed == "refuse":
            return await _refuse(visit, request, reason_of(form))
        return await _approve(visit, form, request)
    if request.state is State.WAITING and deed in {"second", "withhold"}:
        return await _second(visit, form, request, approves=deed == "second")
    mine = request.state is State.OPEN and visit.session.role == "steward"
    if deed == "close" and (mine or request.state is State.WAITING):
        return await _close(visit, form, request)
    return await shown(visit, request, status=409, said=ELSE, reason=form.text("reason"))


async def _refuse(visit: Visit, request: AccessRequest, reason: str) -> Response:
    async with deciding(visit.desk.rooms.control, request) as decision:
        if decision is not None:
            await decision.keep(State.REFUSED, frozenset(), made_by(visit, request, Deed.REFUSE, reason))
    return await _again(visit, request, ELSE, reason) if decision is None else await _tell(visit, request)


async def _approve(visit: Visit, form: Form, request: AccessRequest) -> Response:
    basis, agreement = contract(form)
    asked = await take_up(visit, request, basis=basis, agreement=agreement)
    if form.text("revision") != asked.filed.revision:
        return await moved(visit, form, request, asked)
    if other := await blocking(visit, request):
        return await _again(visit, request, FIRST.format(other.number), form.text("reason"))
    whole = asked_of(request.form)
    if whole.statement and not asked.base.new and not form.text("statement"):
        whole = replace(whole, statement=None)
    try:
        wanted = narrowed(
            whole,
            asked.base,
            kept=kept(form, request),
            removed=frozenset(Coordinate(one) for one in form.texts("remove")),
            rows=rows(form, rows_after(asked.base, asked.amendment)),
            not_after=day(form.text("not_after")),
            today=visit.today,
        )
        await known_schools(visit, wanted, asked)
    except ValueError as error:
        raise Rejected(str(error)) from None
    wanted = effective(asked.base, wanted)
    if wanted == Amendment() or (asked.base.new and not wanted.fields):
        # Or it is given already, by an officer whose decision is being kept at this moment.
        async with deciding(visit.desk.rooms.control, request) as decision:
            left = decision is not None
        if not left:
            return await _again(visit, request, ELSE, reason_of(form))
        raise Rejected("Nothing is left of the request. Tick what you give, or refuse it.")
    for coordinate, of in stranded(asked.base.grant, wanted, visit.desk.vocabulary.facts):
        told = f"{coordinate} would lead nowhere, since nothing of {of} would be given."
        raise Rejected(f"{told} Take it out as well, or give a field of {of}.")
    less = wanted != asked.amendment
    facts = visit.desk.vocabulary.facts
    concerned = {one.coordinate for one in to_approve(asked.base, wanted, facts, visit.policy)}

    def outcome(written: Grant) -> Outcome:
        waits = asked.waiting(visit, written).keys() & concerned
        state = State.WAITING if waits else State.NARROWED if less else State.APPROVED
        return state, frozenset({*wanted.fields, *waits}), Deed.NARROW if less else Deed.APPROVE

    return await _decide(visit, form, asked, asked.after(visit, wanted), outcome)


async def _second(visit: Visit, form: Form, request: AccessRequest, *, approves: bool) -> Response:
    """The approval that a sensitive field waits for, or its refusal, which undoes what was decided of it."""
    asked = await take_up(visit, request)
    if form.text("revision") != asked.filed.revision:
        return await moved(visit, form, request, asked)
    waiting, mine = asked.waiting(visit, asked.base.grant), asked.mine(visit)
    if not mine:
        raise Forbidden("Nothing of this request waits for an officer of your role.")
    chosen = [one for one in mine if one in form.texts("field")]
    if not chosen:
        raise Rejected("Nothing is ticked. Tick the fields that you approve or refuse.")
    before = None if approves else await before_it(visit, asked)
    past = await decisions(visit.desk.rooms.control, visit.space, request=request.number)
    if approves:
        # INVARIANT: two officers are two people, whatever roles one of them has had.
        named = {one.by for one in past} | {one.by for one in asked.base.grant.approvals if {*one.covers} & {*chosen}}
        if visit.session.email in {name.lower() for name in named}:
            raise Forbidden("You have decided on this already. The second approval is another officer's to give.")
        wanted, given = asked.seconded(visit, chosen), request.given
    else:
        wanted, given = withheld(before, asked.base.grant, chosen), request.given - {*chosen}
    whole = approves and not any(one.deed in {Deed.NARROW, Deed.WITHHOLD} for one in past)

    def outcome(written: Grant) -> Outcome:
        undecided = waiting.keys() - (frozenset() if approves else frozenset(chosen))
        still = asked.waiting(visit, written).keys() & undecided
        nothing = not written.fields if before is None else says_the_same(written, before)
        state = State.WAITING if still else State.APPROVED if whole else State.REFUSED if nothing else State.NARROWED
        return state, given, Deed.SECOND if approves else Deed.WITHHOLD

    return await _decide(visit, form, asked, wanted, outcome)


async def _close(visit: Visit, form: Form, request: AccessRequest) -> Response:
    """End a request of which nothing is left to decide, since the grant's file was changed otherwise."""
    asked, reason = await take_up(visit, request), reason_of(form)
    if request.state is State.OPEN and asked.amendment != Amendment():
        raise Rejected("Some of this request is not given yet. Approve or refuse it.")
    if request.state is State.WAITING and asked.waiting(visit, asked.base.grant):
        raise Rejected("Some of this request still waits for an approval. Approve or refuse that.")
    if request.state is State.OPEN:
        request = replace(request, given=frozenset(Coordinate(one.coordinate) for one in request.form.fields))
    given = request.given & asked.base.grant.fields.keys()
    past = await decisions(visit.desk.rooms.control, visit.space, request=request.number)
    less = given != request.given or any(one.deed in {Deed.NARROW, Deed.WITHHOLD} for one in past)
    state = State.REFUSED if request.given and not given else State.NARROWED if less else State.APPROVED
    async with deciding(visit.desk.rooms.control, request) as decision:
        if decision is not None:
            await decision.keep(state, given, made_by(visit, request, Deed.CLOSE, reason))
    return await _again(visit, request, ELSE, reason) if decision is None else await _tell(visit, request)


async def _decide(
    visit: Visit, form: Form, asked: Asked, wanted: Amendment, outcome: Callable[[Grant], Outcome]
) -> Response:
    """Write the grant and what became of the request: both, or neither."""
    request, reason, put = asked.request, reason_of(form), None
    async with alone(visit.desk.rooms.settings.policies_folder) as turn:

        async def undo() -> None:
            if put is not None:
                await asyncio.to_thread(turn.put_back, [put[1]])

        async with deciding(visit.desk.rooms.control, request, undo) as decision:
            if decision is not None:
                over, seen = asked.filed, form.text("revision")
                put = await put_down(visit, turn, asked.base.grant, asked.base.text, wanted, over=over, seen=seen)
            if decision is not None and put is not None:
                state, given, deed = outcome(put[0])
                await decision.keep(state, given, made_by(visit, request, deed, reason, put[0]))
        if put is not None:
            await commit(visit, turn, *put)
    if decision is None:
        return await _again(visit, request, ELSE, reason)
    if put is None:
        return await moved(visit, form, request, asked)
    await in_force(visit, put[0])
    return await _tell(visit, request)


async def known_schools(visit: Visit, wanted: Amendment, asked: Asked) -> None:
    """A school that was typed, and is none of the district's, would let nobody in. Raises: Rejected, Unavailable."""
    shown = rows_after(asked.base, asked.amendment).schools or ()
    typed = [one for one in (wanted.rows.schools if wanted.rows else None) or () if one not in shown]
    names = await school_names(visit.place.records) if typed else {}
    unknown = [one for one in typed if one not in names]
    if unknown and names:
        there = ", ".join(f"{key} ({name})" for key, name in sorted(names.items())[:SHOWN])
        raise Rejected(f"The district has no school {', '.join(unknown)}. Its schools are: {there}. Name their keys.")


async def _tell(visit: Visit, request: AccessRequest) -> Response:
    """Tell the vendor, beside everything else, and show the officer what was decided."""
    # It is decided, whatever fails now: the vendor finds it in the graph, too.
    with suppress(Unavailable):
        decided = await by_number(visit.desk.rooms.control, visit.space, request.number)
        if decided is not None:
            visit.desk.webhooks.tell(decided)
    return visit.go(f"/console/requests/{request.number}")


async def _again(visit: Visit, request: AccessRequest, said: str, reason: str) -> Response:
    current = await by_number(visit.desk.rooms.control, visit.space, request.number)
    return await shown(visit, current or request, status=409, said=said, reason=reason)


async def moved(visit: Visit, form: Form, request: AccessRequest, asked: Asked) -> Response:
    """The page again, with what changed in the file since the officer opened it."""
    seen = form.text("revision")
    known = await revision(visit.desk.rooms.control, seen) if re.fullmatch(r"[0-9a-f]{64}", seen) else None
    files = dict(visit.desk.rooms.policies.files)
    now = (asked.filed.text or "").encode() or None
    path = asked.filed.path
    lines: Sequence[str] = difference(
        visit.space, with_file(files, path, known), with_file(files, path, now), visit.desk.vocabulary.facts, path
    )
    current = await by_number(visit.desk.rooms.control, visit.space, request.number)
    return await shown(visit, current or request, status=409, said=MOVED, changed=lines, reason=form.text("reason"))


def with_file(files: Mapping[str, bytes], path: str, text: bytes | None) -> dict[str, bytes]:
    """The policy files, with one of them as it is given."""
    others = {name: content for name, content in files.items() if name != path}
    return others if text is None else {**others, path: text}


def made_by(visit: Visit, request: AccessRequest, deed: Deed, reason: str, written: Grant | None = None) -> Done:
    """What the officer does now."""
    return Done(
        request.client,
        request.purpose,
        visit.desk.now(),
        visit.session.email,
        visit.session.role,
        deed,
        reason,
        request.number,
        written.file if written else "",
        str(written.revision) if written else "",
    )
