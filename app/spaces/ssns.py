"""How many social security numbers a space met, and how many it stores. The numbers themselves are not read."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.spaces.tables import ssn_met, student


@dataclass(frozen=True, slots=True)
class Ssns:
    """`met` by the last import; `stored` now, of so many students."""

    met: int
    stored: int
    students: int


async def count_ssns(engine: AsyncEngine) -> Ssns:
    """Count them. Raises: Unavailable."""
    try:
        async with engine.connect() as connection:
            met = await connection.scalar(select(ssn_met.c.met).order_by(ssn_met.c.number.desc()).limit(1))
            stored = await connection.scalar(select(func.count(student.c.ssn)))
            students = await connection.scalar(select(func.count()).select_from(student))
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(
            f"The space's database cannot be read ({type(error).__name__}). Check that it is there and up to date."
        ) from error
    return Ssns(met or 0, stored or 0, students or 0)
