"""A space that its district keeps on its own premises: who asks is presented there, and what comes back is passed on.

The premises decide, disclose and record. Here a client's share is counted, its standing is looked at for every piece,
and nothing is kept. INVARIANT: no statement is made for a client that does not stand, and no vendor's token leaves.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

from app.errors import RequestError, TooMany, Unauthenticated, Unavailable
from app.installation import Installation
from app.oauth.assertion import audience
from app.oauth.caller import Caller, Standing
from app.subgraphs.premises import Reply, Site
from app.traffic.rates import Quota

OPENINGS = (b'{"data":', b'{"errors":')
"""What every answer of the graph begins with."""

LONGEST_OPENING = max(map(len, OPENINGS))

REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
"""The statuses of what the premises refuse to a vendor: they go on to it as they are."""


class Answered(msgspec.Struct):
    """An answer, looked at as far as to know that it is one."""

    data: msgspec.Raw = msgspec.Raw()
    errors: msgspec.Raw = msgspec.Raw()


class Extensions(msgspec.Struct):
    """What a refusal says besides its sentence."""

    code: str
    retryAfter: int = 1  # noqa: N815 - its name in the answer


class Refusal(msgspec.Struct):
    """One entry of the `errors` of a request that was not executed."""

    message: str
    extensions: Extensions


class Refusals(msgspec.Struct):
    """The answer to a request that was not executed."""

    errors: list[Refusal]


class RefusedThere(RequestError):  # noqa: N818 - it says what became of the request
    """What the premises refused, as they put it."""

    def __init__(self, first: Refusal, errors: list[dict[str, Any]], status: int) -> None:
        super().__init__(first.message, code=first.extensions.code, status=HTTPStatus(status))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Passing:
    """One request on its way to the premises of its space, and its answer on the way back."""

    rooms: Installation
    site: Site
    caller: Caller
    request: str  # its id
    quota: Quota

    async def pass_on(self, body: bytes) -> tuple[bytes | AsyncIterator[bytes], list[tuple[bytes, bytes]]]:
        """The answer to a request, as the premises give it, and what is left to the client.

        Raises: RequestError, TooMany, Unavailable.
        """
        standing = self.rooms.standing(self.caller)
        if standing.suspended:
            raise RequestError(
                "This client is suspended, and nothing is disclosed to it. Ask whoever runs the gateway.",
                code="CLIENT_SUSPENDED",
            )
        reply = await self.site.ask(self.caller.client, lambda: self._statement(standing, body), body)
        try:
            if reply.status != HTTPStatus.OK:
                await self._refused(reply)
            if not reply.is_graphql or not reply.is_bounded:
                raise Unavailable(f"The premises of {self.site.space} answered, and not with GraphQL.")
            quota = await self._weigh(reply)
            if reply.is_short:
                whole = _checked(await reply.whole())
                reply.close()
                return whole, quota.headers()
            # What fails before the first piece is told; what fails after it breaks off.
            pieces = self._pieces(reply, standing)
            return _from(await anext(pieces), pieces), quota.headers()
        except BaseException:
            reply.close()
            raise

    def _statement(self, standing: Standing, body: bytes) -> str:
        self._look(standing)
        where = audience(self.site.at, self.site.space)
        return self.rooms.authorization.state(self.caller, where, self.request, body)

    def _look(self, standing: Standing) -> None:
        """Whether a client stands as it did. Raises: Unauthenticated, Unavailable."""
        if not self.rooms.authorization.stands(self.caller) or self.rooms.standing(self.caller) != standing:
            raise Unauthenticated("The access token is not good, or is over. Get a new one.", challenge="invalid_token")

    async def _weigh(self, reply: Reply) -> Quota:
        """Count what the operation weighs. It found points left, and so is answered whatever it weighs."""
        cost = min(reply.cost, self.rooms.settings.limits.cost)
        with suppress(TooMany):
            return await self.rooms.rates.weigh(self.caller.client, self.quota, cost)
        return self.quota

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
                    yield _opened(begun)
                else:
                    yield piece
            if not begun.startswith(OPENINGS):
                raise Unavailable("The premises answered with nothing.")
        finally:
            reply.close()

    async def _refused(self, reply: Reply) -> None:
        """Raises: RequestError and TooMany as the premises say them, Unavailable for whatever else it is."""
        if reply.is_graphql and reply.status in {*REFUSALS, HTTPStatus.TOO_MANY_REQUESTS}:
            body = await reply.whole()
            with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
                first = msgspec.json.decode(body, type=Refusals).errors[0]
                if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                    wait = min(max(first.extensions.retryAfter, 1), 3_600)
                    raise TooMany(first.message, code=first.extensions.code, wait=wait)
                raise RefusedThere(first, msgspec.json.decode(body)["errors"], reply.status)
        raise Unavailable(f"The premises of {self.site.space} answered with status {reply.status}.")


def _checked(body: bytes) -> bytes:
    """A whole answer, if it is one. Raises: Unavailable."""
    try:
        msgspec.json.decode(body, type=Answered)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unavailable("The premises answered, and not with JSON.") from None
    return _opened(body)


def _opened(begun: bytes) -> bytes:
    if not begun.startswith(OPENINGS):
        raise Unavailable("The premises answered, and not with GraphQL.")
    return begun


async def _from(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()
