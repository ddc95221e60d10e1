"""Everything that a decision depends on, as one frozen value: who asks, under which revisions, on which day.

Equal authorities decide alike, so that whatever was computed for one may be kept under it until its validity ends.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from app.names import ClientId, Revision, Scope, SpaceId
from app.policy.model import DistrictPolicy, Grant, PolicySet, SpacePolicy, StatePolicy, last_day

NOTHING = SpacePolicy(state=None, district=None, grants=())


@dataclass(frozen=True, slots=True, eq=False)
class Authority:
    """One client in one space for one purpose today: its standing, and the revisions that speak of it."""

    client: ClientId
    space: SpaceId
    purpose: str
    scopes: frozenset[Scope]  # the token's
    registered: frozenset[Scope]  # the client's
    suspended: bool
    grant: Grant | None
    district: DistrictPolicy | None
    state: StatePolicy | None
    today: date  # in the district's time zone
    valid_until: datetime  # the district's next midnight
    _key: tuple[object, ...] = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = (
            self.client,
            self.space,
            self.purpose,
            self.scopes,
            self.registered,
            self.suspended,
            self.grant and (self.grant.file, self.grant.revision),
            self.district and self.district.revision,
            self.state and self.state.revision,
            self.today,
        )
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "_hash", hash(key))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Authority) and self._key == other._key)

    @property
    def fingerprint(self) -> bytes:
        """A digest that equal authorities share, in every process and after every start."""
        parts = [sorted(part) if isinstance(part, frozenset) else part for part in self._key]
        return hashlib.sha256(repr(parts).encode()).digest()

    @property
    def revision(self) -> Revision | None:
        """The grant's revision."""
        return self.grant.revision if self.grant else None


def authority(
    policies: PolicySet,
    *,
    client: ClientId,
    space: SpaceId,
    purpose: str,
    scopes: frozenset[Scope],
    registered: frozenset[Scope],
    suspended: bool,
    now: datetime,
) -> Authority:
    """The authority of a caller at a moment. `now` is aware."""
    policy = policies.spaces.get(space, NOTHING)
    today, _ = day_of(now, policy.district)
    return authority_on(
        today,
        policy,
        client=client,
        space=space,
        purpose=purpose,
        scopes=scopes,
        registered=registered,
        suspended=suspended,
    )


def authority_on(
    today: date,
    policy: SpacePolicy,
    *,
    client: ClientId,
    space: SpaceId,
    purpose: str,
    scopes: frozenset[Scope],
    registered: frozenset[Scope],
    suspended: bool = False,
) -> Authority:
    """The authority of a caller on a day of the district's."""
    return Authority(
        client=client,
        space=space,
        purpose=purpose,
        scopes=scopes,
        registered=registered,
        suspended=suspended,
        grant=chosen((g for g in policy.grants if (g.client, g.purpose) == (client, purpose)), policy.state, today),
        district=policy.district,
        state=policy.state,
        today=today,
        valid_until=midnight_after(today, policy.district),
    )


def day_of(now: datetime, district: DistrictPolicy | None) -> tuple[date, datetime]:
    """The day that it is in a district, and the moment (in UTC) at which the next one begins there."""
    today = now.astimezone(zone_of(district)).date()
    return today, midnight_after(today, district)


def zone_of(district: DistrictPolicy | None) -> tzinfo:
    """The time zone that a district's days are counted in."""
    return ZoneInfo(district.time_zone) if district else UTC


def midnight_after(day: date, district: DistrictPolicy | None) -> datetime:
    """The moment (in UTC) at which a district's day is over."""
    try:
        # A midnight that daylight saving skips is the moment of the change: with fold=0 the offset before it holds.
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone_of(district)).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def chosen(grants: Iterable[Grant], state: StatePolicy | None, today: date) -> Grant | None:
    """Of grants to one client for one purpose the one that counts: in force, else the next to come, else the last past.

    One grant, never several together: fields of one grant do not meet rows of another. Where two are in force at once
    the first by file name counts, and `lint` says so.
    """

    def rank(grant: Grant) -> tuple[int, int]:
        end = last_day(grant, state)
        if today > end:  # also one that was ended before it began
            return 2, -end.toordinal()
        return (1, grant.not_before.toordinal()) if today < grant.not_before else (0, 0)

    return min(grants, key=rank, default=None)


def purposes(policies: PolicySet, space: SpaceId, client: ClientId) -> tuple[str, ...]:
    """The purposes for which a client has a grant in a space, sorted."""
    return tuple(sorted({g.purpose for g in policies.spaces.get(space, NOTHING).grants if g.client == client}))
