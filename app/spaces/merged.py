"""What an import did to a space, in numbers and places, never in values."""

from collections import Counter
from dataclasses import dataclass, field

SHOWN = 1_000
"""How many rows a report lists one by one."""


@dataclass(slots=True)
class Stored:
    """What became of one type's records."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that the database found wanting: where it stands, and what is wrong in words without its values."""

    file: str
    line: int
    column: str | None
    reason: str


@dataclass(slots=True)
class Merged:
    """What one import did to a space."""

    stored: dict[str, Stored] = field(default_factory=dict)
    rejected: list[Finding] = field(default_factory=list)
    rejections: int = 0
    noted: list[Finding] = field(default_factory=list)
    notes: int = 0
    left_out: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # file, kind of element, reason
    ssns_stored: int = 0
