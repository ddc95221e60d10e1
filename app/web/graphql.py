"""GraphQL over HTTP: a request becomes a `Request`, an `Answer` becomes a response.

Spec: GraphQL over HTTP (draft). Only queries exist here, so GET and POST answer alike. JSON bodies only, no cookies: a
form on another site can send neither the body nor the bearer header.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from http import HTTPStatus

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from app.errors import RequestError, TooMany, Unauthenticated
from app.gateway import Answer, Request
from app.telemetry.metrics import count_answer
from app.telemetry.trail import Trail
from app.web.edge import TRAIL, Aborted
from app.web.failure import fail
from app.web.media import JSON, answer_type
from app.web.parameters import Headers, Refused, read_request
from app.web.stream import stream


class GraphQL:
    """The route `/graphql`, as an ASGI application.

    `answer` is the gateway; `challenge` gives the WWW-Authenticate of a 401.
    """

    def __init__(
        self,
        answer: Callable[[Request], Awaitable[Answer]],
        *,
        challenge: Callable[[Unauthenticated], str],
        body_bytes: int,
        stream_seconds: float,
    ) -> None:
        self.answer = answer
        self.challenge = challenge
        self.body_bytes = body_bytes
        self.stream_seconds = stream_seconds
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def finished(self, seconds: float) -> None:
        """Wait until no answer is under way, and no longer than that."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self._running += 1
        self._idle.clear()
        try:
            await self._answer(scope, receive, send)
        finally:
            trail: Trail = scope[TRAIL]
            count_answer(trail.client, trail.code)
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        media = JSON
        trail: Trail = scope[TRAIL]  # its id may be another one once it is known who asks
        try:
            headers = Headers(scope)
            media = _accepted(headers)
            request = await read_request(scope, receive, headers, self.body_bytes, trail)
            answer = await self.answer(request)
            body = answer.body
            if isinstance(body, bytes):
                await _respond(send, HTTPStatus.OK, media, body, answer.headers)
            else:
                start = _start(HTTPStatus.OK, media, answer.headers)
                await stream(body, start, receive, send, request=trail.id, seconds=self.stream_seconds)
        except Aborted:
            trail.code = "BROKEN_OFF"
            raise
        except ClientDisconnect:
            trail.code = "CALLER_LEFT"
            raise
        except Unauthenticated as error:
            trail.code = error.code
            challenge = [(b"www-authenticate", self.challenge(error).encode("latin-1"))]
            await _respond(send, error.status, media, _errors(error, trail.id), challenge)
        except Refused as error:
            trail.code = error.code
            await _respond(send, error.status, media, _errors(error, trail.id), error.headers)
        except TooMany as error:
            trail.code = error.code
            await _respond(send, HTTPStatus.TOO_MANY_REQUESTS, media, _told(error, trail.id), error.headers)
        except RequestError as error:
            trail.code = error.code
            await _respond(send, _status(error, media), media, _errors(error, trail.id))
        except Exception as error:
            failure = fail(error, trail.id)
            trail.code = failure.code
            await _respond(send, failure.status, media, failure.body(trail.id), failure.headers())


def _accepted(headers: Headers) -> str:
    media = answer_type(headers.get(b"accept"))
    if media is None:
        raise Refused(
            HTTPStatus.NOT_ACCEPTABLE,
            "NOT_ACCEPTABLE",
            "Answers are application/graphql-response+json or application/json in UTF-8. Accept one of them.",
            {"connection": "close"},
        )
    return media


def _status(error: RequestError, media: str) -> HTTPStatus:
    """In `application/json` a query that was refused for its GraphQL has 200. Spec: GraphQL over HTTP §6.4.1."""
    return HTTPStatus.OK if media == JSON and error.status is HTTPStatus.BAD_REQUEST else error.status


def _errors(error: RequestError, request: str) -> bytes:
    """The `errors` of a request that was not executed: there is no `data` beside them."""
    several = getattr(error, "errors", None)  # an invalid query has one for each thing wrong with it
    errors = several or [{"message": error.message, "extensions": error.extensions}]
    return msgspec.json.encode({"errors": errors, "extensions": {"request": request}})


def _told(error: TooMany, request: str) -> bytes:
    """The body of a 429."""
    extensions = {"code": error.code, "retryAfter": error.wait}
    errors = [{"message": error.message, "extensions": extensions}]
    return msgspec.json.encode({"errors": errors, "extensions": {"request": request}})


def _start(status: HTTPStatus, media: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> Message:
    fixed = [(b"content-type", f"{media}; charset=utf-8".encode()), (b"cache-control", b"no-store")]
    return {"type": "http.response.start", "status": int(status), "headers": [*fixed, *headers]}


async def _respond(
    send: Send, status: HTTPStatus, media: str, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    await send(_start(status, media, [(b"content-length", b"%d" % len(body)), *headers]))
    await send({"type": "http.response.body", "body": body})
