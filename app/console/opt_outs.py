"""`/console/opt-outs`: what families decided, recorded and taken back; each in the ledger before it holds."""

from http import HTTPStatus

from pyroaring import BitMap
from starlette.responses import Response

from app.console.forms import Form
from app.console.visit import Rejected, Visit
from app.ledger.acts import act
from app.ledger.entry import Kind, Whose
from app.names import DIRECTORY_INFORMATION, EVERY_VENDOR
from app.oauth.clients import list_clients
from app.spaces.opt_outs import (
    OptOut,
    Standing,
    all_standing,
    opt_students_in,
    opt_students_out,
    student_keys,
)
from app.spaces.writing import writing

ADDRESS = "/console/opt-outs"
DONE = {
    "recorded": "The opt-out is recorded. It holds from the next request on.",
    "removed": "The opt-out is taken back.",
}


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
        done=DONE.get(visit.asked("done"), ""),
        decides=visit.session.role != "reader",
    )


def whom(client: str) -> str:
    """Of whom somebody opted out, in words."""
    if client == EVERY_VENDOR:
        return "every vendor"
    return "directory information" if client == DIRECTORY_INFORMATION else client


async def record(visit: Visit, form: Form) -> Response:
    """Record one. Raises: Unavailable."""
    key, client = form.text("key"), form.text("client")
    try:
        await _record(visit, key, client)
    except Rejected as error:
        return await shown(visit, said=error.message, key=key, client=client, status=HTTPStatus.BAD_REQUEST)
    return visit.go(f"{ADDRESS}?done=recorded")


async def _record(visit: Visit, key: str, client: str) -> None:
    known = {client.id for client in await list_clients(visit.desk.rooms.control)} & {
        grant.client for grant in visit.policy.grants
    }
    if client not in known | {EVERY_VENDOR, DIRECTORY_INFORMATION}:
        raise Rejected("This district has no such vendor. Choose one of the list.")
    await change(visit, key, client, remove=False)


async def take_back(visit: Visit, form: Form) -> Response:
    """Take one back. Raises: Rejected, Unavailable."""
    await change(visit, form.text("key"), form.text("client"), remove=True)
    return visit.go(f"{ADDRESS}?done=removed")


async def change(visit: Visit, key: str, client: str, *, remove: bool) -> None:
    """Change one student's opt-out, with its entry in the ledger.

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


def whose(changed: list[Standing]) -> Whose:
    """The students that are concerned."""
    return Whose(("Student",), BitMap([one.student for one in changed if one.student is not None]), len(changed))
