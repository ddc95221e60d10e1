"""The sandbox's own routes: who its vendors are, and a token to run as one of them.

INVARIANT: only `homeroom demo` has these routes. Its districts are invented, and it mints for its own vendors alone.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.errors import UsageError
from app.installation import Installation
from app.names import ClientId, SpaceId
from app.oauth.server import NO_STORE
from app.policy.authority import NOTHING, purposes
from app.web.media import is_json

LARGEST = 4_096
"""Units: bytes of a request for a token."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""The names by which this machine reaches itself. A page of another name that leads here is somebody else's."""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to run as."""

    client: str
    space: str
    purpose: str


def routes(rooms: Installation, vendors: Mapping[ClientId, str]) -> list[Route]:
    """`/sandbox/vendors` and `/sandbox/token`. `vendors` says in words what each of them is."""

    async def who(request: Request) -> Response:
        if _foreign(request):
            return _refused("This is for pages of this machine alone. Open it at 127.0.0.1.", HTTPStatus.FORBIDDEN)
        return JSONResponse(_facts(rooms, vendors), headers=NO_STORE)

    async def token(request: Request) -> Response:
        if _foreign(request):
            return _refused("This is for pages of this machine alone. Open it at 127.0.0.1.", HTTPStatus.FORBIDDEN)
        wish = await _wish(request)
        if wish is None:
            return _refused('Post JSON: {"client": "…", "space": "…", "purpose": "…"}.')
        if wish.client not in vendors or wish.space not in rooms.spaces:
            return _refused("The sandbox has no such vendor or space. /sandbox/vendors lists them.")
        try:
            minted = await rooms.authorization.mint(wish.client, SpaceId(wish.space), purpose=wish.purpose)
        except UsageError as error:
            return _refused(error.message)
        seconds = rooms.settings.oauth.token_seconds
        return JSONResponse({"access_token": minted, "token_type": "Bearer", "expires_in": seconds}, headers=NO_STORE)

    return [
        Route("/sandbox/vendors", who, methods=["GET"]),
        Route("/sandbox/token", token, methods=["POST"]),
    ]


def _facts(rooms: Installation, vendors: Mapping[ClientId, str]) -> dict[str, object]:
    """What the panel "Run as" shows: districts with their purposes, vendors with their grants."""
    districts = []
    for space in rooms.spaces:
        district = rooms.policies.spaces.get(space, NOTHING).district
        if district is not None:
            districts.append({"space": space, "name": district.name, "purposes": dict(district.purposes)})
    return {
        "districts": districts,
        "vendors": [
            {
                "client": client,
                "about": about,
                "grants": {space: purposes(rooms.policies, space, client) for space in rooms.spaces},
            }
            for client, about in vendors.items()
        ],
    }


def _foreign(request: Request) -> bool:
    """Whether a page of another site asks: by its own name for this machine, or past its own origin."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    return request.url.hostname not in LOOPBACK or site not in {"same-origin", "none"}


async def _wish(request: Request) -> Wish | None:
    if not is_json(request.headers.get("content-type")):
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    try:
        return msgspec.json.decode(body, type=Wish)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _refused(sentence: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Response:
    return JSONResponse({"error": "invalid_request", "error_description": sentence}, status, NO_STORE)
