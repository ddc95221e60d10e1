"""A district's own premises: the core for the one gateway that the district trusts, which asks for its vendors.

The path of a request is the gateway's own (`app/gateway.py`): the district's policy decides, its ledger records. Only
who asks comes from elsewhere, in a statement that is verified for each request.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request as Posting
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import __version__, gateway
from app.errors import HomeroomError, Unauthenticated
from app.gateway import Answer, Request
from app.installation import Installation
from app.main import CONFIG, LAST_WORDS, readiness_of, settle, tell, tell_metrics, trails
from app.oauth.assertion import Posted
from app.oauth.caller import Caller
from app.oauth.trust import Trust
from app.opening import open_installation
from app.policy.authority import purposes
from app.schema.build import schema_digest
from app.settings import read_settings
from app.subgraphs.gateway_keys import GatewayKeys, open_gateway_keys, trusted
from app.subgraphs.premises import ASK, ASKED, CHECK, COST, PATH, PURPOSES
from app.subgraphs.replies import Checked, Purposes
from app.telemetry.trail import GIVEN
from app.web import probes
from app.web.edge import REQUEST_ID, TRAIL, Watch
from app.web.graphql import GraphQL
from app.web.requests import NO_STORE, Endpoint, look_up, read_body, take_in, told
from app.web.site import site
from app.web.stopping import heeding

Answering: TypeAlias = Callable[[Caller, bytes], Awaitable[Response]]
"""Answers a caller whom the gateway presents, with what was posted for it."""


def from_environment() -> Starlette:
    """The application of the installation that the environment names. Raises: ConfigurationError."""
    settings = read_settings(Path(os.environ.get(CONFIG, "homeroom.toml")))
    return premises_site(lambda: open_installation(settings))


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
                        *beside(rooms, trust),
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
        presented = await trust.presented(request.authorization, Posted(PATH, request.body))
        if GIVEN.fullmatch(presented.request.encode()):
            request.trail.id = presented.request  # one id at the gateway, here, and in the ledger
        answered = await gateway.answer_to(lambda: presented.caller, request, rooms)
        return replace(answered, headers=[(COST.encode(), b"%d" % answered.cost)])

    limits = rooms.settings.limits
    return GraphQL(answer, challenge=_challenge, body_bytes=limits.body_bytes, stream_seconds=limits.stream_seconds)


def beside(rooms: Installation, trust: Trust) -> list[Route]:
    """What the gateway asks besides operations."""
    gateway_issuer = trusted(rooms.settings).issuer  # where a vendor finds its requests again

    async def check(_: Caller, __: bytes) -> Response:
        return _said(Checked(__version__, schema_digest(rooms.schema)))

    async def known_purposes(caller: Caller, _: bytes) -> Response:
        return _said(Purposes([*purposes(rooms.policies, caller.space, caller.client)]))

    async def ask(caller: Caller, body: bytes) -> Response:
        return await take_in(rooms, caller, body, gateway_issuer)

    async def asked(caller: Caller, body: bytes) -> Response:
        return await look_up(rooms, caller, body.decode("utf-8", "replace"), gateway_issuer)

    answers: dict[str, Answering] = {CHECK: check, PURPOSES: known_purposes, ASK: ask, ASKED: asked}
    return [Route(path, _to_gateway(trust, answer), methods=["POST"]) for path, answer in answers.items()]


def _to_gateway(trust: Trust, answer: Answering) -> Endpoint:
    """An answer to what the gateway posted for a caller."""

    async def endpoint(request: Posting) -> Response:
        body = await read_body(request)
        posted = Posted(request.url.path, body)
        presented = await trust.presented(request.headers.get("authorization"), posted)
        if GIVEN.fullmatch(presented.request.encode()):
            request.scope[TRAIL].id = request.scope[REQUEST_ID] = presented.request
        return await answer(presented.caller, body)

    return told(_challenge, endpoint)


def _said(what: Checked | Purposes) -> Response:
    return JSONResponse(msgspec.to_builtins(what), headers=NO_STORE)


async def _known(keys: GatewayKeys) -> bool:
    return keys.known


def _challenge(error: Unauthenticated) -> str:
    return f'Bearer error="{error.challenge}"'
