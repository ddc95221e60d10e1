"""`/requests`: a vendor's engineer asks a district for data, with the vendor's token, and reads what became of it.

INVARIANT: a request grants nothing; a grant that is in force goes on unchanged.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.errors import RequestError, TooMany, Unauthenticated, Unavailable
from app.installation import Installation
from app.oauth.caller import Caller
from app.operation.vocabulary import CORE_VOCABULARY
from app.passing_on import Passing
from app.policy.authority import NOTHING, day_of
from app.requests.form import LARGEST, check_form, invalid, read_form
from app.requests.store import ask, by_id
from app.subgraphs.premises import ASK, ASKED
from app.web import asking
from app.web.edge import REQUEST_ID
from app.web.failure import fail
from app.web.media import is_json

NO_STORE = {"cache-control": "no-store"}

Challenge = Callable[[Unauthenticated], str]
Endpoint = Callable[[Request], Awaitable[Response]]


def routes(rooms: Installation, challenge: Challenge) -> list[Route]:
    """Every address that requests have."""
    document = asking.document(rooms.settings.issuer)

    async def described(_: Request) -> Response:
        return JSONResponse(document, headers={"cache-control": "public, max-age=60"})

    async def ask(request: Request) -> Response:
        caller = await _caller(request, rooms)
        body = await read_body(request)
        if caller.space in rooms.premises:
            return await _passed_on(request, rooms, caller, ASK, body)
        return await take_in(rooms, caller, body, rooms.settings.issuer)

    async def show(request: Request) -> Response:
        caller, name = await _caller(request, rooms), request.path_params["id"]
        if caller.space in rooms.premises:
            return await _passed_on(request, rooms, caller, ASKED, name.encode("utf-8", "surrogatepass"))
        return await look_up(rooms, caller, name, rooms.settings.issuer)

    return [
        Route("/requests", told(challenge, ask), methods=["POST"]),
        Route(asking.PATH, described, methods=["GET"]),
        Route("/requests/{id}", told(challenge, show), methods=["GET"]),
    ]


async def _caller(request: Request, rooms: Installation) -> Caller:
    """Who asks, by an access token; its share is counted. Raises: Unauthenticated, TooMany."""
    caller = rooms.authorization.caller(request.headers.get("authorization"))
    await rooms.rates.spend(caller.client)
    return caller


async def _passed_on(request: Request, rooms: Installation, caller: Caller, path: str, body: bytes) -> Response:
    """What the premises that keep the space answer. Raises: Unavailable, Unauthenticated."""
    passing = Passing(rooms, rooms.premises[caller.space], caller, request.scope.get(REQUEST_ID, ""))
    asked = await passing.ask(path, body)
    return _response(msgspec.to_builtins(asked), made=path == ASK)


async def take_in(rooms: Installation, caller: Caller, form_as_sent: bytes, issuer: str) -> Response:
    """Keep what is asked for, and say so as the server at `issuer`. Raises: RequestError, Unavailable."""
    if rooms.standing(caller).suspended:
        raise RequestError(
            "The client is suspended. Ask the district, or the operator of this service, why.",
            code="CLIENT_SUSPENDED",
            status=HTTPStatus.FORBIDDEN,
        )
    form = read_form(form_as_sent)
    vocabulary = rooms.remotes.vocabulary if rooms.remotes is not None else CORE_VOCABULARY
    policy = rooms.policies.spaces.get(caller.space, NOTHING)
    now = rooms.clock()
    check_form(form, vocabulary.facts, policy, caller.client, day_of(now, policy.district)[0])
    made = await ask(rooms.control, caller.space, caller.client, form, now=now)
    address = f"{issuer}/requests/{made.id}"
    return _response({**made.presented(), "address": address}, made=True)


async def look_up(rooms: Installation, caller: Caller, name: str, issuer: str) -> Response:
    """What became of a request of the caller's own. Another's is like none. Raises: RequestError, Unavailable."""
    found = await by_id(rooms.control, caller.space, caller.client, name)
    if found is None:
        raise RequestError(
            "There is no such request of this client in this space. `{ requests { id } }` lists those that there are.",
            code="REQUEST_UNKNOWN",
            status=HTTPStatus.NOT_FOUND,
        )
    address = f"{issuer}/requests/{found.id}"
    return _response({**found.presented(), "address": address})


def _response(said: Mapping[str, object], *, made: bool = False) -> Response:
    """A request as its vendor reads it. Spec: RFC 9110 §15.3.2."""
    if made:
        return JSONResponse(said, HTTPStatus.CREATED, {**NO_STORE, "location": str(said["address"])})
    return JSONResponse(said, headers=NO_STORE)


async def read_body(request: Request) -> bytes:
    """A body of JSON, bounded. Raises: RequestError."""
    if not is_json(request.headers.get("content-type")) or "content-encoding" in request.headers:
        raise RequestError(
            "The body is application/json in UTF-8, not compressed. Send it so.",
            code="UNSUPPORTED_MEDIA_TYPE",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    if request.url.query:
        raise invalid(["What is asked for stands in the body, never in the address. Move it there."])
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise RequestError(
                f"The form is larger than {LARGEST} bytes. Ask for less at a time.",
                code="REQUEST_TOO_LARGE",
                status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
    return bytes(body)


def told(challenge: Challenge, answer: Endpoint) -> Endpoint:
    """An answer, or in a sentence why there is none."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except Unauthenticated as error:
            return _refused(error, request, {"www-authenticate": challenge(error)})
        except TooMany as error:
            headers = {header.decode(): value.decode() for header, value in error.headers}
            body = {"errors": [{"message": error.message, "extensions": {"code": error.code}}]}
            return JSONResponse(body, HTTPStatus.TOO_MANY_REQUESTS, {**NO_STORE, **headers})
        except RequestError as error:
            return _refused(error, request, {})
        except Unavailable as error:
            name = request.scope.get(REQUEST_ID, "")
            failure = fail(error, name)
            headers = {header.decode(): value.decode() for header, value in failure.headers()}
            return Response(failure.body(name), failure.status, {**NO_STORE, **headers}, "application/json")

    return endpoint


def _refused(error: RequestError, request: Request, headers: dict[str, str]) -> Response:
    body = {
        "errors": [{"message": error.message, "extensions": error.extensions}],
        "extensions": {"request": request.scope.get(REQUEST_ID, "")},
    }
    return JSONResponse(body, error.status, {**NO_STORE, **headers})
