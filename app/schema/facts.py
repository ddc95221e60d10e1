"""What Homeroom knows of one field: declared once, on the field itself, and read by every room.

Shape: `CATALOGUE` in `app.schema.catalogue` maps every guarded coordinate to its `Fact`.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.names import Coordinate, Scope


class Sensitivity(StrEnum):
    """How much harm a disclosure can do; SENSITIVE and RESTRICTED need approvals by name."""

    PUBLIC = "public"
    LOW = "low"
    DIRECTORY = "directory"
    PII = "pii"
    SENSITIVE = "sensitive"
    RESTRICTED = "restricted"
    STAFF_LOW = "staff-low"
    STAFF_PII = "staff-pii"
    STAFF_SENSITIVE = "staff-sensitive"


@dataclass(frozen=True, slots=True)
class Fact:
    """One guarded coordinate: its scope, its standing in the standards, and how sensitive it is."""

    coordinate: Coordinate
    scope: Scope
    category: str  # NDPA schedule of data, e.g. "Student Name"
    sensitivity: Sensitivity
    type: str  # "Student"
    field: str  # "birthDate"
    graphql_type: str  # as printed: "Date", "[SchoolEnrollment!]"
    leads_to: str | None  # the type that an edge leads to; None for a column
    is_list: bool  # a list of records (an edge) or of values (a column)
    ceds: str | None  # "000033"
    edfi: str | None
    oneroster: str | None

    @property
    def is_text(self) -> bool:
        """Whether a transform can be asked for: transforms are for strings."""
        return self.graphql_type in {"String", "ID"}
