"""An index with resources in it, on SQLite and on PostgreSQL."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.storage.migrate import migrate


@pytest.fixture
async def index(database: AsyncEngine) -> AsyncEngine:
    """An empty index."""
    await migrate(database, "registry")
    return database
