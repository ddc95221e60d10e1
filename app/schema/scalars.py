"""The graph's own leaf types. Stored text passes through them unparsed; only what a caller writes is checked."""

import re
from datetime import date
from enum import Enum
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

Date = NewType("Date", str)
"""A calendar day as ISO 8601 text, `2026-08-15`."""

GradeLevel = NewType("GradeLevel", str)
"""A grade level by its CEDS code, `KG` or `03`."""

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def read_date(value: object) -> str:
    """Check a day that a caller wrote. Raises: GraphQLError, which does not quote it."""
    if isinstance(value, str) and ISO_DATE.fullmatch(value):
        try:
            date.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    raise GraphQLError("A Date is a day of the calendar, written like 2026-08-15.")


SCALARS: dict[object, ScalarDefinition] = {
    Date: strawberry.scalar(name="Date", description="A calendar day in ISO 8601: `2026-08-15`."),
    GradeLevel: strawberry.scalar(
        name="GradeLevel", description="A grade level by its CEDS code: `PK`, `KG`, `01` to `13`, and the rarer ones."
    ),
}


@strawberry.enum(description="The span of a session (CEDS 000254).")
class SessionType(Enum):
    """The span of a session. Spec: CEDS 000254."""

    FULL_SCHOOL_YEAR = "FULL_SCHOOL_YEAR"
    SEMESTER = "SEMESTER"
    TRIMESTER = "TRIMESTER"
    QUARTER = "QUARTER"
    QUINMESTER = "QUINMESTER"
    MINI_TERM = "MINI_TERM"
    SUMMER_TERM = "SUMMER_TERM"
    INTERSESSION = "INTERSESSION"
    LONG_SESSION = "LONG_SESSION"
    SHORT_SESSION = "SHORT_SESSION"
    TWELVE_MONTH = "TWELVE_MONTH"
    OTHER = "OTHER"
