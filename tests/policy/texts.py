"""One district's policy files, as small as they can be, for tests to alter; and a world of facts to decide over."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.names import ClientId, Coordinate, Scope, SpaceId
from app.policy.authority import Authority, authority
from app.policy.decide import Ask
from app.policy.model import PolicySet
from app.policy.reading import read_policies

SPACE = SpaceId("tx/grand-bend")
READWELL = ClientId("readwell")
NOON = datetime(2026, 9, 15, 17, tzinfo=UTC)  # noon in Chicago

STATE = """\
max_days = 400
deny = [{ fields = ["Student.homeLanguage"], reason = "Education Code", unless_basis = ["audit-evaluation"] }]
"""

DISTRICT = """\
name = "Grand Bend ISD"
time_zone = "America/Chicago"
purposes = { instruction = "Instruction in the classroom", rostering = "Accounts and classes" }
deny = [{ fields = ["Student.ssn"], reason = "Board policy 12" }]
"""

GRANT = """\
client = "readwell"
purpose = "instruction"
statement = "Assign levelled reading."
basis = "school-official"
not_before = 2026-08-15
not_after = 2027-06-30

[agreement]
title = "NDPA v1"
signed = 2026-07-01
schedule = ["Student Name", "Enrollment", "Demographics"]

[fields]
Student = [
  "firstName",
  { field = "lastSurname", as = "initial" },
  "schoolEnrollments",
  "races",
]
SchoolEnrollment = ["gradeLevel"]

[[approval]]
by = "a.ramos@gbisd.example"
role = "steward"
at = 2026-07-20T15:02:11Z
covers = ["Student.races"]

[[approval]]
by = "c.obi@gbisd.example"
role = "privacy-officer"
at = 2026-07-21T15:02:11Z
covers = ["Student.races"]
"""

CASES = """\
client = "readwell"
purpose = "instruction"
on = 2026-09-15

[[case]]
name = "A last name is an initial"
coordinate = "Student.lastSurname"
expect = "initial"

[[case]]
name = "Fifth graders are in"
record = { school = "elm", grade_level = "05", entry_date = 2026-08-17, other_enrollments = [{ school = "oak" }] }
expect = "in"

[[case]]
name = "A query loses the social security number"
query = "{ students { nodes { firstName ssn } } }"
denied = { "Student.ssn" = "DENIED_BY_DISTRICT" }
"""

STATE_FILE = "tx/state.toml"
DISTRICT_FILE = "tx/grand-bend/district.toml"
GRANT_FILE = "tx/grand-bend/grants/readwell.toml"
CASES_FILE = "tx/grand-bend/tests/readwell.toml"


def files(*, state: str = STATE, district: str = DISTRICT, grant: str = GRANT) -> dict[str, bytes]:
    return {STATE_FILE: state.encode(), DISTRICT_FILE: district.encode(), GRANT_FILE: grant.encode()}


@dataclass(frozen=True)
class Known:
    scope: Scope
    category: str
    sensitivity: str
    leads_to: str | None = None
    graphql_type: str = "String"

    @property
    def is_text(self) -> bool:
        return self.graphql_type == "String"


NAME, DEMOGRAPHICS, SSN, ENROLLMENT, SCHOOL = (
    Scope(text)
    for text in (
        "student/name.read",
        "student/demographics.read",
        "student/ssn.read",
        "enrollment/school.read",
        "school/directory.read",
    )
)
SCOPES = frozenset({NAME, DEMOGRAPHICS, SSN, ENROLLMENT, SCHOOL})

FACTS = {
    Coordinate(name): fact
    for name, fact in {
        "Student.firstName": Known(NAME, "Student Name", "directory"),
        "Student.lastSurname": Known(NAME, "Student Name", "directory"),
        "Student.birthDate": Known(DEMOGRAPHICS, "Demographics", "directory", graphql_type="Date"),
        "Student.races": Known(DEMOGRAPHICS, "Demographics", "sensitive", graphql_type="[String!]"),
        "Student.homeLanguage": Known(DEMOGRAPHICS, "Demographics", "sensitive"),
        "Student.ssn": Known(SSN, "Student Identifiers", "restricted"),
        "Student.schoolEnrollments": Known(ENROLLMENT, "Enrollment", "pii", "SchoolEnrollment", "[SchoolEnrollment!]"),
        "SchoolEnrollment.gradeLevel": Known(ENROLLMENT, "Enrollment", "directory", graphql_type="GradeLevel"),
        "SchoolEnrollment.school": Known(SCHOOL, "(not student data)", "public", "School", "School"),
        "School.nameOfInstitution": Known(SCHOOL, "(not student data)", "public"),
        "Staff.birthDate": Known(SCHOOL, "(not student data)", "staff-sensitive", graphql_type="Date"),
    }.items()
}


def ask(coordinate: str) -> Ask:
    fact = FACTS[Coordinate(coordinate)]
    return Ask(Coordinate(coordinate), fact.scope, fact.sensitivity, fact.is_text)


def caller(
    policies: PolicySet | None = None,
    *,
    client: str = "readwell",
    space: str = SPACE,
    purpose: str = "instruction",
    scopes: frozenset[Scope] = SCOPES,
    registered: frozenset[Scope] = SCOPES,
    suspended: bool = False,
    now: datetime = NOON,
) -> Authority:
    return authority(
        read_policies(files()) if policies is None else policies,
        client=ClientId(client),
        space=SpaceId(space),
        purpose=purpose,
        scopes=scopes,
        registered=registered,
        suspended=suspended,
        now=now,
    )
