"""Let go of holdings that need not be kept: old ones, more than a few for one list, and more than a client's share."""

from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger.store import holding, holding_part, holding_place
from app.settings import Changes

DAY = 86_400_000_000
"""Units: microseconds."""


async def prune(engine: AsyncEngine, changes: Changes, now: int) -> None:
    """One pass over the holdings of a space. Units of `now`: microseconds since 1970."""
    async with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            await connection.exec_driver_sql("BEGIN IMMEDIATE")  # what is read is what is deleted from
        await connection.execute(delete(holding).where(holding.c.used < now - changes.days * DAY))
        await connection.execute(delete(holding).where(holding.c.id.in_(_more_than(changes.keep))))
        await _sweep(connection)
        sizes = select(holding_part.c.client, func.sum(holding_part.c.size)).group_by(holding_part.c.client)
        for client, size in (await connection.execute(sizes)).all():
            await _lessen(connection, client, size, changes.client_bytes)
        await connection.commit()


def _more_than(keep: int) -> Select[Any]:
    """The ids of all but the last few of each list, counted apart for whole ones and for those under way."""
    alike = (holding.c.client, holding.c.query, holding.c.through.is_(None))
    number = func.row_number().over(partition_by=alike, order_by=holding.c.entry.desc()).label("number")
    numbered = select(holding.c.id, number).subquery()
    return select(numbered.c.id).where(numbered.c.number > keep)


async def _lessen(connection: AsyncConnection, client: str, size: int, limit: int) -> None:
    """Let the holdings go that a client used longest ago, until the rest is within its share."""
    oldest = select(holding.c.id).where(holding.c.client == client).order_by(holding.c.entry).limit(1)
    rest = select(func.coalesce(func.sum(holding_part.c.size), 0)).where(holding_part.c.client == client)
    while size > limit:
        await connection.execute(delete(holding).where(holding.c.id == oldest.scalar_subquery()))
        await _sweep(connection)
        size = (await connection.execute(rest)).scalar_one()


async def _sweep(connection: AsyncConnection) -> None:
    """Delete what no holding has."""
    gone = ~select(holding.c.id).where(holding.c.id == holding_place.c.holding).exists()
    await connection.execute(delete(holding_place).where(gone))
    unused = ~select(holding_place.c.part).where(holding_place.c.part == holding_part.c.id).exists()
    await connection.execute(delete(holding_part).where(unused))
