"""Where students are enrolled, and the marks that they earn there."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from app.schema import ndpa, scopes
from app.schema.facts import Sensitivity
from app.schema.guard import guarded, own_key
from app.schema.scalars import Date, GradeLevel
from app.schema.types.node import Node

if TYPE_CHECKING:
    from app.schema.types.organisations import GradingPeriod, School
    from app.schema.types.records import StudentGradebookEntry
    from app.schema.types.students import Student
    from app.schema.types.teaching import Section

DIRECTORY = Sensitivity.DIRECTORY
LOW = Sensitivity.LOW
PII = Sensitivity.PII
SENSITIVE = Sensitivity.SENSITIVE

SELF = strawberry.lazy("app.schema.types.enrollments")
ORGANISATIONS = strawberry.lazy("app.schema.types.organisations")
RECORDS = strawberry.lazy("app.schema.types.records")
STUDENTS = strawberry.lazy("app.schema.types.students")
TEACHING = strawberry.lazy("app.schema.types.teaching")


@strawberry.federation.type(keys=["sourceKey"], description="The enrollment of a student in a school.")
class SchoolEnrollment(Node):
    """The enrollment of a student in a school."""

    source_key: str = own_key()
    entry_date: Date | None = guarded(
        scopes.ENROLLMENT_SCHOOL,
        ndpa.ENROLLMENT,
        DIRECTORY,
        "The first day of the enrollment.",
        ceds="000097",
        edfi="studentSchoolAssociation.entryDate",
    )
    exit_date: Date | None = guarded(
        scopes.ENROLLMENT_SCHOOL,
        ndpa.ENROLLMENT,
        DIRECTORY,
        "The last day of the enrollment; none while it lasts.",
        ceds="000107",
        edfi="studentSchoolAssociation.exitWithdrawDate",
    )
    exit_type: str | None = guarded(
        scopes.ENROLLMENT_SCHOOL,
        ndpa.ENROLLMENT,
        SENSITIVE,
        "Why the student left.",
        ceds="000110",
        edfi="studentSchoolAssociation.exitWithdrawTypeDescriptor",
    )
    grade_level: GradeLevel | None = guarded(
        scopes.ENROLLMENT_SCHOOL,
        ndpa.ENROLLMENT,
        DIRECTORY,
        "The grade level that the student entered.",
        ceds="000100",
        edfi="studentSchoolAssociation.entryGradeLevelDescriptor",
        oneroster="user.grade",
    )
    enrollment_status: str | None = guarded(
        scopes.ENROLLMENT_SCHOOL,
        ndpa.ENROLLMENT,
        DIRECTORY,
        "The kind or state of the enrollment.",
        ceds="000094",
        edfi="studentSchoolAssociation.enrollmentTypeDescriptor",
        oneroster="user.status",
    )
    graduation_cohort_year: int | None = guarded(
        scopes.ENROLLMENT_SCHOOL,
        ndpa.ENROLLMENT,
        PII,
        "The year in which the student is expected to graduate.",
        ceds="000584",
        edfi="studentSchoolAssociation.classOfSchoolYearTypeReference.schoolYear",
    )
    student: Annotated["Student", STUDENTS] | None = guarded(
        scopes.ENROLLMENT_SCHOOL, ndpa.ENROLLMENT, DIRECTORY, "The student who is enrolled."
    )
    school: Annotated["School", ORGANISATIONS] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.ENROLLMENT, DIRECTORY, "The school that the student is enrolled in."
    )


@strawberry.federation.type(keys=["sourceKey"], description="The enrollment of a student in a section.")
class SectionEnrollment(Node):
    """The enrollment of a student in a section."""

    source_key: str = own_key()
    begin_date: Date | None = guarded(
        scopes.ENROLLMENT_SECTION,
        ndpa.SCHEDULE,
        PII,
        "The first day of the enrollment.",
        ceds="000974",
        edfi="studentSectionAssociation.beginDate",
        oneroster="enrollment.beginDate",
    )
    end_date: Date | None = guarded(
        scopes.ENROLLMENT_SECTION,
        ndpa.SCHEDULE,
        PII,
        "The last day of the enrollment.",
        ceds="000975",
        edfi="studentSectionAssociation.endDate",
        oneroster="enrollment.endDate",
    )
    homeroom: bool | None = guarded(
        scopes.ENROLLMENT_SECTION,
        ndpa.ENROLLMENT,
        LOW,
        "Whether the section is the student's homeroom.",
        edfi="studentSectionAssociation.homeroomIndicator",
    )
    student: Annotated["Student", STUDENTS] | None = guarded(
        scopes.ENROLLMENT_SECTION, ndpa.SCHEDULE, PII, "The student who is enrolled."
    )
    section: Annotated["Section", TEACHING] | None = guarded(
        scopes.SECTION_SCHEDULE, ndpa.SCHEDULE, PII, "The section that the student is enrolled in."
    )
    grades: list[Annotated["Grade", SELF]] | None = guarded(
        scopes.GRADE_MARKS, ndpa.TRANSCRIPT, PII, "The marks that were earned in this enrollment."
    )
    gradebook_entries: list[Annotated["StudentGradebookEntry", RECORDS]] | None = guarded(
        scopes.GRADE_GRADEBOOK,
        ndpa.STUDENT_IN_APP_PERFORMANCE,
        PII,
        "What was earned for single pieces of work in this enrollment.",
    )


@strawberry.federation.type(keys=["sourceKey"], description="A mark that a student earned in a section.")
class Grade(Node):
    """A mark that a student earned in a section."""

    source_key: str = own_key()
    letter_grade_earned: str | None = guarded(
        scopes.GRADE_MARKS,
        ndpa.TRANSCRIPT,
        PII,
        "The mark as a letter or word.",
        ceds="000124",
        edfi="grade.letterGradeEarned",
        oneroster="result.score",
    )
    numeric_grade_earned: float | None = guarded(
        scopes.GRADE_MARKS,
        ndpa.TRANSCRIPT,
        PII,
        "The mark as a number.",
        ceds="000124",
        edfi="grade.numericGradeEarned",
        oneroster="result.score",
    )
    grade_type: str | None = guarded(
        scopes.GRADE_MARKS,
        ndpa.TRANSCRIPT,
        PII,
        "What the mark is for, such as a final or a grading period.",
        ceds="000183",
        edfi="grade.gradeTypeDescriptor",
        oneroster="lineItem.category",
    )
    narrative: str | None = guarded(
        scopes.GRADE_NARRATIVE,
        ndpa.TRANSCRIPT,
        SENSITIVE,
        "What the teacher wrote about the work, in free text.",
        ceds="001573",
        edfi="grade.diagnosticStatement",
        oneroster="result.comment",
    )
    student: Annotated["Student", STUDENTS] | None = guarded(
        scopes.GRADE_MARKS, ndpa.TRANSCRIPT, PII, "The student who earned the mark."
    )
    section: Annotated["Section", TEACHING] | None = guarded(
        scopes.SECTION_SCHEDULE, ndpa.SCHEDULE, PII, "The section in which the mark was earned."
    )
    grading_period: Annotated["GradingPeriod", ORGANISATIONS] | None = guarded(
        scopes.GRADE_MARKS,
        ndpa.TRANSCRIPT,
        LOW,
        "The grading period that the mark is for.",
        ceds="000182",
        edfi="grade.gradingPeriodReference.gradingPeriodName",
        oneroster="lineItem.gradingPeriod",
    )
