"""The edge: what holds for every request, whatever its route.

A request gets an id, the answer carries it, the log has one line for it, and it is counted. What fails is masked: an
error id for the caller, the kind and the place for the operator, the text for nobody.
"""

import time
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry.metrics import count_request
from app.telemetry.trail import Trail, Trails
from app.web.failure import fail
from app.web.log import note

REQUEST_ID = "homeroom.request"
"""Where a request's id stands in its ASGI scope."""

TRAIL = "homeroom.trail"
"""Where its trail stands."""

_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_GONE = 499  # the caller went away before the answer had left


class Aborted(Exception):  # noqa: N818 - it says what became of the answer
    """An answer broke off after its first byte. The server closes the connection without ending the answer.

    # INVARIANT: never raised with a text or a cause: whatever logs it may show both.
    """


class Watch:
    """How requests are followed. The configuration says it, which is read before the first one comes."""

    def __init__(self) -> None:
        self.trails = Trails()


class Edge:
    """ASGI middleware around every route."""

    def __init__(self, app: ASGIApp, watch: Watch) -> None:
        self.app = app
        self.watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and write its line."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trail = self.watch.trails.begin(scope["headers"])
        scope[REQUEST_ID], scope[TRAIL] = trail.id, trail
        began = time.perf_counter()
        status, sent, ended = 0, 0, False

        async def tell(message: Message) -> None:
            nonlocal status, sent, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", trail.id.encode()), *_HEADERS]
            else:
                sent += len(message.get("body", b""))
                ended = not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, tell)
        except ClientDisconnect:
            return
        except Aborted:
            raise Aborted from None
        except Exception as error:
            failure = fail(error, trail.id)
            trail.code = failure.code
            if status:
                raise Aborted from None
            body = failure.body(trail.id)
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
            headers += [(b"cache-control", b"no-store"), *failure.headers()]
            await tell({"type": "http.response.start", "status": int(failure.status), "headers": headers})
            await tell({"type": "http.response.body", "body": body})
        finally:
            _end(trail, scope, status or _GONE, time.perf_counter() - began, sent=sent, whole=ended)


def _end(trail: Trail, scope: Scope, status: int, seconds: float, *, sent: int, whole: bool) -> None:
    """Write the request's line, and count it. INVARIANT: its address and its headers are in neither."""
    route = getattr(scope.get("route"), "path", None)
    trail.end(scope["method"], route, status)
    count_request(route, status, seconds)
    facts: dict[str, Any] = {} if trail.trace is None else {"trace": trail.trace}
    note(
        "request",
        request=trail.id,
        method=scope["method"],
        route=route,
        client=trail.client,
        status=status,
        code=trail.code,
        whole=whole,
        bytes=sent,
        ms=round(seconds * 1000, 2),
        **facts,
    )
