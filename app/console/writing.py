"""Write what an officer decided into a grant's file, with the officer's name in git, and wait until it is in force."""

import asyncio

from app.console.forms import Form
from app.console.visit import Rejected, Visit
from app.policy.amend import Amendment, Unwritable, amended
from app.policy.model import Grant
from app.policy.parse import parse_grant
from app.requests.filing import Filed, Stale, commit, write_grant
from app.requests.form import CONTROL, says_something

IN_FORCE = 3.0
"""Units: seconds that a decision waits to be in force before its page is shown."""


def reason_of(form: Form) -> str:
    """Why the officer decides so. Raises: Rejected."""
    reason = " ".join(form.text("reason").split())
    if not says_something(reason) or len(reason) > 1_000 or CONTROL.search(reason):
        raise Rejected("Every decision has a reason, in up to 1,000 plain letters. Go back and write it.")
    return reason


async def write(visit: Visit, grant: Grant, text: str, amendment: Amendment, *, seen: str) -> Grant | None:
    """Write a grant's file, wait until it is in force; None if it is not what the officer saw. Raises: Rejected."""
    put = await put_down(visit, grant, text, amendment, seen=seen)
    if put is not None:
        await follow(visit, put[0])
    return None if put is None else put[0]


async def put_down(
    visit: Visit, grant: Grant, text: str, amendment: Amendment, *, seen: str
) -> tuple[Grant, Filed] | None:
    """Write a grant's file; None if it is not what the officer saw. Raises: Rejected, Unavailable."""
    try:
        made = amended(grant, text, amendment)
        folder = visit.desk.rooms.settings.policies_folder
        filed = await asyncio.to_thread(write_grant, folder, grant.file, made, seen=seen)
    except Stale:
        return None
    except Unwritable as error:
        raise Rejected(str(error)) from None
    except ValueError:
        raise Rejected("This is no grant of this district. Nothing was changed.") from None
    return parse_grant(filed.path, made.encode()), filed


async def follow(visit: Visit, written: Grant) -> None:
    """Commit what was written in the officer's name, and wait until it is in force."""
    folder, at = visit.desk.rooms.settings.policies_folder, visit.desk.now()
    message = f"{written.client} for {written.purpose}: decided in the console"
    await asyncio.to_thread(commit, folder, written.file, by=visit.session.email, at=at, message=message)
    await in_force(visit, written)


async def in_force(visit: Visit, grant: Grant) -> bool:
    """Wait until this server follows what was written; it does within a second, unless no server watches the folder."""
    for _ in range(int(IN_FORCE / 0.05)):
        if any((one.file, one.revision) == (grant.file, grant.revision) for one in visit.policy.grants):
            return True
        await asyncio.sleep(0.05)
    return False
