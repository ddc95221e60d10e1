"""How pages write days, moments and numbers, and say what roles and sensitivities mean."""

import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo

from markupsafe import Markup

from app.requests.model import Deed, State
from app.schema.facts import Sensitivity

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
    Deed.CLOSE: "Closed",
}
SENSITIVITIES: Mapping[Sensitivity, str] = {
    Sensitivity.PUBLIC: "Of schools and courses, and of no pupil.",
    Sensitivity.LOW: "Of classes; says little of a pupil.",
    Sensitivity.DIRECTORY: "Directory information: what a yearbook would print, unless the family objected.",
    Sensitivity.PII: "Personal: says who a pupil is, how one does, or who the family is.",
    Sensitivity.SENSITIVE: "Can hurt a pupil or a family, so each role that the district names approves it by name.",
    Sensitivity.RESTRICTED: "Can do great harm: approved by name too, and the client is registered for it by name.",
    Sensitivity.STAFF_LOW: "Of staff: names and work.",
    Sensitivity.STAFF_PII: "Of staff: personal.",
    Sensitivity.STAFF_SENSITIVE: "Of staff: private, so approved by name, and the client is registered for it by name.",
}

WHY: Mapping[str, str] = {
    "CLIENT_SUSPENDED": "The client is suspended.",
    "SCOPE_MISSING": "The client is not registered for its scope.",
    "GRANT_NOT_YET": "The grant has not begun.",
    "GRANT_EXPIRED": "The grant is over.",
    "APPROVAL_PENDING": "Waits for an approval by name.",
    "DENIED_BY_STATE": "The state gives it to nobody.",
    "DENIED_BY_DISTRICT": "The district gives it to nobody.",
    "NO_GRANT": "There is no grant.",
    "NOT_GRANTED": "Not in the grant.",
}
"""Each reason as an officer reads it."""


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


def breakable(coordinate: str) -> Markup:
    """`SchoolEnrollment.gradeLevel`, which a narrow page may break between its words, and nowhere else."""
    return Markup("<wbr>").join(re.split(r"(?<=\.)|(?<=[a-z0-9])(?=[A-Z])", coordinate))


def plural(count: int, one: str, many: str = "") -> str:
    """`1 field`, `3 fields`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
