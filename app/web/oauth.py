"""OAuth2 over HTTP: forms in, JSON out, nothing kept in any cache that is personal.

Shape: `routes(authorization)` for the application. The limit on failed attempts counts by the address that the server
sees; behind a proxy, uvicorn takes it from `X-Forwarded-For` where FORWARDED_ALLOW_IPS names the proxy.
Spec: RFC 6749 §3.2, RFC 7009, RFC 7662, RFC 8414, RFC 9728.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.errors import TooMany, Unavailable
from app.oauth.authorization import Authorization
from app.oauth.proof import claimed_client
from app.oauth.server import NO_STORE, FormRequest, Reply
from app.web import openapi
from app.web.edge import REQUEST_ID
from app.web.failure import fail

LARGEST = 65_536
FIELDS = 32

Endpoint = Callable[[Request], Awaitable[Response]]

Asked = Callable[[str, str], Awaitable[None]]
"""Counts a request of a client from an address, before anything of it is looked at. Raises: TooMany."""


class _Refused(Exception):  # noqa: N818 - it says what became of the request
    def __init__(self, sentence: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


def routes(authorization: Authorization, asked: Asked | None = None) -> list[Route]:
    """Every OAuth2 route of the application. `asked` counts the requests for tokens."""
    described = openapi.document(authorization.server_metadata())
    documents: dict[str, Callable[[], object]] = {
        "/oauth/jwks": authorization.jwks,
        openapi.PATH: lambda: described,
        "/.well-known/oauth-authorization-server": authorization.server_metadata,
        "/.well-known/oauth-protected-resource/graphql": authorization.graph_metadata,
    }
    return [
        Route("/oauth/token", _Posted(authorization.token, asked)),
        Route("/oauth/introspect", _Posted(authorization.introspect)),
        Route("/oauth/revoke", _Posted(authorization.revoke)),
        *(Route(path, _document(read), methods=["GET"]) for path, read in documents.items()),
        Route(
            "/.well-known/oauth-protected-resource/spaces/{state}/{district}",
            _space_document(authorization),
            methods=["GET"],
        ),
    ]


class _Posted:
    """An endpoint that forms are posted to. It answers to every method, so that each but POST is told the same."""

    def __init__(self, answer: Callable[[FormRequest], Awaitable[Reply]], asked: Asked | None = None) -> None:
        self._answer = answer
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            form = await _form(request)
            address = request.client.host if request.client else ""
            posted = FormRequest(form, request.headers.get("authorization"), address)
            if self._asked is not None:
                await self._asked(claimed_client(posted.authorization, form), address)
            reply = await self._answer(posted)
            return JSONResponse(reply.body, reply.status, reply.headers)
        except _Refused as refused:
            allow = {"Allow": "POST"} if refused.status is HTTPStatus.METHOD_NOT_ALLOWED else {}
            return _error("invalid_request", refused.sentence, refused.status, allow)
        except TooMany as error:
            headers = {name.decode(): value.decode() for name, value in error.headers}
            return _error("temporarily_unavailable", error.message, HTTPStatus.TOO_MANY_REQUESTS, headers)
        except Unavailable as error:
            failure = fail(error, request.scope.get(REQUEST_ID, ""))
            return _error("temporarily_unavailable", failure.message, failure.status, {"Retry-After": "5"})


def _document(read: Callable[[], object]) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        return JSONResponse(read(), headers={"Cache-Control": "public, max-age=60"})

    return endpoint


def _space_document(authorization: Authorization) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        document = authorization.resource_metadata("{state}/{district}".format(**request.path_params))
        if document is None:
            sentence = "There is no such space. The authorization server's metadata lists them."
            return _error("not_found", sentence, HTTPStatus.NOT_FOUND, {})
        return JSONResponse(document, headers={"Cache-Control": "public, max-age=60"})

    return endpoint


async def _form(request: Request) -> dict[str, str]:
    """The parameters of a posted form, each once. Raises: _Refused."""
    if request.method != "POST":
        raise _Refused("This endpoint is asked by POST. Post a form.", HTTPStatus.METHOD_NOT_ALLOWED)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" or "content-encoding" in request.headers:
        raise _Refused(
            "The body is a form: application/x-www-form-urlencoded, not compressed. Send it so.",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    if request.url.query:
        raise _Refused("Parameters stand in the body, never in the address. Move them there.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise _Refused(f"The form is larger than {LARGEST} bytes. Send less.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except ValueError:
        raise _Refused("The form cannot be read. Encode it as UTF-8 with percent signs.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise _Refused("A parameter stands twice. Send each once: one token is for one space and one purpose.")
    return form


def _error(code: str, sentence: str, status: HTTPStatus, headers: Mapping[str, str]) -> Response:
    return JSONResponse({"error": code, "error_description": sentence}, status, {**NO_STORE, **headers})
