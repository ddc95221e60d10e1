"""What every page of the console stands on: the installation, each space's databases, templates, and the seal.

INVARIANT: a page is handed its officer's `Place` and nothing of another space.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment

from app.console.item import Item
from app.console.templates import environment
from app.installation import Installation
from app.names import ClientId, Coordinate, SpaceId
from app.officers.seal import Seal, read_seal
from app.operation.vocabulary import CORE_VOCABULARY, Vocabulary
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

    async def requested(self, space: SpaceId) -> Mapping[tuple[ClientId, str], frozenset[Coordinate]]:
        """What a space's vendors have asked for and nobody has decided yet."""
        return {}

    async def waiting(self, space: SpaceId) -> Sequence[Item]:
        """The requests that wait for a decision, as lines of what there is to do."""
        return ()

    @property
    def vocabulary(self) -> Vocabulary:
        """Every coordinate that there is, with what is known of it."""
        remotes = self.rooms.remotes
        return CORE_VOCABULARY if remotes is None else remotes.vocabulary

    @property
    def secure(self) -> bool:
        """Whether officers come over TLS."""
        return self.rooms.settings.issuer.startswith("https://")


@asynccontextmanager
async def open_desk(rooms: Installation) -> AsyncIterator[Desk]:
    """The console of an installation; closed at the end. Raises: ConfigurationError."""
    async with open_places(rooms.settings, rooms.spaces) as places:
        yield Desk(rooms, places, environment(), await asyncio.to_thread(read_seal, rooms.settings))
