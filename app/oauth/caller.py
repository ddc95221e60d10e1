"""Who is asking: what a verified token says, and how its client stands with the installation."""

from dataclasses import dataclass

from app.names import ClientId, Scope, SpaceId


@dataclass(frozen=True, slots=True)
class Standing:
    """What the installation holds of a client at this moment, whatever its token was given earlier."""

    registered: frozenset[Scope]
    suspended: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """One verified token, or statement of a trusted gateway: one client, in one space, for one purpose.

    Units: `expires_at` is seconds since 1970.
    """

    client: ClientId
    space: SpaceId
    purpose: str
    scopes: frozenset[Scope]
    jti: str
    expires_at: float
    presented: Standing | None = None  # by a gateway that is trusted, with its standing there
