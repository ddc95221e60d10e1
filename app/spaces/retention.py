"""Keep every class of records as long as the district chooses, in school years after the one that a record belongs to.

What tells a record's school year is in `YEARS`. A record whose year cannot be told is kept, and counted. A student who
goes takes everything along; what is no student's data stays as long as a record that stays refers to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Table,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.spaces import tables as t
from app.spaces.admission import school_year
from app.spaces.belonging import holding
from app.spaces.edges import owner
from app.spaces.removal import TYPES, Removal, Removed

Year = ColumnElement[int]


@dataclass(frozen=True, slots=True)
class Class:
    """What retention found of one class of records that the policy names."""

    type: str
    years: int
    gone: int  # by their own year
    undated: int  # kept, for no date tells their school year
    held: int  # old enough, but a record that stays needs them


@dataclass(frozen=True, slots=True)
class Kept:
    """What one run did."""

    classes: list[Class]  # in the order of the tables
    removed: list[Removed]  # all that went, with what went along


def year_of(day: ColumnElement[str]) -> Year:
    """The school year of a day: see `app.spaces.admission.school_year`."""
    return cast(func.substr(day, 1, 4), Integer) + case((func.substr(day, 6, 2) >= "07", 1), else_=0)


def session_year(session: FromClause) -> Year:
    """By its school year, else its last day."""
    return func.coalesce(session.c.school_year, year_of(session.c.end_date))


def year_at(table: FromClause, parent: str, year: Callable[[FromClause], Year]) -> Year:
    """The year of the record that a column refers to."""
    other = t.BY_TYPE[TYPES[parent]].alias()
    return select(year(other)).where(other.c.row == table.c[parent]).correlate(table).scalar_subquery()


def period_year(period: FromClause) -> Year:
    """By its session, else its own last day."""
    return func.coalesce(year_at(period, "session", session_year), year_of(period.c.end_date))


def section_year(section: FromClause) -> Year:
    """By its session."""
    return year_at(section, "session", session_year)


def attended_year(table: FromClause) -> Year:
    """By its section's session, else its own last day."""
    return func.coalesce(year_at(table, "section", section_year), year_of(table.c.end_date))


def entered_year(entry: FromClause) -> Year:
    """By its section's session."""
    return year_at(entry, "section", section_year)


def event_year(event: FromClause) -> Year:
    """By its day, else its section's session."""
    return func.coalesce(year_of(event.c.event_date), year_at(event, "section", section_year))


def participation_year(participation: FromClause) -> Year:
    """By its last day; one without goes on."""
    return year_of(participation.c.end_date)


def incident_year(incident: FromClause) -> Year:
    """By its day."""
    return year_of(incident.c.incident_date)


def action_year(action: FromClause) -> Year:
    """By its first day, else its incident's."""
    return func.coalesce(year_of(action.c.start_date), year_at(action, "discipline_incident", incident_year))


def grade_year(grade: FromClause) -> Year:
    """By its grading period, else its section's session."""
    return func.coalesce(year_at(grade, "grading_period", period_year), year_at(grade, "section", section_year))


def enrollment_year(enrollment: FromClause) -> Year:
    """By its last day; an enrollment without one goes on."""
    return year_of(enrollment.c.exit_date)


def last_year(table: FromClause, child: Table, year: Callable[[FromClause], Year]) -> Year:
    """The latest year of what belongs to a record; none where the year of one of them cannot be told."""
    own, other, name = child.alias(), child.alias(), table.name  # type: ignore[attr-defined]
    untold = exists(select(1).where(other.c[name] == table.c.row, year(other).is_(None)))
    last = select(func.max(year(own))).where(own.c[name] == table.c.row).correlate(table).scalar_subquery()
    return case((untold, null()), else_=last)


def student_year(student: FromClause) -> Year:
    """By the last day of their last school enrollment; one who is enrolled, or never was, has none."""
    return last_year(student, t.school_enrollment, enrollment_year)


def staff_year(staff: FromClause) -> Year:
    """By the last of their assignments."""
    return last_year(staff, t.staff_section_association, attended_year)


YEARS: Mapping[str, Callable[[FromClause], Year]] = {
    "Session": session_year,
    "GradingPeriod": period_year,
    "Section": section_year,
    "Staff": staff_year,
    "StaffSectionAssociation": attended_year,
    "Student": student_year,
    "SchoolEnrollment": enrollment_year,
    "SectionEnrollment": attended_year,
    "Grade": grade_year,
    "AttendanceEvent": event_year,
    "ProgramParticipation": participation_year,
    "DisciplineIncident": incident_year,
    "DisciplineAction": action_year,
    "AcademicRecord": section_year,  # by its session, as a section
    "StudentGradebookEntry": entered_year,
}
"""What tells the school year of a record. Districts, schools, courses and contacts belong to none, and are kept."""


TELLS = {"SchoolEnrollment": "student", "StaffSectionAssociation": "staff"}
"""Records that tell the year of another: the latest of them stay as long as that one is kept."""


async def expire(connection: AsyncConnection, retention: Mapping[str, int], today: date) -> Kept:
    """Delete what the district does not keep any longer, inside a transaction."""
    run = _Run(Removal(connection), retention, school_year(today))
    own = [name for name in t.BY_TYPE if owner(name) is not None]
    for name in sorted(own, key=lambda one: one != "Student"):
        await run.by_year(name)
        await run.removal.doom_dependents(name)
    shared = [name for name in reversed(t.BY_TYPE) if owner(name) is None]  # what refers, before what is referred to
    for name in sorted(shared, key=lambda one: one != "Staff"):
        await run.by_year(name)
    for name in reversed(shared):
        await run.removal.doom_dependents(name)
    classes = [run.found[name] for name in t.BY_TYPE if name in run.found]
    return Kept(classes, await run.removal.carry_out())


@dataclass(frozen=True, slots=True)
class _Run:
    """One run over all classes that the policy names."""

    removal: Removal
    retention: Mapping[str, int]
    this_year: int
    found: dict[str, Class] = field(default_factory=dict)

    async def by_year(self, name: str) -> None:
        """Name what is too old of one class."""
        if name not in self.retention:
            return
        table = t.BY_TYPE[name]
        year = YEARS[name](table) if name in YEARS else cast(null(), Integer)
        old, needed = (
            year < self.this_year - self.retention[name],
            or_(self.in_use(name, table), self.tells(name, table)),
        )
        gone = await self.removal.doom(name, and_(old, not_(needed)))
        count = select(func.count()).select_from(table)
        undated = await self.removal.connection.scalar(count.where(year.is_(None)))
        held = await self.removal.connection.scalar(count.where(old, needed))
        self.found[name] = Class(name, self.retention[name], gone, undated or 0, held or 0)

    def in_use(self, name: str, table: Table) -> ColumnElement[bool]:
        """Whether a record that stays refers to one that is no student's; what merely goes along does not count."""
        uses: list[ColumnElement[bool]] = []
        for type_name, other in t.BY_TYPE.items() if owner(name) is None else ():
            goes_along = owner(type_name) is None and table.name in holding(type_name)
            if table.name in other.c and not goes_along:
                stays = self.removal.staying(type_name)
                refers = other.c[table.name] == table.c.row
                uses.append(exists(select(1).where(refers, true() if stays is None else stays)))
        return or_(false(), *uses)

    def tells(self, name: str, table: Table) -> ColumnElement[bool]:
        """Whether a record is the one by which the year of another is told that stays, and is not kept for ever."""
        parent = TELLS.get(name)
        if parent is None or TYPES[parent] not in self.retention:
            return false()
        other, going = table.alias(), self.removal.going(TYPES[parent])
        is_later = or_(YEARS[name](other).is_(None), YEARS[name](other) > YEARS[name](table))
        later = exists(select(1).where(other.c[parent] == table.c[parent], is_later))
        return and_(not_(later), true() if going is None else table.c[parent].not_in(going))
