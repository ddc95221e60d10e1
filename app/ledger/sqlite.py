"""A ledger's end in an SQLite file: one connection of its own, held open, in a thread of its own.

A batch is one transaction and one hand-over to that thread; an entry pays for nothing else.
"""

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.ledger.entry import Receipt, Unlinked, chain, further
from app.ledger.holding import writes

HEAD = "SELECT sequence, hash FROM entry ORDER BY sequence DESC LIMIT 1"
INSERT = (
    "INSERT INTO entry (sequence, hash, at, client, first_student, last_student, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class SqliteEnd:
    """Where entries are added in an SQLite file. Raises: sqlite3.Error, OSError."""

    def __init__(self, file: Path, start: Receipt, deadline: float) -> None:
        self._file = file
        self._known = start
        self._deadline = deadline
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")

    async def head(self) -> Receipt:
        """The last entry that stands."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._head)

    async def append(self, entries: Sequence[Unlinked]) -> list[Receipt]:
        """Add entries in one commit; they are on the disk when this returns."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._append, entries)

    async def close(self) -> None:
        """Let the file go."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        self._thread.shutdown(wait=False)

    def _open(self) -> sqlite3.Connection:
        # mode=rw: a ledger that is missing is a fault, not the beginning of a new one.
        connection = sqlite3.connect(
            f"{self._file.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=self._deadline,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")  # INVARIANT: a commit has been flushed to the disk
            self._identity = self._on_disk()
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _on_disk(self) -> tuple[int, int]:
        status = os.stat(self._file)
        return status.st_dev, status.st_ino

    def _head(self) -> Receipt:
        connection = self._connection or self._open()
        stored = connection.execute(HEAD).fetchone()
        return further([self._known, Receipt(*stored)]) if stored else self._known

    def _append(self, entries: Sequence[Unlinked]) -> list[Receipt]:
        try:
            connection = self._connection or self._open()
            connection.execute("BEGIN IMMEDIATE")  # INVARIANT: nobody else adds between reading the head and committing
            receipts, rows = chain(self._head(), entries)
            connection.executemany(INSERT, rows)
            for each, receipt in zip(entries, receipts, strict=True):
                for text, kept in writes(each.keeping, receipt.sequence, each.at):
                    connection.executemany(text.replace("$", "?"), kept)
            if self._on_disk() != self._identity:
                raise FileNotFoundError("The ledger's file was moved away.")
            connection.execute("COMMIT")
        except BaseException:
            self._drop()
            raise
        self._known = receipts[-1]
        return receipts

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()  # takes back what was not committed
            self._connection = None
