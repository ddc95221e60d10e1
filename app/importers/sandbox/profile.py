"""The two invented districts: their names, their schools, and the form in which each keeps its roster."""

from dataclasses import dataclass
from typing import Literal

from app.names import SpaceId

Form = Literal["oneroster", "edfi"]

GRADES = ("KG", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12")


@dataclass(frozen=True, slots=True)
class SchoolProfile:
    """One school: the district's own key for it, its name, its level and the grades that it teaches."""

    key: str
    name: str
    level: Literal["Elementary School", "Middle School", "High School"]
    grades: tuple[str, ...]
    prefix: str  # of its course codes, so that a code names one course of the district


@dataclass(frozen=True, slots=True)
class Profile:
    """One district as the sandbox invents it."""

    space: SpaceId
    key: str
    name: str
    time_zone: str
    form: Form
    state: str
    city: str
    postal_code: str
    area_code: str
    domain: str
    schools: tuple[SchoolProfile, SchoolProfile, SchoolProfile]
    ssns: int = 0  # how many students' records carry a declared social security number


# The sixth grade is taught in two schools of each district, so that a child can change school within a year.
ALDER_CREEK = Profile(
    space=SpaceId("ca/alder-creek"),
    key="alder-creek",
    name="Alder Creek Unified School District",
    time_zone="America/Los_Angeles",
    form="oneroster",
    state="CA",
    city="Alder Creek",
    postal_code="95990",
    area_code="530",
    domain="alder-creek.example",
    schools=(
        SchoolProfile("ac-elementary", "Marigold Elementary School", "Elementary School", GRADES[:7], "E"),
        SchoolProfile("ac-middle", "Alder Creek Middle School", "Middle School", GRADES[6:9], "M"),
        SchoolProfile("ac-high", "Alder Creek High School", "High School", GRADES[9:], "H"),
    ),
)

LOON_LAKE = Profile(
    space=SpaceId("mn/loon-lake"),
    key="279104",
    name="Loon Lake Public Schools",
    time_zone="America/Chicago",
    form="edfi",
    state="MN",
    city="Loon Lake",
    postal_code="56990",
    area_code="218",
    domain="loon-lake.example",
    schools=(
        SchoolProfile("279104010", "Birchwood Elementary School", "Elementary School", GRADES[:7], "E"),
        SchoolProfile("279104020", "Loon Lake Middle School", "Middle School", GRADES[6:9], "M"),
        SchoolProfile("279104030", "Loon Lake High School", "High School", GRADES[9:], "H"),
    ),
    ssns=2,
)

PROFILES = (ALDER_CREEK, LOON_LAKE)
