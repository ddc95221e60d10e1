"""What a district's systems hold of its students and sections."""

from dataclasses import dataclass, field
from datetime import date

from app.importers.sandbox.calendar import Period, Term
from app.importers.sandbox.courses import Course
from app.importers.sandbox.people import Student, Teacher
from app.importers.sandbox.profile import SchoolProfile


@dataclass(frozen=True, slots=True)
class Placement:
    """A student's time in one school and grade within a school year."""

    student: Student
    school: SchoolProfile
    grade: str
    year: int
    entry: date
    exit: date | None  # the last day; None: still there
    reason: str | None


@dataclass(slots=True)
class Section:
    """A course as it meets in one semester."""

    number: int
    course: Course
    term: Term
    period: int
    room: str
    teachers: tuple[Teacher, ...]
    roster: list[tuple[Student, date, date]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mark:
    """One grade of one student in one section."""

    student: Student
    section: Section
    period: Period
    kind: str
    number: int

    @property
    def letter(self) -> str:
        """The letter that the number stands for."""
        return next(
            (letter for least, letter in ((90, "A"), (80, "B"), (70, "C"), (60, "D")) if self.number >= least), "F"
        )


def mark(student: Student, section: Section, period: Period, kind: str) -> Mark:
    """A mark around the student's ability, the same for the same circumstances."""
    noise = (student.number * 7919 + section.number * 104_729 + period.begin.month * 31 + len(kind) * 17) % 25 - 12
    return Mark(student, section, period, kind, max(40, min(100, student.ability + noise)))
