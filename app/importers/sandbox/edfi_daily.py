"""Write what is known of students day by day as Ed-Fi 1.0 XML, element by element."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from app.importers.sandbox.daily import absences, incidents, participations, standings, works
from app.importers.sandbox.district import District
from app.importers.sandbox.people import Parent, Student
from app.importers.sandbox.references import org, section_identity, span, student_identity, truth


def parents(district: District) -> Iterator[str]:
    """Every parent once, then whose they are."""
    everyone = {parent.key: parent for student in district.students for parent in student.parents}
    for parent in everyone.values():
        yield _parent(parent)
    for student in district.students:
        for place, parent in enumerate(student.parents):
            restriction = ""
            if parent.restriction:
                restriction = f"<ContactRestrictions>{escape(parent.restriction)}</ContactRestrictions>"
            yield (
                f'<StudentParentAssociation><StudentReference ref="STUD_{student.key}"/>'
                f'<ParentReference ref="PRNT_{parent.key}"/><Relation>{parent.relation}</Relation>'
                f"<PrimaryContactStatus>{truth(place == 0)}</PrimaryContactStatus>"
                f"<LivesWith>{truth(parent.at_home)}</LivesWith>{restriction}</StudentParentAssociation>\n"
            )


def _parent(parent: Parent) -> str:
    return (
        f'<Parent id="PRNT_{parent.key}"><ParentUniqueStateId>{parent.key}</ParentUniqueStateId><Name>'
        f"<FirstName>{escape(parent.first)}</FirstName><LastSurname>{escape(parent.last)}</LastSurname></Name>"
        '<Telephone TelephoneNumberType="Mobile" PrimaryTelephoneNumberIndicator="true">'
        f"<TelephoneNumber>{parent.telephone}</TelephoneNumber></Telephone>"
        f'<ElectronicMail EmailAddressType="Home/Personal"><EmailAddress>{parent.email}</EmailAddress></ElectronicMail>'
        "</Parent>\n"
    )


def attendance(district: District) -> Iterator[str]:
    """Days that students missed, and classes that they came late to."""
    for absence in absences(district):
        if absence.section is None:
            kind, where = "Daily Attendance", f"<SchoolReference>{org(absence.placement.school.key)}</SchoolReference>"
        else:
            kind = "Section Attendance"
            where = f"<SectionReference>{section_identity(absence.section)}</SectionReference>"
        yield (
            f"<AttendanceEvent><EventDate>{absence.day}</EventDate><AttendanceEventType>{kind}</AttendanceEventType>"
            f"<AttendanceEventCategory>{absence.status}</AttendanceEventCategory>"
            f"<AttendanceEventReason>{absence.reason}</AttendanceEventReason>"
            f"{_student(absence.placement.student)}{where}</AttendanceEvent>\n"
        )


def programs(district: District) -> Iterator[str]:
    """Who takes part in which program."""
    profile = district.profile
    for one in participations(district):
        end = f"<EndDate>{one.end}</EndDate>" if one.end else ""
        home = one.school.key if one.school else profile.key
        yield (
            f"<StudentProgramAssociation>{_student(one.student)}<ProgramReference><ProgramIdentity>"
            f"<ProgramType>{escape(one.program)}</ProgramType><StateOrganizationId>{profile.key}</StateOrganizationId>"
            f"</ProgramIdentity></ProgramReference><BeginDate>{one.begin}</BeginDate>{end}"
            f"<EducationOrganizationReference>{org(home)}</EducationOrganizationReference></StudentProgramAssociation>\n"
        )


def discipline(district: District) -> Iterator[str]:
    """What happened, then who was disciplined for it."""
    happened = list(incidents(district))
    for incident in happened:
        yield (
            f"<DisciplineIncident><IncidentIdentifier>{incident.number}</IncidentIdentifier>"
            f"<IncidentDate>{incident.day}</IncidentDate><Behaviors><Description>{incident.behavior}</Description>"
            f"</Behaviors><SchoolReference>{org(incident.school.key)}</SchoolReference></DisciplineIncident>\n"
        )
    for incident in happened:
        for action in incident.actions:
            yield (
                f"<DisciplineAction><DisciplineActionIdentifier>{action.key}</DisciplineActionIdentifier><Disciplines>"
                f"<Description>{action.taken}</Description></Disciplines><DisciplineDate>{action.day}</DisciplineDate>"
                f"{_student(action.student)}<DisciplineIncidentReference><DisciplineIncidentIdentity>"
                f"<IncidentIdentifier>{incident.number}</IncidentIdentifier>"
                f"<StateOrganizationId>{incident.school.key}</StateOrganizationId></DisciplineIncidentIdentity>"
                "</DisciplineIncidentReference><ResponsibilitySchoolReference>"
                f"{org(incident.school.key)}</ResponsibilitySchoolReference></DisciplineAction>\n"
            )


def transcripts(district: District) -> Iterator[str]:
    """How students stood at the end of a semester."""
    for one in standings(district):
        yield (
            f"<StudentAcademicRecord><CumulativeCreditsEarned><Credit>{one.credits}</Credit></CumulativeCreditsEarned>"
            f"<CumulativeGradePointAverage>{one.average}</CumulativeGradePointAverage>{_student(one.student)}"
            f"<SessionReference><SessionIdentity><StateOrganizationId>{one.school.key}</StateOrganizationId>"
            f"<SchoolYear>{span(one.term.year)}</SchoolYear><Term>{one.term.name}</Term></SessionIdentity>"
            "</SessionReference></StudentAcademicRecord>\n"
        )


def gradebook(district: District) -> Iterator[str]:
    """What students earned for single pieces of work."""
    for work in works(district):
        section = section_identity(work.section)
        for student, points in work.points:
            yield (
                f"<StudentGradebookEntry><DateFulfilled>{work.day}</DateFulfilled>"
                f"<NumericGradeEarned>{points}</NumericGradeEarned><StudentSectionAssociationReference>"
                f"<StudentSectionAssociationIdentity>{student_identity(student)}{section}"
                "</StudentSectionAssociationIdentity></StudentSectionAssociationReference><GradebookEntryReference>"
                f"<GradebookEntryIdentity><GradebookEntryType>{work.kind}</GradebookEntryType>"
                f"<DateAssigned>{work.period.begin}</DateAssigned></GradebookEntryIdentity></GradebookEntryReference>"
                "</StudentGradebookEntry>\n"
            )


def _student(student: Student) -> str:
    return f"<StudentReference>{student_identity(student)}</StudentReference>"
