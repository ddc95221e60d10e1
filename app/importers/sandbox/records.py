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


@dataclass(frozen=True, slots=True)
class Absence:
    """A day, or one class of a day, that a student missed or came late to."""

    placement: Placement
    section: Section | None  # None: the whole day
    day: date
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Participation:
    """A student's part in a program."""

    student: Student
    school: SchoolProfile | None  # None: the program is the whole district's
    program: str
    begin: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Action:
    """The discipline that one student received."""

    student: Student
    key: str
    taken: str
    day: date


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened in a school that students were disciplined for."""

    number: int
    school: SchoolProfile
    day: date
    behavior: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A student's credits and grade point average at the end of a semester."""

    student: Student
    school: SchoolProfile
    term: Term
    average: float
    credits: float


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work of a section, and what each student earned for it."""

    section: Section
    period: Period
    kind: str
    full: int
    day: date
    points: tuple[tuple[Student, float], ...]


def mark(student: Student, section: Section, period: Period, kind: str) -> Mark:
    """A mark around the student's ability, the same for the same circumstances."""
    noise = (student.number * 7919 + section.number * 104_729 + period.begin.month * 31 + len(kind) * 17) % 25 - 12
    return Mark(student, section, period, kind, max(40, min(100, student.ability + noise)))
