"""How many records of each type a district holds, once it is written down in one form or the other."""

from app.importers.sandbox.daily import absences, incidents, participations, standings, works
from app.importers.sandbox.district import District
from app.importers.sandbox.profile import Form


def counts(district: District, form: Form | None = None) -> dict[str, int]:
    """By type. OneRoster has no attendance, programs, discipline or transcripts, so its files hold none."""
    found = {
        "District": 1,
        "School": len(district.profile.schools),
        "Course": len(district.courses),
        "Section": len(district.sections),
        "Staff": len(district.staff),
        "StaffSectionAssociation": sum(len(section.teachers) for section in district.sections),
        "Student": len(district.students),
        "SchoolEnrollment": len(district.placements),
        "SectionEnrollment": sum(len(section.roster) for section in district.sections),
        "Grade": sum(1 for _ in district.marks()),
        "Contact": sum(len(student.parents) for student in district.students),
        "StudentGradebookEntry": sum(len(work.points) for work in works(district)),
        "AttendanceEvent": 0,
        "ProgramParticipation": 0,
        "DisciplineIncident": 0,
        "DisciplineAction": 0,
        "AcademicRecord": 0,
    }
    if (form or district.profile.form) == "edfi":
        happened = list(incidents(district))
        found |= {
            "AttendanceEvent": sum(1 for _ in absences(district)),
            "ProgramParticipation": sum(1 for _ in participations(district)),
            "DisciplineIncident": len(happened),
            "DisciplineAction": sum(len(incident.actions) for incident in happened),
            "AcademicRecord": sum(1 for _ in standings(district)),
        }
    return found
