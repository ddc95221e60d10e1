"""The edge of the console: no address is looked at that nobody could have written, and whoever asks is given a page.

INVARIANT: every address stands behind it, see `app.console.routes`; forms are held to the same by `read_form`.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.console.desk import Desk
from app.console.visit import HEADERS
from app.errors import Unavailable

Endpoint = Callable[[Request], Awaitable[Response]]

UNWRITTEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Characters that stand in no text of a person's: PostgreSQL keeps no NUL, and nobody sees the others."""

NOT_AN_ADDRESS = "This address has characters in it that nobody can write, so that nothing was looked for. Correct it."


def is_written(texts: Iterable[str]) -> bool:
    """Whether all of it could have been written by a person."""
    return not any(UNWRITTEN.search(text) for text in texts)


def behind(desk: Desk, answer: Endpoint) -> Endpoint:
    """An address behind the edge."""

    async def endpoint(request: Request) -> Response:
        query = (text for pair in request.query_params.multi_items() for text in pair)
        if not is_written((request.scope["path"], *query)):
            return closed(desk, HTTPStatus.BAD_REQUEST, "There can be no such page", NOT_AN_ADDRESS)
        try:
            return await answer(request)
        except Unavailable as error:  # before anybody's page could be begun: whether they are signed in is not known
            return closed(desk, HTTPStatus.SERVICE_UNAVAILABLE, "Something does not answer", error.message)

    return endpoint


def closed(desk: Desk, status: int, title: str, sentence: str) -> Response:
    """A page for whoever asks: it says what is amiss, and nothing of any district."""
    text = desk.templates.get_template("closed.html").render(title=title, sentence=sentence)
    return HTMLResponse(text, status, HEADERS)
