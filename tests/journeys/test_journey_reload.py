"""A grant that is edited, a client that is suspended, a day that ends: each is in force at once, everywhere."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.importers.sandbox.profile import ALDER_CREEK
from tests.journeys.conftest import SMALL
from tests.journeys.crowd import SECOND, SLACK, Crowd
from tests.journeys.served import Home, Server, Vendor, granting, made, served, served_here, until
from tests.postgres import Server as Postgres

FIELDS = {"Student": "firstName lastSurname"}
NARROWED = {"Student": "lastSurname"}
QUERY = "{ students(first: 3) { nodes { firstName lastSurname } } }"


@pytest.fixture
def granted(two_districts: Home, copied: Callable[[Home], Home]) -> tuple[Home, Vendor]:
    """Two districts, and Readwell with a grant of the first one."""
    home = copied(two_districts)
    home.grant(SMALL, "readwell", granting("readwell", FIELDS))
    return home, home.vendor("readwell")


@dataclass(frozen=True, slots=True)
class Together:
    """A server of two workers, and a vendor with a grant for each test that asks whether both of them follow."""

    server: Server
    vendors: Mapping[str, Vendor]

    def asks(self, client: str) -> tuple[Home, Server, str]:
        """The installation, the server, and a token of that vendor."""
        return self.server.home, self.server, self.server.token(self.vendors[client], SMALL)


@pytest.fixture(scope="module")
def together(two_districts: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    home = two_districts.copy(tmp_path_factory.mktemp("reload") / "home")
    vendors = {name: home.vendor(name) for name in ("narrowed", "mistaken", "withdrawn", "suspended")}
    for name in vendors:
        home.grant(SMALL, name, granting(name, FIELDS))
    with served(home, "--workers", "2") as server:
        yield Together(server, vendors)
        server.stop()


def names(answer: dict[str, Any]) -> set[bool]:
    """Whether the students of an answer have first names."""
    return {student["firstName"] is not None for student in answer["data"]["students"]["nodes"]}


def codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer.get("errors", [])]


def test_a_field_that_is_taken_out_of_a_grant_leaves_no_worker_after_a_second(
    together: Together, record_property: Callable[[str, object], None]
) -> None:
    home, server, token = together.asks("narrowed")
    crowd = Crowd(server, token, QUERY)
    crowd.gather()
    assert all(names(answer) == {True} and not codes(answer) for _, answer in crowd.round())

    home.grant(SMALL, "narrowed", granting("narrowed", NARROWED))
    edited = time.monotonic()
    asked: list[tuple[float, dict[str, Any]]] = []
    while time.monotonic() < edited + 3 * SECOND:
        asked += crowd.round()

    late = [began - edited for began, answer in asked if names(answer) == {True}]
    record_property("seconds until the last answer with the field", max(late, default=0))
    after = [answer for began, answer in asked if began > edited + SECOND + SLACK]
    assert len(after) > 20
    for answer in after:
        assert names(answer) == {False}
        assert codes(answer) == ["NOT_GRANTED"]
        assert all(student["lastSurname"] for student in answer["data"]["students"]["nodes"])

    home.grant(SMALL, "narrowed", granting("narrowed", FIELDS))
    until(lambda: all(names(answer) == {True} for _, answer in crowd.round()), server.process, seconds=20)


def test_a_syntax_error_leaves_the_former_revision_in_force_and_check_names_its_line(
    together: Together,
) -> None:
    home, server, token = together.asks("mistaken")
    assert home.run("check").returncode == 0, home.run("check").stdout
    revision = server.ask(token, "{ grant { revision } }")
    good = home.grant_file(SMALL, "mistaken").read_text()
    lines = good.splitlines()
    broken = lines.index("[fields]") + 2
    home.grant(SMALL, "mistaken", "\n".join([*lines[: broken - 1], 'Student = ["lastSurname"', *lines[broken:]]))
    until(lambda: "policy file not in force" in server.log.read_text(), server.process)
    for _ in range(10):
        answer = server.ask(token, QUERY)
        assert (names(answer), codes(answer)) == ({True}, [])
        assert server.ask(token, "{ grant { revision } }") == revision

    checked = home.run("check")
    assert checked.returncode == 1
    named = re.search(rf"policies/{SMALL}/grants/mistaken\.toml:(\d+)", checked.stdout)
    assert named, checked.stdout
    assert int(named[1]) in (broken, broken + 1, broken + 2)
    assert "Traceback" not in checked.stdout + checked.stderr

    home.grant(SMALL, "mistaken", granting("mistaken", NARROWED))
    until(lambda: names(server.ask(token, QUERY)) == {False}, server.process, seconds=10)
    assert home.run("check").returncode == 0


def test_after_a_restart_on_a_broken_file_the_former_revision_is_still_in_force(granted: tuple[Home, Vendor]) -> None:
    home, vendor = granted
    with served(home) as server:
        revision = server.ask(server.token(vendor, SMALL), "{ grant { revision } }")
        server.stop()
    home.grant(SMALL, "readwell", "client = ")
    with served(home) as server:
        token = server.token(vendor, SMALL)
        assert server.ask(token, "{ grant { revision } }") == revision
        assert names(server.ask(token, QUERY)) == {True}


def test_a_grant_file_that_is_taken_away_is_a_grant_that_is_taken_back(together: Together) -> None:
    home, server, token = together.asks("withdrawn")
    assert codes(server.ask(token, QUERY)) == []
    home.grant_file(SMALL, "withdrawn").unlink()
    taken = time.monotonic()
    until(lambda: set(codes(server.ask(token, QUERY))) == {"NO_GRANT"}, server.process, seconds=10)
    time.sleep(max(0.0, taken + SECOND + SLACK - time.monotonic()))
    for _ in range(20):
        answer = server.ask(token, QUERY)
        assert set(codes(answer)) == {"NO_GRANT"}
        assert answer["data"] == {"students": None}


def test_a_suspended_client_is_denied_and_a_revoked_one_is_refused(together: Together) -> None:
    home, server, token = together.asks("suspended")
    assert codes(server.ask(token, QUERY)) == []

    home.ok("client", "suspend", "suspended")
    time.sleep(SECOND + SLACK)
    for _ in range(20):
        answer = server.ask(token, QUERY)
        assert set(codes(answer)) == {"CLIENT_SUSPENDED"}
        assert answer["data"] == {"students": None}

    home.ok("client", "resume", "suspended")
    time.sleep(SECOND + SLACK)
    for _ in range(20):
        assert codes(server.ask(token, QUERY)) == []

    home.ok("client", "revoke", "suspended")
    time.sleep(SECOND + SLACK)
    for _ in range(20):
        refused = server.post(token, QUERY)
        assert refused.status_code == 401
        assert "www-authenticate" in refused.headers


class Clock:
    """A clock that a test sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


ENDS = {
    # A space with its time zone, the last day of its grant, and the first moment of the day after.
    "tx/autumn": ("America/Chicago", "2026-11-01", "2026-11-02T06:00:00+00:00"),  # a day of 25 hours
    "tx/spring": ("America/Chicago", "2027-03-14", "2027-03-15T05:00:00+00:00"),  # a day of 23 hours
    "hi/oahu": ("Pacific/Honolulu", "2026-11-01", "2026-11-02T10:00:00+00:00"),
    "gu/guam": ("Pacific/Guam", "2026-11-01", "2026-11-01T14:00:00+00:00"),
    "cl/santiago": ("America/Santiago", "2026-09-05", "2026-09-06T04:00:00+00:00"),  # the day after has no midnight
}
MOMENT = timedelta(microseconds=1)


def test_threat_34_a_grant_is_in_force_to_the_end_of_its_last_day_where_the_district_is(
    tmp_path: Path, store: Postgres | None
) -> None:
    home = made(tmp_path / "home", store, {space: (space, zone) for space, (zone, _, _) in ENDS.items()})
    vendor = home.vendor("readwell")
    for space, (_, last, _) in ENDS.items():
        home.grant(space, "readwell", granting("readwell", FIELDS, not_after=last))
    clock = Clock(datetime(2026, 8, 1, tzinfo=UTC))
    with served_here(home, clock) as server:
        for space, (_, _, after) in ENDS.items():
            end = datetime.fromisoformat(after)
            clock.moment = end - timedelta(seconds=100)
            token = server.token(vendor, space, purpose="instruction")
            assert server.ask(token, QUERY) == {"data": {"students": {"nodes": []}}}
            clock.moment = end - MOMENT
            assert server.ask(token, QUERY) == {"data": {"students": {"nodes": []}}}
            clock.moment = end
            expired = server.ask(token, QUERY)
            assert expired["data"] == {"students": None}, space
            assert set(codes(expired)) == {"GRANT_EXPIRED"}


def test_a_grant_begins_with_its_first_day_where_the_district_is(tmp_path: Path, store: Postgres | None) -> None:
    home = made(tmp_path / "home", store, {"hi/oahu": ("Oahu", "Pacific/Honolulu")})
    vendor = home.vendor("readwell")
    home.grant("hi/oahu", "readwell", granting("readwell", FIELDS, not_before="2026-11-01"))
    clock = Clock(datetime(2026, 11, 1, 9, 59, 59, 999_999, tzinfo=UTC))
    with served_here(home, clock) as server:
        token = server.token(vendor, "hi/oahu", purpose="instruction")
        assert set(codes(server.ask(token, QUERY))) == {"GRANT_NOT_YET"}
        clock.moment += MOMENT
        assert server.ask(token, QUERY) == {"data": {"students": {"nodes": []}}}


def test_the_day_after_the_last_all_that_was_disclosed_is_denied(granted: tuple[Home, Vendor]) -> None:
    home, vendor = granted
    home.grant(SMALL, "readwell", granting("readwell", FIELDS, not_after="2026-11-01"))
    assert ALDER_CREEK.time_zone == "America/Los_Angeles"
    end = datetime(2026, 11, 2, 8, tzinfo=UTC)
    clock = Clock(end - timedelta(seconds=10))
    several = "{ students(first: 3) { nodes { id firstName } } schools { nodes { id } } grant { notAfter } }"
    with served_here(home, clock) as server:
        token = server.token(vendor, SMALL)
        answer = server.ask(token, QUERY)
        assert (names(answer), codes(answer)) == ({True}, [])
        clock.moment = end
        answer = server.ask(token, several)
        assert answer["data"]["students"] is None
        assert answer["data"]["schools"] is None
        assert set(codes(answer)) == {"GRANT_EXPIRED"}
    listed = home.json("disclosures", "list", SMALL)
    assert {denied["reason"] for denied in listed[0]["denied"]} == {"GRANT_EXPIRED"}
    assert sum(whose["students"] or 0 for whose in listed[0]["disclosed"]) == 0


def test_a_grant_file_that_is_still_being_written_is_not_in_force(granted: tuple[Home, Vendor]) -> None:
    home, vendor = granted
    school = 'schools = ["no-such-school"]'
    file = home.grant(SMALL, "readwell", granting("readwell", FIELDS, school))
    text = file.read_text()
    cut = text.index("[rows]")
    with served(home) as server:
        token = server.token(vendor, SMALL)
        nobody = {"data": {"students": {"nodes": []}}}
        assert server.ask(token, QUERY) == nobody
        for _ in range(20):  # as an upload over a slow line does: what lies there is a whole grant, but for its rows
            with file.open("w") as slow:
                for part in (text[:cut], text[cut:]):
                    slow.write(part)
                    slow.flush()
                    assert server.ask(token, QUERY) == nobody
                    time.sleep(0.05)
