"""Revoke: end now whatever a vendor has for one purpose, in every file that gives it anything, or in none."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from starlette.responses import Response

from app.console.forms import Form
from app.console.standing import done_by, granted
from app.console.visit import Absent, Rejected, Visit
from app.console.wording import day
from app.console.writing import commit, reason_of, until
from app.errors import PolicyError, Unavailable
from app.names import ClientId
from app.policy.amend import Amendment, Unwritable, amended
from app.policy.model import Grant, SpacePolicy, last_day
from app.policy.parse import BrokenError, parse_grant
from app.policy.reading import GRANT_FILE, read_folder
from app.requests.filing import Change, Filed, Stale, alone, place
from app.requests.model import Deed
from app.requests.store import noting


async def revoke(visit: Visit, form: Form) -> Response:
    """End a grant now: its last day was yesterday. Raises: Rejected, Absent, Unavailable."""
    client, purpose = granted(visit), form.text("purpose")
    reason, rooms = reason_of(form), visit.desk.rooms
    async with alone(rooms.settings.policies_folder) as turn:
        counting = given(visit.policy, client, purpose)
        if not counting:
            raise Absent("This district has no grant to that vendor for that purpose.")
        changes = await asyncio.to_thread(endings, visit, client, purpose, counting)
        if not changes:
            last = max(last_day(grant, visit.policy.state) for grant in counting)
            raise Rejected(f"The grant has ended already, after {day(last)}.")
        ended = [parse_grant(one.before.path, one.text.encode()) for one in changes]
        undo = partial(asyncio.to_thread, turn.put_back, changes)
        try:
            async with noting(rooms.control, visit.space, undo) as keep:
                await asyncio.to_thread(turn.write, changes)
                for grant in ended:
                    await keep(done_by(visit, client, purpose, deed=Deed.REVOKE, reason=reason, written=grant))
        except Stale as stale:
            raise Rejected(f"{stale} is being changed at this moment. Nothing was changed: send it again.") from None
        await commit(visit, turn, ended[0], *changes)
    if not await until(visit, lambda policy: not open_to(visit, policy, client, purpose)):
        raise Unavailable(
            "The end is written and recorded, and not in force yet: no server has taken up the policy folder. "
            "Until one does, the vendor reads on. Suspend it, and tell the operator."
        )
    return visit.go(f"/console/vendors/{client}")


def given(policy: SpacePolicy, client: ClientId, purpose: str) -> list[Grant]:
    """Every grant of a vendor for a purpose, past ones and those to come included."""
    return [grant for grant in policy.grants if (grant.client, grant.purpose) == (client, purpose)]


def open_to(visit: Visit, policy: SpacePolicy, client: ClientId, purpose: str) -> list[Grant]:
    """Those of them that are not over: what `revoke` ends. What a state's ceiling ended alone could come back."""
    return [grant for grant in given(policy, client, purpose) if grant.not_after >= visit.today]


def endings(visit: Visit, client: ClientId, purpose: str, counting: Sequence[Grant]) -> list[Change]:
    """The files that give something now or later, as they lie there and as they end. Raises: Rejected, Unavailable.

    Both count: what is in force, and what lies in the folder and is about to be. INVARIANT: what cannot be ended is
    never passed over.
    """
    folder = visit.desk.rooms.settings.policies_folder
    try:
        files = read_folder(folder)
    except PolicyError:
        raise Unavailable("The policy folder cannot be read. Nothing was changed: ask the operator.") from None
    in_force = {grant.file for grant in counting if grant.not_after >= visit.today}
    here = {path for path in files if path.startswith(f"{visit.space}/") and GRANT_FILE.fullmatch(path)}
    changes = []
    for path in sorted({*here, *in_force}):
        grant = as_it_lies(path, files, counts=path in in_force)
        if grant is not None and (grant.client, grant.purpose) == (client, purpose) and grant.not_after >= visit.today:
            before = Filed(path, files[path].decode())
            try:
                place(folder, path)
                text = amended(grant, before.text or "", Amendment(not_after=visit.today - timedelta(days=1)))
            except Unwritable as error:
                raise Rejected(f"{path}: {error} Nothing was changed.") from None
            except ValueError:
                raise Rejected(f"{path} is a link. Put the file itself there, and revoke then.") from None
            changes.append(Change(before, text))
    return changes


def as_it_lies(path: str, files: Mapping[str, bytes], *, counts: bool) -> Grant | None:
    """The grant in a file of the folder; None if it is broken and nothing of it is in force. Raises: Rejected."""
    if path not in files:
        raise Rejected(
            f"{path} is in force, and does not lie in the policy folder of this machine. Nothing was changed: "
            "revoke where it lies, or suspend the vendor."
        )
    try:
        return parse_grant(path, files[path])
    except BrokenError as broken:
        if not counts:
            return None
        raise Rejected(
            f"{broken.findings[0]} Its last good revision is in force, and cannot be ended in a broken file. "
            "Nothing was changed: mend or remove the file, then revoke. Suspend the vendor until then."
        ) from None
