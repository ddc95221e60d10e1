"""How the records of a space hang together: which column answers which coordinate, and which key which edge.

Derived from the tables: an edge is a parent if this table has a column of the name of the type that it leads to
(`Section.school`), else it leads to children, whose table has a column of this type's name (`Student.grades` is
`grade.student`).
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, case, cast, func, select

from app.policy.model import Transform
from app.schema.facts import Fact
from app.spaces import tables as t


def snake(name: str) -> str:
    """`addressPostalCode` is `address_postal_code`, `SchoolEnrollment` is `school_enrollment`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@dataclass(frozen=True, slots=True)
class Way:
    """How one gets from a record to what an edge leads to."""

    to_parent: bool
    column: str  # of this table if `to_parent`, else of the other


def way(fact: Fact) -> Way:
    """The way of an edge."""
    target = snake(str(fact.leads_to))
    if target in t.BY_TYPE[fact.type].c:
        return Way(to_parent=True, column=target)
    return Way(to_parent=False, column=snake(fact.type))


IMPLIED = frozenset(
    {
        "Section.school",
        "StaffSectionAssociation.section",
        "StaffSectionAssociation.staff",
        "SchoolEnrollment.student",
        "SchoolEnrollment.school",
        "SectionEnrollment.student",
        "SectionEnrollment.section",
        "Grade.student",
        "Grade.section",
        "Contact.student",
        "AttendanceEvent.student",
        "AttendanceEvent.school",
        "AttendanceEvent.section",
        "ProgramParticipation.student",
        "ProgramParticipation.school",
        "DisciplineAction.student",
        "DisciplineAction.incident",
        "AcademicRecord.student",
        "AcademicRecord.school",
    }
)
"""Edges to a parent that is admitted because the record is: its admission asked for the parent's."""

GIVEN = {
    "Student": frozenset({"student"}),
    "Section": frozenset({"section"}),
    "SectionEnrollment": frozenset(
        {"student", "section"}
    ),  # a grade or gradebook entry hangs on an enrollment of its own student and section
}
"""What children need not be asked again, for they were reached over a parent that was admitted."""


def owner(type_name: str) -> str | None:
    """The column that says which student a record belongs to; None if it is not student data."""
    if type_name == "Student":
        return "row"
    return "student" if "student" in t.BY_TYPE[type_name].c else None


PAIRWISE = frozenset({"Contact.contactId"})
"""Coordinates that hold the district's own key of a person: each client has another name for them."""

OF_MANY = frozenset({"DisciplineIncident"})
"""Types whose records concern several students, and belong to none of them."""


def expression(table: FromClause, type_name: str, field: str) -> ColumnElement[Any]:
    """What a coordinate is in SQL: its column, but for the few that are made of others."""
    match (type_name, field):
        case ("Student", "birthYear"):
            return cast(func.substr(table.c.birth_date, 1, 4), Integer)
        case ("Section", "title"):
            course = t.course.alias()
            title = select(course.c.title).where(course.c.row == table.c.course).correlate(table).scalar_subquery()
            return func.coalesce(table.c.title, title)
        case _:
            return table.c[snake(field)]


def transformed(value: ColumnElement[Any], transform: Transform | None) -> ColumnElement[Any]:
    """What leaves the database: what a transform holds back is not even read."""
    match transform:
        case None:
            return value
        case Transform.INITIAL:
            first = func.substr(func.trim(value), 1, 1)
            return case((first == "", None), else_=first + ".")
        case Transform.MASKED:
            return case((value.is_(None), None), else_="•••")
