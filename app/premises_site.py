"""A district's own premises: the core for the one gateway that the district trusts, which asks for its vendors.

The path of a request is the gateway's own (`app/gateway.py`): the district's policy decides, its ledger records. Only
who asks comes from elsewhere, in a statement that is verified for each request.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from starlette.applications import Starlette
from starlette.requests import Request as Posted
from starlette.responses import Response
from starlette.routing import Route

from app import gateway
from app.errors import HomeroomError, RequestError, Unauthenticated
from app.gateway import Answer, Request
from app.installation import Installation
from app.main import LAST_WORDS, readiness_of, settle, tell, tell_metrics, trails
from app.names import ClientId, SpaceId
from app.oauth.trust import Trust
from app.policy.authority import purposes
from app.policy.model import PolicySet
from app.subgraphs.gateway_keys import GatewayKeys, open_gateway_keys, trusted
from app.subgraphs.premises import CHECK, COST, PATH
from app.telemetry.trail import GIVEN
from app.web import probes
from app.web.edge import Watch
from app.web.graphql import GraphQL
from app.web.site import site
from app.web.stopping import heeding

LARGEST_CHECK = 64
"""Units: bytes of what a check is asked with."""


def premises_site(
    opening: Callable[[], AbstractAsyncContextManager[Installation]],
    *,
    failed: Callable[[HomeroomError], None] = tell,
) -> Starlette:
    """The application; `opening` is entered at its start and left at its end, `failed` hears why it did not start."""
    watch = Watch()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            async with opening() as rooms:
                settings = rooms.settings
                issuer = trusted(settings).issuer
                async with open_gateway_keys(settings, trusted(settings)) as keys:
                    trust = Trust(settings, issuer, keys.key, rooms.control, lambda: rooms.clock().timestamp())
                    graph = graphql(rooms, trust)
                    watch.trails = trails(settings)
                    telling = asyncio.create_task(tell_metrics(rooms))
                    settle()
                    readiness = readiness_of(settings, {"the gateway's keys": lambda: _known(keys)})
                    app.router.routes += [
                        Route(PATH, graph),
                        Route(CHECK, checking(trust), methods=["POST"]),
                        *probes.routes(settings, readiness),
                    ]
                    with heeding(readiness, settings.server.notice_seconds):
                        yield
                    await graph.finished(LAST_WORDS)
                    telling.cancel()
                    await asyncio.to_thread(watch.trails.close)
        except HomeroomError as error:
            failed(error)
            raise

    return site([], lifespan=lifespan, watch=watch)


def graphql(rooms: Installation, trust: Trust) -> GraphQL:
    """The graph for the gateway alone."""

    async def answer(request: Request) -> Answer:
        presented = await trust.presented(request.authorization, request.body)
        if GIVEN.fullmatch(presented.request.encode()):
            request.trail.id = presented.request  # one id at the gateway, here, and in the ledger
        caller = presented.caller
        if not caller.purpose:
            caller = replace(caller, purpose=only_purpose(rooms.policies, caller.space, caller.client))
        answered = await gateway.answer_to(lambda: caller, request, rooms)
        return replace(answered, headers=[(COST.encode(), b"%d" % answered.cost)])

    limits = rooms.settings.limits
    return GraphQL(answer, challenge=_challenge, body_bytes=limits.body_bytes, stream_seconds=limits.stream_seconds)


def only_purpose(policies: PolicySet, space: SpaceId, client: ClientId) -> str:
    """The purpose that a token left open: the only one granted, "" if there is none. Raises: RequestError."""
    known = purposes(policies, space, client)
    if len(known) > 1:
        raise RequestError(
            "The client has grants for several purposes here. Get a token for one of them, by the parameter `purpose`: "
            f"{', '.join(known)}.",
            code="PURPOSE_OPEN",
        )
    return known[0] if known else ""


def checking(trust: Trust) -> Callable[[Posted], object]:
    """Says whether a statement is believed, without an operation."""

    async def check(request: Posted) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST_CHECK:
                return Response(status_code=413, headers={"connection": "close"})
        try:
            await trust.presented(request.headers.get("authorization"), bytes(body))
        except Unauthenticated as error:
            return Response(status_code=401, headers={"www-authenticate": _challenge(error)})
        return Response(status_code=204)

    return check


async def _known(keys: GatewayKeys) -> bool:
    return keys.known


def _challenge(error: Unauthenticated) -> str:
    return f'Bearer error="{error.challenge}"'
