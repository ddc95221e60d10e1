"""Installations that journeys start from: made once for the run by the command line, copied for each test."""

import csv
import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from app.importers.sandbox.generate import generate_district
from app.importers.sandbox.profile import ALDER_CREEK, LOON_LAKE
from tests.journeys.premises import STUDENTS, Sides, both_sides, district
from tests.journeys.served import Home, made
from tests.postgres import Server as Postgres


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Postgres | None:
    """Where an installation keeps control, spaces and ledgers: None for SQLite files, else the PostgreSQL server."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgres")  # type: ignore[no-any-return]


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Home], Home]:
    """Gives a test its own copy of an installation."""
    return lambda home: home.copy(tmp_path / "home")


CANARIES = {"name": "Quetzalcoatlus", "ssn": "512-63-7719", "mail": "kestrel-canary@alder-creek.example"}
"""Values that stand in the data of fields which no grant of the tests lists."""

SMALL = str(ALDER_CREEK.space)
OTHER = str(LOON_LAKE.space)


@pytest.fixture(scope="session")
def two_districts(tmp_path_factory: pytest.TempPathFactory, store: Postgres | None) -> Home:
    """Two small generated districts; the one stores social security numbers, and the canaries are in its roster."""
    folder = tmp_path_factory.mktemp("two-districts")
    spaces = {str(profile.space): (profile.name, profile.time_zone) for profile in (ALDER_CREEK, LOON_LAKE)}
    home = made(folder / "home", store, spaces)
    policy = home.folder / "policies" / SMALL / "district.toml"
    policy.write_text(policy.read_text().replace('"leave-out"', '"store"'))
    for profile in (ALDER_CREEK, LOON_LAKE):
        source = generate_district(
            folder / "rosters",
            profile=profile,
            students=60,
            today=date(2026, 10, 15),
            years=1,
            enrollments=3,
        )
        if profile is ALDER_CREEK:
            plant(source.path / "users.csv")
        home.ok("import", str(profile.space), os.fspath(source.path))
    return home


def plant(users: Path) -> None:
    """Give the first student of a OneRoster roster the canaries."""
    with users.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    student = rows[0]  # staff come last
    student |= {"familyName": CANARIES["name"], "email": CANARIES["mail"], "userIds": f"{{SSN:{CANARIES['ssn']}}}"}
    with users.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def large_district(tmp_path_factory: pytest.TempPathFactory, store: Postgres | None) -> Home:
    """A generated district whose whole answer is some megabytes, in many small chunks."""
    folder = tmp_path_factory.mktemp("large-district")
    home = made(folder / "home", store, {SMALL: (ALDER_CREEK.name, ALDER_CREEK.time_zone)})
    source = generate_district(
        folder / "rosters",
        profile=ALDER_CREEK,
        students=3000,
        today=date(2026, 10, 15),
        years=1,
        sections=150,
        enrollments=6,
        complete=True,
    )
    home.ok("import", SMALL, os.fspath(source.path))
    text = home.config.read_text()
    home.config.write_text(text.replace("# Spaces are added", "[limits]\nchunk = 50\n\n# Spaces are added", 1))
    return home


@pytest.fixture(scope="session")
def kept_district(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A generated district that answers in many small chunks."""
    return district(tmp_path_factory.mktemp("kept"), STUDENTS)


@pytest.fixture(scope="session")
def sides(kept_district: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """A district on its own premises behind a gateway, and the same where its vendors ask themselves."""
    with both_sides(tmp_path_factory.mktemp("sides"), kept_district) as sides:
        yield sides
