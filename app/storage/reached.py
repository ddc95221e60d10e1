"""The control database, as rooms reach it: what fails there is told in one sentence."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import Unavailable

FAILURES: tuple[type[Exception], ...] = (
    SQLAlchemyError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)
"""What drivers raise when a database does not answer; asyncpg does so past SQLAlchemy, too."""


@asynccontextmanager
async def reached(control: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction: all of it or nothing. Raises: Unavailable; IntegrityError, if there is such a row already."""
    try:
        async with control.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except FAILURES as error:
        raise unreached(error) from error


def unreached(error: BaseException) -> Unavailable:
    """What is said when the control database does not answer."""
    return Unavailable(
        f"The control database does not answer ({type(error).__name__}). Nothing was changed. Try again in a minute."
    )
