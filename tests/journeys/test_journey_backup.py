"""A back-up made while vendors are answered comes back elsewhere: the same ids, the same chain, and both go on."""

import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import worlds
from tests.journeys.served import Home, Server, granting, served, until, verdict, world_installed
from tests.postgres import Server as Postgres

SPACE = str(worlds.SPACE)
ALL = "{ students(first: 100) { nodes { id firstName } } }"


@contextmanager
def asked_all_the_while(server: Server, token: str) -> Iterator[list[int]]:
    """Two callers that never pause; gives the statuses of their answers so far."""
    over, answered = threading.Event(), list[int]()

    def ask() -> None:
        while not over.is_set():
            answered.append(server.post(token, ALL).status_code)

    callers = [threading.Thread(target=ask) for _ in range(2)]
    try:
        for caller in callers:
            caller.start()
        yield answered
    finally:
        over.set()
        for caller in callers:
            caller.join(60)


def test_a_backup_under_load_is_restored_elsewhere_and_goes_on(
    tmp_path: Path, store: Postgres | None, request: pytest.FixtureRequest
) -> None:
    if store is not None:
        request.getfixturevalue("pg_dump")
    home = Home(tmp_path / "home", store)
    vendor = world_installed(home, chunk=2)
    home.grant(SPACE, "readwell", granting("readwell", {"Student": "firstName"}))
    policy = home.folder / "policies" / SPACE / "district.toml"
    policy.write_text(policy.read_text().replace('"leave-out"', '"store"'))
    archive = tmp_path / "backup.tar"
    with served(home) as server:
        token = server.token(vendor, SPACE)
        before = server.ask(token, ALL)
        with asked_all_the_while(server, token) as answered:
            until(lambda: len(answered) > 5)
            home.ok("backup", str(archive))
            during = len(answered)
            until(lambda: len(answered) > during + 5)
        assert set(answered) == {200}
        server.stop()
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    entries_then = verdict(home, SPACE).entries

    elsewhere = Home(tmp_path / "elsewhere", store)
    moved = [] if store is None else [f"--database=control={store.fresh()}", f"--database={SPACE}={store.fresh()}"]
    told = json.loads(home.ok("--format", "json", "restore", str(archive), str(elsewhere.folder), *moved))
    ledger = told["ledgers"][SPACE]
    assert ledger["sound"]
    assert 0 < ledger["entries"] < entries_then
    assert (told["findings"], Path(told["config"])) == ([], elsewhere.config)
    assert stat.S_IMODE((elsewhere.folder / "keys" / "ledger.json").stat().st_mode) == 0o600
    with served(elsewhere) as server:
        assert server.ask(server.token(vendor, SPACE), ALL) == before
        server.stop()
    after = verdict(elsewhere, SPACE)
    assert after.sound
    assert after.entries > ledger["entries"]
    assert verdict(home, SPACE).entries == entries_then  # what was left behind is as it was
