"""What the caller has asked of the district, as the graph presents it: the vendor's words, and what became of it."""

from enum import Enum

import strawberry


@strawberry.enum(description="What became of a request. None of these grants anything: `grant` says what is granted.")
class RequestState(Enum):
    """What became of a request."""

    OPEN = "OPEN"
    WAITING = "WAITING"
    APPROVED = "APPROVED"
    NARROWED = "NARROWED"
    REFUSED = "REFUSED"


@strawberry.type(description="One coordinate that was asked for.")
class RequestedCoordinate:
    """One coordinate that was asked for."""

    coordinate: str = strawberry.field(description="The coordinate, such as `Student.firstName`.")
    transform: str | None = strawberry.field(description="How much was asked for: `initial` or `masked`; none: all.")
    reason: str = strawberry.field(description="Why, in the vendor's own words.")
    approved: bool | None = strawberry.field(
        description="Whether an officer approved it; none: nobody has decided. `grant` says whether it is in force."
    )


@strawberry.type(description="What this client asked of the district.")
class AccessRequest:
    """What this client asked of the district."""

    id: strawberry.ID = strawberry.field(description="The id that it was given: `/requests/ID`.")
    purpose: str = strawberry.field(description="The purpose, in the district's word.")
    state: RequestState = strawberry.field(description="What became of it.")
    asked_at: str = strawberry.field(description="When it was asked, as RFC 3339 text.")
    decided_at: str | None = strawberry.field(description="When an officer decided, as RFC 3339 text.")
    reason: str | None = strawberry.field(description="Why the officer decided so.")
    coordinates: list[RequestedCoordinate] = strawberry.field(description="The coordinates that were asked for.")
