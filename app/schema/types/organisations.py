"""The district, its schools and its calendar."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from app.schema import ndpa, scopes
from app.schema.facts import Sensitivity
from app.schema.guard import guarded, own_key
from app.schema.scalars import Date, GradeLevel, SessionType
from app.schema.types.node import Node

if TYPE_CHECKING:
    from app.schema.types.teaching import Course, Section

LOW = Sensitivity.LOW
PUBLIC = Sensitivity.PUBLIC

SELF = strawberry.lazy("app.schema.types.organisations")
TEACHING = strawberry.lazy("app.schema.types.teaching")


@strawberry.federation.type(
    keys=["sourceKey"], description="A local education agency: the district that granted the access."
)
class District(Node):
    """A local education agency: the district that granted the access."""

    source_key: str = own_key()
    name_of_institution: str | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The district's name.",
        ceds="000204",
        edfi="localEducationAgency.nameOfInstitution",
        oneroster="org.name",
    )
    schools: list[Annotated["School", SELF]] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.NOT_STUDENT_DATA, PUBLIC, "The schools of the district."
    )
    sessions: list[Annotated["Session", SELF]] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.NOT_STUDENT_DATA, PUBLIC, "The sessions of the district and of its schools."
    )


@strawberry.federation.type(keys=["sourceKey"], description="A school of the district.")
class School(Node):
    """A school of the district."""

    source_key: str = own_key()
    name_of_institution: str | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The school's name.",
        ceds="000204",
        edfi="school.nameOfInstitution",
        oneroster="org.name",
    )
    school_level: str | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The level of education that the school gives, such as elementary.",
        ceds="000241",
        edfi="school.schoolCategories.schoolCategoryDescriptor",
    )
    grades_offered: list[GradeLevel] | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The grade levels that the school offers.",
        ceds="000131",
        edfi="school.gradeLevels.gradeLevelDescriptor",
    )
    district: Annotated["District", SELF] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.NOT_STUDENT_DATA, PUBLIC, "The district that the school belongs to."
    )
    sections: list[Annotated["Section", TEACHING]] | None = guarded(
        scopes.SECTION_SCHEDULE, ndpa.SCHEDULE, LOW, "The sections that meet at the school."
    )
    courses: list[Annotated["Course", TEACHING]] | None = guarded(
        scopes.COURSE_CATALOG, ndpa.NOT_STUDENT_DATA, PUBLIC, "The courses that the school offers."
    )


@strawberry.federation.type(
    keys=["sourceKey"], description="A span of a school year in which instruction is given, such as a semester."
)
class Session(Node):
    """A span of a school year in which instruction is given, such as a semester."""

    source_key: str = own_key()
    school_year: int | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The school year by the calendar year in which it ends: 2027 is 2026–27.",
        ceds="000243",
        edfi="session.schoolYearTypeReference.schoolYear",
        oneroster="academicSession.schoolYear",
    )
    name: str | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "What the district calls the session.",
        ceds="001271",
        edfi="session.sessionName",
        oneroster="academicSession.title",
    )
    type: SessionType | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The kind of span.",
        ceds="000254",
        edfi="session.termDescriptor",
        oneroster="academicSession.type",
    )
    begin_date: Date | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The first day of the session.",
        ceds="000251",
        edfi="session.beginDate",
        oneroster="academicSession.startDate",
    )
    end_date: Date | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The last day of the session.",
        ceds="000253",
        edfi="session.endDate",
        oneroster="academicSession.endDate",
    )
    grading_periods: list[Annotated["GradingPeriod", SELF]] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.NOT_STUDENT_DATA, PUBLIC, "The grading periods of the session."
    )


@strawberry.federation.type(keys=["sourceKey"], description="A part of a session at the end of which marks are given.")
class GradingPeriod(Node):
    """A part of a session at the end of which marks are given."""

    source_key: str = own_key()
    name: str | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "What the district calls the grading period.",
        ceds="000182",
        edfi="gradingPeriod.gradingPeriodName",
        oneroster="academicSession.title",
    )
    begin_date: Date | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The first day of the grading period.",
        ceds="000251",
        edfi="gradingPeriod.beginDate",
        oneroster="academicSession.startDate",
    )
    end_date: Date | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The last day of the grading period.",
        ceds="000253",
        edfi="gradingPeriod.endDate",
        oneroster="academicSession.endDate",
    )
