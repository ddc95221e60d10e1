"""The keys by which the gateway that a district trusts signs what it says: out of a file, or from where it has them.

They are read again every minute (a file every second), so that a key that was taken away is believed no longer, and
when an unknown one is named, though not more often than every ten seconds, however many are named. What could not be
read again for ten minutes is believed no longer.
Units: seconds, bytes.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import msgspec
from joserfc.jwk import ECKey

from app.addresses import host_of
from app.elsewhere import TrustedGateway
from app.errors import ConfigurationError, Unavailable
from app.oauth.trust import published
from app.settings import Settings
from app.subgraphs.endpoint import check_target, open_session

LOGGER = logging.getLogger("homeroom")

PACE, PACE_OF_FILE = 60.0, 1.0
AGAIN = 10.0
STALE = 600.0
PATIENCE = 5.0
LARGEST = 65_536


class GatewayKeys:
    """The keys as they were last read."""

    def __init__(
        self, source: str | Path, session: aiohttp.ClientSession, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._session = session
        self._clock = clock
        self._keys: Mapping[str, ECKey] = {}
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._reading = asyncio.Lock()
        self._said: str | None = None

    async def key(self, kid: str) -> ECKey | None:
        """The key of that name; None if the gateway has none such, or has not been heard of for too long."""
        if kid not in self._keys and self._clock() - self._tried_at >= AGAIN:
            await self.try_again()
        return self._keys.get(kid) if self.known else None

    @property
    def known(self) -> bool:
        """Whether there are keys that were read not long ago."""
        return bool(self._keys) and self._clock() - self._read_at < STALE

    async def read(self) -> None:
        """Read them. Raises: Unavailable with what to mend."""
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(PATIENCE):
                text = await self._text()
            self._keys = published(msgspec.json.decode(text))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(
                f"The gateway's keys cannot be read ({type(error).__name__}). Put them there, or correct `jwks`."
            ) from None
        except (ValueError, RecursionError):
            raise Unavailable(
                "What stands for the gateway's keys is no JWKS of public keys. Take it from the gateway's /oauth/jwks."
            ) from None
        self._read_at = self._clock()

    async def try_again(self) -> None:
        """Read them, and say in the log if it fails: those read before go on for a while."""
        tried = self._tried_at
        async with self._reading:
            if self._tried_at != tried:
                return  # somebody else has just done so
            try:
                await self.read()
                self._said = None
            except Unavailable as error:
                if error.message != self._said:
                    LOGGER.warning("the gateway's keys cannot be read", extra={"facts": {"reason": error.message}})
                self._said = error.message

    async def follow(self) -> None:
        """Read them again and again."""
        while True:
            await asyncio.sleep(PACE_OF_FILE if isinstance(self._source, Path) else PACE)
            await self.try_again()

    async def _text(self) -> bytes:
        if isinstance(self._source, Path):
            return self._source.read_bytes()
        async with self._session.get(self._source, allow_redirects=False) as response:
            whole = await response.content.read(LARGEST)
            if response.status != 200 or not response.content.at_eof():
                raise ValueError("Not a short document.")
            return whole


@asynccontextmanager
async def open_gateway_keys(settings: Settings, gateway: TrustedGateway) -> AsyncIterator[GatewayKeys]:
    """The trusted gateway's keys, followed until the end. Raises: ConfigurationError."""
    async with open_session(_declared(gateway)) as session:
        keys = GatewayKeys(_source(settings, gateway), session)
        await keys.try_again()
        task = asyncio.create_task(keys.follow())
        try:
            yield keys
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def look_for_keys(settings: Settings, gateway: TrustedGateway) -> str | None:
    """Why the gateway's keys would not be believed; None if they would. Raises: ConfigurationError."""
    async with open_session(_declared(gateway)) as session:
        keys = GatewayKeys(_source(settings, gateway), session)
        try:
            await keys.read()
        except Unavailable as error:
            return error.message
        return None if keys.known else "There is no ES256 key among the gateway's. Take them from its /oauth/jwks."


def trusted(settings: Settings) -> TrustedGateway:
    """The gateway that the configuration names. Raises: ConfigurationError."""
    if settings.gateway is None:
        raise ConfigurationError(
            "No gateway is trusted, and so nobody could ask. Name its `issuer` and its `jwks` under [gateway].",
            file=str(settings.home / "homeroom.toml"),
        )
    return settings.gateway


def _declared(gateway: TrustedGateway) -> Collection[str]:
    """The host that may be at a link-local address, if there is one."""
    host = host_of(gateway.jwks) if gateway.insecure else None
    return {host} if host else ()


def _source(settings: Settings, gateway: TrustedGateway) -> str | Path:
    if "://" not in gateway.jwks:
        return settings.home / gateway.jwks
    file = str(settings.home / "homeroom.toml")
    check_target(gateway.jwks, file=file, key="gateway.jwks", insecure=gateway.insecure)
    return gateway.jwks
