"""What every room's tests stand on: the event loop, a real PostgreSQL server, fresh databases."""

import io
import logging
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings as examples
from sqlalchemy.ext.asyncio import AsyncEngine

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # so that `tests.worlds` is found however pytest was started
    sys.path.insert(0, str(ROOT))

from app.settings import Settings  # noqa: E402
from app.storage.engines import open_engine  # noqa: E402
from app.web.log import Lines  # noqa: E402
from tests import postgres as postgresql  # noqa: E402

# A machine that is busy is no failure: nothing here is timed.
examples.register_profile("homeroom", deadline=None)
examples.load_profile("homeroom")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests run on asyncio, as the servers do."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Server]:
    """A real PostgreSQL server, one for the whole run: `postgres.fresh()` is the URL of a new empty database."""
    try:
        postgresql.binaries()
    except postgresql.NotInstalledError as error:
        pytest.skip(f"{error} Install it (on Debian: apt-get install postgresql) to run these tests.")
    with postgresql.server() as server:
        yield server


@pytest.fixture(scope="session")
def pg_dump() -> None:
    """PostgreSQL's client programs, or the test is skipped."""
    if shutil.which("pg_dump") is None:
        pytest.skip(
            "pg_dump is not here. Install it (on Debian: apt-get install postgresql-client) to run these tests."
        )


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A new empty SQLite file, named as `homeroom.toml` names it."""
    return f"sqlite:///{tmp_path / 'fresh.db'}"


@pytest.fixture
def postgres_url(postgres: postgresql.Server) -> str:
    """A new empty PostgreSQL database, named as `homeroom.toml` names it."""
    return postgres.fresh()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A new empty database, named as `homeroom.toml` names it; the test runs once on SQLite and once on PostgreSQL."""
    url = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An open engine on a new empty database, once on SQLite and once on PostgreSQL."""
    engine = open_engine(Settings().database_url(database_url))
    yield engine
    await engine.dispose()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that the process logs, as it would be written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Lines())
    root, ours = logging.getLogger(), logging.getLogger("homeroom")
    former = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    ours.setLevel(former)
