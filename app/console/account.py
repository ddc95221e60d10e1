"""`/console/account`: who is signed in, and another password for an account that has one.

Whoever knows the current password changes it, and whoever else is signed in with the account is signed out.
"""

from http import HTTPStatus
from typing import Literal

from starlette.responses import Response

from app.console.forms import Form
from app.console.sign_in import LOCKED, device_of, welcome_back
from app.console.visit import Absent, Visit
from app.errors import UsageError
from app.officers.accounts import set_password
from app.officers.entering import Refusal, enter
from app.officers.passwords import LONGEST, SHORTEST

ADDRESS = "/console/account"
CHANGED = "Your password is changed. Every other browser that you were signed in with is signed out."
WRONG = "That is not your current password. Nothing was changed."
UNLIKE = "The new password was typed in two ways. Type the same twice."
SAME = "The new password is the current one. Choose another."

Field = Literal["current", "new", "again"]


async def show(visit: Visit) -> Response:
    """Who is signed in."""
    return shown(visit, done=CHANGED if visit.asked("done") else "")


def shown(
    visit: Visit, *, said: str = "", at: Field | None = None, done: str = "", status: int = HTTPStatus.OK
) -> Response:
    """The page, with what there is to say, and at which field it is amiss."""
    return visit.page("account.html", status, said=said, at=at, done=done, shortest=SHORTEST, longest=LONGEST)


async def change(visit: Visit, form: Form) -> Response:
    """Take another password. Raises: Absent, Unavailable."""
    if not visit.session.by_password:
        raise Absent("This sign-in has no password here: your district's own provider keeps it. Change it there.")
    current, new = form.exactly("current"), form.exactly("new")
    rooms, request = visit.desk.rooms, visit.request
    # INVARIANT: guesses at the current password count like those at the door.
    entered = await enter(
        rooms.control,
        visit.space,
        visit.session.email,
        current,
        request.client.host if request.client else "",
        now=visit.desk.now().timestamp(),
        attempts=rooms.settings.console.attempts,
        device=device_of(visit.desk, request),
    )
    if isinstance(entered, Refusal):
        said, status = (LOCKED, HTTPStatus.TOO_MANY_REQUESTS) if entered.locked else (WRONG, HTTPStatus.FORBIDDEN)
        return shown(visit, said=said, at="current", status=status)
    if new != form.exactly("again"):
        return shown(visit, said=UNLIKE, at="again", status=HTTPStatus.BAD_REQUEST)
    if new == current:
        return shown(visit, said=SAME, at="new", status=HTTPStatus.BAD_REQUEST)
    try:
        changed = await set_password(rooms.control, visit.space, entered.email, new)
    except UsageError as error:
        return shown(visit, said=error.message, at="new", status=HTTPStatus.BAD_REQUEST)
    # Every session of the account has ended, this one too: whoever held its cookie holds nothing now.
    return await welcome_back(visit.desk, request, changed, after=f"{ADDRESS}?done=changed")
