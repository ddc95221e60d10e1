"""`/requests`: a vendor's engineer asks a district for data, with the vendor's token, and reads what became of it.

INVARIANT: a request grants nothing; a grant that is in force goes on unchanged.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.errors import RequestError, TooMany, Unauthenticated, Unavailable
from app.installation import Installation
from app.oauth.caller import Caller
from app.operation.vocabulary import CORE_VOCABULARY
from app.policy.authority import NOTHING, day_of
from app.requests.form import LARGEST, check_form, invalid, read_form
from app.requests.store import ask, by_id
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

    return [
        Route("/requests", _told(rooms, challenge, _ask), methods=["POST"]),
        Route(asking.PATH, described, methods=["GET"]),
        Route("/requests/{id}", _told(rooms, challenge, _show), methods=["GET"]),
    ]


async def _ask(request: Request, rooms: Installation, caller: Caller) -> Response:
    """Keep what is asked for."""
    if rooms.authorization.standing(caller.client, caller.space).suspended:
        raise RequestError(
            "The client is suspended. Ask the district, or the operator of this service, why.",
            code="CLIENT_SUSPENDED",
            status=HTTPStatus.FORBIDDEN,
        )
    form = read_form(await _body(request))
    vocabulary = rooms.remotes.vocabulary if rooms.remotes is not None else CORE_VOCABULARY
    policy = rooms.policies.spaces.get(caller.space, NOTHING)
    now = rooms.clock()
    check_form(form, vocabulary.facts, policy, caller.client, day_of(now, policy.district)[0])
    made = await ask(rooms.control, caller.space, caller.client, form, now=now)
    address = f"{rooms.settings.issuer}/requests/{made.id}"
    body = {**made.presented(), "address": address}
    return JSONResponse(body, HTTPStatus.CREATED, {**NO_STORE, "location": address})


async def _show(request: Request, rooms: Installation, caller: Caller) -> Response:
    """What became of a request of the caller's own. Another's is like none."""
    found = await by_id(rooms.control, caller.space, caller.client, request.path_params["id"])
    if found is None:
        raise RequestError(
            "There is no such request of this client in this space. `{ requests { id } }` lists those that there are.",
            code="REQUEST_UNKNOWN",
            status=HTTPStatus.NOT_FOUND,
        )
    address = f"{rooms.settings.issuer}/requests/{found.id}"
    return JSONResponse({**found.presented(), "address": address}, headers=NO_STORE)


async def _body(request: Request) -> bytes:
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


def _told(
    rooms: Installation,
    challenge: Challenge,
    answer: Callable[[Request, Installation, Caller], Awaitable[Response]],
) -> Endpoint:
    """An answer to a verified caller, or in a sentence why there is none."""

    async def endpoint(request: Request) -> Response:
        name = request.scope.get(REQUEST_ID, "")
        try:
            caller = rooms.authorization.caller(request.headers.get("authorization"))
            await rooms.rates.spend(caller.client)
            return await answer(request, rooms, caller)
        except Unauthenticated as error:
            return _refused(error, name, {"www-authenticate": challenge(error)})
        except TooMany as error:
            headers = {header.decode(): value.decode() for header, value in error.headers}
            body = {"errors": [{"message": error.message, "extensions": {"code": error.code}}]}
            return JSONResponse(body, HTTPStatus.TOO_MANY_REQUESTS, {**NO_STORE, **headers})
        except RequestError as error:
            return _refused(error, name, {})
        except Unavailable as error:
            failure = fail(error, name)
            headers = {header.decode(): value.decode() for header, value in failure.headers()}
            return Response(failure.body(name), failure.status, {**NO_STORE, **headers}, "application/json")

    return endpoint


def _refused(error: RequestError, request: str, headers: dict[str, str]) -> Response:
    body = {
        "errors": [{"message": error.message, "extensions": error.extensions}],
        "extensions": {"request": request},
    }
    return JSONResponse(body, error.status, {**NO_STORE, **headers})
