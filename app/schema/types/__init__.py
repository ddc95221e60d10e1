"""The types of the graph that a space stores, a module for each corner of a school's life."""

from app.schema.types.contacts import Contact
from app.schema.types.enrollments import Grade, SchoolEnrollment, SectionEnrollment
from app.schema.types.organisations import District, GradingPeriod, School, Session
from app.schema.types.records import (
    AcademicRecord,
    AttendanceEvent,
    DisciplineAction,
    DisciplineIncident,
    ProgramParticipation,
    StudentGradebookEntry,
)
from app.schema.types.students import Student
from app.schema.types.teaching import Course, Section, Staff, StaffSectionAssociation

TYPES: tuple[type, ...] = (
    District,
    School,
    Session,
    GradingPeriod,
    Course,
    Section,
    Staff,
    StaffSectionAssociation,
    Student,
    SchoolEnrollment,
    SectionEnrollment,
    Grade,
    Contact,
    AttendanceEvent,
    ProgramParticipation,
    DisciplineIncident,
    DisciplineAction,
    AcademicRecord,
    StudentGradebookEntry,
)
"""Every guarded type, parents before children."""
