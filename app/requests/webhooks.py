"""Tell a vendor that one of its requests was decided, at the address that it registered.

Shape: a security event token, signed by the installation's key, that a vendor checks with `/oauth/jwks`: no secret is
shared. It says that something was decided and nothing of it: the vendor asks. Spec: RFC 8417, RFC 8935.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from joserfc import jwt
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import ConfigurationError, UsageError
from app.names import ClientId
from app.oauth.keys import Keys, read_keys
from app.requests.model import AccessRequest
from app.settings import Settings
from app.storage.control import client, webhook
from app.subgraphs.endpoint import check_target, open_session

logger = logging.getLogger("homeroom")

PAUSES = (0.0, 2.0, 15.0, 60.0, 300.0)
"""Units: seconds before each attempt."""

SECONDS = 5.0
AT_ONCE = 64
EVENT = "https://schemas.homeroom.example/request-decided"
"""What stands for the event in the token. It is a name, and no address that anybody asks."""


def event(request: AccessRequest, issuer: str, keys: Keys, now: float) -> str:
    """What a vendor is sent: which of its requests, and in what state it is."""
    key = keys.signing(now)
    claims: Mapping[str, object] = {
        "iss": issuer,
        "aud": request.client,
        "iat": int(now),
        "jti": secrets.token_urlsafe(16),
        "events": {
            EVENT: {
                "id": request.id,
                "space": request.space,
                "state": request.state.name,
                "address": f"{issuer}/requests/{request.id}",
            }
        },
    }
    return jwt.encode({"alg": "ES256", "typ": "secevent+jwt", "kid": key.kid}, dict(claims), key, algorithms=["ES256"])


async def register(control: AsyncEngine, who: str, url: str, *, now: float) -> None:
    """Where a client is told from now on; an empty address takes it back. Raises: UsageError."""
    if url:
        try:
            check_target(url, file="webhook")
        except ConfigurationError:
            raise UsageError(
                "A webhook is an https:// address without a user, and none of this network's own machinery. "
                "http:// is for loopback alone. Name another."
            ) from None
        if len(url) > 2_000:
            raise UsageError("The address is longer than 2,000 characters. Name a shorter one.")
    async with control.begin() as connection:
        if await connection.scalar(select(client.c.id).where(client.c.id == who)) is None:
            raise UsageError(f"There is no client {who!a}. `homeroom client list` names them.")
        await connection.execute(delete(webhook).where(webhook.c.client == who))
        if url:
            await connection.execute(insert(webhook).values(client=who, url=url, created=int(now), failures=0))


class Webhooks:
    """Tells vendors, beside everything else: a decision never waits for it."""

    def __init__(
        self,
        control: AsyncEngine,
        settings: Settings,
        *,
        pauses: tuple[float, ...] = PAUSES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._control = control
        self._settings = settings
        self._pauses = pauses
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, request: AccessRequest) -> None:
        """Tell a request's client, soon. What an officer proposed is not told: the vendor did not ask."""
        if request.asked_by or len(self._tasks) >= AT_ONCE:
            return
        task = asyncio.get_running_loop().create_task(self._tell(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way: the vendor can still ask."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tell(self, request: AccessRequest) -> None:
        with suppress(SQLAlchemyError, OSError, ConfigurationError):
            url = await self._address(request.client)
            if url is None:
                return
            keys = await asyncio.to_thread(read_keys, self._settings.keys_folder, self._settings.oauth.token_seconds)
            body = event(request, self._settings.issuer, keys, self._clock())
            taken = await self._deliver(url, body)
            await self._note(request.client, taken=taken)
            if not taken:
                logger.warning("a webhook was not taken", extra={"facts": {"client": request.client}})

    async def _deliver(self, url: str, body: str) -> bool:
        import aiohttp  # where it is used alone: it takes a while to be read

        headers = {"content-type": "application/secevent+jwt", "accept": "application/json"}
        # A name may be made to stand for a machine of this network; an address is what the operator saw.
        async with open_session({"localhost"}, outside=True) as session:
            for pause in self._pauses:
                await asyncio.sleep(pause)
                try:
                    async with (
                        asyncio.timeout(SECONDS),
                        session.post(url, data=body.encode(), headers=headers, allow_redirects=False) as answer,
                    ):
                        if 200 <= answer.status < 300:
                            return True
                except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
                    continue
        return False

    async def _address(self, who: ClientId) -> str | None:
        """Where to; checked again, for what may be reached is this server's to say. Raises: ConfigurationError."""
        async with self._control.connect() as connection:
            url: str | None = await connection.scalar(select(webhook.c.url).where(webhook.c.client == who))
        if url is not None:
            check_target(url, file="webhook")
        return url

    async def _note(self, who: ClientId, *, taken: bool) -> None:
        values = {"told": int(self._clock()), "failures": 0} if taken else {"failures": webhook.c.failures + 1}
        async with self._control.begin() as connection:
            await connection.execute(update(webhook).where(webhook.c.client == who).values(values))
