"""Two locks: a space's role in PostgreSQL cannot read another's tables, and `check` says so where one can."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from app.cli.check_locks import check_locks
from app.installing import add_space, create
from app.names import SpaceId
from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from tests import worlds
from tests.postgres import Server

pytestmark = pytest.mark.anyio

OPERATOR = Path(__file__).resolve().parents[2] / "docs" / "operator.md"
ONE, OTHER = SpaceId("tx/grand-bend"), SpaceId("tx/oakdale")


def documented() -> str:
    """The statements that docs/operator.md tells an administrator to run for a space."""
    (found,) = re.findall(r"```sql\n(.*?)```", OPERATOR.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


@dataclass(frozen=True)
class Two:
    """Two spaces of one installation, each with a role of its own, made as the documentation says."""

    settings: Settings
    server: Server
    database: str

    @contextmanager
    def leak(self, statement: str, undo: str) -> Iterator[None]:
        """Rights that a space's role should not have, for a while."""
        self.server.run(statement, self.database)
        try:
            yield
        finally:
            self.server.run(undo, self.database)

    async def found(self) -> tuple[list[str], list[str]]:
        return await check_locks(self.settings)


async def installed(home: Path, server: Server) -> Two:
    settings = create(home)
    database = server.fresh().rpartition("/")[2]
    settings = Settings(**{**_fields(settings), "control": f"{server.url(database)}?schema=control"})
    number = server.role().rpartition("_")[2]  # roles are the server's: other tests have theirs
    for space, role, schema in ((ONE, "gbisd", "tx_grand_bend"), (OTHER, "oakdale", "tx_oakdale")):
        statements = documented().replace("tx_grand_bend", schema).replace("gbisd", f"{role}_{number}")
        server.run(statements.replace("SECRET", server.password), database)
        url = f"{server.url(database, f'{role}_{number}')}?schema={schema}"
        settings = await add_space(settings, space, "A district", worlds.TIME_ZONE, database=url)
        engine = open_engine(settings.database_url(settings.spaces[space].database))
        await worlds.build(engine)
        await engine.dispose()
    control = open_engine(settings.database_url(settings.control))
    await migrate(control, "control")
    await control.dispose()
    return Two(settings, server, database)


def _fields(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


@pytest.fixture(scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Two:
    return await installed(tmp_path_factory.mktemp("locks") / "home", postgres)


def roles(two: Two) -> tuple[str, str]:
    """The roles of the two spaces."""
    names = [two.settings.spaces[space].database.partition("//")[2].partition(":")[0] for space in (ONE, OTHER)]
    return names[0], names[1]


async def test_a_role_cannot_read_another_space(two: Two) -> None:
    own = await asyncpg.connect(two.settings.spaces[ONE].database.partition("?")[0])
    try:
        assert await own.fetchval("SELECT count(*) FROM tx_grand_bend.student") == len(worlds.STUDENTS)
        for table in ("tx_oakdale.student", "tx_oakdale_ledger.entry", "control.client_secret"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await own.fetch(f"SELECT * FROM {table}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await own.execute(f"SET ROLE {roles(two)[1]}")
    finally:
        await own.close()
    assert await two.found() == ([], [])


async def test_a_role_that_was_given_another_space_is_found(two: Two) -> None:
    one, other = roles(two)
    grant, revoke = f"GRANT {{}} TO {one}", f"REVOKE {{}} FROM {one}"
    schema, column = "USAGE ON SCHEMA tx_oakdale", "SELECT (first_name) ON tx_oakdale.student"
    with two.leak(grant.format(schema), revoke.format(schema)):
        assert await two.found() == ([], [])
        with two.leak(grant.format(column), revoke.format(column)):  # one column is enough
            (finding,), remarks = await two.found()
    assert finding.startswith(f"tx/grand-bend: The role {one} can read the schema tx_oakdale ")
    assert "tx/oakdale's" in finding
    assert remarks == []
    all_of_it = f"USAGE ON SCHEMA control TO {other}; GRANT SELECT ON control.client TO {other}"
    with two.leak(f"GRANT {all_of_it}", f"REVOKE ALL ON SCHEMA control FROM {other}"):
        assert "control tables" in (await two.found())[1][0]


async def test_what_a_role_may_become_counts(two: Two) -> None:
    one, other = roles(two)
    with two.leak(f"ALTER ROLE {one} NOINHERIT; GRANT {other} TO {one}", f"REVOKE {other} FROM {one}"):
        findings, _ = await two.found()
    assert sorted(re.findall(r"the schema (\w+)", " ".join(findings))) == ["tx_oakdale", "tx_oakdale_ledger"]


@pytest.mark.parametrize(("power", "word"), [("SUPERUSER", "superuser"), ("CREATEROLE", "make roles")])
async def test_a_master_of_the_server_is_found_once(two: Two, power: str, word: str) -> None:
    one, _ = roles(two)
    with two.leak(f"ALTER ROLE {one} {power}", f"ALTER ROLE {one} NO{power}"):
        (finding,), _ = await two.found()
    assert word in finding
    assert finding.startswith("tx/grand-bend: ")


async def test_spaces_in_databases_of_their_own_are_looked_at_too(tmp_path: Path, postgres: Server) -> None:
    settings = create(tmp_path / "home")
    urls = [postgres.owned(), postgres.owned()]
    for space, url in zip((ONE, OTHER), urls, strict=True):
        settings = await add_space(settings, space, "A district", worlds.TIME_ZONE, database=url)
    assert await check_locks(settings) == ([], [])
    one = urls[0].partition("//")[2].partition(":")[0]
    grant = f"GRANT USAGE ON SCHEMA tx_oakdale TO {one}; GRANT SELECT ON ALL TABLES IN SCHEMA tx_oakdale TO {one}"
    postgres.run(grant, urls[1].rpartition("/")[2])
    (finding,), _ = await check_locks(settings)
    assert "tx_oakdale" in finding


async def test_one_role_for_two_spaces_is_no_second_lock(tmp_path: Path, postgres: Server) -> None:
    settings = create(tmp_path / "home")
    url = postgres.owned()
    for space in (ONE, OTHER):
        settings = await add_space(settings, space, "A district", worlds.TIME_ZONE, database=url)
    findings, _ = await check_locks(settings)
    assert len(findings) == 4  # two schemas of each space, read by the other's role
