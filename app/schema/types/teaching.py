"""What is taught, to which groups, and by whom."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from app.schema import ndpa, scopes
from app.schema.facts import Sensitivity
from app.schema.guard import guarded, own_key
from app.schema.scalars import Date
from app.schema.types.node import Node

if TYPE_CHECKING:
    from app.schema.types.enrollments import SectionEnrollment
    from app.schema.types.organisations import School, Session

LOW = Sensitivity.LOW
PII = Sensitivity.PII
PUBLIC = Sensitivity.PUBLIC
STAFF_LOW = Sensitivity.STAFF_LOW
STAFF_PII = Sensitivity.STAFF_PII
STAFF_SENSITIVE = Sensitivity.STAFF_SENSITIVE

SELF = strawberry.lazy("app.schema.types.teaching")
ENROLLMENTS = strawberry.lazy("app.schema.types.enrollments")
ORGANISATIONS = strawberry.lazy("app.schema.types.organisations")


@strawberry.federation.type(
    # By its SCED code the learning registry adds to a course: a catalogue need not know whose course it is.
    keys=["sourceKey", Key(fields=FieldSet("scedCode"), resolvable=False)],
    description="A course as the catalog has it, whether or not it is taught this year.",
)
class Course(Node):
    """A course as the catalog has it, whether or not it is taught this year."""

    source_key: str = own_key()
    course_identifier: strawberry.ID | None = guarded(
        scopes.COURSE_CATALOG,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The district's code of the course.",
        ceds="000055",
        edfi="course.courseCode",
        oneroster="course.courseCode",
    )
    title: str | None = guarded(
        scopes.COURSE_CATALOG,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The title of the course.",
        ceds="000067",
        edfi="course.courseTitle",
        oneroster="course.title",
    )
    subject: str | None = guarded(
        scopes.COURSE_CATALOG,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The subject area of the course, as the district writes it.",
        ceds="001518",
        edfi="course.academicSubjects.academicSubjectDescriptor",
        oneroster="course.subjects",
    )
    sced_code: str | None = guarded(
        scopes.COURSE_CATALOG,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "The code of the course in the School Courses for the Exchange of Data.",
        ceds="001517",
        edfi="course.identificationCodes.identificationCode",
        oneroster="course.subjectCodes",
    )
    level_characteristic: list[str] | None = guarded(
        scopes.COURSE_CATALOG,
        ndpa.NOT_STUDENT_DATA,
        PUBLIC,
        "What sets the level of the course apart, such as honors.",
        ceds="000061",
        edfi="course.levelCharacteristics.courseLevelCharacteristicDescriptor",
    )


@strawberry.federation.type(keys=["sourceKey"], description="A course as one group of students meets for it (a class).")
class Section(Node):
    """A course as one group of students meets for it (a class)."""

    source_key: str = own_key()
    title: str | None = guarded(
        scopes.SECTION_SCHEDULE,
        ndpa.SCHEDULE,
        LOW,
        "The title of the section; the course's title where it has none of its own.",
        edfi="section.sectionName",
        oneroster="class.title",
    )
    local_course_code: str | None = guarded(
        scopes.SECTION_SCHEDULE,
        ndpa.SCHEDULE,
        LOW,
        "The code under which the school offers the course.",
        ceds="001280",
        edfi="courseOffering.localCourseCode",
        oneroster="class.classCode",
    )
    period: list[str] | None = guarded(
        scopes.SECTION_SCHEDULE,
        ndpa.SCHEDULE,
        LOW,
        "The class periods in which the section meets.",
        ceds="000522",
        edfi="section.classPeriods.classPeriodReference.classPeriodName",
        oneroster="class.periods",
    )
    room: str | None = guarded(
        scopes.SECTION_SCHEDULE,
        ndpa.SCHEDULE,
        LOW,
        "The room in which the section meets.",
        ceds="000364",
        edfi="section.locationReference.classroomIdentificationCode",
        oneroster="class.location",
    )
    school: Annotated["School", ORGANISATIONS] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.NOT_STUDENT_DATA, PUBLIC, "The school at which the section meets."
    )
    course: Annotated["Course", SELF] | None = guarded(
        scopes.COURSE_CATALOG, ndpa.NOT_STUDENT_DATA, PUBLIC, "The course that is taught."
    )
    session: Annotated["Session", ORGANISATIONS] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.NOT_STUDENT_DATA, PUBLIC, "The session in which the section meets."
    )
    staff_associations: list[Annotated["StaffSectionAssociation", SELF]] | None = guarded(
        scopes.SECTION_SCHEDULE, ndpa.SCHEDULE, STAFF_LOW, "The staff who are assigned to the section."
    )
    section_enrollments: list[Annotated["SectionEnrollment", ENROLLMENTS]] | None = guarded(
        scopes.ENROLLMENT_SECTION, ndpa.SCHEDULE, PII, "The enrollments of students in the section."
    )


@strawberry.federation.type(keys=["sourceKey"], description="A person who works for the district, such as a teacher.")
class Staff(Node):
    """A person who works for the district, such as a teacher."""

    source_key: str = own_key()
    staff_id: strawberry.ID | None = guarded(
        scopes.STAFF_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        STAFF_PII,
        "The state's or the district's number of the staff member.",
        ceds="001070",
        edfi="staff.staffUniqueId",
        oneroster="user.identifier",
    )
    first_name: str | None = guarded(
        scopes.STAFF_DIRECTORY,
        ndpa.SCHEDULE,
        STAFF_LOW,
        "The given name of the staff member.",
        ceds="000115",
        edfi="staff.firstName",
        oneroster="user.givenName",
    )
    last_surname: str | None = guarded(
        scopes.STAFF_DIRECTORY,
        ndpa.SCHEDULE,
        STAFF_LOW,
        "The family name of the staff member.",
        ceds="000172",
        edfi="staff.lastSurname",
        oneroster="user.familyName",
    )
    work_email: str | None = guarded(
        scopes.STAFF_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        STAFF_LOW,
        "The work e-mail address of the staff member.",
        ceds="000088",
        edfi="staff.electronicMails.electronicMailAddress",
        oneroster="user.email",
    )
    classification: str | None = guarded(
        scopes.STAFF_DIRECTORY,
        ndpa.NOT_STUDENT_DATA,
        STAFF_LOW,
        "The role of the staff member, such as teacher.",
        ceds="000087",
        edfi="staffEducationOrganizationAssignmentAssociation.staffClassificationDescriptor",
        oneroster="role.role",
    )
    birth_date: Date | None = guarded(
        scopes.STAFF_SENSITIVE,
        ndpa.NOT_STUDENT_DATA,
        STAFF_SENSITIVE,
        "The staff member's date of birth.",
        ceds="000033",
        edfi="staff.birthDate",
    )


@strawberry.federation.type(keys=["sourceKey"], description="The assignment of a staff member to a section.")
class StaffSectionAssociation(Node):
    """The assignment of a staff member to a section."""

    source_key: str = own_key()
    classroom_position: str | None = guarded(
        scopes.SECTION_SCHEDULE,
        ndpa.SCHEDULE,
        STAFF_LOW,
        "The position in the classroom, such as teacher of record.",
        ceds="000622",
        edfi="staffSectionAssociation.classroomPositionDescriptor",
        oneroster="enrollment.primary",
    )
    begin_date: Date | None = guarded(
        scopes.SECTION_SCHEDULE,
        ndpa.SCHEDULE,
        STAFF_LOW,
        "The first day of the assignment.",
        ceds="000645",
        edfi="staffSectionAssociation.beginDate",
        oneroster="enrollment.beginDate",
    )
    end_date: Date | None = guarded(
        scopes.SECTION_SCHEDULE,
        ndpa.SCHEDULE,
        STAFF_LOW,
        "The last day of the assignment.",
        ceds="000646",
        edfi="staffSectionAssociation.endDate",
        oneroster="enrollment.endDate",
    )
    staff: Annotated["Staff", SELF] | None = guarded(
        scopes.STAFF_DIRECTORY, ndpa.SCHEDULE, STAFF_LOW, "The staff member who is assigned."
    )
    section: Annotated["Section", SELF] | None = guarded(
        scopes.SECTION_SCHEDULE, ndpa.SCHEDULE, LOW, "The section that the staff member is assigned to."
    )
