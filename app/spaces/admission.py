"""Which records a grant's rows admit, as SQL. The one place where §rows of a grant becomes a condition.

A student is admitted iff one school enrollment of theirs meets every condition together. A section: its school, its
course's subject and its session. What belongs to a student: iff the student is admitted, and its school or section
is. Staff: iff assigned to an admitted section. Schools, courses and sessions: by `schools` alone; what is the whole
district's is everyone's. The same conditions hold however a record is reached.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_, select, true

from app.policy.model import Rows
from app.spaces import tables as t
from app.spaces.among import Parameter, among, constant


def school_year(day: date) -> int:
    """The school year of a day, named by the year in which it ends. Units: it turns on the first of July."""
    return day.year + (day.month >= 7)


@dataclass(frozen=True, slots=True)
class Admission:
    """The conditions of one grant on one day."""

    rows: Rows
    today: date

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
        if self.first_year is not None:
            session = t.session.alias()
            conditions.append(
                exists(
                    select(1).where(
                        session.c.row == table.c.session,
                        session.c.school_year.between(self.first_year, school_year(self.today)),
                    )
                )
            )
        return and_(*conditions)

    @property
    def every_section(self) -> bool:
        """Whether no condition bears on sections."""
        return self.rows.schools is None and self.rows.subjects is None and self.rows.history_years is None

    def student(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """By one school enrollment that meets all conditions together."""
        rows, day = self.rows, self.today.isoformat()
        if self.every_student:
            return true()
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

    def recent(self, enrollment: FromClause) -> ColumnElement[bool]:
        """Whether a school enrollment reaches into the years of the grant, up to the current one."""
        if self.first_year is None:
            return true()
        begin, end = date(self.first_year - 1, 7, 1), date(school_year(self.today), 6, 30)
        return and_(
            or_(enrollment.c.exit_date.is_(None), enrollment.c.exit_date >= begin.isoformat()),
            or_(enrollment.c.entry_date.is_(None), enrollment.c.entry_date <= end.isoformat()),
        )

    def its_student(self, table: FromClause, given: frozenset[str]) -> ColumnElement[bool]:
        """Whether the student that a record belongs to is admitted. A record of nobody is nobody's to disclose."""
        if "student" in given:
            return true()
        if self.every_student:
            return table.c.student.is_not(None)
        student = t.student.alias()
        return exists(select(1).where(student.c.row == table.c.student, self.student(student, given)))

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
}
