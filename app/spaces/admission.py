"""Which records a grant's rows admit, as SQL. The one place where §rows of a grant becomes a condition.

A student is admitted iff one school enrollment of theirs meets every condition together, and no opt-out of theirs
concerns this client. A section: its school, its course's subject and its session. What belongs to a student: iff the
student is admitted, and its school or section, where it has one, is; what bears a date: iff it falls into the years of
the grant. A discipline incident: iff an admitted action stands on it. Staff: iff assigned to an admitted section.
Schools, courses and sessions: by `schools` alone; what is the whole district's is everyone's. The same conditions hold
however a record is reached.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_, select, true

from app.policy.authority import Authority
from app.policy.model import Rows
from app.policy.withholding import Withholding, withholding
from app.spaces import tables as t
from app.spaces.among import Parameter, among, constant, gathered
from app.spaces.edges import owner
from app.spaces.opt_outs import opted_out


def school_year(day: date) -> int:
    """The school year of a day, named by the year in which it ends. Units: it turns on the first of July."""
    return day.year + (day.month >= 7)


@dataclass(frozen=True, slots=True)
class Admission:
    """The conditions of one grant on one day."""

    rows: Rows
    today: date
    withholding: Withholding
    opted_out_too: bool = False  # where their records stand with nothing in them: see `app.spaces.veil`

    @classmethod
    def under(cls, authority: Authority) -> "Admission":
        """The conditions of an authority's grant. Without a grant nothing may be read."""
        if authority.grant is None:
            raise AssertionError("Nothing is read without a grant")
        return cls(authority.grant.rows, authority.today, withholding(authority))

    def of_root(self, type_name: str, table: FromClause) -> ColumnElement[bool]:
        """The condition on what a root field names: there an opted-out student stands, empty, if the policy says so."""
        stands = not self.withholding.records and owner(type_name) is not None
        return replace(self, opted_out_too=stands).of(type_name, table)

    def of(self, type_name: str, table: FromClause, *, given: frozenset[str] = frozenset()) -> ColumnElement[bool]:
        """The condition on a record of `table`; what it was reached over (`given`) is admitted already."""
        return _CONDITIONS[type_name](self, table, given)

    @property
    def first_year(self) -> int | None:
        """The earliest school year that the grant reaches back to."""
        years = self.rows.history_years
        return None if years is None else school_year(self.today) - years

    @property
    def schools(self) -> Parameter | None:
        """The district's own keys of the schools."""
        return constant("schools", self.rows.schools)

    def school(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """By `schools`."""
        return true() if self.schools is None else among(table.c.source_key, self.schools)

    def at_school(self, table: FromClause, *, or_district: bool = False) -> ColumnElement[bool]:
        """Whether the record's school is one of the grant's; `or_district` admits what belongs to no single school."""
        if self.schools is None:
            return true()
        school = t.school.alias()
        found = exists(select(1).where(school.c.row == table.c.school, among(school.c.source_key, self.schools)))
        return or_(table.c.school.is_(None), found) if or_district else found

    def shared(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """A course or a session: its school's, or the whole district's."""
        return self.at_school(table, or_district=True)

    def grading_period(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """With its session."""
        if self.schools is None:
            return true()
        session = t.session.alias()
        return exists(select(1).where(session.c.row == table.c.session, self.shared(session, given)))

    def section(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """By its school, its course's subject and its session's year."""
        conditions = [self.at_school(table)]
        subjects = constant("subjects", self.rows.subjects)
        if subjects is not None:
            course = t.course.alias()
            conditions.append(
                exists(select(1).where(course.c.row == table.c.course, among(course.c.subject, subjects)))
            )
        return and_(*conditions, self.in_session(table))

    def in_session(self, table: FromClause) -> ColumnElement[bool]:
        """Whether the record's session is of the years of the grant. What has no session is of no year."""
        if self.first_year is None:
            return true()
        session, this_year = t.session.alias(), school_year(self.today)
        year = session.c.school_year.between(self.first_year, this_year)
        return exists(select(1).where(session.c.row == table.c.session, year))

    @property
    def every_section(self) -> bool:
        """Whether no condition bears on sections."""
        return self.rows.schools is None and self.rows.subjects is None and self.rows.history_years is None

    def student(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """By one school enrollment that meets all conditions together, unless they opted out."""
        return and_(self.not_opted_out(table.c.row), self.enrolled(table))

    def not_opted_out(self, student: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether no opt-out concerns this client: one anti-join, of a set that is read once in a statement."""
        return true() if self.opted_out_too else student.not_in(opted_out(self.withholding.client))

    def enrolled(self, table: FromClause) -> ColumnElement[bool]:
        """Whether one school enrollment of a student meets all conditions together."""
        if self.every_student:
            return true()
        rows, day = self.rows, self.today.isoformat()
        enrollment = t.school_enrollment.alias()
        conditions = [enrollment.c.student == table.c.row, self.at_school(enrollment), self.recent(enrollment)]
        levels = constant("grade_levels", rows.grade_levels)
        if levels is not None:
            conditions.append(among(enrollment.c.grade_level, levels))
        if rows.enrollment == "active":
            conditions.append(or_(enrollment.c.entry_date.is_(None), enrollment.c.entry_date <= day))
            conditions.append(or_(enrollment.c.exit_date.is_(None), enrollment.c.exit_date >= day))
        return exists(select(1).where(*conditions))

    @property
    def every_student(self) -> bool:
        """Whether no condition bears on students."""
        rows = self.rows
        return (
            rows.schools is None
            and rows.grade_levels is None
            and rows.enrollment is None  # "any" asks for an enrollment, whenever it was
            and rows.history_years is None
        )

    @property
    def years(self) -> tuple[str, str] | None:
        """The first and the last day of the years that the grant reaches back to, up to the current one."""
        if self.first_year is None:
            return None
        return date(self.first_year - 1, 7, 1).isoformat(), date(school_year(self.today), 6, 30).isoformat()

    def recent(self, enrollment: FromClause) -> ColumnElement[bool]:
        """Whether a school enrollment reaches into the years of the grant."""
        return self.lasting(enrollment.c.entry_date, enrollment.c.exit_date)

    def lasting(self, first: ColumnElement[str], last: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether a span of days reaches into the years of the grant. A missing end is open."""
        if self.years is None:
            return true()
        begin, end = self.years
        return and_(or_(last.is_(None), last >= begin), or_(first.is_(None), first <= end))

    def dated(self, day: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether a day falls into the years of the grant. What has no day is of no year."""
        return true() if self.years is None else day.between(*self.years)

    def its_student(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """Whether the student that a record belongs to is admitted. A record of nobody is nobody's to disclose."""
        if "student" in given:
            return true()
        allowed = self.not_opted_out(table.c.student)
        if self.every_student:
            return and_(table.c.student.is_not(None), allowed)
        student = t.student.alias()
        return and_(allowed, exists(select(1).where(student.c.row == table.c.student, self.enrolled(student))))

    def its_section(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """Whether the section that a record belongs to is admitted."""
        if "section" in given or self.every_section:
            return true()
        section = t.section.alias()
        return exists(select(1).where(section.c.row == table.c.section, self.section(section, given)))

    def school_enrollment(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """With its student, by its school, and within the years of the grant."""
        return and_(self.its_student(table, given), self.at_school(table), self.recent(table))

    def of_student_and_section(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """With its student and its section."""
        return and_(self.its_student(table, given), self.its_section(table, given))

    def contact(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """With its student."""
        return self.its_student(table, given)

    def attendance_event(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """With its student, by its day, and by its school and its section, where it has them."""
        section = true() if self.every_section else or_(table.c.section.is_(None), self.its_section(table, given))
        return and_(
            self.its_student(table, given),
            self.at_school(table, or_district=True),
            section,
            self.dated(table.c.event_date),
        )

    def program_participation(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """With its student, by its days, and by its school, where it has one."""
        return and_(
            self.its_student(table, given),
            self.at_school(table, or_district=True),
            self.lasting(table.c.begin_date, table.c.end_date),
        )

    def academic_record(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """With its student, by its session's year, and by its school, where it has one."""
        return and_(self.its_student(table, given), self.at_school(table, or_district=True), self.in_session(table))

    def discipline_action(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """With its student, by its day, and by its own and its incident's school, where they have one."""
        incident = t.discipline_incident.alias()
        there = select(1).where(
            incident.c.row == table.c.discipline_incident, self.at_school(incident, or_district=True)
        )
        return and_(
            self.its_student(table, given),
            self.at_school(table, or_district=True),
            true() if self.schools is None else or_(table.c.discipline_incident.is_(None), exists(there)),
            self.dated(table.c.start_date),
        )

    def discipline_incident(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """By an admitted action that stands on it."""
        action = t.discipline_action.alias()
        return exists(select(1).where(*self._standing_on(table, action)))

    def disciplined(self, table: FromClause) -> ColumnElement[str]:
        """The row numbers of the admitted students who were disciplined for an incident, separated by commas."""
        action = t.discipline_action.alias()
        numbers = select(gathered(action.c.student))
        return numbers.where(*self._standing_on(table, action)).scalar_subquery()

    def _standing_on(self, incident: FromClause, action: FromClause) -> tuple[ColumnElement[bool], ...]:
        return action.c.discipline_incident == incident.c.row, self.discipline_action(action, frozenset())

    def staff_section_association(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """With its section. An assignment to no section is outside."""
        return and_(table.c.section.is_not(None), self.its_section(table, given))

    def staff(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """By an assignment to an admitted section."""
        assignment = t.staff_section_association.alias()
        return exists(
            select(1).where(assignment.c.staff == table.c.row, self.staff_section_association(assignment, frozenset()))
        )

    def everyone(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """The district itself."""
        return true()


_CONDITIONS: Mapping[str, Callable[[Admission, FromClause, frozenset[str]], ColumnElement[bool]]] = {
    "District": Admission.everyone,
    "School": Admission.school,
    "Session": Admission.shared,
    "GradingPeriod": Admission.grading_period,
    "Course": Admission.shared,
    "Section": Admission.section,
    "Staff": Admission.staff,
    "StaffSectionAssociation": Admission.staff_section_association,
    "Student": Admission.student,
    "SchoolEnrollment": Admission.school_enrollment,
    "SectionEnrollment": Admission.of_student_and_section,
    "Grade": Admission.of_student_and_section,
    "Contact": Admission.contact,
    "AttendanceEvent": Admission.attendance_event,
    "ProgramParticipation": Admission.program_participation,
    "DisciplineIncident": Admission.discipline_incident,
    "DisciplineAction": Admission.discipline_action,
    "AcademicRecord": Admission.academic_record,
    "StudentGradebookEntry": Admission.of_student_and_section,
}
