"""A ledger's database, empty, with its checkpoints beside it."""

import itertools
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateSchema

from app.ledger import Checkpoints
from app.ledger.store import metadata
from app.settings import Settings
from app.storage.engines import open_engine
from tests.ledger.samples import checkpoints_in
from tests.postgres import Server

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def ledgers_database(postgres: Server) -> str:
    """A PostgreSQL database in which each test has a schema of its own, which is quicker made than a database."""
    return postgres.fresh()


@pytest.fixture
def server_url(ledgers_database: str) -> str:
    return f"{ledgers_database}?schema=ledger_{next(numbers)}"


@pytest.fixture(params=["sqlite", "server"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """Once on SQLite, once on PostgreSQL."""
    url = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(url, str)
    return url


async def opened(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(Settings().database_url(url))
    async with engine.begin() as connection:
        if "?schema=" in url:
            await connection.execute(CreateSchema(url.partition("?schema=")[2]))
        await connection.run_sync(metadata.create_all)
    yield engine
    await engine.dispose()


@pytest.fixture
async def engine(ledger_url: str) -> AsyncIterator[AsyncEngine]:
    """Once on SQLite, once on PostgreSQL."""
    async for engine in opened(ledger_url):
        yield engine


@pytest.fixture
async def file_engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    """On SQLite alone."""
    async for engine in opened(sqlite_url):
        yield engine


@pytest.fixture
async def server_engine(server_url: str) -> AsyncIterator[AsyncEngine]:
    """On PostgreSQL alone."""
    async for engine in opened(server_url):
        yield engine


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return checkpoints_in(tmp_path)


@pytest.fixture
async def unreachable() -> AsyncIterator[AsyncEngine]:
    """A PostgreSQL server that is not there: its port is taken by nobody who answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        engine = open_engine(f"postgresql+asyncpg://nobody@127.0.0.1:{taken.getsockname()[1]}/none")
        yield engine
        await engine.dispose()
