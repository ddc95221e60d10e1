"""GraphiQL: a page to ask the graph by hand, bundled beforehand from `app/web/graphiql` and served from here alone.

Shape: `/graphiql`, and the files that it loads under `/graphiql/assets`.
"""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUNDLE = Path(__file__).parent / "graphiql" / "dist"
"""What `npm run build` makes of the sources beside it."""

_ABSENT = (
    "GraphiQL is not built here, so this page is empty; everything else works. Run `./run graphiql` in Homeroom's "
    "folder, or `npm ci && npm run build` in app/web/graphiql, then load this page again.\n"
)
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        # The editor writes style elements for its theme, and draws the waves under a mistake as data: images.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_SANDBOX = '<meta name="homeroom:sandbox" content="{}" />'


class Assets(StaticFiles):
    """Files whose names change with their contents, so that a browser need not ask for them twice."""

    async def check_config(self) -> None:
        """A page that was not built has no files. That is no fault of the server's."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file. A worker is held to the policy of its own file, so each carries one. Spec: CSP 3 §4.1."""
        response = await super().get_response(path, scope)
        response.headers["content-security-policy"] = _POLICY
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def routes(*, sandbox: bool, bundle: Path = BUNDLE) -> list[BaseRoute]:
    """`/graphiql` and its files. In a sandbox the page offers the sandbox's vendors, else it takes a token."""

    async def page(_request: Request) -> Response:
        headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
        try:
            text = (bundle / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return PlainTextResponse(_ABSENT, 404, {"cache-control": "no-store"})
        if sandbox:
            text = text.replace(_SANDBOX.format("no"), _SANDBOX.format("yes"))
        return HTMLResponse(text, headers=headers)

    return [
        Route("/graphiql", page),
        Mount("/graphiql/assets", Assets(directory=bundle / "assets", check_dir=False)),
    ]
