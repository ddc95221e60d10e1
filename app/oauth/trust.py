"""The gateway that an installation on a district's premises trusts: whom it speaks for, request by request.

INVARIANT: whatever is wrong with a statement, the answer is the same; and each is used once, in whatever process.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unauthenticated, Unavailable
from app.names import ClientId, Scope, SpaceId
from app.oauth.assertion import EARLY, KeyOf, Posted, Statement, caller_of, read
from app.oauth.caller import Caller
from app.oauth.clients import introduce
from app.settings import Settings
from app.storage import control as tables
from app.storage.upsert import upsert

LOGGER = logging.getLogger("homeroom")


@dataclass(frozen=True, slots=True)
class Presented:
    """A caller that the gateway vouches for, with the id that the request has there."""

    caller: Caller
    request: str


class Trust:
    """What is believed of whom."""

    def __init__(
        self, settings: Settings, issuer: str, key_of: KeyOf, control: AsyncEngine, clock: Callable[[], float]
    ) -> None:
        self._issuer = issuer
        self._key_of = key_of
        self._control = control
        self._clock = clock
        self._spaces = {settings.resource(SpaceId(name)): SpaceId(name) for name in settings.spaces}
        self._introduced: dict[ClientId, str] = {}  # who was kept, and as registered for what

    async def presented(self, authorization: str | None, posted: Posted) -> Presented:
        """Who asks, by the Authorization header of what was posted. Raises: Unauthenticated, Unavailable."""
        scheme, _, token = (authorization or "").partition(" ")
        said = await read(token, self._key_of) if scheme.lower() == "bearer" else None
        if said is None:
            raise self._refused("not-signed")
        now = self._clock()
        caller = caller_of(said, posted, issuer=self._issuer, spaces=self._spaces, now=now)
        if caller is None:
            raise self._refused("not-for-this")
        if not await self._used_first(said, caller, int(now)):
            raise self._refused("used")
        return Presented(caller, said.request)

    async def _used_first(self, said: Statement, caller: Caller, now: int) -> bool:
        """Use a statement up, and keep whom it presents. The row decides: of two servers at once one alone succeeds."""
        used, client, registered = tables.used_statement, caller.client, said.registered
        name = hashlib.sha256(said.jti.encode("utf-8", "surrogatepass")).hexdigest()

        def use(connection: Connection) -> bool:
            connection.execute(used.delete().where(used.c.expires < now - EARLY))
            row = {"jti": name, "expires": said.exp}
            inserted = connection.execute(
                upsert(connection, used).values(row).on_conflict_do_nothing().returning(used.c.jti)
            )
            if inserted.first() is None:
                return False
            if self._introduced.get(client) != registered:
                introduce(connection, client, scopes=map(Scope, registered.split()), now=now)
            return True

        try:
            async with self._control.begin() as connection:
                first = await connection.run_sync(use)
            if first:
                self._introduced[client] = registered
            return first
        except (SQLAlchemyError, OSError) as error:
            raise Unavailable(f"The control database does not answer ({type(error).__name__}).") from error

    def _refused(self, reason: str) -> Unauthenticated:
        LOGGER.warning("statement refused", extra={"facts": {"reason": reason}})
        return Unauthenticated(
            "This answers the gateway that the district trusts, and nobody else.", challenge="invalid_token"
        )


def published(document: object) -> dict[str, ECKey]:
    """The keys of a JWKS that statements may be signed with. Raises: ValueError for what is none."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("This is no JWKS.")
    found: dict[str, ECKey] = {}
    for one in listed:
        if not isinstance(one, dict) or one.get("kty") != "EC" or one.get("crv") != "P-256":
            continue
        if "d" in one:
            raise ValueError("This holds a private key.")
        try:
            key = ECKey.import_key(one)
        except (JoseError, ValueError, KeyError, TypeError):
            continue
        if key.kid and one.get("use", "sig") == "sig" and one.get("alg", "ES256") == "ES256":
            found[str(key.kid)] = key
    return found
