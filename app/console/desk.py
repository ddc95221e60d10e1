"""What every page of the console stands on: the installation, each space's databases, templates, and the seal.

INVARIANT: a page is handed its officer's `Place` and nothing of another space.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment

from app.console.templates import environment
from app.installation import Installation
from app.names import SpaceId
from app.officers.seal import Seal, read_seal
from app.places import Place, open_places
from app.policy.authority import NOTHING
from app.policy.model import SpacePolicy


@dataclass(frozen=True, slots=True)
class Desk:
    """The console of one process."""

    rooms: Installation
    places: Mapping[SpaceId, Place]
    templates: Environment
    seal: Seal

    def now(self) -> datetime:
        """This moment."""
        return self.rooms.clock()

    def policy(self, space: SpaceId) -> SpacePolicy:
        """What is in force in a space."""
        return self.rooms.policies.spaces.get(space, NOTHING)

    @property
    def secure(self) -> bool:
        """Whether officers come over TLS."""
        return self.rooms.settings.issuer.startswith("https://")


@asynccontextmanager
async def open_desk(rooms: Installation) -> AsyncIterator[Desk]:
    """The console of an installation; closed at the end. Raises: ConfigurationError."""
    async with open_places(rooms.settings, rooms.spaces) as places:
        yield Desk(rooms, places, environment(), await asyncio.to_thread(read_seal, rooms.settings))
