"""A request as a value: who asks a district for what, why, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from app.names import ClientId, Coordinate, SpaceId
from app.requests.form import Form


class State(StrEnum):
    """What became of a request."""

    OPEN = "open"  # nobody has decided
    WAITING = "waiting"  # decided, and some of it waits for a second officer's approval
    APPROVED = "approved"
    NARROWED = "narrowed"  # approved in part
    REFUSED = "refused"


class Deed(StrEnum):
    """What an officer did."""

    APPROVE = "approve"
    NARROW = "narrow"
    REFUSE = "refuse"
    SECOND = "second-approval"
    WITHHOLD = "second-refusal"
    REVOKE = "revoke"
    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"  # of what waited, nothing waits any more: the file was changed otherwise


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """One request of one client to one space. It grants nothing."""

    space: SpaceId
    number: int
    id: str
    client: ClientId
    purpose: str
    state: State
    asked: datetime
    asked_by: str  # an officer's address; empty: the client itself
    form: Form
    given: frozenset[Coordinate]  # what was decided to be given, and what has to be approved again for it
    decided: datetime | None
    reason: str

    def presented(self) -> Mapping[str, object]:
        """As the vendor sees it, in the graph and over HTTP."""
        return {
            "id": self.id,
            "purpose": self.purpose,
            "state": self.state.name,
            "askedAt": stamp(self.asked),
            "decidedAt": stamp(self.decided) if self.decided else None,
            "reason": self.reason or None,
            "coordinates": [
                {
                    "coordinate": one.coordinate,
                    "transform": one.shown_as.value if one.shown_as else None,
                    "reason": one.reason,
                    "approved": None if self.decided is None else one.coordinate in self.given,
                }
                for one in self.form.fields
            ],
        }


@dataclass(frozen=True, slots=True)
class Done:
    """Something that an officer did, as it is kept."""

    client: ClientId
    purpose: str
    at: datetime
    by: str
    role: str
    deed: Deed
    reason: str
    request: int | None = None
    file: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Suspension:
    """Since when a client reads nothing here, and by whom."""

    client: ClientId
    at: datetime
    by: str
    reason: str


def stamp(moment: datetime) -> str:
    """`2026-11-24T11:40:37Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
