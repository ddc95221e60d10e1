"""School years, semesters and grading periods around a given day."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """A grading period of nine weeks, more or less."""

    name: str
    begin: date
    end: date


@dataclass(frozen=True, slots=True)
class Term:
    """A semester: what a section is taught in."""

    year: int  # the year in which the school year ends
    name: str
    begin: date
    end: date
    periods: tuple[Period, Period]


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """A school year, July 1 to June 30, named by the year in which it ends."""

    year: int
    terms: tuple[Term, Term]

    @property
    def begin(self) -> date:
        """The first school day."""
        return self.terms[0].begin

    @property
    def end(self) -> date:
        """The last school day."""
        return self.terms[1].end

    @property
    def span(self) -> str:
        """As districts write it: 2026-2027."""
        return f"{self.year - 1}-{self.year}"


def current_year(today: date) -> int:
    """The year in which the school year of that day ends."""
    return today.year + 1 if today.month >= 7 else today.year


def school_year(year: int) -> SchoolYear:
    """The calendar of one school year: the same plan for every year, on its own Mondays and Fridays."""
    autumn, october = _monday(date(year - 1, 8, 17)), _monday(date(year - 1, 10, 19))
    spring, march = _monday(date(year, 1, 4)), _monday(date(year, 3, 15))
    winter_break, summer = _monday(date(year - 1, 12, 19)), _monday(date(year, 6, 2))
    return SchoolYear(
        year,
        (
            _term(year, "Fall Semester", ("First Nine Weeks", autumn), ("Second Nine Weeks", october), winter_break),
            _term(year, "Spring Semester", ("Third Nine Weeks", spring), ("Fourth Nine Weeks", march), summer),
        ),
    )


def _term(year: int, name: str, first: tuple[str, date], second: tuple[str, date], after: date) -> Term:
    periods = (Period(*first, _friday_before(second[1])), Period(*second, _friday_before(after)))
    return Term(year, name, periods[0].begin, periods[1].end, periods)


def _monday(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def _friday_before(monday: date) -> date:
    return monday - timedelta(days=3)
