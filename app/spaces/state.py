"""The state that a space is in, as a mark: whoever finds the mark that they saw before finds every record as it was.

INVARIANT: every transaction that writes a record, or what decides whether one may be read, sets a new mark. A mark is
drawn, not counted: a space that was put back from a copy never comes by a mark that stood for something else.
"""

import secrets
from typing import cast

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.spaces.driver import Reader, Statement
from app.spaces.tables import space_state
from app.storage.upsert import upsert

CURRENT = select(space_state.c.mark)
"""The mark, or no row where nothing was ever written."""

MARK = Statement(str(CURRENT), (), {})
"""... for the connections that vendors are answered from, on either database."""


async def mark(reader: Reader) -> str:
    """The mark at the moment of a reader; empty where nothing was ever written."""
    rows = await reader.rows(MARK, {})
    return cast(str, rows[0][0]) if rows else ""


async def set_mark(connection: AsyncConnection) -> None:
    """Say that the space is another one when this transaction ends. Last in it: other writers wait from here on."""
    drawn = secrets.token_hex(16)

    def write(sync: Connection) -> None:
        statement = upsert(sync, space_state).values(number=1, mark=drawn)
        sync.execute(statement.on_conflict_do_update(index_elements=["number"], set_={"mark": drawn}))

    await connection.run_sync(write)
