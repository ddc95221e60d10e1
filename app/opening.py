"""Open an installation, and follow what changes while it runs.

Policy files are watched by one process of a machine (the one that holds the lock), which publishes the valid set to
the control database; every worker and replica follows that, and so is never ahead of the others.
"""

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import ConfigurationError, HomeroomError, Unavailable
from app.federation.supergraph import supergraph_of_one
from app.installation import Clock, Installation, now
from app.ledger.checkpoints import Checkpoints
from app.ledger.ledger import Ledger
from app.names import SpaceId
from app.oauth.authorization import Authorization
from app.oauth.keys import read_keys
from app.policy.authority import purposes
from app.policy.model import PolicySet
from app.policy.reading import read_folder, read_policies
from app.schema.build import graphql_schema
from app.schema.catalogue import SCOPES
from app.settings import Settings
from app.spaces.driver import Readers
from app.spaces.space import Space
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.storage.published import change_number, current, publish

logger = logging.getLogger("homeroom.policy")

PACE = 0.2
"""Units: seconds between two looks at what may have changed."""

REREAD = 20
"""How many looks pass before the folder is read again even if no file's time moved."""


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
    control = open_engine(settings.database_url(settings.control))
    engines = [control]
    spaces: dict[SpaceId, Space] = {}
    ledgers: dict[SpaceId, Ledger] = {}
    try:
        await migrate(control, "control")
        holder = Holder()
        authorization = Authorization(
            control,
            read_keys(settings.keys_folder, settings.oauth.token_seconds),
            settings,
            purposes=lambda space, client: purposes(holder.policies, space, client),
            scopes=[*SCOPES],
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
            ledgers[space] = Ledger(ledger, space, Checkpoints.of(settings, space))
        rooms = Installation(
            settings=settings,
            schema=graphql_schema(),
            supergraph=supergraph_of_one(),
            control=control,
            authorization=authorization,
            spaces=spaces,
            ledgers=ledgers,
            policies=holder.policies,
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


class Follower:
    """Keeps one process abreast of policy files, clients and revocations."""

    def __init__(self, rooms: Installation, holder: Holder) -> None:
        self._rooms = rooms
        self._holder = holder
        self._lock: IO[bytes] | None = None
        self._seen: tuple[object, ...] | None = None
        self._lay: tuple[object, ...] | None = None
        self._looks = 0
        self._number = -1
        self._change = -1

    async def follow(self) -> None:
        """Look again and again; what fails now is tried again, and the last good state stands."""
        while True:
            await asyncio.sleep(PACE)
            try:
                await self.look()
            except HomeroomError as error:
                logger.warning("cannot follow what changed", extra={"reason": error.message})
            except Exception as error:
                logger.error("cannot follow what changed", extra={"reason": type(error).__name__})

    async def look(self) -> None:
        """One look: publish what changed on disk, take in what changed in the control database."""
        control = self._rooms.control
        try:
            if self._watches():
                await self._publish()
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

    def _put_in_force(self, policies: PolicySet) -> None:
        self._holder.policies = policies
        self._rooms.put_in_force(policies)

    def _watches(self) -> bool:
        """Whether this process is the one of this machine that watches the folder."""
        folder = self._rooms.settings.policies_folder
        if self._lock is None and folder.is_dir():
            handle = open(self._rooms.settings.home / ".watching", "wb")  # noqa: SIM115 - held as long as the process lives
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                handle.close()
                return False
            self._lock = handle
        # A folder that is gone is not a district that takes everything back: the last set stands.
        return self._lock is not None and folder.is_dir()

    async def _publish(self) -> None:
        folder = self._rooms.settings.policies_folder
        self._looks += 1
        seen = await asyncio.to_thread(_stamps, folder)
        # INVARIANT: a file that is still being written is not read: cut off before its rows, a grant would be wider.
        settled = self._lay in (None, seen)
        self._lay = seen
        if not settled or (seen == self._seen and self._looks % REREAD):
            return
        published = await current(self._rooms.control)
        files = await asyncio.to_thread(read_folder, folder)
        if await asyncio.to_thread(_stamps, folder) != seen:
            return
        read = read_policies(files, published.files)
        if seen != self._seen:
            for finding in read.findings:
                logger.warning("policy file not in force", extra={"finding": str(finding)})
        await publish(self._rooms.control, read.files)
        self._seen = seen

    def close(self) -> None:
        """Let another process watch."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _stamps(folder: Path) -> tuple[object, ...]:
    """What changes when a policy file does: every name, time and size, cheaply."""
    stamps = []
    for file in sorted(folder.rglob("*.toml")):
        with suppress(OSError):
            stat = file.stat()
            stamps.append((str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(stamps)
