"""A database that fails lets nothing leave, says so with an id, and is used again once it answers."""

import asyncio
import json
import re
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from app.storage.engines import open_engine
from tests.journeys.conftest import OTHER, SMALL
from tests.journeys.served import Home, Server, Vendor, granting, served, until

FIELDS = {"Student": "firstName"}
QUERY = "{ students(first: 3) { nodes { id firstName } } }"


@pytest.fixture
def alone(two_districts: Home, copied: Callable[[Home], Home]) -> tuple[Home, Vendor]:
    """The districts for one test that breaks something."""
    home = copied(two_districts)
    vendor = home.vendor("readwell")
    for space in (SMALL, OTHER):
        home.grant(space, "readwell", granting("readwell", FIELDS))
    return home, vendor


def unavailable(server: Server, token: str) -> None:
    """Ask, and get nothing but an error id."""
    refused = server.post(token, QUERY)
    assert refused.status_code == 503, refused.text
    assert list(refused.json()) == ["errors", "extensions"]
    [error] = refused.json()["errors"]
    assert error["extensions"]["code"] == "UNAVAILABLE"
    name = error["extensions"]["id"]
    assert name in error["message"]
    assert refused.headers["retry-after"]
    [line] = [line for line in server.log.read_text().splitlines() if f'"{name}"' in line]
    assert json.loads(line)["event"] == "failure"


def execute(home: Home, url: str, statement: str) -> None:
    async def run() -> None:
        engine = open_engine(home.settings.database_url(url))
        try:
            async with engine.begin() as connection:
                await connection.execute(text(statement))
        finally:
            await engine.dispose()

    asyncio.run(run())


def break_database(home: Home, url: str) -> Callable[[], None]:
    """Take a database away while it is in use; gives what puts it back."""
    if home.postgres is None:
        file = Path(home.settings.database_url(url).partition("///")[2])
        aside = file.with_name("aside.db")
        file.rename(aside)
        file.mkdir()

        def restore() -> None:
            file.rmdir()
            aside.rename(file)

        return restore
    name = re.search(r":\d+/(\w+)", url)
    assert name is not None
    server = home.postgres
    server.run(f"ALTER DATABASE {name[1]} ALLOW_CONNECTIONS false")
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name[1]}'")
    return lambda: server.run(f"ALTER DATABASE {name[1]} ALLOW_CONNECTIONS true")


def test_a_ledger_that_cannot_be_written_lets_nothing_leave_and_goes_on_afterwards(alone: tuple[Home, Vendor]) -> None:
    home, vendor = alone
    with served(home) as server:
        token = server.token(vendor, SMALL)
        assert len(server.ask(token, QUERY)["data"]["students"]["nodes"]) == 3
        if home.postgres is None:
            restore = break_database(home, home.settings.spaces[SMALL].ledger)
        else:
            ledger = home.settings.spaces[SMALL].ledger
            execute(home, ledger, "ALTER TABLE entry RENAME TO taken")

            def restore() -> None:
                execute(home, ledger, "ALTER TABLE taken RENAME TO entry")

        for _ in range(3):
            unavailable(server, token)
        refused = server.post(token, '{ students(where: {lastSurname: {eq: "M"}}) { nodes { id } } }')
        assert refused.status_code == 503  # a refusal is recorded, or not told
        assert server.ask(server.token(vendor, OTHER), QUERY)["data"]["students"]["nodes"]  # it has its own
        restore()
        until(lambda: server.post(token, QUERY).status_code == 200, server.process, seconds=30)
        server.stop()
    verdict = home.json("disclosures", "verify", SMALL)
    assert verdict["sound"]
    assert [entry["kind"] for entry in home.json("disclosures", "list", SMALL)] == ["answer", "answer"]


FULL = """CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END$$"""


def fill(server: Server) -> Callable[[], None]:
    """Let the ledger's disk be full; gives what makes room."""
    home = server.home
    if home.postgres is None:
        assert server.process is not None
        process = server.process.pid  # none of whose files can grow any more
        former = resource.prlimit(process, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

        def make_room() -> None:
            resource.prlimit(process, resource.RLIMIT_FSIZE, former)

        return make_room
    ledger = home.settings.spaces[SMALL].ledger
    execute(home, ledger, FULL)
    execute(home, ledger, "CREATE TRIGGER full_disk BEFORE INSERT ON entry EXECUTE FUNCTION disk_is_full()")
    return lambda: execute(home, ledger, "DROP TRIGGER full_disk ON entry")


def test_a_disk_that_is_full_lets_nothing_leave(alone: tuple[Home, Vendor]) -> None:
    home, vendor = alone
    with served(home) as server:
        token = server.token(vendor, SMALL)
        assert server.ask(token, QUERY)["data"]
        make_room = fill(server)
        refused = server.post(token, QUERY)
        assert refused.status_code == 503
        assert list(refused.json()) == ["errors", "extensions"]
        make_room()
        until(lambda: server.post(token, QUERY).status_code == 200, server.process, seconds=30)
        server.stop()
    assert home.json("disclosures", "verify", SMALL)["sound"]


def test_a_space_that_cannot_be_reached_is_503_and_the_others_go_on(alone: tuple[Home, Vendor]) -> None:
    home, vendor = alone
    with served(home) as server:
        token, other = server.token(vendor, SMALL), server.token(vendor, OTHER)
        restore = break_database(home, home.settings.spaces[SMALL].database)
        for _ in range(2):
            unavailable(server, token)
        assert server.ask(other, QUERY)["data"]["students"]["nodes"]
        restore()
        until(lambda: server.post(token, QUERY).status_code == 200, server.process, seconds=30)
        server.stop()
    assert [entry["kind"] for entry in home.json("disclosures", "list", SMALL)] == ["answer"]
