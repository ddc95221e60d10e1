"""What districts and states decide, as values: grants, the policies over them, and the set of all of them.

Pure and frozen: everything here follows from the bytes of policy files. A revision is the SHA-256 of those bytes, so
that equal revisions of one file are equal decisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from app.names import ClientId, Coordinate, Revision, SpaceId


class Transform(StrEnum):
    """How a text is shortened before it leaves: INITIAL is "S.", MASKED is "•••" and the stricter of the two."""

    INITIAL = "initial"
    MASKED = "masked"


STRICTNESS: Mapping[Transform | None, int] = {None: 0, Transform.INITIAL: 1, Transform.MASKED: 2}


def stricter(one: Transform | None, other: Transform | None) -> Transform | None:
    """The transform that shows less; none at all shows most."""
    return max(one, other, key=STRICTNESS.__getitem__)


class Basis(StrEnum):
    """Why the law allows a disclosure. Spec: FERPA, 34 CFR 99.30 and 99.31(a)."""

    CONSENT = "consent"  # 99.30
    SCHOOL_OFFICIAL = "school-official"  # (a)(1)(i)(B): an outsourced service under the district's control
    TRANSFER = "transfer"  # (a)(2)
    AUDIT_EVALUATION = "audit-evaluation"  # (a)(3), 99.35
    FINANCIAL_AID = "financial-aid"  # (a)(4)
    JUVENILE_JUSTICE = "juvenile-justice"  # (a)(5), 99.38
    STUDIES = "studies"  # (a)(6)
    ACCREDITATION = "accreditation"  # (a)(7)
    DEPENDENT_STUDENT = "dependent-student"  # (a)(8): parents of a dependent student
    JUDICIAL_ORDER = "judicial-order"  # (a)(9)
    HEALTH_OR_SAFETY = "health-or-safety"  # (a)(10), 99.36
    DIRECTORY_INFORMATION = "directory-information"  # (a)(11), 99.37
    PARENT_OR_STUDENT = "parent-or-student"  # (a)(12)
    CHILD_WELFARE = "child-welfare"  # 20 U.S.C. 1232g(b)(1)(L)


WRITTEN_AGREEMENT = frozenset({Basis.SCHOOL_OFFICIAL, Basis.AUDIT_EVALUATION, Basis.STUDIES})
"""The bases on which a disclosure to a vendor needs an agreement in writing."""


class Severity(StrEnum):
    """ERROR: what is written has no effect, another than it says, or no agreement. WARNING: it has; look at it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something in a policy file that somebody should look at, with its place and what to do."""

    file: str
    line: int
    key: str
    message: str
    severity: Severity = Severity.ERROR
    waits: bool = False  # for an approval by name alone

    def __str__(self) -> str:
        mark = "warning: " if self.severity is Severity.WARNING else ""
        return f"{self.file}:{self.line}: {mark}{f'{self.key}: ' if self.key else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Rows:
    """Whose records a grant reaches. All given conditions must hold; None is no condition, () is nobody."""

    schools: tuple[str, ...] | None = None  # the district's own school keys
    grade_levels: tuple[str, ...] | None = None
    subjects: tuple[str, ...] | None = None
    enrollment: Literal["active", "any"] | None = None
    history_years: int | None = None  # 0: the current school year only


@dataclass(frozen=True, slots=True)
class Agreement:
    """The contract that a grant rests on, with the NDPA categories of data that it covers."""

    title: str
    signed: date
    schedule: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Approval:
    """One officer's consent, by name, to the sensitive or restricted coordinates that it names."""

    by: str
    role: str
    at: datetime
    covers: tuple[Coordinate, ...]
    line: int = 1


@dataclass(frozen=True, slots=True)
class Grant:
    """A district's decision that one client may read some fields, of some records, for one purpose, in a period."""

    client: ClientId
    purpose: str
    statement: str
    basis: Basis
    not_before: date
    not_after: date  # the last day, inclusive, in the district's time zone
    review_by: date | None
    agreement: Agreement | None
    fields: Mapping[Coordinate, Transform | None]
    rows: Rows
    approvals: tuple[Approval, ...]
    revision: Revision
    file: str
    lines: Mapping[Coordinate, int] = field(default_factory=dict)  # where each coordinate is granted
    keys: Mapping[str, int] = field(default_factory=dict)  # where each key stands: "not_after", "rows.schools"

    def __hash__(self) -> int:
        return hash((self.file, self.revision))

    def line(self, key: str) -> int:
        """The line of a key, or of the table around it."""
        return nearest(self.keys, key)


@dataclass(frozen=True, slots=True)
class Denial:
    """Coordinates that nobody is given, except, where a state says so, on some bases."""

    fields: tuple[Coordinate, ...]
    reason: str
    unless_basis: tuple[Basis, ...] = ()
    line: int = 1


@dataclass(frozen=True, slots=True)
class Approvals:
    """The roles that must each have approved a sensitive or restricted coordinate by name."""

    sensitive: tuple[str, ...] = ("steward", "privacy-officer")
    restricted: tuple[str, ...] = ("steward", "privacy-officer")


@dataclass(frozen=True, slots=True)
class OptOut:
    """What a parent's opt-out does, and on which bases blocked directory information is withheld."""

    vendors: Literal["withhold-record", "withhold-fields"] = "withhold-record"
    directory_applies_to: tuple[Basis, ...] = (Basis.DIRECTORY_INFORMATION,)
    directory_fields: str = "directory"  # the sensitivity that is withheld


@dataclass(frozen=True, slots=True)
class Subgraph:
    """What one subgraph may be sent in representations and required fields; nothing else is."""

    may_receive: tuple[Coordinate, ...] = ()


@dataclass(frozen=True, slots=True)
class DistrictPolicy:
    """What holds for every grant of one space."""

    name: str
    time_zone: str
    purposes: Mapping[str, str]
    deny: tuple[Denial, ...]
    ssn: Literal["leave-out", "store"]
    approvals: Approvals
    opt_out: OptOut
    retention: Mapping[str, int]  # school years after the one it belongs to, by type; what is absent is kept
    subgraphs: Mapping[str, Subgraph]
    revision: Revision
    file: str
    keys: Mapping[str, int] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.file, self.revision))

    def line(self, key: str) -> int:
        """The line of a key, or of the table around it."""
        return nearest(self.keys, key)


@dataclass(frozen=True, slots=True)
class StatePolicy:
    """A ceiling over every district of a state: no grant passes it."""

    deny: tuple[Denial, ...]
    max_days: int | None  # the longest period of a grant, first and last day counted
    revision: Revision
    file: str
    keys: Mapping[str, int] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.file, self.revision))

    def line(self, key: str) -> int:
        """The line of a key, or of the table around it."""
        return nearest(self.keys, key)


@dataclass(frozen=True, slots=True)
class SpacePolicy:
    """Everything that is decided for one space. INVARIANT: without a readable district or state there is no grant."""

    state: StatePolicy | None
    district: DistrictPolicy | None
    grants: tuple[Grant, ...]  # in the order of their file names


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The whole installation's policy, immutable, swapped at once. `files` are the good revisions behind it."""

    spaces: Mapping[SpaceId, SpacePolicy]
    findings: tuple[Finding, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.files)))


def nearest(keys: Mapping[str, int], key: str) -> int:
    """The line of a dotted key, or of the nearest table around it that has one, or the first line."""
    while key and key not in keys:
        key = key.rpartition(".")[0]
    return keys.get(key, 1)


def last_day(grant: Grant, state: StatePolicy | None) -> date:
    """The last day on which a grant can be in force: its own, or the state's ceiling if that comes first."""
    if state is None or state.max_days is None or (grant.not_after - grant.not_before).days < state.max_days:
        return grant.not_after
    # INVARIANT: not later than not_after, so the sum stays within the calendar.
    return date.fromordinal(grant.not_before.toordinal() + state.max_days - 1)
