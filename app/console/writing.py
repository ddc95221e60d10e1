"""Write what an officer decided into a grant's file, with the officer's name in git, and wait until it is in force."""

import asyncio
from collections.abc import Callable

from app.console.forms import Form
from app.console.visit import Rejected, Visit
from app.policy.amend import Amendment, Unwritable, amended
from app.policy.model import Grant, SpacePolicy
from app.policy.parse import parse_grant
from app.requests.committing import commit as committed
from app.requests.filing import Change, Filed, Stale, Turn
from app.requests.form import CONTROL, says_something

IN_FORCE = 3.0
"""Units: seconds that a decision waits to be in force before its page is shown."""


def reason_of(form: Form) -> str:
    """Why the officer decides so. Raises: Rejected."""
    reason = " ".join(form.text("reason").split())
    if not says_something(reason) or len(reason) > 1_000 or CONTROL.search(reason):
        raise Rejected("Every decision has a reason, in up to 1,000 plain letters. Go back and write it.")
    return reason


async def put_down(
    visit: Visit, turn: Turn, grant: Grant, text: str, amendment: Amendment, *, over: Filed, seen: str
) -> tuple[Grant, Change] | None:
    """Write a grant's file; None if it is not what the officer saw. Raises: Rejected, Unavailable."""
    if over.revision != seen:
        return None
    try:
        change = Change(over, amended(grant, text, amendment))
        await asyncio.to_thread(turn.write, [change])
    except Stale:
        return None
    except Unwritable as error:
        raise Rejected(str(error)) from None
    except ValueError:
        raise Rejected("This is no grant of this district. Nothing was changed.") from None
    return parse_grant(over.path, change.text.encode()), change


async def commit(visit: Visit, turn: Turn, grant: Grant, *changes: Change) -> None:
    """Commit what was written in the officer's name, where the policy folder is a git checkout of its own."""
    message, at = f"{grant.client} for {grant.purpose}: decided in the console", visit.desk.now()
    await asyncio.to_thread(committed, turn.folder, changes, by=visit.session.email, at=at, message=message)


async def in_force(visit: Visit, written: Grant) -> bool:
    """Wait until this server follows what was written."""
    what = (written.file, written.revision)
    return await until(visit, lambda policy: any((one.file, one.revision) == what for one in policy.grants))


async def until(visit: Visit, is_so: Callable[[SpacePolicy], bool]) -> bool:
    """Wait until the policy that this server follows is so: within a second, unless no server watches the folder."""
    for _ in range(int(IN_FORCE / 0.05)):
        if is_so(visit.policy):
            return True
        await asyncio.sleep(0.05)
    return False
