"""How Ed-Fi XML refers to what stands in another file: by natural identities."""

from app.importers.sandbox.people import Student, Teacher
from app.importers.sandbox.records import Section


def org(key: str) -> str:
    """An organisation, by its key."""
    return f"<EducationalOrgIdentity><StateOrganizationId>{key}</StateOrganizationId></EducationalOrgIdentity>"


def student_identity(student: Student) -> str:
    """A student, by their key."""
    return f"<StudentIdentity><StudentUniqueStateId>{student.key}</StudentUniqueStateId></StudentIdentity>"


def staff_identity(member: Teacher) -> str:
    """A member of staff, by their key."""
    return f"<StaffIdentity><StaffUniqueStateId>{member.key}</StaffUniqueStateId></StaffIdentity>"


def section_identity(section: Section) -> str:
    """A section, by the six parts that name it."""
    course = section.course
    return (
        f"<SectionIdentity><StateOrganizationId>{course.school.key}</StateOrganizationId>"
        f"<LocalCourseCode>{course.code}</LocalCourseCode><SchoolYear>{span(section.term.year)}</SchoolYear>"
        f"<Term>{section.term.name}</Term><ClassPeriodName>{class_period(section)}</ClassPeriodName>"
        f"<Location>{section.room}</Location></SectionIdentity>"
    )


def class_period(section: Section) -> str:
    """The class period of a section, as it is named."""
    return f"{section.period:02d} - Traditional"


def span(year: int) -> str:
    """A school year as Ed-Fi writes it: 2026-2027."""
    return f"{year - 1}-{year}"


def truth(value: bool) -> str:
    """true or false."""
    return "true" if value else "false"
