"""`/console/opt-outs`: what families decided, recorded and taken back; each in the ledger before it holds."""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from pyroaring import BitMap
from starlette.responses import Response

from app.console.forms import Form
from app.console.visit import Rejected, Visit
from app.ledger.acts import act, whom
from app.ledger.entry import Kind, Whose
from app.ledger.report import BASES
from app.names import DIRECTORY_INFORMATION, EVERY_VENDOR
from app.oauth.clients import list_clients
from app.policy.model import Basis
from app.spaces.lookup import student_name, student_row
from app.spaces.opt_outs import (
    OptOut,
    Standing,
    all_standing,
    opt_students_in,
    opt_students_out,
    standing_of,
    student_keys,
)
from app.spaces.writing import writing

ADDRESS = "/console/opt-outs"
DONE = {
    "recorded": "{whose} is opted out of {whom}. It holds from the next request on.",
    "removed": "{whose} is no longer opted out of {whom}.",
}
"""What was done, and of which child: whoever mistyped a key sees whom it hit."""


async def show(visit: Visit) -> Response:
    """Those that stand."""
    return await shown(visit)


async def shown(visit: Visit, *, said: str = "", key: str = "", client: str = "", status: int = 200) -> Response:
    """The page, with what there is to say, and what was typed."""
    found, blocked = await all_standing(visit.place.records)
    return visit.page(
        "opt-outs.html",
        status,
        said=said,
        key=key,
        client=client,
        found=found,
        blocked=blocked,
        whom=whom,
        vendors=sorted({grant.client for grant in visit.policy.grants}),
        directory=DIRECTORY_INFORMATION,
        done=await done(visit),
        empty=visit.district is not None and visit.district.opt_out.vendors == "withhold-fields",
        bases=[BASES[basis] for basis in withheld_on(visit)],
        decides=visit.session.role != "reader",
    )


def withheld_on(visit: Visit) -> Sequence[Basis]:
    """The bases on which grants lose the directory fields of whoever opted out of directory information."""
    return visit.district.opt_out.directory_applies_to if visit.district else ()


async def done(visit: Visit) -> str:
    """What was just done, in a sentence; empty if nothing was, or if it is not so any more."""
    told, key, client = DONE.get(visit.asked("done")), visit.asked("key"), visit.asked("client")
    if told is None:
        return ""
    stands = [one for one in await standing_of(visit.place.records, key) if one.client == client]
    if bool(stands) != (visit.asked("done") == "recorded"):
        return ""
    row = await student_row(visit.place.records, key)
    name = await student_name(visit.place.records, row) if row is not None else ""
    return told.format(whose=f"{name} ({key})" if name else key, whom=whom(client))


async def record(visit: Visit, form: Form) -> Response:
    """Record one. Raises: Unavailable."""
    key, client = form.text("key"), form.text("client")
    try:
        own = await _record(visit, key, client)
    except Rejected as error:
        return await shown(visit, said=error.message, key=key, client=client, status=HTTPStatus.BAD_REQUEST)
    return visit.go(after("recorded", own, client))


async def _record(visit: Visit, key: str, client: str) -> str:
    known = {client.id for client in await list_clients(visit.desk.rooms.control)} & {
        grant.client for grant in visit.policy.grants
    }
    if client not in known | {EVERY_VENDOR, DIRECTORY_INFORMATION}:
        raise Rejected("This district has no such vendor. Choose one of the list.")
    return await change(visit, key, client, remove=False)


async def take_back(visit: Visit, form: Form) -> Response:
    """Take one back. Raises: Rejected, Unavailable."""
    client = form.text("client")
    key = await change(visit, form.text("key"), client, remove=True)
    return visit.go(after("removed", key, client))


def after(done: str, key: str, client: str) -> str:
    """The page again, which says what was done."""
    return f"{ADDRESS}?{urlencode({'done': done, 'key': key, 'client': client})}"


async def change(visit: Visit, key: str, client: str, *, remove: bool) -> str:
    """Change one student's opt-out, with its entry in the ledger; gives the key that the student is kept by.

    INVARIANT: the entry is durable before the change is: the ledger may say more than what happened, never less.
    """
    async with writing(visit.place.records, alone=False) as connection:
        keys = await student_keys(connection, [key])
        if key not in keys:
            raise Rejected("The space has no student with this key. Write the district's own key or unique id.")
        wanted = [OptOut(keys[key], client)]
        if remove:
            changed = await opt_students_in(connection, wanted)
        else:
            changed = await opt_students_out(connection, wanted, visit.today.isoformat())
        if changed:
            kind = Kind.OPT_IN if remove else Kind.OPT_OUT
            entry = act(kind, visit.desk.now(), [whose(changed)], client=client)
            await visit.desk.rooms.ledgers[visit.space].record(entry)
    return keys[key]


def whose(changed: list[Standing]) -> Whose:
    """The students that are concerned."""
    return Whose(("Student",), BitMap([one.student for one in changed if one.student is not None]), len(changed))
