"""Find a space of the installation, its databases, and a student in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import UsageError
from app.names import Row, SpaceId
from app.opening import space_secret
from app.settings import Settings, SpaceSettings
from app.spaces.erasing import erased_rows, key_hash
from app.spaces.lookup import student_row
from app.storage.engines import open_engine


def known(settings: Settings, space: str) -> SpaceSettings:
    """A space's settings. Raises: UsageError."""
    try:
        return settings.spaces[space]
    except KeyError:
        names = ", ".join(sorted(settings.spaces)) or "none"
        raise UsageError(f"There is no such space. The spaces of this installation: {names}.") from None


@asynccontextmanager
async def opened(settings: Settings, url: str) -> AsyncIterator[AsyncEngine]:
    """A database of the installation, open for one command."""
    engine = open_engine(settings.database_url(url))
    try:
        yield engine
    finally:
        await engine.dispose()


async def find_student(settings: Settings, space: str, key: str) -> tuple[Row, ...]:
    """The row numbers that the student with that key has and, if erased, had. Raises: UsageError."""
    async with opened(settings, known(settings, space).database) as engine:
        row = await student_row(engine, key)
        past = await erased_rows(engine, key_hash(space_secret(settings, SpaceId(space)), key))
    rows = (*past, *(() if row is None else (row,)))
    if not rows:
        raise UsageError(
            f"{space} has no student with that key. Give the district's own key or unique id of the student."
        )
    return rows
