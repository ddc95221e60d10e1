"""The edge: what holds for every request, whatever its route.

A request gets an id, the answer carries it, the log has one line for it. What fails is masked: an error id for the
caller, the kind and the place for the operator, the text for nobody.
"""

import secrets
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.failure import fail
from app.web.log import note

REQUEST_ID = "homeroom.request"
"""Where a request's id stands in its ASGI scope."""

_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_GONE = 499  # the caller went away before the answer had left


class Aborted(Exception):  # noqa: N818 - it says what became of the answer
    """An answer broke off after its first byte. The server closes the connection without ending the answer.

    # INVARIANT: never raised with a text or a cause: whatever logs it may show both.
    """


class Edge:
    """ASGI middleware around every route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and write its line."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = secrets.token_hex(12)
        scope[REQUEST_ID] = request
        began = time.perf_counter()
        status, sent, ended = 0, 0, False

        async def tell(message: Message) -> None:
            nonlocal status, sent, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request.encode()), *_HEADERS]
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
            failure = fail(error, request)
            if status:
                raise Aborted from None
            body = failure.body()
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
            headers += [(b"cache-control", b"no-store"), *failure.headers()]
            await tell({"type": "http.response.start", "status": int(failure.status), "headers": headers})
            await tell({"type": "http.response.body", "body": body})
        finally:
            note(
                "request",
                request=request,
                method=scope["method"],
                route=getattr(scope.get("route"), "path", None),
                status=status or _GONE,
                whole=ended,
                bytes=sent,
                ms=round((time.perf_counter() - began) * 1000, 2),
            )
