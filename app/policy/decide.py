"""Decide what one grant discloses, one coordinate at a time.

Pure: no clock, no database, no GraphQL. Whatever may sway a decision is an argument, so that the ledger can replay
any decision from the values that it recorded.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from app.names import Coordinate, Scope
from app.policy.authority import Authority
from app.policy.model import Approval, Denial, DistrictPolicy, Grant, StatePolicy, Transform, last_day

ORDINARY = frozenset({"public", "low", "directory", "pii", "staff-low", "staff-pii"})
SENSITIVE = frozenset({"sensitive", "staff-sensitive"})


class Reason(StrEnum):
    """Why a field is withheld, in order of precedence: a denial has the first that applies."""

    CLIENT_SUSPENDED = "CLIENT_SUSPENDED"
    SCOPE_MISSING = "SCOPE_MISSING"
    NO_GRANT = "NO_GRANT"
    GRANT_NOT_YET = "GRANT_NOT_YET"
    GRANT_EXPIRED = "GRANT_EXPIRED"
    APPROVAL_PENDING = "APPROVAL_PENDING"
    DENIED_BY_STATE = "DENIED_BY_STATE"
    DENIED_BY_DISTRICT = "DENIED_BY_DISTRICT"
    NOT_GRANTED = "NOT_GRANTED"
    NOT_OFFERED = "NOT_OFFERED"


@dataclass(frozen=True, slots=True)
class Permit:
    """The field is disclosed, shortened if a transform says so."""

    transform: Transform | None


@dataclass(frozen=True, slots=True)
class Deny:
    """The field is withheld."""

    reason: Reason


Decision: TypeAlias = Permit | Deny


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for: one coordinate, with the facts that a decision needs."""

    coordinate: Coordinate
    scope: Scope
    sensitivity: str
    is_text: bool = True  # whether a transform can shorten it


def decide(ask: Ask, authority: Authority) -> Decision:
    """Permit only what standing, token, period, approvals, state, district and grant all allow.

    Total: every set of arguments has a decision, and silence is `NOT_GRANTED`.
    """
    if authority.suspended:
        return Deny(Reason.CLIENT_SUSPENDED)
    if ask.scope not in authority.scopes or ask.scope not in authority.registered:
        return Deny(Reason.SCOPE_MISSING)
    grant, district, state = authority.grant, authority.district, authority.state
    if grant is None or district is None:
        return Deny(Reason.NO_GRANT)
    if authority.today < grant.not_before:
        return Deny(Reason.GRANT_NOT_YET)
    if authority.today > last_day(grant, state):
        return Deny(Reason.GRANT_EXPIRED)
    listed = ask.coordinate in grant.fields
    if listed and missing_roles(ask, authority):
        return Deny(Reason.APPROVAL_PENDING)
    if denied_by_state(ask.coordinate, state, grant):
        return Deny(Reason.DENIED_BY_STATE)
    if denied_by_district(ask.coordinate, district):
        return Deny(Reason.DENIED_BY_DISTRICT)
    if not listed:
        return Deny(Reason.NOT_GRANTED)
    transform = grant.fields[ask.coordinate]
    if transform is not None and not ask.is_text:
        return Deny(Reason.NOT_GRANTED)  # nothing was granted that could leave: the value cannot be shortened
    return Permit(transform)


def entrance(asks: Iterable[Ask], authority: Authority) -> Deny | None:
    """Why a type may not be entered, given a question for each of its coordinates; None if one of them is permitted.

    The reason is that of a coordinate that the grant lists, if it lists any; of several, the one that came closest to a
    permit. So it tells what is really missing.
    """
    denied: dict[Coordinate, Deny] = {}
    for ask in asks:
        made = decide(ask, authority)
        if isinstance(made, Permit):
            return None
        denied[ask.coordinate] = made
    listed = authority.grant.fields if authority.grant else ()
    telling = [one for coordinate, one in denied.items() if coordinate in listed] or [*denied.values()]
    order = list(Reason)
    return max(telling, key=lambda one: order.index(one.reason), default=Deny(Reason.NOT_GRANTED))


def required_roles(sensitivity: str, district: DistrictPolicy) -> tuple[str, ...]:
    """The roles that must have approved a field of this sensitivity. One that is not known counts as restricted."""
    if sensitivity in ORDINARY:
        return ()
    return district.approvals.sensitive if sensitivity in SENSITIVE else district.approvals.restricted


def approved_by(role: str, coordinate: Coordinate, authority: Authority) -> Approval | None:
    """The approval of a coordinate, by name, by a role, given today or before."""
    if authority.grant is None:
        return None
    given = (a for a in authority.grant.approvals if a.role == role and coordinate in a.covers)
    return next((a for a in given if a.at < authority.valid_until), None)


def missing_roles(ask: Ask, authority: Authority) -> tuple[str, ...]:
    """The roles whose approval of a coordinate is still missing."""
    if authority.district is None:
        return ()
    roles = required_roles(ask.sensitivity, authority.district)
    return tuple(role for role in roles if approved_by(role, ask.coordinate, authority) is None)


def denied_by_state(coordinate: Coordinate, state: StatePolicy | None, grant: Grant) -> Denial | None:
    """The state's denial of a coordinate to a grant on this basis."""
    denials = state.deny if state else ()
    return next((d for d in denials if coordinate in d.fields and grant.basis not in d.unless_basis), None)


def denied_by_district(coordinate: Coordinate, district: DistrictPolicy) -> Denial | None:
    """The district's denial of a coordinate."""
    return next((d for d in district.deny if coordinate in d.fields), None)


def advice(reason: Reason, ask: Ask, authority: Authority) -> str:
    """What a vendor who was denied a field can do, in a sentence or two."""
    who = authority.district.name if authority.district else authority.space
    grant = authority.grant
    match reason:
        case Reason.CLIENT_SUSPENDED:
            return f"The client is suspended. Ask {who} or the operator of this service to lift the suspension."
        case Reason.SCOPE_MISSING if ask.scope in authority.registered:
            return f"The token lacks the scope {ask.scope}. Ask for a token with it."
        case Reason.SCOPE_MISSING:
            return f"The client is not registered for the scope {ask.scope}. Ask the operator to register it."
        case Reason.NO_GRANT:
            return f"{who} has granted nothing to {authority.client} for {authority.purpose}. Ask it for a grant."
        case Reason.GRANT_NOT_YET if grant and last_day(grant, authority.state) < grant.not_before:
            return f"The grant was ended before it began. Ask {who} to renew it."
        case Reason.GRANT_NOT_YET:
            return f"The grant is in force from {grant.not_before if grant else 'a later day'}. Ask again then."
        case Reason.GRANT_EXPIRED:
            end = last_day(grant, authority.state) if grant else "an earlier day"
            return f"The grant was in force until {end}. Ask {who} to renew it."
        case Reason.APPROVAL_PENDING:
            roles = " and ".join(missing_roles(ask, authority)) or "an officer"
            return f"{ask.coordinate} waits for approval by {roles} of {who}. Leave it out until then."
        case Reason.DENIED_BY_STATE:
            return f"State policy withholds {ask.coordinate}. Leave it out."
        case Reason.DENIED_BY_DISTRICT:
            return f"{who} gives {ask.coordinate} to nobody. Leave it out."
        case Reason.NOT_GRANTED:
            return (
                f"Ask {who} to grant {ask.coordinate} to {authority.client} for {authority.purpose}, or leave it out."
            )
        case Reason.NOT_OFFERED:  # pragma: no branch - there is no other reason
            return f"{who} offers no source for {ask.coordinate}. Leave it out."
