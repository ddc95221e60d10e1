"""What the district's systems hold of its students day by day, at rates that schools know.

Pure: a student's circumstances come out of the district's seed and their own number, so that one kind of record more
leaves all others as they were. A district of fixed figures (`complete`) has none of these.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from random import Random

from app.importers.sandbox.calendar import Term
from app.importers.sandbox.courses import ENGLISH, MATHEMATICS
from app.importers.sandbox.district import District
from app.importers.sandbox.people import Student
from app.importers.sandbox.records import Absence, Action, Incident, Participation, Placement, Section, Standing, Work

ABSENT = 0.035
"""The share of school days that an average student misses."""
TARDY = 0.2
"""The share of those that are a late arrival in one class."""
UNEXCUSED = 0.25
DISCIPLINED = 0.025
"""The share of students who are disciplined in a year; in the restless grades twice as many."""
RESTLESS = {"07", "08", "09", "10"}
SPECIAL, GIFTED, CAREER, LEAVING = 0.12, 0.07, 0.3, 0.08

EXCUSES = ("Illness", "Medical appointment", "Family emergency", "Religious observance")
BEHAVIORS = ("Disruption of class", "Conduct code violation", "Truancy", "Vandalism", "Fighting")
DISCIPLINES = ("Parent Conference", "Detention", "In School Suspension", "Out of School Suspension")
KINDS = (("Homework", 10, 12), ("Quiz", 20, 26))
"""Kinds of work, each with its full points and the day of the grading period on which it is due."""
HIGH_SCHOOL = {"09": 0, "10": 2, "11": 4, "12": 6}
"""The semesters of high school before a grade."""


def absences(district: District) -> Iterator[Absence]:
    """Who was away, or late for a class, on which day."""
    seats: defaultdict[tuple[int, str, date], list[Section]] = defaultdict(list)
    for section in district.sections:
        for student, _, _ in section.roster:
            seats[student.number, section.course.school.key, section.term.begin].append(section)
    for number, placement in enumerate(district.placements):
        random = _dice(district, f"absences {number}", placement.student)
        share = ABSENT * random.choice((0, 0.5, 0.5, 1, 1, 1, 2, 2))
        for term in _terms(district):
            days = _spent(district, placement, term)
            missed = share * len(days)
            taught = seats[placement.student.number, placement.school.key, term.begin]
            for day in sorted(random.sample(days, int(missed) + (random.random() < missed % 1))):
                if taught and random.random() < TARDY:
                    yield Absence(placement, random.choice(taught), day, "Tardy", "Late arrival")
                elif random.random() < UNEXCUSED:
                    yield Absence(placement, None, day, "Unexcused Absence", "No note from a parent")
                else:
                    yield Absence(placement, None, day, "Excused Absence", random.choice(EXCUSES))


def participations(district: District) -> Iterator[Participation]:
    """Who takes part in which program, year by year."""
    if district.complete:
        return
    years: dict[tuple[int, int], tuple[Placement, date | None]] = {}
    for placement in district.placements:
        first, _ = years.get((placement.student.number, placement.year), (placement, None))
        years[placement.student.number, placement.year] = (first, placement.exit)
    for placement, last in years.values():
        student, begin = placement.student, placement.entry
        random = _dice(district, "programs", student)  # the same in every year: who is gifted stays so
        special, gifted, career, leaving = (random.random() for _ in range(4))
        ended = [term.end for term in _terms(district) if term.year == placement.year and term.end < district.today]
        end = min(last or date.max, ended[0]) if leaving < LEAVING and ended else last
        if special < SPECIAL:
            yield Participation(student, None, "Special Education", begin, end)
        if student.learner:
            yield Participation(student, None, "English as a Second Language (ESL)", begin, end)
        if gifted < GIFTED:
            yield Participation(student, None, "Gifted and Talented", begin, end)
        if placement.grade in {"10", "11", "12"} and career < CAREER:
            yield Participation(student, placement.school, "Career and Technical Education", begin, end)


def incidents(district: District) -> Iterator[Incident]:
    """What happened, and the discipline that each student received for it; in a fight there are two."""
    last: dict[tuple[str, int], Placement] = {}
    number = 0
    for place, placement in enumerate(district.placements):
        student, here = placement.student, (placement.school.key, placement.year)
        random = _dice(district, f"conduct {place}", student)
        other = last.get(here)
        last[here] = placement
        days = [day for term in _terms(district) for day in _spent(district, placement, term)]
        if random.random() > DISCIPLINED * (2 if placement.grade in RESTLESS else 1) or not days:
            continue
        number += 1
        day, behavior = random.choice(days), random.choice(BEHAVIORS)
        involved = [student]
        if behavior == "Fighting" and other and other.entry <= day <= (other.exit or day):
            involved.append(other.student)
        actions = tuple(
            Action(one, f"{number}-{which}", random.choice(DISCIPLINES), min(day + timedelta(1), district.today))
            for which, one in enumerate(involved, 1)
        )
        yield Incident(number, placement.school, day, behavior, actions)


def standings(district: District) -> Iterator[Standing]:
    """The credits and the grade point average of high school, at the end of each semester."""
    for placement in district.placements:
        student, before = placement.student, HIGH_SCHOOL.get(placement.grade)
        if before is None:
            continue
        of_year = [term for term in _terms(district) if term.year == placement.year]
        for half, term in enumerate(of_year, 1):
            if term.end > district.today or not placement.entry <= term.end <= (placement.exit or term.end):
                continue
            noise = (student.number * 31 + term.year * 7 + half) % 7 / 10 - 0.3
            average = round(max(0.8, min(4.0, (student.ability - 50) / 11 + noise)), 2)
            yield Standing(student, placement.school, term, average, 2.5 * (before + half))


def works(district: District) -> Iterator[Work]:
    """Pieces of work in English and mathematics of the current school year, until today."""
    for section in district.sections:
        if district.complete or section.term.year != district.years[-1].year:
            continue
        if section.course.subject not in {ENGLISH, MATHEMATICS}:
            continue
        for period in section.term.periods:
            for kind, full, after in KINDS:
                day = period.begin + timedelta(days=after)
                if day <= district.today:
                    points = tuple(
                        (student, _points(student, section, day, full))
                        for student, begin, end in section.roster
                        if begin <= day <= end
                    )
                    yield Work(section, period, kind, full, day, points)


def _terms(district: District) -> list[Term]:
    """The semesters that have begun."""
    terms = [term for year in district.years for term in year.terms if term.begin <= district.today]
    return [] if district.complete else terms


def _spent(district: District, placement: Placement, term: Term) -> tuple[date, ...]:
    """The school days of a semester that a student has spent in a placement."""
    return _school_days(max(term.begin, placement.entry), min(term.end, placement.exit or term.end, district.today))


@lru_cache(maxsize=256)
def _school_days(begin: date, end: date) -> tuple[date, ...]:
    days = (date.fromordinal(day) for day in range(begin.toordinal(), end.toordinal() + 1))
    return tuple(day for day in days if day.weekday() < 5)


def _dice(district: District, what: str, student: Student) -> Random:
    """The dice of one student in one matter."""
    return Random(f"{district.seed} {district.profile.space} {what} {student.number}")  # noqa: S311  (invention)


def _points(student: Student, section: Section, day: date, full: int) -> float:
    """Points in halves, around the student's ability."""
    noise = (student.number * 6151 + section.number * 193 + day.toordinal() * 11) % 31 - 15
    return round(2 * full * max(0, min(100, student.ability + noise)) / 100) / 2
