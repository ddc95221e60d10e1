"""The students, field by field as the data dictionary names them."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from app.schema import ndpa, scopes
from app.schema.facts import Sensitivity
from app.schema.guard import guarded, own_key
from app.schema.scalars import Date
from app.schema.types.indicators import SpecialIndicators

if TYPE_CHECKING:
    from app.schema.types.contacts import Contact
    from app.schema.types.enrollments import Grade, SchoolEnrollment, SectionEnrollment
    from app.schema.types.records import AcademicRecord, AttendanceEvent, DisciplineAction, ProgramParticipation

DIRECTORY = Sensitivity.DIRECTORY
PII = Sensitivity.PII
RESTRICTED = Sensitivity.RESTRICTED
SENSITIVE = Sensitivity.SENSITIVE

CONTACTS = strawberry.lazy("app.schema.types.contacts")
ENROLLMENTS = strawberry.lazy("app.schema.types.enrollments")
RECORDS = strawberry.lazy("app.schema.types.records")


@strawberry.federation.type(keys=["sourceKey"], description="A person enrolled in the district (Ed-Fi `Student`).")
class Student(SpecialIndicators):
    """A person enrolled in the district (Ed-Fi `Student`)."""

    source_key: str = own_key()
    student_unique_id: strawberry.ID | None = guarded(
        scopes.STUDENT_IDENTIFIERS,
        ndpa.STUDENT_IDENTIFIERS,
        PII,
        "The state's number of the student.",
        ceds="001071",
        edfi="student.studentUniqueId",
        oneroster="user.identifier",
    )
    local_id: strawberry.ID | None = guarded(
        scopes.STUDENT_IDENTIFIERS,
        ndpa.STUDENT_IDENTIFIERS,
        PII,
        "The district's number of the student.",
        ceds="001071",
        edfi="studentEducationOrganizationAssociation.studentIdentificationCodes.identificationCode",
        oneroster="user.userIds",
    )
    identification_system: str | None = guarded(
        scopes.STUDENT_IDENTIFIERS,
        ndpa.STUDENT_IDENTIFIERS,
        PII,
        "The system that the local number belongs to.",
        ceds="001075",
        edfi="studentEducationOrganizationAssociation.studentIdentificationCodes.studentIdentificationSystemDescriptor",
        oneroster="user.userIds",
    )
    ssn: str | None = guarded(
        scopes.STUDENT_SSN,
        ndpa.STUDENT_IDENTIFIERS,
        RESTRICTED,
        "The social security number, where the district stores it at all.",
        ceds="001071",
        edfi="studentEducationOrganizationAssociation.studentIdentificationCodes.identificationCode",
        filters=False,
    )
    login_id: str | None = guarded(
        scopes.STUDENT_IDENTIFIERS,
        ndpa.STUDENT_IDENTIFIERS,
        PII,
        "The name under which the student logs in to applications.",
        ceds="001170",
        edfi="studentEducationOrganizationAssociation.loginId",
        oneroster="user.username",
    )
    first_name: str | None = guarded(
        scopes.STUDENT_NAME,
        ndpa.STUDENT_NAME,
        DIRECTORY,
        "The given name of the student.",
        ceds="000115",
        edfi="student.firstName",
        oneroster="user.givenName",
    )
    middle_name: str | None = guarded(
        scopes.STUDENT_NAME,
        ndpa.STUDENT_NAME,
        DIRECTORY,
        "The middle name of the student.",
        ceds="000184",
        edfi="student.middleName",
        oneroster="user.middleName",
    )
    last_surname: str | None = guarded(
        scopes.STUDENT_NAME,
        ndpa.STUDENT_NAME,
        DIRECTORY,
        "The family name of the student.",
        ceds="000172",
        edfi="student.lastSurname",
        oneroster="user.familyName",
    )
    preferred_first_name: str | None = guarded(
        scopes.STUDENT_NAME,
        ndpa.STUDENT_NAME,
        PII,
        "The given name that the student goes by.",
        edfi="student.preferredFirstName",
        oneroster="user.preferredGivenName",
    )
    birth_date: Date | None = guarded(
        scopes.STUDENT_DEMOGRAPHICS,
        ndpa.DEMOGRAPHICS,
        DIRECTORY,
        "The student's date of birth.",
        ceds="000033",
        edfi="student.birthDate",
        oneroster="demographic.birthDate",
    )
    birth_year: int | None = guarded(
        scopes.STUDENT_DEMOGRAPHICS,
        ndpa.DEMOGRAPHICS,
        DIRECTORY,
        "The year of the student's birth, for those who need no more.",
        ceds="000033",
    )
    sex: str | None = guarded(
        scopes.STUDENT_DEMOGRAPHICS,
        ndpa.DEMOGRAPHICS,
        PII,
        "The student's sex, as the district records it.",
        ceds="000255",
        edfi="studentEducationOrganizationAssociation.sexDescriptor",
        oneroster="demographic.sex",
    )
    gender_identity: str | None = guarded(
        scopes.STUDENT_DEMOGRAPHICS,
        ndpa.DEMOGRAPHICS,
        SENSITIVE,
        "The student's gender identity, as the district records it.",
        edfi="studentEducationOrganizationAssociation.genderIdentity",
    )
    hispanic_latino_ethnicity: bool | None = guarded(
        scopes.STUDENT_DEMOGRAPHICS,
        ndpa.DEMOGRAPHICS,
        SENSITIVE,
        "Whether the student is Hispanic or Latino.",
        ceds="000144",
        edfi="studentEducationOrganizationAssociation.hispanicLatinoEthnicity",
        oneroster="demographic.hispanicOrLatinoEthnicity",
    )
    races: list[str] | None = guarded(
        scopes.STUDENT_DEMOGRAPHICS,
        ndpa.DEMOGRAPHICS,
        SENSITIVE,
        "The races that the student or family named.",
        ceds="001943",
        edfi="studentEducationOrganizationAssociation.races.raceDescriptor",
        oneroster="demographic.asian",
    )
    home_language: str | None = guarded(
        scopes.STUDENT_DEMOGRAPHICS,
        ndpa.DEMOGRAPHICS,
        SENSITIVE,
        "The language that is spoken at home (ISO 639-2).",
        ceds="000317",
        edfi="studentEducationOrganizationAssociation.languages.languageDescriptor",
    )
    email: str | None = guarded(
        scopes.STUDENT_CONTACT,
        ndpa.STUDENT_CONTACT_INFORMATION,
        DIRECTORY,
        "The student's e-mail address.",
        ceds="000088",
        edfi="studentEducationOrganizationAssociation.electronicMails.electronicMailAddress",
        oneroster="user.email",
    )
    telephone: str | None = guarded(
        scopes.STUDENT_CONTACT,
        ndpa.STUDENT_CONTACT_INFORMATION,
        DIRECTORY,
        "The student's telephone number.",
        ceds="000279",
        edfi="studentEducationOrganizationAssociation.telephones.telephoneNumber",
        oneroster="user.phone",
    )
    address_street: str | None = guarded(
        scopes.STUDENT_CONTACT,
        ndpa.STUDENT_CONTACT_INFORMATION,
        DIRECTORY,
        "The street and number of the student's address.",
        ceds="000269",
        edfi="studentEducationOrganizationAssociation.addresses.streetNumberName",
    )
    address_city: str | None = guarded(
        scopes.STUDENT_CONTACT,
        ndpa.STUDENT_CONTACT_INFORMATION,
        DIRECTORY,
        "The city of the student's address.",
        ceds="000040",
        edfi="studentEducationOrganizationAssociation.addresses.city",
    )
    address_postal_code: str | None = guarded(
        scopes.STUDENT_CONTACT,
        ndpa.STUDENT_CONTACT_INFORMATION,
        DIRECTORY,
        "The postal code of the student's address.",
        ceds="000214",
        edfi="studentEducationOrganizationAssociation.addresses.postalCode",
    )
    photo_url: str | None = guarded(
        scopes.STUDENT_NAME,
        ndpa.STUDENT_IDENTIFIERS,
        DIRECTORY,
        "Where the student's photograph lies.",
        edfi="studentEducationOrganizationAssociation.profileThumbnail",
    )
    school_enrollments: list[Annotated["SchoolEnrollment", ENROLLMENTS]] | None = guarded(
        scopes.ENROLLMENT_SCHOOL, ndpa.ENROLLMENT, DIRECTORY, "The enrollments of the student in schools."
    )
    section_enrollments: list[Annotated["SectionEnrollment", ENROLLMENTS]] | None = guarded(
        scopes.ENROLLMENT_SECTION, ndpa.SCHEDULE, PII, "The enrollments of the student in sections."
    )
    grades: list[Annotated["Grade", ENROLLMENTS]] | None = guarded(
        scopes.GRADE_MARKS, ndpa.TRANSCRIPT, PII, "The marks that the student earned."
    )
    contacts: list[Annotated["Contact", CONTACTS]] | None = guarded(
        scopes.CONTACT_NAME, ndpa.PARENT_NAME, PII, "The parents, guardians and other contacts of the student."
    )
    attendance_events: list[Annotated["AttendanceEvent", RECORDS]] | None = guarded(
        scopes.ATTENDANCE_EVENTS, ndpa.ATTENDANCE, PII, "The absences and other attendance events of the student."
    )
    program_participations: list[Annotated["ProgramParticipation", RECORDS]] | None = guarded(
        scopes.PROGRAM_PARTICIPATION,
        ndpa.STUDENT_PROGRAM_MEMBERSHIP,
        SENSITIVE,
        "The programs that the student takes part in.",
    )
    discipline_actions: list[Annotated["DisciplineAction", RECORDS]] | None = guarded(
        scopes.DISCIPLINE_RECORDS, ndpa.CONDUCT, RESTRICTED, "The discipline that the student received."
    )
    academic_records: list[Annotated["AcademicRecord", RECORDS]] | None = guarded(
        scopes.GRADE_TRANSCRIPT, ndpa.TRANSCRIPT, PII, "The averages and credits of the student's transcript."
    )
