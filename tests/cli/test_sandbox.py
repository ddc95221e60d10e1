"""The sandbox: made whole or not at all, and recognised again."""

import socket
import sqlite3
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import anyio
import httpx
import pytest

from app.cli import make_sandbox as making
from app.cli.composing import Schema
from app.cli.demo import curl, free_port, registry_beside
from app.cli.make_sandbox import EXAMPLES, SUPERGRAPH, copy_policies, make_sandbox
from app.cli.sandbox import Sandbox, find_sandbox, set_issuer
from app.errors import HomeroomError, UsageError
from app.importers.sandbox import PROFILES, build, counts
from app.policy.model import last_day
from app.policy.reading import read_folder, read_policies
from app.registry.answering import sdl as registry
from app.schema.build import sdl as core

TODAY = date(2026, 11, 24)
ISSUER = "http://127.0.0.1:8123"


def make(home: Path, students: int = 30) -> Sandbox:
    async def run() -> Sandbox:
        return await make_sandbox(home, issuer=ISSUER, students=students, today=TODAY, say=lambda _text: None)

    return anyio.run(run)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sandbox]:
    home = tmp_path_factory.mktemp("sandbox") / "home"
    return home, make(home)


def test_what_was_invented_is_what_is_stored(made: tuple[Path, Sandbox]) -> None:
    home, _ = made
    for profile in PROFILES:
        with sqlite3.connect(home / "spaces" / profile.space / "space.db") as database:
            for type_, count in counts(build(profile, students=30, seed=2013, today=TODAY)).items():
                table = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type_).lstrip("_")
                assert database.execute(f"select count(*) from {table}").fetchone() == (count,), (profile.space, type_)


def test_social_security_numbers_were_met_and_none_is_stored(made: tuple[Path, Sandbox]) -> None:
    home, _ = made
    with sqlite3.connect(home / "spaces" / "mn" / "loon-lake" / "space.db") as database:
        assert database.execute("select met, stored from ssn_met").fetchall() == [(2, 0)]
        assert database.execute("select count(ssn) from student").fetchone() == (0,)


def test_a_second_start_finds_the_sandbox_as_it_was_made(made: tuple[Path, Sandbox]) -> None:
    home, sandbox = made
    assert find_sandbox(home) == sandbox
    assert [vendor.client_id for vendor in sandbox.vendors] == ["readwell", "mathpath", "rostersync"]
    assert all(len(vendor.client_secret) >= 32 for vendor in sandbox.vendors)


def test_the_vendors_secrets_are_the_owners_alone(made: tuple[Path, Sandbox]) -> None:
    home, _ = made
    assert stat.S_IMODE((home / "vendors.toml").stat().st_mode) == 0o600


def test_the_issuer_follows_the_port(made: tuple[Path, Sandbox]) -> None:
    home, _ = made
    assert set_issuer(home, ISSUER).issuer == ISSUER
    settings = set_issuer(home, "http://127.0.0.1:9", "http://127.0.0.1:8/graphql")
    assert settings.spaces["ca/alder-creek"].subgraphs["registry"].url == "http://127.0.0.1:8/graphql"
    assert settings.issuer == "http://127.0.0.1:9"
    assert sorted(settings.spaces) == ["ca/alder-creek", "mn/loon-lake"]
    assert "# Homeroom's configuration" in (home / "homeroom.toml").read_text(encoding="utf-8")


def test_the_sandboxs_supergraph_is_of_these_schemas() -> None:
    schemas = [Schema("core", "", core()), Schema("registry", "", registry())]
    made_of = ", ".join(f"{one.name} {one.digest}" for one in schemas)
    assert SUPERGRAPH.read_text(encoding="utf-8").partition("\n")[0].endswith(f" of: {made_of}"), (
        "Compose it anew: ./run registry schema > /tmp/registry.graphql; "
        "./run compose registry=/tmp/registry.graphql --out app/registry/supergraph.graphql"
    )


def test_every_course_finds_its_resources_in_the_registry_beside_the_sandbox(made: tuple[Path, Sandbox]) -> None:
    home, _ = made
    query = '{ _entities(representations: [{__typename: "Course", scedCode: "02005"}]) { ... on Course '
    query += "{ learningResources { name educationalAlignment { targetName } } } } }"
    with registry_beside(home) as url:
        assert url is not None
        (course,) = httpx.post(url, json={"query": query}, timeout=20).json()["data"]["_entities"]
    assert len(course["learningResources"]) == 4
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, timeout=5)
    with registry_beside(home / "elsewhere") as url:
        assert url is None


def test_a_start_that_fails_leaves_nothing_and_the_next_one_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"

    async def fail(*_args: object) -> None:
        raise HomeroomError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(making, "_register", fail)
        with pytest.raises(HomeroomError, match="disk is full"):
            make(home)
    assert list(tmp_path.iterdir()) == []
    make(home, students=2)
    assert list(tmp_path.iterdir()) == [home]


def test_what_a_killed_start_left_is_swept_away(tmp_path: Path) -> None:
    left = tmp_path / "home.making-999999999-abcd"
    (left / "rosters").mkdir(parents=True)
    make(tmp_path / "home", students=2)
    assert not left.exists()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="something else"):
        find_sandbox(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("today", [date(2026, 7, 1), date(2027, 6, 30), date(2031, 2, 28)])
def test_every_grant_of_the_sandbox_is_in_force_on_the_day_it_is_made(tmp_path: Path, today: date) -> None:
    copy_policies(EXAMPLES, tmp_path, today)
    policies = read_policies(read_folder(tmp_path))
    assert policies.findings == ()
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    for space in policies.spaces.values():
        for grant in space.grants:
            assert grant.not_before <= today <= last_day(grant, space.state)
            assert all(approval.at < midnight for approval in grant.approvals)


def test_the_line_to_paste_is_one_line_for_the_vendor_and_its_space(made: tuple[Path, Sandbox]) -> None:
    _, sandbox = made
    line = curl(sandbox.vendors[0], ISSUER)
    assert "\n" not in line
    assert f"readwell:{sandbox.vendors[0].client_secret}" in line
    assert f"resource={ISSUER}/spaces/ca/alder-creek" in line


def test_a_port_that_is_taken_is_said_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port}"):
            free_port(port)
