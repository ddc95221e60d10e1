"""How a vendor stands here: suspend it, lift that, propose to take out what it never uses."""

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta

from starlette.responses import Response

from app.console.forms import Form
from app.console.holding import authority_of
from app.console.visit import Absent, Rejected, Visit
from app.console.wording import day
from app.console.writing import reason_of
from app.errors import RequestError, Unavailable
from app.ledger.summed import catch_up, used_fields
from app.ledger.usage import begun
from app.names import ClientId, Coordinate
from app.policy.model import Grant
from app.requests.form import Form as Proposal
from app.requests.model import Deed, Done, Suspension
from app.requests.store import ask, decisions, newest
from app.requests.suspensions import suspend, suspended

DAYS = 30
"""How long a field goes unused before it is proposed for removal, unless the officer says otherwise."""

SHOWN = 8


async def standing(visit: Visit, client: ClientId) -> tuple[Suspension | None, list[Done]]:
    """Whether a vendor is suspended here, and what officers did of it, the newest first."""
    control = visit.desk.rooms.control
    done = await decisions(control, visit.space, who=client)
    once = {(one.at, one.by, one.deed, one.purpose, one.request): one for one in done}  # whatever files it took
    return await suspended(control, visit.space, client), [*once.values()][:SHOWN]


async def change_standing(visit: Visit, form: Form) -> Response:
    """Suspend the vendor in this district, or lift that. Raises: Rejected, Absent, Unavailable."""
    client = granted(visit)
    deed = {"suspend": Deed.SUSPEND, "resume": Deed.RESUME}.get(form.text("deed"))
    if deed is None:
        raise Rejected("A vendor is suspended, or its suspension is lifted. Choose one of the two.")
    done = done_by(visit, client, "", deed=deed, reason=reason_of(form))
    if not await suspend(visit.desk.rooms.control, visit.space, done):
        raise Rejected("It stands so already: somebody was quicker. Nothing was changed.")
    # It is kept: a server that cannot follow at once does so as soon as the control database answers it again.
    with suppress(Unavailable):
        await visit.desk.rooms.authorization.follow()
    return visit.go(f"/console/vendors/{client}")


async def narrow_to_used(visit: Visit, form: Form) -> Response:
    """Propose to take out what was not used for some days, as a request like any other. Raises: Rejected, Absent."""
    client, purpose = granted(visit), form.text("purpose")
    text = form.text("days")
    days = int(text) if re.fullmatch(r"[0-9]{1,4}", text) and int(text) <= 3_660 else 0
    if not days:
        raise Rejected("Write for how many days a field was not used, from 1 to 3,660.")
    grant = in_force(visit, client, purpose)
    since = datetime.combine(visit.today - timedelta(days=days), time(), visit.zone)
    unused = await not_used(visit, grant, since)
    if not unused:
        raise Rejected(f"Every field that was granted before {day(since.date())} was used since then.")
    if unused == grant.fields.keys():
        raise Rejected(
            f"Nothing of this grant was used since {day(since.date())}, so nothing would be left. Revoke it."
        )
    proposal = Proposal(purpose=purpose, remove=tuple(sorted(unused)))
    control = visit.desk.rooms.control
    try:
        made = await ask(control, visit.space, client, proposal, now=visit.desk.now(), asked_by=visit.session.email)
    except RequestError as error:
        raise Rejected(error.message) from None
    return visit.go(f"/console/requests/{made.number}?days={days}")


async def not_used(visit: Visit, grant: Grant, since: datetime) -> set[Coordinate]:
    """The fields that did not leave since then, without those that were given later: nobody has had the time."""
    if grant.not_before > since.date():
        return set()
    await catch_up(visit.place.ledger, visit.zone)
    used = await used_fields(visit.place.ledger, grant.client)
    lately = {one for (_, purpose, one), use in used.items() if purpose == grant.purpose and use.last >= since}
    fresh = {
        one
        for request in await newest(visit.desk.rooms.control, visit.space)
        if request.client == grant.client and request.decided is not None and request.decided >= since
        for one in request.given
    }
    return {one for one in grant.fields if one not in lately and one not in fresh}


async def ledger_begins(visit: Visit) -> date | None:
    """Since when it is known what is used."""
    first = await begun(visit.place.ledger)
    return None if first is None else first.astimezone(visit.zone).date()


def granted(visit: Visit) -> ClientId:
    """The vendor that the address names. Raises: Absent."""
    client = ClientId(visit.request.path_params["client"])
    if not any(grant.client == client for grant in visit.policy.grants):
        raise Absent("This district has no grant to a vendor of that name. The matrix lists those that it has.")
    return client


def in_force(visit: Visit, client: ClientId, purpose: str) -> Grant:
    """The grant that counts today. Raises: Absent."""
    grant = authority_of(visit, client, purpose).grant
    if grant is None:
        raise Absent("This district has no grant to that vendor for that purpose.")
    return grant


def done_by(
    visit: Visit, client: ClientId, purpose: str, *, deed: Deed, reason: str, written: Grant | None = None
) -> Done:
    """What the officer does now."""
    file, revision = (written.file, str(written.revision)) if written else ("", "")
    now, by, role = visit.desk.now(), visit.session.email, visit.session.role
    return Done(client, purpose, now, by, role, deed, reason, None, file, revision)
