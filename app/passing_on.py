"""A space that its district keeps on its own premises: who asks is presented there, and what comes back is passed on.

The premises decide, disclose and record. Here a client's share is counted, its standing is looked at for every piece,
and nothing is kept. INVARIANT: no statement is made for a caller that does not stand, every statement says how its
client stands, and no vendor's token leaves.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from app.errors import TooMany, Unauthenticated, Unavailable
from app.installation import Installation
from app.oauth.assertion import Posted, audience
from app.oauth.caller import Caller, Standing
from app.subgraphs.premises import Reply, Site, StatementFor
from app.subgraphs.replies import LONGEST_OPENING, OPENINGS, Asked, checked, opened, parsed, refusal
from app.traffic.rates import Quota


@dataclass(frozen=True, slots=True)
class Passing:
    """One request on its way to the premises of its space, and its answer on the way back."""

    rooms: Installation
    site: Site
    caller: Caller
    request: str  # its id

    async def pass_on(self, body: bytes, quota: Quota) -> tuple[bytes | AsyncIterator[bytes], Quota]:
        """The answer to a request, as the premises give it, and what is left to the client.

        Raises: RequestError, TooMany, Unavailable.
        """
        standing = self.rooms.standing(self.caller)
        reply = await self.site.ask(self.caller.client, self._stating(standing, body), body)
        try:
            if reply.status != HTTPStatus.OK:
                raise refusal(reply.status, await reply.whole() if reply.is_graphql else b"")
            if not reply.is_graphql or not reply.is_bounded:
                raise Unavailable(f"The premises of {self.site.space} answered, and not with GraphQL.")
            quota = await self._weigh(reply, quota)
            if reply.is_short:
                whole = checked(await reply.whole())
                reply.close()
                return whole, quota
            # What fails before the first piece is told; what fails after it breaks off.
            pieces = self._pieces(reply, standing)
            return _from(await anext(pieces), pieces), quota
        except BaseException:
            reply.close()
            raise

    async def ask(self, path: str, body: bytes) -> Asked:
        """What became of a request for access, by the premises. Raises: RequestError, TooMany, Unavailable."""
        told = await self.site.tell(path, self._stating(self.rooms.standing(self.caller), body), body)
        if told.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
            raise refusal(told.status, told.body)
        asked = parsed(told.body, Asked)
        if asked.address != f"{self.rooms.settings.issuer}/requests/{asked.id}":
            raise Unavailable("The premises say that a request is at an address of somebody else's.")
        return asked

    def _stating(self, standing: Standing, body: bytes) -> StatementFor:
        where = audience(self.site.at, self.site.space)

        def statement(path: str) -> str:
            self._look(standing)
            return self.rooms.authorization.state(self.caller, Posted(path, body, self.request), where)

        return statement

    def _look(self, standing: Standing) -> None:
        """Whether a client stands as it did. Raises: Unauthenticated, Unavailable."""
        if not self.rooms.authorization.stands(self.caller) or self.rooms.standing(self.caller) != standing:
            raise Unauthenticated("The access token is not good, or is over. Get a new one.", challenge="invalid_token")

    async def _weigh(self, reply: Reply, quota: Quota) -> Quota:
        """Count what the operation weighs. It found points left, and so is answered whatever it weighs."""
        cost = min(reply.cost, self.rooms.settings.limits.cost)
        with suppress(TooMany):
            return await self.rooms.rates.weigh(self.caller.client, quota, cost)
        return quota

    async def _pieces(self, reply: Reply, standing: Standing) -> AsyncGenerator[bytes]:
        """The answer as it comes, and not beyond the client's access. Raises: Unavailable, Unauthenticated."""
        begun = b""
        try:
            async for piece in reply.pieces():
                self._look(standing)
                if not begun.startswith(OPENINGS):
                    begun += piece
                    if len(begun) < LONGEST_OPENING:
                        continue
                    yield opened(begun)
                else:
                    yield piece
            if not begun.startswith(OPENINGS):
                raise Unavailable("The premises answered with nothing.")
        finally:
            reply.close()


async def _from(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()
