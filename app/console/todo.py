"""`/console`: what waits for the officer, the most urgent first."""

from starlette.responses import Response

from app.console.visit import Visit


async def show(visit: Visit) -> Response:
    """The first page."""
    return visit.page("todo.html")
