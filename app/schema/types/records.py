"""What a school writes down about a student day by day: attendance, work, programs, discipline, the transcript."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from app.schema import ndpa, scopes
from app.schema.facts import Sensitivity
from app.schema.guard import guarded, own_key
from app.schema.scalars import Date
from app.schema.types.node import Node

if TYPE_CHECKING:
    from app.schema.types.organisations import School, Session
    from app.schema.types.students import Student
    from app.schema.types.teaching import Section

PII = Sensitivity.PII
RESTRICTED = Sensitivity.RESTRICTED
SENSITIVE = Sensitivity.SENSITIVE

SELF = strawberry.lazy("app.schema.types.records")
ORGANISATIONS = strawberry.lazy("app.schema.types.organisations")
STUDENTS = strawberry.lazy("app.schema.types.students")
TEACHING = strawberry.lazy("app.schema.types.teaching")


@strawberry.federation.type(keys=["sourceKey"], description="A day or class that a student missed, or came late to.")
class AttendanceEvent(Node):
    """A day or class that a student missed, or came late to."""

    source_key: str = own_key()
    event_date: Date | None = guarded(
        scopes.ATTENDANCE_EVENTS,
        ndpa.ATTENDANCE,
        PII,
        "The day.",
        ceds="001649",
        edfi="studentSchoolAttendanceEvent.eventDate",
    )
    status: str | None = guarded(
        scopes.ATTENDANCE_EVENTS,
        ndpa.ATTENDANCE,
        PII,
        "Whether the student was present, absent or late, as the district says it.",
        ceds="000076",
        edfi="studentSchoolAttendanceEvent.attendanceEventCategoryDescriptor",
    )
    reason: str | None = guarded(
        scopes.ATTENDANCE_EVENTS,
        ndpa.ATTENDANCE,
        SENSITIVE,
        "Why, in the district's words or in free text.",
        ceds="000599",
        edfi="studentSchoolAttendanceEvent.attendanceEventReason",
    )
    student: Annotated["Student", STUDENTS] | None = guarded(
        scopes.ATTENDANCE_EVENTS, ndpa.ATTENDANCE, PII, "The student whom it concerns."
    )
    school: Annotated["School", ORGANISATIONS] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.ATTENDANCE, PII, "The school, where the event names one."
    )
    section: Annotated["Section", TEACHING] | None = guarded(
        scopes.SECTION_SCHEDULE, ndpa.ATTENDANCE, PII, "The section, where the event is of a single class."
    )


@strawberry.federation.type(keys=["sourceKey"], description="A student's part in a program, from one day to another.")
class ProgramParticipation(Node):
    """A student's part in a program, from one day to another."""

    source_key: str = own_key()
    program_type: str | None = guarded(
        scopes.PROGRAM_PARTICIPATION,
        ndpa.STUDENT_PROGRAM_MEMBERSHIP,
        SENSITIVE,
        "The kind of program.",
        ceds="000225",
        edfi="studentProgramAssociation.programReference.programTypeDescriptor",
    )
    begin_date: Date | None = guarded(
        scopes.PROGRAM_PARTICIPATION,
        ndpa.STUDENT_PROGRAM_MEMBERSHIP,
        SENSITIVE,
        "The first day.",
        ceds="000590",
        edfi="studentProgramAssociation.beginDate",
    )
    end_date: Date | None = guarded(
        scopes.PROGRAM_PARTICIPATION,
        ndpa.STUDENT_PROGRAM_MEMBERSHIP,
        SENSITIVE,
        "The last day; none while it lasts.",
        ceds="000591",
        edfi="studentProgramAssociation.endDate",
    )
    student: Annotated["Student", STUDENTS] | None = guarded(
        scopes.PROGRAM_PARTICIPATION, ndpa.STUDENT_PROGRAM_MEMBERSHIP, SENSITIVE, "The student who takes part."
    )
    school: Annotated["School", ORGANISATIONS] | None = guarded(
        scopes.SCHOOL_DIRECTORY,
        ndpa.STUDENT_PROGRAM_MEMBERSHIP,
        SENSITIVE,
        "The school, where the program is a single school's.",
    )


@strawberry.federation.type(keys=["sourceKey"], description="What happened that students were disciplined for.")
class DisciplineIncident(Node):
    """What happened that students were disciplined for."""

    source_key: str = own_key()
    incident_date: Date | None = guarded(
        scopes.DISCIPLINE_RECORDS,
        ndpa.CONDUCT,
        RESTRICTED,
        "The day on which it happened.",
        ceds="000502",
        edfi="disciplineIncident.incidentDate",
    )
    behavior: str | None = guarded(
        scopes.DISCIPLINE_RECORDS,
        ndpa.CONDUCT,
        RESTRICTED,
        "What was done, as the district classifies it.",
        ceds="000509",
        edfi="studentDisciplineIncidentBehaviorAssociation.behaviorDescriptor",
    )


@strawberry.federation.type(keys=["sourceKey"], description="The discipline that one student received.")
class DisciplineAction(Node):
    """The discipline that one student received."""

    source_key: str = own_key()
    action_taken: str | None = guarded(
        scopes.DISCIPLINE_RECORDS,
        ndpa.CONDUCT,
        RESTRICTED,
        "What was imposed.",
        ceds="000488",
        edfi="disciplineAction.disciplines.disciplineDescriptor",
    )
    start_date: Date | None = guarded(
        scopes.DISCIPLINE_RECORDS,
        ndpa.CONDUCT,
        RESTRICTED,
        "The day from which it holds.",
        ceds="000083",
        edfi="disciplineAction.disciplineDate",
    )
    student: Annotated["Student", STUDENTS] | None = guarded(
        scopes.DISCIPLINE_RECORDS, ndpa.CONDUCT, RESTRICTED, "The student who received it."
    )
    incident: Annotated["DisciplineIncident", SELF] | None = guarded(
        scopes.DISCIPLINE_RECORDS, ndpa.CONDUCT, RESTRICTED, "What it was for."
    )


@strawberry.federation.type(keys=["sourceKey"], description="A student's standing at the end of a session.")
class AcademicRecord(Node):
    """A student's standing at the end of a session."""

    source_key: str = own_key()
    cumulative_gpa: float | None = guarded(
        scopes.GRADE_TRANSCRIPT,
        ndpa.TRANSCRIPT,
        PII,
        "The grade point average of all work so far.",
        ceds="000128",
        edfi="studentAcademicRecord.gradePointAverages.gradePointAverageValue",
    )
    credits_earned: float | None = guarded(
        scopes.GRADE_TRANSCRIPT,
        ndpa.TRANSCRIPT,
        PII,
        "The credits of all work so far.",
        ceds="000074",
        edfi="studentAcademicRecord.cumulativeEarnedCredits",
    )
    student: Annotated["Student", STUDENTS] | None = guarded(
        scopes.GRADE_TRANSCRIPT, ndpa.TRANSCRIPT, PII, "The student whose standing it is."
    )
    school: Annotated["School", ORGANISATIONS] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.TRANSCRIPT, PII, "The school that keeps the record, where it names one."
    )
    session: Annotated["Session", ORGANISATIONS] | None = guarded(
        scopes.SCHOOL_DIRECTORY, ndpa.TRANSCRIPT, PII, "The session at whose end this was the standing."
    )


@strawberry.federation.type(keys=["sourceKey"], description="What a student earned for one piece of work.")
class StudentGradebookEntry(Node):
    """What a student earned for one piece of work."""

    source_key: str = own_key()
    points_earned: float | None = guarded(
        scopes.GRADE_GRADEBOOK,
        ndpa.STUDENT_IN_APP_PERFORMANCE,
        PII,
        "The points.",
        edfi="studentGradebookEntry.pointsEarned",
        oneroster="result.score",
    )
