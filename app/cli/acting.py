"""What the district does with its own records: one transaction in the space, entered in the ledger before it holds."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cli.finding import known
from app.errors import ConfigurationError
from app.ledger.checkpoints import Checkpoints
from app.ledger.entry import Entry
from app.ledger.ledger import Ledger
from app.names import SpaceId
from app.policy.model import DistrictPolicy
from app.policy.reading import read_folder, read_policies
from app.settings import Settings
from app.spaces.writing import writing
from app.storage.engines import open_engine
from app.storage.migrate import migrate


@dataclass(frozen=True, slots=True)
class Acting:
    """A change that is under way."""

    connection: AsyncConnection
    ledger: Ledger

    async def enter(self, entries: Iterable[Entry]) -> None:
        """Enter what is done in the ledger. Raises: Unavailable, and then nothing is done.

        INVARIANT: an entry is durable before the change is: the ledger may say more than what happened, never less.
        """
        for entry in entries:
            await self.ledger.record(entry)


@asynccontextmanager
async def acting(settings: Settings, space: str, *, dry_run: bool = False, alone: bool = True) -> AsyncIterator[Acting]:
    """A change in a space, with the space's ledger. Raises: UsageError, ConfigurationError, Unavailable."""
    place = known(settings, space)
    checkpoints = Checkpoints.of(settings, SpaceId(space))
    engine, ledger_engine = (open_engine(settings.database_url(url)) for url in (place.database, place.ledger))
    ledger = Ledger(ledger_engine, SpaceId(space), checkpoints)
    try:
        await migrate(engine, "space")
        await migrate(ledger_engine, "ledger")
        async with writing(engine, dry_run=dry_run, alone=alone) as connection:
            yield Acting(connection, ledger)
    finally:
        await ledger.close()
        await engine.dispose()
        await ledger_engine.dispose()


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def district_policy(settings: Settings, space: str) -> DistrictPolicy:
    """A district's policy as its file says. Raises: UsageError; ConfigurationError if there is no readable one."""
    known(settings, space)
    found = read_policies(read_folder(settings.policies_folder)).spaces.get(SpaceId(space))
    if found is None or found.district is None:
        raise ConfigurationError(
            "The district's policy is missing or cannot be read. `homeroom policy lint` says where it is wrong.",
            file=f"{settings.policies}/{space}/district.toml",
        )
    return found.district


def today_in(settings: Settings, space: str) -> date:
    """The day that it is in the district; in UTC where its policy cannot be read."""
    known(settings, space)
    found = read_policies(read_folder(settings.policies_folder)).spaces.get(SpaceId(space))
    zone = ZoneInfo(found.district.time_zone) if found is not None and found.district is not None else UTC
    return now().astimezone(zone).date()
