"""Who is enrolled where, and the grades that they earned there."""

from app.importers.edfi.context import Context, cell
from app.importers.edfi.xml import Element
from app.importers.values import CellError, grade_level, iso_date, joined, number, school_year, text, truth
from app.spaces.staging import Part

SCHOOL_ENROLLMENT = Part(
    "school_enrollment",
    "SchoolEnrollment",
    ("entry_date", "exit_date", "exit_type", "grade_level", "enrollment_status", "graduation_cohort_year"),
    {"student": "StudentReference", "school": "SchoolReference"},
    key="StudentReference",
    whole=True,
)
SECTION_ENROLLMENT = Part(
    "section_enrollment",
    "SectionEnrollment",
    ("begin_date", "end_date", "homeroom"),
    {"student": "StudentReference", "section": "SectionReference"},
    key="SectionReference",
    whole=True,
)
GRADE = Part(
    "grade",
    "Grade",
    ("letter_grade_earned", "numeric_grade_earned", "grade_type", "narrative"),
    {
        "student": "StudentSectionAssociationReference",
        "section": "StudentSectionAssociationReference",
        "grading_period": "GradingPeriodReference",
    },
    key="StudentSectionAssociationReference",
    whole=True,
)


def student_school(context: Context, file: str, element: Element) -> None:
    """A `StudentSchoolAssociation`."""

    def identity(one: Element) -> str | None:
        school = context.organisation(one, "SchoolReference")
        return joined(context.student(one), school, cell(one, text, "EntryDate") or "")

    def values(one: Element, _: str) -> dict[str, object]:
        return {
            "entry_date": cell(one, iso_date, "EntryDate"),
            "exit_date": cell(one, iso_date, "ExitWithdrawDate"),
            "exit_type": cell(one, text, "ExitWithdrawType"),
            "grade_level": cell(one, grade_level, "EntryGradeLevel"),
            "enrollment_status": cell(one, text, "EntryType"),
            "graduation_cohort_year": cell(one, school_year, "ClassOf"),
            "student": context.student(one),
            "school": context.organisation(one, "SchoolReference"),
        }

    context.take(SCHOOL_ENROLLMENT, file, element, identity, values)


def student_section(context: Context, file: str, element: Element) -> None:
    """A `StudentSectionAssociation`."""

    def identity(one: Element) -> str | None:
        found = joined(context.student(one), context.section(one), cell(one, text, "BeginDate") or "")
        if name := one.attributes.get("id"):
            context.ids[f"{name} student"] = context.student(one) or ""
            context.ids[f"{name} section"] = context.section(one) or ""
        return found

    def values(one: Element, _: str) -> dict[str, object]:
        return {
            "begin_date": cell(one, iso_date, "BeginDate"),
            "end_date": cell(one, iso_date, "EndDate"),
            "homeroom": cell(one, truth, "HomeroomIndicator"),
            "student": context.student(one),
            "section": context.section(one),
        }

    context.take(SECTION_ENROLLMENT, file, element, identity, values)


def grade(context: Context, file: str, element: Element) -> None:
    """A `Grade`: of a student in a section, for a grading period."""

    def period(one: Element) -> str | None:
        identity = one.find("GradingPeriodReference", "GradingPeriodIdentity")
        if identity is None:
            return None
        return joined(
            cell(identity, text, "StateOrganizationId"),
            cell(identity, text, "SchoolYear"),
            cell(identity, text, "GradingPeriod"),
        )

    def identity(one: Element) -> str | None:
        return joined(*context.attended(one), period(one) or "", cell(one, text, "GradeType") or "")

    def values(one: Element, _: str) -> dict[str, object]:
        student, section = context.attended(one)
        letter, numeric = cell(one, text, "LetterGradeEarned"), cell(one, number, "NumericGradeEarned")
        if letter is None and numeric is None:
            raise CellError("The grade has neither a letter nor a number.", "NumericGradeEarned")
        return {
            "letter_grade_earned": letter,
            "numeric_grade_earned": numeric,
            "grade_type": cell(one, text, "GradeType"),
            "narrative": cell(one, text, "DiagnosticStatement"),
            "student": student,
            "section": section,
            "grading_period": period(one),
        }

    context.take(GRADE, file, element, identity, values)
