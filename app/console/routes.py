"""Every address of the console."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.console import (
    account,
    deciding,
    disclosures,
    files,
    matrix,
    openid,
    opt_outs,
    preview,
    requests,
    revoking,
    sign_in,
    standing,
    students,
    todo,
    vendor,
)
from app.console.desk import Desk
from app.console.door import Act, Show, StandsOn, form, page
from app.console.edge import Endpoint, behind
from app.console.templates import STATIC
from app.console.visit import Absent, Visit
from app.errors import Unavailable
from app.signing_in import Role

SIGN_IN = "/console/sign-in"

PAGES: tuple[tuple[str, Show], ...] = (
    ("/console", todo.show),
    ("/console/matrix", matrix.show),
    ("/console/matrix.csv", matrix.as_csv),
    ("/console/matrix/{client}/{purpose}/{coordinate}", matrix.show_cell),
    ("/console/vendors/{client}", vendor.show),
    ("/console/requests", requests.show_all),
    ("/console/requests/{number}", requests.show),
    ("/console/preview", preview.show),
    ("/console/disclosures", disclosures.show),
    ("/console/disclosures.csv", disclosures.as_csv),
    ("/console/students", students.find),
    ("/console/students/{key:path}", students.show),
    ("/console/opt-outs", opt_outs.show),
    ("/console/policy", files.show),
    ("/console/policy/file", files.show_file),
    (account.ADDRESS, account.show),
)
"""What an officer may look at."""

DEEDS: tuple[tuple[str, Act], ...] = (
    ("/console/opt-outs", opt_outs.record),
    ("/console/opt-outs/remove", opt_outs.take_back),
    ("/console/requests/{number}", deciding.take),
    ("/console/vendors/{client}/narrow", standing.narrow_to_used),
    ("/console/vendors/{client}/revoke", revoking.revoke),
    ("/console/vendors/{client}/standing", standing.change_standing),
)
"""What officers who decide may do."""

DECIDING: tuple[Role, ...] = ("steward", "privacy-officer")


class Assets(StaticFiles):
    """Style and script, whose addresses change with their contents, so that a browser need not ask for them twice."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        response.headers["content-security-policy"] = "default-src 'none'"
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def routes(desk: Desk) -> list[BaseRoute]:
    """The console of an installation."""

    def at(path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        return Route(path, behind(desk, endpoint), methods=[method])

    return [
        Mount("/console/static", Assets(directory=STATIC)),
        at(SIGN_IN, _open(desk, sign_in.show)),
        at(SIGN_IN, _open(desk, sign_in.take), "POST"),
        at("/console/sign-in/openid", _open(desk, openid.start)),
        at(openid.BACK, _open(desk, openid.back)),
        at("/console/sign-out", form(desk, sign_in.leave, stands_on=_every_page), "POST"),
        *(at(path, page(desk, show)) for path, show in PAGES),
        at(account.ADDRESS, form(desk, account.change, stands_on=_itself), "POST"),
        *(at(path, form(desk, act, roles=DECIDING, stands_on=stands_on(path)), "POST") for path, act in DEEDS),
        at("/console/{rest:path}", page(desk, _nothing)),
    ]


def stands_on(path: str) -> StandsOn:
    """The page that a form stands on which is posted to an address: the same, or the one above it."""
    return _itself if path in {page for page, _ in PAGES} else _above


def _itself(request: Request) -> str:
    return quote(request.scope["path"])


def _above(request: Request) -> str:
    return quote(request.scope["path"].rpartition("/")[0])


def _every_page(_request: Request) -> str:
    return ""


def _open(desk: Desk, answer: Callable[[Desk, Request], Awaitable[Response]]) -> Endpoint:
    """What anybody may ask for."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(desk, request)
        except Unavailable:
            return sign_in.unreached(desk, request, space=request.query_params.get("space", ""))

    return endpoint


async def _nothing(_visit: Visit) -> Response:
    raise Absent("There is no such page. The line at the top leads to those that there are.")
