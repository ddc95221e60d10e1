"""Read an Ed-Fi district: its interchange files, in the order in which they need each other."""

from collections.abc import Callable

from app.importers.edfi import enrollment, organisation, people
from app.importers.edfi.context import Context
from app.importers.edfi.xml import Element, records, root_name
from app.importers.sink import Sink
from app.importers.source import RosterError, Source

Reader = Callable[[Context, str, Element], None]

INTERCHANGES: dict[str, dict[str, Reader]] = {
    "InterchangeEducationOrganization": {
        "LocalEducationAgency": organisation.district,
        "School": organisation.school,
        "ClassPeriod": organisation.place,
        "Location": organisation.place,
        "Course": organisation.course,
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
    "InterchangeStudentParent": {"Student": people.student},
    "InterchangeStudentEnrollment": {
        "StudentSchoolAssociation": enrollment.student_school,
        "StudentSectionAssociation": enrollment.student_section,
    },
    "InterchangeStudentGrade": {"Grade": enrollment.grade},
}
"""The interchanges that hold a roster, parents before children, and who reads their records."""


async def read_edfi(source: Source, sink: Sink) -> None:
    """Read every interchange that holds a roster; the other files are left alone.

    Raises: HomeroomError when a file is no XML, or when none of them holds a roster.
    """
    files = [file for file in source.files if file.name.lower().endswith(".xml")]
    roots = {file.path: root_name(source, file) for file in files}
    files = [file for file in files if roots[file.path] in INTERCHANGES]
    if not files:
        raise RosterError("No file of the source is an Ed-Fi interchange of a roster. Send the district's XML files.")
    order = list(INTERCHANGES)
    files.sort(key=lambda file: (order.index(roots[file.path]), file.path))
    source.expect(files)
    context = Context(sink)
    for file in files:
        readers = INTERCHANGES[roots[file.path]]
        for element in records(source, file, lambda _: True):
            read = readers.get(element.name)
            if read is not None:
                read(context, file.name, element)
                if sink.full:
                    await sink.flush()
    organisation.settle_grading_periods(context)
    people.settle_staff(context)
