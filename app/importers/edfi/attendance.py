"""Days and classes that students missed, and the programs that they take part in."""

from app.importers.edfi.context import Context, cell, described
from app.importers.edfi.xml import Element
from app.importers.values import CellError, iso_date, joined, key, text
from app.spaces.staging import Part

ATTENDANCE_EVENT = Part(
    "attendance_event",
    "AttendanceEvent",
    ("event_date", "status", "reason"),
    {"student": "StudentReference", "school": "SchoolReference", "section": "SectionReference"},
    key="StudentReference",
    whole=True,
)
PROGRAM_PARTICIPATION = Part(
    "program_participation",
    "ProgramParticipation",
    ("program_type", "begin_date", "end_date"),
    {"student": "StudentReference", "school": "EducationOrganizationReference"},
    key="ProgramReference",
    whole=True,
)


def attendance_event(context: Context, file: str, element: Element) -> None:
    """An `AttendanceEvent`: of a class, where it names a section, else of a day."""

    def section(one: Element) -> str | None:
        found = context.section(one)
        if found is None and one.find("SectionReference") is not None:
            raise CellError("It names a section that is not in this import.", "SectionReference")
        return found

    def identity(one: Element) -> str | None:
        return joined(
            context.student(one),
            cell(one, text, "EventDate"),
            context.place(one, "SchoolReference") or "",
            section(one) or "",
            cell(one, text, "AttendanceEventType") or "",
            described(one, "AttendanceEventCategory") or "",
        )

    def values(one: Element, _: str) -> dict[str, object]:
        return {
            "event_date": cell(one, iso_date, "EventDate"),
            "status": described(one, "AttendanceEventCategory"),
            "reason": cell(one, text, "AttendanceEventReason"),
            "student": context.student(one),
            "school": context.place(one, "SchoolReference"),
            "section": section(one),
        }

    context.take(ATTENDANCE_EVENT, file, element, identity, values)


def student_program(context: Context, file: str, element: Element) -> None:
    """A `StudentProgramAssociation`, of special education, of career education, or any other."""

    def kind(one: Element) -> str | None:
        reference = one.find("ProgramReference")
        if reference is None:
            return None
        return context.programs.get(reference.attributes.get("ref", "")) or cell(
            reference, text, "ProgramIdentity", "ProgramType"
        )

    def identity(one: Element) -> str | None:
        return joined(
            context.student(one),
            kind(one) or "",
            cell(one, key, "ProgramReference", "ProgramIdentity", "ProgramId") or "",
            context.place(one, "EducationOrganizationReference") or "",
            cell(one, text, "BeginDate") or "",
        )

    def values(one: Element, _: str) -> dict[str, object]:
        program = kind(one)
        if program is None:
            raise CellError("The record does not say which kind of program it is.", "ProgramReference")
        return {
            "program_type": program,
            "begin_date": cell(one, iso_date, "BeginDate"),
            "end_date": cell(one, iso_date, "EndDate"),
            "student": context.student(one),
            "school": context.school(one, "EducationOrganizationReference"),
        }

    context.take(PROGRAM_PARTICIPATION, file, element, identity, values)
