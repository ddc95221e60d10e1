"""Every route inside one edge."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import Lifespan

from app.web.edge import Edge, Watch

_SENTENCES = {
    404: "There is nothing at this address. The start page lists what there is.",
    405: "This address does not answer to that method.",
}


def site(
    routes: Sequence[BaseRoute], *, lifespan: Lifespan[Starlette] | None = None, watch: Watch | None = None
) -> Starlette:
    """The application around these routes. Routes may be added until the lifespan's start is over."""
    made = Starlette(
        routes=routes,
        middleware=[Middleware(Edge, watch=watch or Watch())],
        exception_handlers={HTTPException: _refuse},
        lifespan=lifespan,
    )
    # An address with a slash too many is none. To lead on would be to wherever the Host header says, and not by TLS.
    made.router.redirect_slashes = False
    return made


async def _refuse(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return PlainTextResponse(_SENTENCES.get(status, "This request cannot be answered."), status, headers)
