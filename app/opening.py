"""Open an installation, and follow what changes while it runs.

Policy files are watched by one process of a machine (the one that holds the lock), which publishes the valid set to
the control database; every worker and replica follows that, and so is never ahead of the others.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import ConfigurationError, HomeroomError, Unavailable
from app.federation.remotes import Remotes, read_remotes
from app.federation.supergraph import supergraph_of_one
from app.installation import Clock, Installation, now
from app.ledger.checkpoints import Checkpoints
from app.ledger.holdings import Holdings
from app.ledger.ledger import Ledger
from app.ledger.summary import Summary
from app.names import SpaceId
from app.oauth.authorization import Authorization
from app.oauth.keys import read_keys
from app.policy.authority import NOTHING, purposes, zone_of
from app.policy.model import PolicySet
from app.policy.reading import read_policies
from app.schema.build import graphql_schema
from app.schema.catalogue import SCOPES
from app.settings import Settings
from app.spaces.driver import Readers
from app.spaces.space import Space
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.storage.published import change_number, current
from app.subgraphs.endpoint import Endpoint
from app.subgraphs.endpoints import open_endpoints
from app.subgraphs.premises import open_premises, purposes_at
from app.traffic.rates import Rates
from app.traffic.turns import Turns
from app.watching import Watch

logger = logging.getLogger("homeroom.policy")

PACE = 0.2
"""Units: seconds between two looks at what may have changed."""

SAY_AGAIN = 150
"""How many looks that fail go by before the log says so again."""


def space_secret(settings: Settings, space: SpaceId) -> bytes:
    """The secret that a space's ids and cursors are made with. Raises: ConfigurationError."""
    file = settings.keys_folder / "spaces" / f"{space.replace('/', '-')}.key"
    try:
        secret = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        raise ConfigurationError(
            "The space's secret cannot be read. Put it back from a back-up: every id that vendors hold depends on it.",
            file=str(file),
        ) from None
    if len(secret) < 32:
        raise ConfigurationError(
            "The space's secret has fewer than 32 bytes. Put it back from a back-up.", file=str(file)
        )
    return secret


@asynccontextmanager
async def open_installation(settings: Settings, *, clock: Clock = now) -> AsyncIterator[Installation]:
    """Everything that a server needs, upgraded and opened; closed at the end.

    Raises: ConfigurationError, Unavailable.
    """
    remotes = read_remotes(settings)
    known = remotes.names.values() if remotes is not None else ()
    async with (
        open_endpoints(settings, known) as endpoints,
        open_premises(settings) as premises,
        _opened(settings, clock, remotes, endpoints) as rooms,
    ):
        rooms.premises = premises
        rooms.authorization.elsewhere = purposes_at(premises, rooms.authorization)
        yield rooms


@asynccontextmanager
async def _opened(
    settings: Settings,
    clock: Clock,
    remotes: Remotes | None,
    endpoints: Mapping[SpaceId, Mapping[str, Endpoint]],
) -> AsyncIterator[Installation]:
    """The rooms, and what follows their changes."""
    control = open_engine(settings.database_url(settings.control))
    engines = [control]
    spaces: dict[SpaceId, Space] = {}
    ledgers: dict[SpaceId, Ledger] = {}
    rates = Rates.of(settings.traffic)
    try:
        await migrate(control, "control")
        holder = Holder()
        authorization = Authorization(
            control,
            read_keys(settings.keys_folder, settings.oauth.token_seconds),
            settings,
            purposes=lambda space, client: purposes(holder.policies, space, client),
            scopes=remotes.scopes if remotes is not None else [*SCOPES],
            clock=lambda: clock().timestamp(),
        )
        for name, place in settings.spaces.items():
            space = SpaceId(name)
            await _upgrade(settings.database_url(place.database))
            ledger = open_engine(settings.database_url(place.ledger))
            engines.append(ledger)
            await migrate(ledger, "ledger")
            secret = space_secret(settings, space)
            spaces[space] = Space(space, Readers(settings.database_url(place.database)), secret)
            holdings = Holdings(ledger, settings.changes, clock)
            summary = Summary(ledger, partial(_zone, holder, space))
            checkpoints = Checkpoints.of(settings, space)
            ledgers[space] = Ledger(ledger, space, checkpoints, holdings=holdings, summary=summary)
            summary.soon()  # what was recorded before there were summaries, or while nobody kept one
        rooms = Installation(
            settings=settings,
            schema=remotes.composed.schema if remotes is not None else graphql_schema(),
            supergraph=supergraph_of_one(),
            control=control,
            authorization=authorization,
            spaces=spaces,
            ledgers=ledgers,
            policies=holder.policies,
            remotes=remotes,
            endpoints=endpoints,
            turns=Turns.of(settings.traffic),
            rates=rates,
            clock=clock,
        )
        follower = Follower(rooms, holder)
        await follower.look()
        task = asyncio.create_task(follower.follow())
        try:
            yield rooms
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            follower.close()
    finally:
        await rates.close()
        for each in ledgers.values():
            await each.close()
        for one in spaces.values():
            await one.close()
        for engine in engines:
            await engine.dispose()


async def _upgrade(url: str) -> None:
    engine: AsyncEngine = open_engine(url)
    try:
        await migrate(engine, "space")
    finally:
        await engine.dispose()


@dataclass(slots=True)
class Holder:
    """The policy set in force, for those who were made before it was read."""

    policies: PolicySet = field(default_factory=lambda: read_policies({}))


def _zone(holder: Holder, space: SpaceId) -> tzinfo:
    """The time zone that a space's days are counted in."""
    return zone_of(holder.policies.spaces.get(space, NOTHING).district)


class Follower:
    """Keeps one process abreast of policy files, clients and revocations."""

    def __init__(self, rooms: Installation, holder: Holder) -> None:
        self._rooms = rooms
        self._holder = holder
        self._watch = Watch(rooms.settings, rooms.control)
        self._number = -1
        self._change = -1
        self._failures = 0

    async def follow(self) -> None:
        """Look again and again; what fails now is tried again, and the last good state stands."""
        while True:
            await asyncio.sleep(PACE)
            try:
                await self.look()
                self._failures = 0
            except Exception as error:
                if self._failures % SAY_AGAIN == 0:
                    reason = error.message if isinstance(error, HomeroomError) else type(error).__name__
                    logger.warning("cannot follow what changed", extra={"reason": reason})
                self._failures += 1

    async def look(self) -> None:
        """One look: publish what changed on disk, take in what changed in the control database.

        Raises: Unavailable, PolicyError.
        """
        fault: Exception | None = None
        try:
            await self._watch.look()
        except (HomeroomError, SQLAlchemyError, OSError) as error:
            fault = error  # INVARIANT: a folder that cannot be read hides nothing of what is taken back elsewhere
        await self._take_in()
        if isinstance(fault, HomeroomError):
            raise fault
        if fault is not None:
            raise Unavailable(f"The folder of policies cannot be watched ({type(fault).__name__}).") from fault

    async def _take_in(self) -> None:
        control = self._rooms.control
        try:
            number = await change_number(control)
            if number != self._change:
                published = await current(control)
                if published.number != self._number:
                    self._put_in_force(read_policies(published.files))
                    self._number = published.number
        except (SQLAlchemyError, OSError) as error:
            raise Unavailable(f"The control database does not answer ({type(error).__name__}).") from error
        await self._rooms.authorization.follow()
        self._change = number
        self._rooms.followed = monotonic()

    def _put_in_force(self, policies: PolicySet) -> None:
        self._holder.policies = policies
        self._rooms.put_in_force(policies)

    def close(self) -> None:
        """Let another process watch."""
        self._watch.close()
