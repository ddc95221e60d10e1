"""Read an Ed-Fi district: its interchange files, in the order in which they need each other."""

from collections.abc import Callable, Collection

from app.importers.edfi import attendance, contacts, discipline, enrollment, organisation, people, transcripts
from app.importers.edfi.context import Context
from app.importers.edfi.left_out import why_left_out
from app.importers.edfi.xml import Element, XmlError, records, root_name
from app.importers.sink import Sink
from app.importers.source import File, RosterError, Source, shown
from app.importers.values import CellError

Reader = Callable[[Context, str, Element], None]

INTERCHANGES: dict[str, dict[str, Reader]] = {
    "InterchangeEducationOrganization": {
        "LocalEducationAgency": organisation.district,
        "School": organisation.school,
        "ClassPeriod": organisation.place,
        "Location": organisation.place,
        "Course": organisation.course,
        "Program": organisation.program,
    },
    "InterchangeEducationOrgCalendar": {
        "Session": organisation.session,
        "GradingPeriod": organisation.grading_period,
    },
    "InterchangeMasterSchedule": {
        "CourseOffering": organisation.course_offering,
        "Section": organisation.section,
    },
    "InterchangeStaffAssociation": {
        "Staff": people.staff,
        "Teacher": people.staff,
        "StaffEducationOrgAssignmentAssociation": people.staff_assignment,
        "TeacherSectionAssociation": people.teacher_section,
        "StaffSectionAssociation": people.teacher_section,
    },
    "InterchangeStudentParent": {
        "Student": people.student,
        "Parent": contacts.parent,
        "StudentParentAssociation": contacts.student_parent,
    },
    "InterchangeStudentEnrollment": {
        "StudentSchoolAssociation": enrollment.student_school,
        "StudentSectionAssociation": enrollment.student_section,
    },
    "InterchangeStudentGrade": {
        "Grade": enrollment.grade,
        "StudentAcademicRecord": transcripts.academic_record,
        "GradebookEntry": transcripts.gradebook_entry,
        "StudentGradebookEntry": transcripts.student_gradebook_entry,
    },
    "InterchangeStudentAttendance": {"AttendanceEvent": attendance.attendance_event},
    "InterchangeStudentProgram": {
        "StudentProgramAssociation": attendance.student_program,
        "StudentCTEProgramAssociation": attendance.student_program,
        "StudentSpecialEdProgramAssociation": attendance.student_program,
        "StudentTitleIPartAProgramAssociation": attendance.student_program,
    },
    "InterchangeStudentDiscipline": {
        "DisciplineIncident": discipline.incident,
        "DisciplineAction": discipline.action,
    },
}
"""The interchanges that the graph has records of, parents before children, and who reads their records."""

LENDING = {
    "ClassPeriod",
    "Location",
    "CourseOffering",
    "GradebookEntry",
    "Parent",
    "Program",
    "StaffEducationOrgAssignmentAssociation",
}
"""Elements that have no record of their own: what they say goes into others."""

MAX_KINDS = 200
"""Kinds of elements of one file that the report tells apart."""


async def read_edfi(source: Source, sink: Sink) -> None:
    """Read every interchange, and account for all that is in them.

    Raises: HomeroomError when a file is no XML, or when none of them has anything that the graph has.
    """
    files = [file for file in source.files if file.name.lower().endswith(".xml")]
    roots = {id(file): root_name(source, file) for file in files}
    if not any(root in INTERCHANGES for root in roots.values()):
        raise RosterError("No file of the source is an Ed-Fi interchange of a roster. Send the district's XML files.")
    order = {root: place for place, root in enumerate(INTERCHANGES)}
    files.sort(key=lambda file: (order.get(roots[id(file)], len(order)), file.inside or "", file.path))
    source.expect(files)
    for name in [*source.others, *(file.name for file in source.files if file not in files)]:
        sink.report.note(name, 0, None, "This is no XML file; it was not read.")
    context = Context(sink)
    if "InterchangeEducationOrganization" not in roots.values():
        context.districts |= await sink.store.keys("District")
    for file in files:
        await _read(context, source, file, roots[id(file)])
    organisation.settle_grading_periods(context)
    people.settle_staff(context)
    contacts.settle_contacts(context)


async def _read(context: Context, source: Source, file: File, root: str) -> None:
    """Read one file. One that holds nothing for the graph may be broken without costing the others anything."""
    report = context.sink.report
    readers = INTERCHANGES.get(root, {})
    seen: set[str] = set()

    def wanted(_: str) -> Collection[str]:
        return readers

    def meet(kind: str) -> None:
        if kind in readers:
            report.meet(file.name, kind, lends=kind in LENDING)
            return
        told = shown(kind) if kind in seen or len(seen) < MAX_KINDS else "(elements of other names)"
        seen.add(told)
        report.meet(file.name, told)
        report.leave_out(file.name, told, why_left_out(root, kind))

    try:
        for element in records(source, file, wanted, meet):
            try:
                readers[element.name](context, file.name, element)
            except CellError as bad:
                context.leave_out(file.name, element, bad)
            if context.sink.full:
                await context.sink.flush()
    except XmlError:
        if readers:
            raise
        report.note(file.name, 0, None, "This XML cannot be read to its end. The graph has nothing of such files.")
