"""Signing in and out: first the district, then a password or the district's own provider.

The pages say the same whatever district is named and whatever is wrong: who its officers are is nobody's to find out
here, nor is a district without a provider told from one that is not there. That a district is here is no secret, though
no document lists them: whoever knows its name finds its space's metadata (RFC 9728), and its provider, if it has one.
Where there is one district alone, the page names it.
"""

import re
from http import HTTPStatus
from secrets import token_urlsafe

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.console.desk import Desk
from app.console.door import SESSION, cookie, held, signed_in
from app.console.forms import Form, read_form
from app.console.visit import FORM, HEADERS, Rejected, Visit
from app.errors import Unavailable
from app.names import SpaceId
from app.officers.accounts import Officer
from app.officers.devices import DEVICE, SECONDS, Device, known_device, name_device
from app.officers.entering import enter
from app.officers.sessions import begin, end
from app.signing_in import Role

VISITOR = "visitor"
"""The cookie of a browser that nobody is signed in with yet: its forms are marked too."""

HOUR = 3_600
"""Units: seconds that a page for signing in may be open."""

ENDED = "Your sign-in had ended, so what you sent was not done. Sign in, and do it again."
WRONG = "That did not let you in. Check the district, the e-mail address and the password."
LOCKED = "There were too many attempts. Wait for a quarter of an hour, then try again."
UNREACHED = "The sign-in cannot be checked right now. Try again in a minute."
LOCAL = re.compile(r"/console(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?")
"""Addresses of our own pages, and of nobody else's."""


async def show(desk: Desk, request: Request) -> Response:
    """The page for signing in."""
    if await signed_in(desk, request) is not None:
        return RedirectResponse(onward(request.query_params.get("next", "")), HTTPStatus.SEE_OTHER, HEADERS)
    said = ENDED if request.query_params.get("ended") else ""
    return shown(desk, request, said=said, space=request.query_params.get("space", ""))


def shown(desk: Desk, request: Request, *, said: str, space: str, email: str = "", status: int = 200) -> Response:
    """The page for signing in, with what there is to say."""
    spaces = desk.rooms.settings.spaces
    visitor = visitor_of(desk, request) or token_urlsafe(24)
    text = desk.templates.get_template("sign-in.html").render(
        said=said,
        space=space or (next(iter(spaces)) if len(spaces) == 1 else ""),
        email=email,
        after=onward(request.query_params.get("next", "")),
        # Offered whatever district is named, where any has one: the page does not tell them apart.
        provider=any(one.sign_in is not None for one in spaces.values()),
        csrf=desk.seal.mark(FORM, visitor),
    )
    response = HTMLResponse(text, status, HEADERS)
    keep(desk, response, VISITOR, desk.seal.seal(VISITOR, visitor))
    return response


async def take(desk: Desk, request: Request) -> Response:
    """A password that was typed."""
    try:
        form = await read_form(request, desk.seal.mark(FORM, visitor_of(desk, request) or token_urlsafe(24)))
    except Rejected as error:
        return shown(desk, request, said=error.message, space="", status=HTTPStatus.BAD_REQUEST)
    space, email = form.text("space"), form.text("email")
    address = request.client.host if request.client else ""
    settings = desk.rooms.settings.console
    try:
        entered = await enter(
            desk.rooms.control,
            space,
            email,
            form.exactly("password"),
            address,
            now=desk.now().timestamp(),
            attempts=settings.attempts,
            device=device_of(desk, request),
        )
        if isinstance(entered, Officer):
            return await welcome_back(desk, request, entered, after=form.text("next"))
    except Unavailable:
        return unreached(desk, request, space=space, email=email)
    said, status = (LOCKED, HTTPStatus.TOO_MANY_REQUESTS) if entered.locked else (WRONG, HTTPStatus.FORBIDDEN)
    return shown(desk, request, said=said, space=space, email=email, status=status)


def unreached(desk: Desk, request: Request, *, space: str, email: str = "") -> Response:
    """The page for signing in, while nobody can be."""
    return shown(desk, request, said=UNREACHED, space=space, email=email, status=HTTPStatus.SERVICE_UNAVAILABLE)


async def welcome_back(desk: Desk, request: Request, officer: Officer, *, after: str) -> Response:
    """Sign in an officer who has a password, in a browser that their account knows from now on. Raises: Unavailable."""
    response = await welcome(
        desk, request, officer.space, officer.email, officer.role, officer=officer.number, after=after
    )
    keep(desk, response, DEVICE, name_device(desk.seal, officer), seconds=SECONDS)
    return response


async def welcome(
    desk: Desk, request: Request, space: SpaceId, email: str, role: Role, *, officer: int | None, after: str
) -> Response:
    """Sign somebody in, with a session of their own instead of the browser's former, and let them go on.

    Raises: Unavailable.
    """
    limits = desk.rooms.settings.console
    now = desk.now().timestamp()
    former = held(desk, request)
    token = await begin(desk.rooms.control, space, email, role, officer=officer, now=now, limits=limits, former=former)
    response = RedirectResponse(onward(after), HTTPStatus.SEE_OTHER, HEADERS)
    keep(desk, response, SESSION, desk.seal.seal(SESSION, token))
    response.delete_cookie(cookie(desk, VISITOR), path="/", secure=desk.secure, httponly=True, samesite="lax")
    return response


async def leave(visit: Visit, _form: Form) -> Response:
    """Sign out: the session is over in every server, whatever the browser keeps."""
    await end(visit.desk.rooms.control, visit.session.id)
    response = RedirectResponse("/console/sign-in", HTTPStatus.SEE_OTHER, HEADERS)
    name = cookie(visit.desk, SESSION)
    response.delete_cookie(name, path="/", secure=visit.desk.secure, httponly=True, samesite="lax")
    return response


def visitor_of(desk: Desk, request: Request) -> str | None:
    """The browser that asks, by the cookie that it was given; None if it has none, or one that is too old."""
    sealed = request.cookies.get(cookie(desk, VISITOR), "")
    found = desk.seal.open(VISITOR, sealed, seconds=HOUR) if sealed else None
    return found if isinstance(found, str) else None


def device_of(desk: Desk, request: Request) -> Device | None:
    """The browser that asks, if some account knows it."""
    return known_device(desk.seal, request.cookies.get(cookie(desk, DEVICE), ""))


def keep(desk: Desk, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Give a browser something to keep so long, or until it is closed. No script reads it, no other site sends it."""
    response.set_cookie(
        cookie(desk, name), value, max_age=seconds, path="/", secure=desk.secure, httponly=True, samesite="lax"
    )


def onward(where: str) -> str:
    """Where to go after signing in: one of our own pages."""
    own = LOCAL.fullmatch(where) is not None and "//" not in where and not where.startswith("/console/sign-")
    return where if own else "/console"
