"""Everything that a decision depends on, and until when."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.names import ClientId, SpaceId
from app.policy.authority import Authority, day_of, purposes
from app.policy.decide import Permit, decide
from app.policy.model import PolicySet
from app.policy.reading import read_policies
from tests.policy.texts import DISTRICT, GRANT, GRANT_FILE, NOON, READWELL, SPACE, ask, caller, files


def test_equal_circumstances_are_one_authority() -> None:
    assert caller() == caller()
    assert len({caller(), caller(now=NOON + timedelta(hours=1))}) == 1
    assert caller() != "readwell"


@pytest.mark.parametrize(
    "other",
    [
        caller(client="mathquest"),
        caller(space="tx/other"),
        caller(purpose="rostering"),
        caller(scopes=frozenset()),
        caller(registered=frozenset()),
        caller(suspended=True),
        caller(now=NOON + timedelta(days=1)),
        caller(read_policies(files(grant=GRANT + "# another revision"))),
        caller(read_policies(files(district=DISTRICT + "# another revision"))),
        caller(read_policies(files(state="# another revision"))),
    ],
)
def test_whatever_may_sway_a_decision_makes_another_authority(other: Authority) -> None:
    assert caller() != other


def test_an_authority_tells_the_grants_revision() -> None:
    by = caller()
    assert by.grant is not None
    assert by.revision == by.grant.revision
    assert caller(client="nobody").revision is None


@pytest.mark.parametrize(
    ("zone", "now", "today", "until"),
    [
        ("America/Chicago", "2026-09-16T04:59:59", "2026-09-15", "2026-09-16T05:00:00"),
        ("America/Chicago", "2026-11-01T12:00:00", "2026-11-01", "2026-11-02T06:00:00"),
        ("America/Chicago", "2027-03-14T12:00:00", "2027-03-14", "2027-03-15T05:00:00"),
        ("Pacific/Honolulu", "2026-09-16T09:00:00", "2026-09-15", "2026-09-16T10:00:00"),
        # Where clocks jump forward at midnight, the day begins at one o'clock.
        ("America/Havana", "2026-03-07T12:00:00", "2026-03-07", "2026-03-08T05:00:00"),
        # Where they go back to midnight, it begins with the first of two.
        ("America/Havana", "2026-10-31T20:00:00", "2026-10-31", "2026-11-01T04:00:00"),
    ],
)
def test_threat_34_an_authority_holds_until_the_districts_next_midnight(
    zone: str, now: str, today: str, until: str
) -> None:
    policies = read_policies(files(district=DISTRICT.replace("America/Chicago", zone)))
    by = caller(policies, now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert by.today == date.fromisoformat(today)
    assert by.valid_until == datetime.fromisoformat(until).replace(tzinfo=UTC)


ZONES = st.sampled_from(
    ["America/Chicago", "America/Havana", "Pacific/Apia", "Asia/Beirut", "America/Sao_Paulo", "UTC"]
)


@given(ZONES, st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)))
def test_the_day_changes_at_the_end_of_validity_and_not_before(zone: str, now: datetime) -> None:
    district = read_policies(files(district=DISTRICT.replace("America/Chicago", zone))).spaces[SPACE].district
    today, until = day_of(now, district)
    assert now < until
    assert day_of(until - timedelta(microseconds=1), district)[0] == today
    assert day_of(until, district)[0] > today


def test_the_end_of_the_calendar_is_no_error() -> None:
    today, until = day_of(datetime(9999, 12, 31, 12, tzinfo=UTC), None)
    assert today == date.max
    assert until.year == 9999


def with_two(first: str, second: str) -> PolicySet:
    return read_policies({**files(grant=first), GRANT_FILE.replace("readwell", "readwell-2"): second.encode()})


LATER = GRANT.replace("2026-08-15", "2027-07-01").replace("2027-06-30", "2028-06-30")


@pytest.mark.parametrize(
    ("day", "file"),
    [
        (datetime(2026, 9, 1, 12, tzinfo=UTC), "readwell"),
        (datetime(2027, 8, 1, 12, tzinfo=UTC), "readwell-2"),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), "readwell"),  # both to come: the next
        (datetime(2029, 1, 1, 12, tzinfo=UTC), "readwell-2"),  # both past: the last
    ],
)
def test_a_renewal_follows_the_grant_that_it_renews(day: datetime, file: str) -> None:
    by = caller(with_two(GRANT, LATER), now=day)
    assert by.grant is not None
    assert by.grant.file.endswith(f"/{file}.toml")


def test_a_grant_that_was_ended_before_it_began_is_none_to_come() -> None:
    ended, following = ("2026-10-01", "2026-09-14"), ("2026-11-01", "2027-06-30")
    second = GRANT_FILE.replace("readwell", "readwell-2")
    texts = [GRANT.replace("2026-08-15", first).replace("2027-06-30", last) for first, last in (ended, following)]
    by = caller(with_two(*texts))
    assert by.grant is not None
    assert by.grant.file == second


def test_threat_31_two_grants_never_mix() -> None:
    other = GRANT.replace('"firstName"', '"birthDate"')
    by = caller(with_two(GRANT, other))
    assert decide(ask("Student.firstName"), by) == Permit(None)
    assert not isinstance(decide(ask("Student.birthDate"), by), Permit)


def a_grant(fields: list[str], school: str, begins: date, ends: date) -> str:
    """A grant of some fields of the students of one school."""
    head = GRANT.partition("[fields]")[0].replace("2026-08-15", str(begins)).replace("2027-06-30", str(ends))
    listed = ", ".join(f'"{name}"' for name in fields)
    return f'{head}[fields]\nStudent = [{listed}]\n[rows]\nschools = ["{school}"]\n'


FIELDS = ["firstName", "lastSurname", "birthDate", "schoolEnrollments"]
a_day = st.dates(date(2026, 7, 1), date(2027, 6, 30))


@st.composite
def some_grant(draw: st.DrawFn, school: str) -> str:
    fields = draw(st.lists(st.sampled_from(FIELDS), min_size=1, unique=True))
    begins, ends = sorted(draw(st.tuples(a_day, a_day)))
    return a_grant(fields, school, begins, ends)


@given(some_grant("elm"), some_grant("oak"), a_day)
def test_threat_31_no_field_of_one_grant_meets_the_rows_of_another(one: str, other: str, day: date) -> None:
    now = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
    both = caller(with_two(one, other), now=now)
    assert both.grant is not None
    alone = caller(read_policies(files(grant=one if both.grant.rows.schools == ("elm",) else other)), now=now)
    assert alone.grant is not None
    assert both.grant.rows == alone.grant.rows
    asked = [ask(f"Student.{name}") for name in FIELDS]
    assert [decide(each, both) for each in asked] == [decide(each, alone) for each in asked]


def test_a_clients_purposes_are_those_of_its_grants_in_the_space() -> None:
    policies = with_two(GRANT, GRANT.replace('"instruction"', '"rostering"'))
    assert purposes(policies, SPACE, READWELL) == ("instruction", "rostering")
    assert purposes(policies, SPACE, ClientId("nobody")) == ()
    assert purposes(policies, SpaceId("tx/nowhere"), READWELL) == ()
