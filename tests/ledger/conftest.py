"""A ledger's database, empty, with its checkpoints beside it."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger import Checkpoints
from app.ledger.store import metadata
from app.settings import Settings
from app.storage.engines import open_engine
from tests.ledger.samples import checkpoints_in


async def with_tables(engine: AsyncEngine) -> AsyncEngine:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    return engine


@pytest.fixture
async def engine(database: AsyncEngine) -> AsyncEngine:
    """Once on SQLite, once on PostgreSQL."""
    return await with_tables(database)


@pytest.fixture
async def file_engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    """On SQLite alone."""
    engine = open_engine(Settings().database_url(sqlite_url))
    yield await with_tables(engine)
    await engine.dispose()


@pytest.fixture
async def server_engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """On PostgreSQL alone."""
    engine = open_engine(Settings().database_url(postgres_url))
    yield await with_tables(engine)
    await engine.dispose()


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
