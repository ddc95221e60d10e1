"""What every page of the console stands on: the installation, each space's databases, templates, and the seal.

INVARIANT: a page is handed its officer's `Place` and nothing of another space.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType
from jinja2 import Environment

from app.console.item import DECIDE, Item
from app.console.templates import environment
from app.console.wording import plural
from app.installation import Installation
from app.names import ClientId, Coordinate, SpaceId
from app.officers.seal import Seal, read_seal
from app.operation.vocabulary import CORE_VOCABULARY, Vocabulary
from app.places import Place, open_places
from app.policy.authority import NOTHING
from app.policy.model import SpacePolicy
from app.requests.model import State
from app.requests.store import undecided
from app.requests.webhooks import Webhooks
from app.schema.facts import Fact
from app.signing_in import Role


@dataclass(frozen=True, slots=True)
class Desk:
    """The console of one process."""

    rooms: Installation
    places: Mapping[SpaceId, Place]
    templates: Environment
    seal: Seal
    webhooks: Webhooks
    # What districts' providers said of themselves, and when it was read.
    providers: dict[str, tuple[float, Mapping[str, Any]]] = field(default_factory=dict)

    def now(self) -> datetime:
        """This moment."""
        return self.rooms.clock()

    def policy(self, space: SpaceId) -> SpacePolicy:
        """What is in force in a space."""
        return self.rooms.policies.spaces.get(space, NOTHING)

    async def requested(self, space: SpaceId) -> Mapping[tuple[ClientId, str], frozenset[Coordinate]]:
        """What a space's vendors have asked for and nobody has decided yet."""
        found: dict[tuple[ClientId, str], frozenset[Coordinate]] = {}
        for one in await undecided(self.rooms.control, space):
            asked = (Coordinate(each.coordinate) for each in one.form.fields)
            found[one.client, one.purpose] = found.get((one.client, one.purpose), frozenset()) | {*asked}
        return found

    async def seconded(self, space: SpaceId) -> Collection[tuple[ClientId, str]]:
        """The vendors and purposes of which a request waits for a second officer."""
        found = await undecided(self.rooms.control, space)
        return {(one.client, one.purpose) for one in found if one.state is State.WAITING}

    async def waiting(self, space: SpaceId, role: Role) -> Sequence[Item]:
        """The requests that wait for a decision, as lines of what there is to do for an officer of that role."""
        items = []
        for one in await undecided(self.rooms.control, space):
            whose = "An officer proposes" if one.asked_by else f"{one.client} asks"
            parts = [f"{plural(len(one.form.fields), 'field')} more"] if one.form.fields else []
            parts += [f"{plural(len(one.form.remove), 'field')} less"] if one.form.remove else []
            parts += ["other records"] if one.form.rows else []
            parts += ["another period"] if one.form.not_before or one.form.not_after else []
            told = f"{whose}: {', '.join(parts) or 'another statement'}."
            decides = "steward"
            if one.state is State.WAITING:
                told = "Decided; some of it waits for the privacy officer's approval."
                decides = "privacy-officer"
            title = f"{one.client} for {one.purpose}, request {one.number}"
            urgency, action = ("warn", DECIDE) if role == decides else ("", "Look")
            items.append(Item(urgency, title, told, f"/console/requests/{one.number}", action))
        return sorted(items, key=lambda item: item.action != DECIDE)

    @property
    def vocabulary(self) -> Vocabulary:
        """Every coordinate that there is, with what is known of it."""
        remotes = self.rooms.remotes
        return CORE_VOCABULARY if remotes is None else remotes.vocabulary

    def meaning(self, fact: Fact) -> str:
        """What a field holds, in the schema's own words; empty if its subgraph says nothing."""
        of = self.rooms.schema.type_map.get(fact.type)
        declared = of.fields.get(fact.field) if isinstance(of, GraphQLObjectType | GraphQLInterfaceType) else None
        return (declared.description or "").partition("\n")[0] if declared else ""

    @property
    def secure(self) -> bool:
        """Whether officers come over TLS."""
        return self.rooms.settings.console_address.startswith("https://")


@asynccontextmanager
async def open_desk(rooms: Installation) -> AsyncIterator[Desk]:
    """The console of an installation; closed at the end. Raises: ConfigurationError."""
    async with open_places(rooms.settings, rooms.spaces) as places:
        webhooks = Webhooks(rooms.control, rooms.settings, clock=lambda: rooms.clock().timestamp())
        try:
            yield Desk(rooms, places, environment(), await asyncio.to_thread(read_seal, rooms.settings), webhooks)
        finally:
            await webhooks.close()
