"""The authorization server of one process: it gives tokens, and it knows callers by them.

Shape: `follow` must have run once before anything else; it then costs one small read, until something changed.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from authlib.oauth2 import OAuth2Error
from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import ConfigurationError, Unauthenticated, Unavailable, UsageError
from app.names import ClientId, Scope, SpaceId
from app.oauth import metadata
from app.oauth.assertion import Posted, state
from app.oauth.attempts import Attempts
from app.oauth.caller import Caller, Standing
from app.oauth.clients import State, find_client
from app.oauth.keys import Keys
from app.oauth.proof import claimed_client
from app.oauth.server import NO_STORE, FormRequest, Reply, Server
from app.oauth.terms import Terms, claims_for
from app.oauth.tokens import Claims, mint, read
from app.settings import Settings
from app.storage import control as tables
from app.storage.published import change_number
from app.storage.reached import FAILURES

LOGGER = logging.getLogger("homeroom")

CACHED = 10_000
"""Verified tokens that are remembered, the least recently used forgotten first."""

Elsewhere: TypeAlias = Callable[[SpaceId, ClientId], Awaitable[Collection[str]]]
"""Asks the premises of a space for which purposes a client has grants there. Raises: Unavailable."""


class _AskElsewhere(Exception):  # noqa: N818 - it says what has to be known first
    """A token leaves the purpose open, and the premises of its space alone know which there are."""

    def __init__(self, space: SpaceId, client: ClientId) -> None:
        super().__init__()
        self.space = space
        self.client = client


_UNKNOWN = Standing(frozenset(), suspended=True)


class Authorization:
    """Tokens for clients, callers for tokens."""

    def __init__(
        self,
        control: AsyncEngine,
        keys: Keys,
        settings: Settings,
        *,
        purposes: Callable[[SpaceId, ClientId], Collection[str]],
        scopes: Collection[Scope],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._control = control
        self._settings = settings
        self._keys = keys
        self._purposes = purposes
        self._scopes = tuple(sorted(scopes))
        self._clock = clock
        spaces = [SpaceId(name) for name in (*settings.spaces, *settings.premises)]
        self._resources = MappingProxyType({settings.resource(space): space for space in spaces})
        self.elsewhere: Elsewhere | None = None  # set where there are premises to ask
        self._following = asyncio.Lock()  # INVARIANT: an older state never overwrites a newer one
        self._number: int | None = None
        self._standings: dict[ClientId, Standing] = {}
        self._revoked: frozenset[str] = frozenset()
        self._suspended: frozenset[tuple[SpaceId, ClientId]] = frozenset()
        self._withdrawn: frozenset[ClientId] = frozenset()  # suspended or revoked in every space
        self._callers: OrderedDict[str, Caller] = OrderedDict()
        self._unread: str | None = None  # the file that keeps the signing keys from being read

    def caller(self, header: str | None) -> Caller:
        """Who an Authorization header speaks for. Raises: Unauthenticated, the same for every bad token."""
        if header is None:
            raise Unauthenticated("This needs an access token. Get one at /oauth/token.", challenge=None)
        scheme, _, token = header.partition(" ")
        known = self._callers.get(token) if scheme.lower() == "bearer" else None
        if known is not None and known.expires_at > self._clock():
            self._callers.move_to_end(token)
            return known
        claims = read(token, self._keys, self._clock()) if scheme.lower() == "bearer" else None
        caller = None if claims is None else self._verified(claims)
        if caller is None:
            self._callers.pop(token, None)
            raise Unauthenticated("The access token is not good, or is over. Get a new one.", challenge="invalid_token")
        self._callers[token] = caller
        if len(self._callers) > CACHED:
            self._callers.popitem(last=False)
        return caller

    def stands(self, caller: Caller) -> bool:
        """Whether a caller's token and client are still good, its time aside: what began within it may end.

        One that a gateway presented stands: the gateway looks again itself, and breaks off.
        """
        return caller.presented is not None or self._stands(caller.client, caller.jti)

    def standing(self, client: ClientId, space: SpaceId | None = None) -> Standing:
        """How a client stands now, with the installation or in one space. One that is unknown holds nothing."""
        found = self._standings.get(client, _UNKNOWN)
        return replace(found, suspended=True) if (space, client) in self._suspended else found

    def expected(self, client: ClientId, space: SpaceId) -> Standing:
        """How a client stands, for pages: one that a trusted gateway has yet to present, as if it held every scope.

        INVARIANT: no answer to a vendor goes by this.
        """
        known = client in self._standings or client in self._withdrawn or (space, client) in self._suspended
        if known or self._settings.gateway is None:
            return self.standing(client, space)
        return Standing(frozenset(self._scopes), suspended=False)

    def presented(self, caller: Caller, there: Standing) -> Standing:
        """How a client stands that a gateway presents: as it does there, unless it was suspended or revoked here."""
        here = (caller.space, caller.client) in self._suspended or caller.client in self._withdrawn
        return replace(there, suspended=True) if here else there

    def state(self, caller: Caller, posted: Posted, audience: str) -> str:
        """A statement of who asks, for the premises that keep its space."""
        standing = self.standing(caller.client, caller.space)
        now, issuer = self._clock(), self._settings.issuer
        return state(caller, standing, posted, issuer=issuer, audience=audience, keys=self._keys, now=now)

    async def follow(self) -> None:
        """Take in what changed: clients, revocations, signing keys. Raises: Unavailable."""
        async with self._following:
            await self._follow()

    async def _follow(self) -> None:
        try:
            keys = self._keys.refreshed()
            if keys is not self._keys:
                self._keys = keys
                self._callers.clear()  # INVARIANT: no caller is known by a key that was taken away
            self._unread = None
        except ConfigurationError as error:  # those read before go on; a server in service does not stop for a file
            if error.file != self._unread:  # said once, not at every look
                LOGGER.warning("signing keys not read", extra={"facts": {"file": error.file}})
            self._unread = error.file
        try:
            number = await change_number(self._control)
            if number == self._number:
                return
            async with self._control.connect() as connection:
                clients = (await connection.execute(select(tables.client))).all()
                still = tables.revoked_jti.c.expires > int(self._clock())
                revoked = (await connection.scalars(select(tables.revoked_jti.c.jti).where(still))).all()
                suspended = (
                    await connection.execute(select(tables.suspension.c.space, tables.suspension.c.client))
                ).all()
        except FAILURES as error:
            raise Unavailable(f"The control database does not answer ({type(error).__name__}).") from error
        self._revoked = frozenset(revoked)
        self._suspended = frozenset((SpaceId(row.space), ClientId(row.client)) for row in suspended)
        self._standings = {
            ClientId(row.id): Standing(frozenset(map(Scope, row.scopes)), suspended=row.standing != State.ACTIVE)
            for row in clients
            if row.standing != State.REVOKED
        }
        self._withdrawn = frozenset(ClientId(row.id) for row in clients if row.standing != State.ACTIVE)
        self._callers = OrderedDict(
            (token, it) for token, it in self._callers.items() if self._stands(it.client, it.jti)
        )
        # INVARIANT: read before what it counts, so that a change in between is seen next time
        self._number = number

    async def token(self, request: FormRequest) -> Reply:
        """Answer a token request. Raises: Unavailable.

        INVARIANT: where a gateway is trusted, clients are the gateway's, and a grant could not tell one of the same
        name here from them: no token is given.
        """
        if self._settings.gateway is not None:
            sentence = f"Tokens for what is kept here are given at {self._settings.gateway.issuer}. Ask there."
            return Reply(400, {"error": "unauthorized_client", "error_description": sentence}, NO_STORE)
        try:
            reply = await self._guarded(request, lambda server: server.create_token_response(request))
        except _AskElsewhere as open_purpose:  # nothing was kept: the request is answered anew with what they say
            asked = await self._purposes_of(open_purpose.space, open_purpose.client)
            reply = await self._guarded(request, lambda server: server.create_token_response(request), asked)
        if reply.status == 200 and self._number is not None:
            await self.follow()  # so that the token of a client that was added just now is good here at once
        return reply

    async def introspect(self, request: FormRequest) -> Reply:
        """Answer an introspection request, from what the control database says now. Raises: Unavailable."""
        return await self._guarded(request, lambda server: server.create_endpoint_response("introspection", request))

    async def revoke(self, request: FormRequest) -> Reply:
        """Answer a revocation request: when it is answered, this process refuses the token. Raises: Unavailable."""
        reply = await self._guarded(request, lambda server: server.create_endpoint_response("revocation", request))
        if reply.status == 200:
            await self.follow()
        return reply

    async def mint(self, client: str, space: SpaceId, *, purpose: str | None = None) -> str:
        """A token by the operator's own hand, with all that the client is registered for. Raises: UsageError."""
        found = await find_client(self._control, client)
        if found.state is not State.ACTIVE:
            raise UsageError(f"Client {client} is {found.state}. Only an active client gets tokens.")
        now, resource = self._clock(), self._settings.resource(space)
        try:
            scope = " ".join(sorted(found.scopes))
            asked = await self._purposes_of(space, found.id) if purpose is None else None
            claims = claims_for(self._terms(asked), found.id, scope, resource=resource, purpose=purpose, now=now)
        except OAuth2Error as error:
            raise UsageError(error.description) from None
        return mint(claims, self._keys)

    def jwks(self) -> dict[str, list[dict[str, object]]]:
        """The public signing keys."""
        return self._keys.document(self._clock())

    def server_metadata(self) -> dict[str, object]:
        """RFC 8414's document."""
        return metadata.server(self._settings.issuer, self._scopes)

    def graph_metadata(self) -> dict[str, object]:
        """RFC 9728's document of the graph: what a client can find out from its address alone."""
        return metadata.resource(self._settings.issuer, f"{self._settings.issuer}/graphql", self._scopes)

    def resource_metadata(self, space: str) -> dict[str, object] | None:
        """RFC 9728's document of one space, or None if there is no such space."""
        resource = self._settings.resource(SpaceId(space))
        known = resource in self._resources
        return metadata.resource(self._settings.issuer, resource, self._scopes) if known else None

    def _verified(self, claims: Claims) -> Caller | None:
        space, client = self._terms().space(claims, self._clock()), ClientId(claims.client_id)
        if space is None or not self._stands(client, claims.jti):
            return None
        scopes = frozenset(map(Scope, claims.scope.split()))
        return Caller(client, space, claims.purpose, scopes, claims.jti, float(claims.exp))

    def _stands(self, client: ClientId, jti: str) -> bool:
        return client in self._standings and jti not in self._revoked

    def _terms(self, asked: Collection[str] | None = None) -> Terms:
        seconds = self._settings.oauth.token_seconds

        def granted(space: SpaceId, client: ClientId) -> Collection[str]:
            if asked is not None:
                return asked
            if space in self._settings.premises:
                raise _AskElsewhere(space, client)
            return self._purposes(space, client)

        return Terms(self._settings.issuer, self._keys, seconds, self._resources, granted)

    async def _purposes_of(self, space: SpaceId, client: ClientId) -> Collection[str]:
        """The purposes that a client has grants for, wherever its space is. Raises: Unavailable."""
        if space not in self._settings.premises:
            return self._purposes(space, client)
        if self.elsewhere is None:
            raise Unavailable(f"The premises of {space} are not asked here. Name the purpose.")
        return await self.elsewhere(space, client)

    async def _guarded(
        self, request: FormRequest, answer: Callable[[Server], Reply], asked: Collection[str] | None = None
    ) -> Reply:
        """Answer, unless there were too many failures; and count one more if this is one."""
        now, limit = self._clock(), self._settings.oauth.attempts_per_minute
        client = claimed_client(request.authorization, request.form)
        attempts = Attempts.of(client, request.address, now=now, limit=limit)

        def attempt(connection: Connection) -> Reply:
            if attempts.exhausted(connection):
                sentence = "There were too many failed attempts. Wait for as long as Retry-After says, then try again."
                body = {"error": "temporarily_unavailable", "error_description": sentence}
                return Reply(429, body, NO_STORE | {"Retry-After": str(attempts.wait(now))})
            reply = answer(Server(connection, self._terms(asked), now))
            if reply.status == 401:
                attempts.fail(connection)
                # INVARIANT: only a client's id that is one; a stranger may have typed its secret in that place
                facts = {"client": client if client in self._standings else None, "address": request.address}
                LOGGER.warning("authentication failed", extra={"facts": facts})
            return reply

        try:
            async with self._control.begin() as connection:
                return await connection.run_sync(attempt)
        except FAILURES as error:
            raise Unavailable(f"The control database does not answer ({type(error).__name__}).") from error
