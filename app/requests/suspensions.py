"""A district's suspension of a client: since when, by whom, and why."""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.names import ClientId, SpaceId
from app.requests.model import Deed, Done, Suspension
from app.requests.store import keep, moment, read_rows
from app.storage.control import CHANGED, suspension
from app.storage.reached import reached


async def suspend(control: AsyncEngine, space: SpaceId, done: Done) -> bool:
    """Let a client read nothing here, or let it read again, as the deed says; False if it is so already.

    Raises: Unavailable.
    """
    this = (suspension.c.space == space) & (suspension.c.client == done.client)
    async with reached(control) as connection:
        await connection.execute(CHANGED)
        there = await connection.scalar(select(suspension.c.at).where(this)) is not None
        if there is (done.deed is Deed.SUSPEND):
            return False
        if there:
            await connection.execute(delete(suspension).where(this))
        else:
            row = {"space": space, "client": done.client, "at": int(done.at.timestamp())}
            await connection.execute(insert(suspension).values(**row, by=done.by, reason=done.reason))
        await keep(connection, space, done)
    return True


async def suspended(control: AsyncEngine, space: SpaceId, who: ClientId) -> Suspension | None:
    """Since when a client is suspended here, and by whom; None if it is not."""
    query = select(suspension).where(suspension.c.space == space, suspension.c.client == who)
    row = next(iter(await read_rows(control, query)), None)
    return None if row is None else Suspension(ClientId(row.client), moment(row.at), row.by, row.reason)
