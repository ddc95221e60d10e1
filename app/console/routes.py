"""Every address of the console."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.console import sign_in, todo
from app.console.desk import Desk
from app.console.door import Show, form, page
from app.console.templates import STATIC
from app.console.visit import Absent, Visit

PAGES: tuple[tuple[str, Show], ...] = (("/console", todo.show),)
"""What an officer may look at."""


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
    return [
        Mount("/console/static", Assets(directory=STATIC)),
        Route("/console/sign-in", _open(desk, sign_in.show), methods=["GET"]),
        Route("/console/sign-in", _open(desk, sign_in.take), methods=["POST"]),
        Route("/console/sign-out", form(desk, sign_in.leave), methods=["POST"]),
        *(Route(path, page(desk, show), methods=["GET"]) for path, show in PAGES),
        Route("/console/{rest:path}", page(desk, _nothing), methods=["GET"]),
    ]


def _open(
    desk: Desk, answer: Callable[[Desk, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """What anybody may ask for."""

    async def endpoint(request: Request) -> Response:
        return await answer(desk, request)

    return endpoint


async def _nothing(_visit: Visit) -> Response:
    raise Absent("There is no such page. The line at the top leads to those that there are.")
