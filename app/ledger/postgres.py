"""A ledger's end in PostgreSQL: one connection, one statement for a batch.

The table's primary key keeps one chain over any number of servers: each links its entries to the head that it knows
and claims the next numbers. Where another was first the claim fails whole, the head is read again, and the batch is
linked anew. A server alone pays for one round trip and one commit.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger.entry import Receipt, Row, Unlinked, chain, further
from app.ledger.holding import writes

HEAD = "SELECT sequence, hash FROM entry ORDER BY sequence DESC LIMIT 1"
INSERT = (
    "INSERT INTO entry (sequence, hash, at, client, first_student, last_student, body)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)


class PostgresEnd:
    """Where entries are added in PostgreSQL. Raises: asyncpg's errors, SQLAlchemyError, OSError, TimeoutError."""

    def __init__(self, engine: AsyncEngine, start: Receipt, deadline: float) -> None:
        self._engine = engine
        self._known = start
        self._deadline = deadline
        self._connection: AsyncConnection | None = None
        self._driver: asyncpg.Connection[asyncpg.Record] | None = None
        self._stale = True  # whether the head may have moved on since it was last read

    async def head(self) -> Receipt:
        """The last entry that stands."""
        async with asyncio.timeout(self._deadline):
            driver = await self._open()
            await self._read_head(driver)
            return self._known

    async def append(self, entries: Sequence[Unlinked]) -> list[Receipt]:
        """Add entries in one commit; the server has flushed them to its disk when this returns."""
        try:
            async with asyncio.timeout(self._deadline):
                driver = await self._open()
                while True:
                    if self._stale:
                        await self._read_head(driver)
                    receipts, rows = chain(self._known, entries)
                    try:
                        await self._write(driver, entries, receipts, rows)
                    except asyncpg.UniqueViolationError as error:
                        if error.table_name != "entry":
                            raise
                        self._stale = True
                        continue
                    self._known = receipts[-1]
                    return receipts
        except BaseException:
            await self.close()
            raise

    async def _write(
        self,
        driver: "asyncpg.Connection[asyncpg.Record]",
        entries: Sequence[Unlinked],
        receipts: Sequence[Receipt],
        rows: Sequence[Row],
    ) -> None:
        if not any(each.keeping for each in entries):
            await driver.executemany(INSERT, rows)  # all of them or none
            return
        async with driver.transaction():
            await driver.executemany(INSERT, rows)
            for each, receipt in zip(entries, receipts, strict=True):
                for text, kept in writes(each.keeping, receipt.sequence, each.at):
                    await driver.executemany(text, kept)

    async def close(self) -> None:
        """Let the connection go. A statement that is under way is broken off."""
        connection, driver = self._connection, self._driver
        self._connection = self._driver = None
        self._stale = True
        if driver is not None:
            driver.terminate()
        if connection is not None:
            with suppress(Exception):  # it is gone either way
                await connection.invalidate()
                await connection.close()

    async def _open(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._driver is None or self._driver.is_closed():
            await self.close()
            self._connection = await self._engine.connect()
            raw = await self._connection.get_raw_connection()
            driver = cast("asyncpg.Connection[asyncpg.Record]", raw.driver_connection)
            if await driver.fetchval("SHOW synchronous_commit") in {"off", "local"}:
                await driver.execute("SET synchronous_commit TO on")  # INVARIANT: a commit has been flushed to the disk
            self._driver = driver
        return self._driver

    async def _read_head(self, driver: "asyncpg.Connection[asyncpg.Record]") -> None:
        stored = await driver.fetchrow(HEAD)
        if stored is not None:
            self._known = further([self._known, Receipt(*stored)])
        self._stale = False
