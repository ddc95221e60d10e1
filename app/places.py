"""Each space's databases, opened for those who look at them: on connections of their own, none that answer vendors."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger.checkpoints import Checkpoints
from app.names import SpaceId
from app.settings import Settings
from app.storage.engines import open_engine

CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class Place:
    """One space's databases, and the checkpoints of its ledger."""

    space: SpaceId
    records: AsyncEngine
    ledger: AsyncEngine
    checkpoints: Checkpoints


@asynccontextmanager
async def open_places(settings: Settings, spaces: Iterable[SpaceId]) -> AsyncIterator[Mapping[SpaceId, Place]]:
    """Those of some spaces; closed at the end. Raises: ConfigurationError."""
    places: dict[SpaceId, Place] = {}
    try:
        for space in spaces:
            named = settings.spaces[space]
            places[space] = Place(
                space,
                open_engine(settings.database_url(named.database), pool_size=CONNECTIONS),
                open_engine(settings.database_url(named.ledger), pool_size=CONNECTIONS),
                Checkpoints.of(settings, space),
            )
        yield places
    finally:
        for place in places.values():
            await place.records.dispose()
            await place.ledger.dispose()
