"""One invented district, whole: who is enrolled where, which sections meet, who sits and teaches in them, and marks.

Pure: seed and day are arguments, and the same arguments give the same district.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from app.importers.sandbox.calendar import Period, SchoolYear, Term, current_year, school_year
from app.importers.sandbox.courses import CORE, ELECTIVES, Course, courses, subjects
from app.importers.sandbox.people import Student, Teacher, students, teacher
from app.importers.sandbox.profile import GRADES, Profile, SchoolProfile
from app.importers.sandbox.records import Mark, Placement, Section, mark

CLASS_SIZE = 24
GRADE_TYPES = ("Grading Period", "Progress Report", "Exam")


@dataclass(frozen=True, slots=True)
class District:
    """Everything that the district's systems would export."""

    profile: Profile
    today: date
    years: tuple[SchoolYear, ...]
    courses: tuple[Course, ...]
    students: tuple[Student, ...]
    staff: tuple[Teacher, ...]
    placements: tuple[Placement, ...]
    sections: tuple[Section, ...]
    marks_per_enrollment: int
    complete: bool
    seed: int

    def marks(self) -> Iterator[Mark]:
        """Every grade, section by section: of the grading periods that have ended, or of all if `complete`."""
        for section in self.sections:
            for kind, period in self.slots(section):
                for student, begin, end in section.roster:
                    if begin <= period.end and end >= period.begin:
                        yield mark(student, section, period, kind)

    def slots(self, section: Section) -> list[tuple[str, Period]]:
        """The kinds and grading periods in which a section gives grades."""
        periods = section.term.periods
        all_slots = [
            (GRADE_TYPES[number // len(periods)], periods[number % len(periods)])
            for number in range(self.marks_per_enrollment)
        ]
        return [slot for slot in all_slots if self.complete or slot[1].end <= self.today]


def build(
    profile: Profile,
    *,
    students: int,
    seed: int,
    today: date,
    years: int = 2,
    sections: int | None = None,
    enrollments: int = 10,
    grades: int = 2,
    complete: bool = False,
) -> District:
    """Invent a district.

    `sections` and `enrollments` are for each school year: so many sections in all (left out: as many as classes of 24
    need), so many section enrollments for each student. `grades` is for each enrollment. With one year and
    `complete` the figures hold exactly: there are no transfers, no grading periods to come, no parents, and no records
    of single days.

    Raises: ValueError, in a sentence.
    """
    limits = ((students, 1, 1_000_000), (years, 1, 2), (enrollments, 1, 16), (grades, 0, 6))
    for name, (value, least, most) in zip(("students", "years", "enrollments", "grades"), limits, strict=True):
        if not least <= value <= most:
            raise ValueError(f"A sandbox district has between {least} and {most:,} {name}, not {value:,}.")
    random = Random(f"{seed} {profile.space}")  # noqa: S311  (invention, not secrecy)
    now = current_year(today)
    calendar = tuple(school_year(year) for year in range(now - years + 1, now + 1))
    kin = None if complete else Random(f"{seed} {profile.space} families")  # noqa: S311
    people = _students(profile, students, now, years, random, kin)
    moving = None if complete else today
    placements = [placement for year in calendar for placement in _placements(profile, people, year, today, moving)]
    catalogue = courses(profile)
    staff = _Staff(profile, random)
    taught: list[Section] = []
    for year in calendar:
        here = [placement for placement in placements if placement.year == year.year]
        for number, term in enumerate(year.terms):
            count, of_sections = _half(enrollments, number), sections and _half(sections, number)
            rosters = _rosters(here, term, number, count, catalogue)
            taught += _sections(rosters, term, of_sections, len(taught), staff)
    return District(
        profile=profile,
        today=today,
        years=calendar,
        courses=tuple(catalogue.values()),
        students=tuple(people),
        staff=tuple(staff.everyone),
        placements=tuple(placements),
        sections=tuple(taught),
        marks_per_enrollment=grades,
        complete=complete,
        seed=seed,
    )


_students = students  # `build` has an argument of that name


def _half(number: int, which: int) -> int:
    return number - number // 2 if which == 0 else number // 2


def _placements(
    profile: Profile, people: list[Student], year: SchoolYear, today: date, moving: date | None
) -> Iterator[Placement]:
    """Where each student was in a year: with transfers in October, and a few moved up a grade after Christmas.

    `moving` is the day up to which students move; None: nobody does.
    """
    now = current_year(today)
    current = year.year == now
    # Before the first school day of the year its students are enrolled from July 1 on.
    first = date(year.year - 1, 7, 1) if current and today < year.begin else year.begin
    last = None if current else year.end
    october, january = year.terms[0].periods[1].begin, year.terms[1].begin
    for student in people:
        grade = _grade(student, now - year.year)
        if grade is None:
            continue
        school = _school(profile, student, grade)
        done = None if last is None else ("Graduated" if student.grade is None else "End of school year")
        moves_school = grade == "06" and student.number % 3 == 0 and moving is not None and october <= moving
        moves_up = not current and grade == "09" and student.number % 8 == 0 and moving is not None
        if moves_school:
            elementary, middle = profile.schools[0], profile.schools[1]
            leave = date.fromordinal(october.toordinal() - 3)
            yield Placement(student, elementary, grade, year.year, first, leave, "Transferred within the district")
            yield Placement(student, middle, grade, year.year, october, last, done)
        elif moves_up:
            leave = year.terms[0].end
            yield Placement(
                student, profile.schools[1], "08", year.year, first, leave, "Transferred within the district"
            )
            yield Placement(student, profile.schools[2], "09", year.year, january, last, done)
        else:
            yield Placement(student, school, grade, year.year, first, last, done)


def _grade(student: Student, years_ago: int) -> str | None:
    """The grade level of a student in the current year or in one before it; None: not in the district then."""
    if years_ago == 0:
        return student.grade
    if student.grade is None:
        return GRADES[-1]
    place = GRADES.index(student.grade) - years_ago
    return GRADES[place] if place >= 0 and not student.newcomer else None


def _school(profile: Profile, student: Student, grade: str) -> SchoolProfile:
    teaching = [school for school in profile.schools if grade in school.grades]
    return teaching[student.number % len(teaching)]


Rosters = dict[tuple[str, str, str], tuple[Course, list[tuple[Student, date, date]]]]


def _rosters(
    placements: list[Placement], term: Term, number: int, count: int, catalogue: dict[tuple[str, str, str], Course]
) -> Rosters:
    """Who takes which course in a semester, from when to when."""
    rosters: Rosters = {}
    for placement in placements:
        begin, end = max(placement.entry, term.begin), min(placement.exit or term.end, term.end)
        if begin > end:
            continue
        for subject in subjects(placement.student.number, number, count):
            key = (placement.school.key, placement.grade, subject.code)
            rosters.setdefault(key, (catalogue[key], []))[1].append((placement.student, begin, end))
    order = {subject.code: place for place, subject in enumerate(CORE + ELECTIVES)}
    return dict(sorted(rosters.items(), key=lambda item: (item[0][0], item[0][1], order[item[0][2]])))


def _sections(rosters: Rosters, term: Term, wanted: int | None, already: int, staff: "_Staff") -> list[Section]:
    """The rosters divided into sections; room and period are the section's alone in its school and semester."""
    sizes = _shares({key: len(roster) for key, (_, roster) in rosters.items()}, wanted)
    made: list[Section] = []
    of_school: defaultdict[str, int] = defaultdict(int)
    load: defaultdict[tuple[str, str], int] = defaultdict(int)
    for key, (course, roster) in rosters.items():
        for part in range(sizes[key]):
            school, number = course.school.key, already + len(made)
            teachers = staff.of(course, load[school, course.subject.code])
            if number % 8 == 3:  # a co-taught section
                teachers += (staff.support(course, load[school, course.subject.code]),)
            room = f"{101 + of_school[school] // 7}"
            section = Section(
                number, course, term, of_school[school] % 7 + 1, room, teachers, roster[part :: sizes[key]]
            )
            of_school[school] += 1
            load[school, course.subject.code] += 1
            made.append(section)
    return made


def _shares(demand: dict[tuple[str, str, str], int], wanted: int | None) -> dict[tuple[str, str, str], int]:
    """How many sections each course gets: as many as usual classes need, or so many in all, shared out by demand."""
    if wanted is None:
        return {key: -(-number // CLASS_SIZE) for key, number in demand.items()}
    if wanted < len(demand):
        raise ValueError(f"Each of {len(demand)} courses taken in a semester needs a section, so {wanted} are too few.")
    total, spare = sum(demand.values()), wanted - len(demand)
    exact = {key: number * spare / total for key, number in demand.items()}
    shares = {key: 1 + int(part) for key, part in exact.items()}
    by_rest = sorted(exact, key=lambda key: (int(exact[key]) - exact[key], key))
    for key in by_rest[: wanted - sum(shares.values())]:
        shares[key] += 1
    return shares


class _Staff:
    """The staff of a district, engaged as sections need them; they stay over the years."""

    def __init__(self, profile: Profile, random: Random) -> None:
        self._profile, self._random = profile, random
        self._teams: defaultdict[tuple[str, str], list[Teacher]] = defaultdict(list)
        self.everyone: list[Teacher] = []
        for school in profile.schools:
            for classification in ("Principal", "Counselor"):
                self._engage(school.key, classification)

    def _engage(self, school: str, classification: str) -> Teacher:
        engaged = teacher(self._profile, len(self.everyone), school, classification, self._random)
        self.everyone.append(engaged)
        return engaged

    def _member(self, team: tuple[str, str], place: int, classification: str) -> Teacher:
        members = self._teams[team]
        while len(members) <= place:
            members.append(self._engage(team[0], classification))
        return members[place]

    def of(self, course: Course, nth: int) -> tuple[Teacher, ...]:
        """Who teaches the nth section of a subject in a school: five sections for each teacher."""
        return (self._member((course.school.key, course.subject.code), nth // 5, "Teacher"),)

    def support(self, course: Course, nth: int) -> Teacher:
        """Who teaches along in a co-taught section."""
        return self._member((course.school.key, "support"), nth // 20, "Support Services Staff")
