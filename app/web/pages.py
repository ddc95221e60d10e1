"""What anyone may see: the start page and the schema."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

_STYLE = (
    ":root{color-scheme:light dark;background:Canvas;color:CanvasText}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}"
    "code{font-size:.95em}dt{margin-top:1rem}dd{margin:0}"
)
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)


def routes(*, issuer: str, sdl: Callable[[], str]) -> list[Route]:
    """`/` and `/schema.graphql`."""
    start = _start_page(issuer)

    async def landing(_request: Request) -> Response:
        return HTMLResponse(start, headers={"content-security-policy": _POLICY, "cache-control": "max-age=300"})

    async def schema(_request: Request) -> Response:
        return Response(sdl(), media_type="application/graphql; charset=utf-8", headers={"cache-control": "max-age=60"})

    return [Route("/", landing), Route("/schema.graphql", schema)]


_GUIDES = (
    ("developer.md", "try it by hand"),
    ("learning-tool.md", "build a product on it"),
    ("district.md", "decide who may read what"),
    ("operator.md", "run it"),
)
_PATHS = (
    ("/console", "The console: who may read what, for officers of a district."),
    ("/graphiql", "GraphiQL: ask the graph by hand, and read why a field is empty."),
    ("/graphql", "The graph, by POST (or GET), with a bearer token."),
    ("/schema.graphql", "Its schema: every field with the scope that it needs."),
    ("/oauth/token", "Access tokens, by OAuth 2 client credentials."),
    ("/oauth/jwks", "The keys that tokens are signed with."),
    ("/oauth/openapi.json", "The OAuth endpoints as an OpenAPI document."),
    ("/.well-known/oauth-authorization-server", "The authorization server's metadata."),
    ("/healthz", "Whether the server runs."),
    ("/readyz", "Whether it can answer."),
)


def _start_page(issuer: str) -> str:
    rows = "".join(
        f'<dt><a href="{escape(path)}"><code>{escape(issuer + path)}</code></a></dt><dd>{escape(text)}</dd>'
        for path, text in _PATHS
    )
    guides = ", ".join(f"<code>docs/{escape(file)}</code> to {escape(what)}" for file, what in _GUIDES)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Homeroom</title><style>{_STYLE}</style></head><body><main><h1>Homeroom</h1>"
        "<p>A learning tool asks one graph for students, sections and grades, and receives exactly the fields that "
        "the district has granted to it.</p>"
        '<p><a href="/graphiql">Ask it by hand in GraphiQL</a>, or read <a href="/schema.graphql">its schema</a>. '
        f"The guides lie in Homeroom's folder: {guides}.</p>"
        f"<dl>{rows}</dl></main></body></html>"
    )
