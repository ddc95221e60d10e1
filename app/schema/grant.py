"""The caller's own grant, as the graph presents it: no record of any person, so no field of it is guarded."""

from enum import Enum

import strawberry

from app.schema.scalars import Date, GradeLevel


@strawberry.enum(description="Whether a granted coordinate is disclosed today, and if not, why.")
class CoordinateState(Enum):
    """Whether a granted coordinate is disclosed today: `IN_FORCE`, or the reason of its denial."""

    IN_FORCE = "IN_FORCE"
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


@strawberry.type(description="One coordinate that the district granted.")
class GrantedCoordinate:
    """One coordinate that the district granted."""

    coordinate: str = strawberry.field(description="The coordinate, such as `Student.firstName`.")
    scope: str = strawberry.field(description="The scope that a token needs for it.")
    transform: str | None = strawberry.field(
        description="What is left of the value: `initial` or `masked`; none: all of it."
    )
    state: CoordinateState = strawberry.field(description="Whether it is disclosed today, and if not, why.")


@strawberry.type(description="The records that a grant is for. All given conditions hold together; none: no condition.")
class GrantedRows:
    """The records that a grant is for."""

    schools: list[str] | None = strawberry.field(description="The schools, by the district's own keys.")
    grade_levels: list[GradeLevel] | None = strawberry.field(description="The grade levels of students.")
    subjects: list[str] | None = strawberry.field(description="The subjects of sections.")
    enrollment: str | None = strawberry.field(description="`active`: enrolled today; `any`: ever.")
    history_years: int | None = strawberry.field(description="School years before the current one.")


@strawberry.type(description="What the district decided for this client and purpose.")
class Grant:
    """What the district decided for this client and purpose."""

    client: str = strawberry.field(description="The client that it was given to.")
    purpose: str = strawberry.field(description="The purpose, in the district's word.")
    statement: str = strawberry.field(description="The purpose in a sentence.")
    basis: str = strawberry.field(description="The basis in law, such as `school-official`.")
    not_before: Date = strawberry.field(description="The first day.")
    not_after: Date = strawberry.field(description="The last day, inclusive, in the district's time zone.")
    review_by: Date | None = strawberry.field(description="The day by which the district looks at it again.")
    revision: str = strawberry.field(description="The revision: SHA-256 of the grant's file.")
    coordinates: list[GrantedCoordinate] = strawberry.field(description="The coordinates that are granted.")
    rows: GrantedRows = strawberry.field(description="The records that they are granted of.")
