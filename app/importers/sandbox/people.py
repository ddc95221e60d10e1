"""Invented people: names of many origins, families, students and staff."""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from app.importers.sandbox.names import BOYS, GIRLS, SURNAMES
from app.importers.sandbox.profile import GRADES, Profile

STREETS = ("Alder Way", "Birch Street", "Canyon Road", "Dogwood Lane", "Elm Street", "Farview Avenue", "Gull Court")
LANGUAGES = ("English",) * 12 + ("Spanish", "Spanish", "Spanish", "Hmong", "Somali", "Vietnamese", "Arabic", "Tagalog")
RACES = ("white", "white", "white", "black", "asian", "native", "pacific", "two")


@dataclass(frozen=True, slots=True)
class Parent:
    """One invented parent or guardian."""

    key: str
    first: str
    last: str
    relation: str
    email: str
    telephone: str
    at_home: bool  # lives with the children
    restriction: str | None


@dataclass(frozen=True, slots=True)
class Family:
    """What siblings share."""

    number: int
    surname: str
    street: str
    language: str


@dataclass(frozen=True, slots=True)
class Student:
    """One invented child."""

    number: int
    key: str  # the district's own key
    first: str
    middle: str | None
    last: str
    preferred: str | None
    female: bool
    born: date
    race: str
    hispanic: bool
    language: str
    learner: bool  # of English
    lunch: str
    login: str
    email: str
    telephone: str | None
    street: str
    grade: str | None  # today's; None: graduated last year
    newcomer: bool  # came to the district this year
    parents: tuple[Parent, ...]
    ability: int  # the mark that they tend to
    ssn: str | None


@dataclass(frozen=True, slots=True)
class Teacher:
    """One invented member of staff."""

    number: int
    key: str
    first: str
    last: str
    female: bool
    born: date
    email: str
    school: str
    classification: str


def students(  # noqa: PLR0917
    profile: Profile, count: int, year: int, years: int, random: Random, kin: Random | None
) -> list[Student]:
    """That many children, spread over the grades; with a history of two years some graduated after the first.

    Their parents come out of dice of their own, `kin`; without them nobody is told of.
    """
    slots: tuple[str | None, ...] = GRADES if years == 1 else (*GRADES, None)
    grades = [slots[number % len(slots)] for number in range(count)]
    random.shuffle(grades)
    families = [
        Family(
            number,
            random.choice(SURNAMES),
            f"{random.randint(1, 999)} {random.choice(STREETS)}",
            random.choice(LANGUAGES),
        )
        for number in range(max(1, count * 3 // 4))
    ]
    parents = [_parents(profile, family, kin) if kin else () for family in families]
    return [
        _student(profile, number, (grade, year), (family := random.choice(families), parents[family.number]), random)
        for number, grade in enumerate(grades)
    ]


def _parents(profile: Profile, family: Family, random: Random) -> tuple[Parent, ...]:
    """Who brings the children of a family up: two parents mostly, one, or a grandmother."""
    kind = random.random()
    relations = ("Mother", "Father") if kind < 0.7 else ("Mother",) if kind < 0.93 else ("Grandmother",)
    apart = kind < 0.14
    found: list[Parent] = []
    for place, relation in enumerate(relations):
        first = random.choice(BOYS if relation == "Father" else GIRLS)
        last = random.choice(SURNAMES) if random.random() < 0.2 else family.surname
        found.append(
            Parent(
                key=f"{500_000 + 2 * family.number + place}",
                first=first,
                last=last,
                relation=relation,
                email=f"{ascii_letters(first)[:12]}.{ascii_letters(last)[:16]}{family.number:05d}@home.example",
                telephone=f"({profile.area_code}) 555-{random.randint(100, 199):04d}",
                at_home=not (apart and place),
                restriction="By order of the court: does not pick the children up." if kind < 0.02 and place else None,
            )
        )
    return tuple(found)


def _student(
    profile: Profile,
    number: int,
    level: tuple[str | None, int],
    home: tuple[Family, tuple[Parent, ...]],
    random: Random,
) -> Student:
    grade, year = level
    family, parents = home
    female = random.random() < 0.5
    given = GIRLS if female else BOYS
    first, last, language = random.choice(given), family.surname, family.language
    middle = random.choice(given) if random.random() < 0.4 else None
    preferred = random.choice(given) if random.random() < 0.05 else None
    login = f"{ascii_letters(first)[:12]}.{ascii_letters(last)[:16]}{number:05d}"
    return Student(
        number=number,
        key=f"{200_000 + number}",
        first=first,
        middle=middle,
        last=last,
        preferred=preferred,
        female=female,
        born=_birth(grade, year, random),
        race=random.choice(RACES),
        hispanic=random.random() < 0.3,
        language=language,
        learner=language != "English" and random.random() < 0.5,
        lunch=random.choice(("Full price", "Full price", "Reduced price", "Free")),
        login=login,
        email=f"{login}@students.{profile.domain}",
        telephone=f"({profile.area_code}) 555-{random.randint(100, 199):04d}" if random.random() < 0.7 else None,
        street=family.street,
        grade=grade,
        newcomer=random.random() < 0.03,
        parents=parents,
        ability=random.randint(66, 94),
        # 987-65-4320 and the numbers after it belong to nobody: they are set aside for advertisements.
        ssn=f"987-65-432{number}" if number < min(profile.ssns, 10) else None,
    )


def _birth(grade: str | None, year: int, random: Random) -> date:
    """A day of birth that fits the grade: kindergarten begins at five on September 1."""
    age = 18 if grade is None else 5 + GRADES.index(grade)
    return date(year - 1 - age, 9, 1) - timedelta(days=random.randint(0, 364))


def teacher(profile: Profile, number: int, school: str, classification: str, random: Random) -> Teacher:
    """One more member of staff."""
    female = random.random() < 0.65
    first, last = random.choice(GIRLS if female else BOYS), random.choice(SURNAMES)
    return Teacher(
        number=number,
        key=f"{700_000 + number}",
        first=first,
        last=last,
        female=female,
        born=date(random.randint(1962, 1999), random.randint(1, 12), random.randint(1, 28)),
        email=f"{ascii_letters(first)[:12]}.{ascii_letters(last)[:16]}{number:03d}@{profile.domain}",
        school=school,
        classification=classification,
    )


def ascii_letters(name: str) -> str:
    """A name as login names spell it: lower case, letters only, accents dropped."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalpha()) or "x"
