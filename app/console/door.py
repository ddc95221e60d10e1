"""The door: no page without an officer who is signed in, no form without their mark, the same words to everybody."""

from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.console.desk import Desk
from app.console.edge import Endpoint
from app.console.forms import Form, read_form
from app.console.visit import HEADERS, Absent, Forbidden, Rejected, Visit
from app.errors import HomeroomError, Unavailable
from app.officers.sessions import Session, find, space_of
from app.signing_in import ROLES, Role, still_gives

Show = Callable[[Visit], Awaitable[Response]]
Act = Callable[[Visit, Form], Awaitable[Response]]
StandsOn = Callable[[Request], str]
"""The address of the page that a form stands on; empty if it stands on every page."""

SESSION = "session"
"""What the seal on the cookie of an officer who is signed in is for."""

FAULTS: dict[type[HomeroomError], tuple[HTTPStatus, str]] = {
    Absent: (HTTPStatus.NOT_FOUND, "There is nothing here"),
    Forbidden: (HTTPStatus.FORBIDDEN, "This is for another role"),
    Rejected: (HTTPStatus.BAD_REQUEST, "This was not taken"),
    Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "Something does not answer"),
}


def cookie(desk: Desk, name: str) -> str:
    """A cookie's name: one that is bound to this host alone, where browsers can be told so."""
    return f"__Host-homeroom-{name}" if desk.secure else f"homeroom-{name}"


def held(desk: Desk, request: Request) -> str:
    """What a request's cookie says of a session, which may be over; empty if it says nothing."""
    sealed = request.cookies.get(cookie(desk, SESSION), "")
    seconds = desk.rooms.settings.console.session_seconds
    token = desk.seal.open(SESSION, sealed, seconds=seconds) if sealed else None
    return token if isinstance(token, str) else ""


async def signed_in(desk: Desk, request: Request) -> Session | None:
    """The session that a request's cookie opens; None if it opens none, or a space that is no more."""
    settings = desk.rooms.settings.console
    token = held(desk, request)
    if not token:
        return None
    session = await find(desk.rooms.control, token, now=desk.now().timestamp(), limits=settings)
    if session is None or session.space not in desk.places:
        return None
    if session.by_password:
        return session
    # Whoever came from a provider goes with it, and with the role that it gave.
    sign_in = desk.rooms.settings.spaces[session.space].sign_in
    return session if sign_in is not None and still_gives(sign_in, session.email, session.role) else None


def page(desk: Desk, show: Show, *, roles: Collection[Role] = ROLES) -> Endpoint:
    """A page for officers of these roles."""

    async def endpoint(request: Request) -> Response:
        session = await signed_in(desk, request)
        if session is None:
            return to_sign_in(request)
        visit = Visit(desk, request, session)
        return await _told(visit, lambda: show(visit), roles)

    return endpoint


def form(desk: Desk, act: Act, *, roles: Collection[Role] = ROLES, stands_on: StandsOn) -> Endpoint:
    """What a form of ours is posted to, by officers of these roles, from a page that whoever sent it is led back to."""

    async def endpoint(request: Request) -> Response:
        back = stands_on(request)
        session = await signed_in(desk, request)
        if session is None:
            return await unsent(desk, request, back)
        visit = Visit(desk, request, session)

        async def acted() -> Response:
            sent = await read_form(request, visit.token)
            try:
                return await act(visit, sent)
            except (Absent, Rejected, Unavailable) as error:
                return _fault(visit, error, written=sent.text("reason"), back=back)

        return await _told(visit, acted, roles, back)

    return endpoint


async def _told(
    visit: Visit, answer: Callable[[], Awaitable[Response]], roles: Collection[Role], back: str = ""
) -> Response:
    """An answer, or a page that says in a sentence why there is none."""
    try:
        if visit.session.role not in roles:
            raise Forbidden("Your role may look at this district, and not do this. Ask an officer whose role does.")
        return await answer()
    except (Absent, Forbidden, Rejected, Unavailable) as error:
        return _fault(visit, error, back=back)


def _fault(visit: Visit, error: HomeroomError, *, written: str = "", back: str = "") -> Response:
    """A page that says what is wrong, leads back, and gives back what an officer had written, which would be lost."""
    status, title = FAULTS[type(error)]
    return visit.page("fault.html", status, title=title, sentence=error.message, written=written, back=back)


async def unsent(desk: Desk, request: Request, back: str) -> Response:
    """To the page for signing in, which says that what was sent was not done. Raises: Unavailable."""
    token = held(desk, request)
    space = await space_of(desk.rooms.control, token) if token else None
    asked = {"ended": "1", "next": back} if back else {}
    asked |= {"space": space} if space is not None and space in desk.places else {}
    after = f"?{urlencode(asked)}" if asked else ""
    return RedirectResponse(f"/console/sign-in{after}", HTTPStatus.SEE_OTHER, HEADERS)


def to_sign_in(request: Request) -> Response:
    """To the page for signing in, and back to where the officer was going."""
    where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    after = "" if where == "/console" else f"?next={quote(where, safe='')}"
    if request.url.path == "/console" and (space := request.query_params.get("space")):
        after = f"?space={quote(space, safe='')}"
    return RedirectResponse(f"/console/sign-in{after}", HTTPStatus.SEE_OTHER, HEADERS)
