"""Which records go with which: what a row must name to be taken, and what it takes with it when it goes."""

REQUIRED = {
    "Section": ("school",),
    "StaffSectionAssociation": ("staff", "section"),
    "SchoolEnrollment": ("student", "school"),
    "SectionEnrollment": ("student", "section"),
    "Grade": ("student", "section"),
    "Contact": ("student",),
    "AttendanceEvent": ("student",),
    "ProgramParticipation": ("student",),
    "DisciplineAction": ("student",),
    "AcademicRecord": ("student",),
    "StudentGradebookEntry": ("student", "section"),
}
"""The parents that a record cannot be without: a row that lacks one is rejected, a record that loses one goes."""

BINDING = {
    "AttendanceEvent": ("school", "section"),
    "ProgramParticipation": ("school",),
    "DisciplineIncident": ("school",),
    "DisciplineAction": ("school", "discipline_incident"),
    "AcademicRecord": ("school", "session"),
}
"""The parents that a record may be without, but not lose: the rows of a grant go by them.

INVARIANT: a row that names one that is not there is rejected, and a record that loses one goes. Without its school
it would pass for the whole district's, and be disclosed to more.
"""


def holding(type_: str) -> tuple[str, ...]:
    """The parents with which a record of a type goes."""
    return (*REQUIRED.get(type_, ()), *BINDING.get(type_, ()))
