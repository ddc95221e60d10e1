"""An empty space on SQLite, for tests of reading rather than of storing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.storage.engines import open_engine
from tests.importers.rosters import space


@pytest.fixture
async def sqlite_space(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """An empty space in a file."""
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'space.db'}", durable=False)
    yield await space(engine)
    await engine.dispose()
