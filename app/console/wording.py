"""How pages write days, moments and numbers, and say what roles and sensitivities mean."""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo

from app.requests.model import Deed, State

ROLES = {
    "reader": "reader",
    "steward": "steward",
    "privacy-officer": "privacy officer",
}

STATES: Mapping[State, str] = {
    State.OPEN: "open",
    State.WAITING: "waits for a second approval",
    State.APPROVED: "approved",
    State.NARROWED: "approved in part",
    State.REFUSED: "refused",
}
DEEDS: Mapping[Deed, str] = {
    Deed.APPROVE: "Approved",
    Deed.NARROW: "Narrowed and approved",
    Deed.REFUSE: "Refused",
    Deed.SECOND: "Second approval",
    Deed.WITHHOLD: "Second approval refused",
    Deed.REVOKE: "Revoked",
    Deed.SUSPEND: "Suspended",
    Deed.RESUME: "Suspension lifted",
}


def day(value: date) -> str:
    """`3 August 2026`: no order of numbers that is read in two ways."""
    return f"{value.day} {value:%B %Y}"


def moment(value: datetime, zone: tzinfo) -> str:
    """`3 August 2026, 14:05` in the district's time zone."""
    local = value.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M}"


def number(value: int) -> str:
    """`1,204`."""
    return f"{value:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 field`, `3 fields`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
