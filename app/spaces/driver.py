"""Reading connections of a space, on the database's own driver: the hot path does not pass SQLAlchemy's result layer.

A statement is written and compiled by SQLAlchemy once, then run here as text. The connections cannot write: SQLite
opens the file read-only, PostgreSQL's sessions are read-only by default.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg
import msgspec
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.engine import make_url

from app.errors import HomeroomError, Unavailable
from app.storage.postgresql import arguments
from app.traffic.shares import Shares

Record = Sequence[Any]
FAILURES = (
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that the server ended, used before that was noticed
    OSError,
    TimeoutError,
)
PATIENCE = 30.0
"""Units: seconds that a statement, or the wait for a connection, may take."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """SQL text with its parameters in order, and those values that the plan carries with it."""

    text: str
    order: tuple[str, ...]
    constants: Mapping[str, object]


def _json(values: object) -> str:
    return msgspec.json.encode(values).decode()


class Reader(Protocol):
    """One connection, lent to one request."""

    @property
    def closed(self) -> bool:
        """Whether the database's server has ended it."""
        ...

    async def rows(self, statement: Statement, values: Mapping[str, object]) -> Sequence[Record]:
        """The rows of a statement. Values that `values` lacks are the statement's constants."""
        ...

    async def each(self, asked: Sequence[tuple[Statement, Mapping[str, object]]]) -> Sequence[Sequence[Record]]:
        """The rows of several statements, in one go where the driver can."""
        ...

    async def begin(self) -> None:
        """All that follows sees one moment."""
        ...

    async def end(self) -> None:
        """The moment is over."""
        ...

    async def close(self) -> None:
        """Give the connection up."""
        ...


class Readers:
    """The reading connections of one space, opened as they are needed, at most `size`; the last one used goes first."""

    def __init__(self, url: str, *, size: int = 8) -> None:
        self._url = make_url(url)
        self.is_postgresql = self._url.get_backend_name() == "postgresql"
        self._idle: list[Reader] = []
        self._shares = Shares("the space", size)

    def statement(self, query: Select[Any]) -> Statement:
        """Compile a query for this database."""
        dialect: Any = (
            postgresql_dialect() if self.is_postgresql else sqlite_dialect(paramstyle="qmark")  # type: ignore[no-untyped-call]
        )
        compiled = query.compile(dialect=dialect)
        order = tuple(compiled.positiontup or ())
        return Statement(str(compiled), order, {name: self._value(value) for name, value in compiled.params.items()})

    def _value(self, value: object) -> object:
        return _json(value) if isinstance(value, list) and not self.is_postgresql else value

    @asynccontextmanager
    async def lend(self, *, one_moment: bool, client: str | None = None) -> AsyncIterator[Reader]:
        """A connection for one request of a client; `one_moment` if it runs more than one statement.

        Raises: Unavailable if the database does not answer.
        """
        reader: Reader | None = None
        sound = False
        let_go = await self._shares.admit(client, PATIENCE)
        try:
            reader = self._kept() or await self._open()
            if one_moment:
                await reader.begin()
            yield reader
            if one_moment:
                await reader.end()
            sound = True
        except GeneratorExit:
            # Nobody wants more of the answer. That is told between statements, never within one.
            with suppress(*FAILURES):
                if one_moment and reader is not None:
                    await reader.end()
                sound = True
            raise
        except HomeroomError:
            raise
        except FAILURES as error:
            raise Unavailable(f"The space's database does not answer ({type(error).__name__}).") from None
        finally:
            if reader is not None:
                # A connection whose request broke off may be in the middle of anything: it is never lent again.
                if sound:
                    self._idle.append(reader)
                else:
                    with suppress(*FAILURES):
                        await asyncio.shield(reader.close())
            let_go()

    def _kept(self) -> Reader | None:
        """A connection that is idle, but for those that the server has ended meanwhile."""
        while self._idle:
            reader = self._idle.pop()
            if not reader.closed:
                return reader
        return None

    async def _open(self) -> Reader:
        async with asyncio.timeout(PATIENCE):
            return await (_Postgresql.open(self._url) if self.is_postgresql else _Sqlite.open(self._url))

    async def close(self) -> None:
        """Close what is idle; what is lent closes with its request."""
        while self._idle:
            with suppress(*FAILURES):
                await self._idle.pop().close()


class _Sqlite:
    """A connection with a thread of its own, which runs what it is given in order."""

    def __init__(self, thread: ThreadPoolExecutor, connection: sqlite3.Connection) -> None:
        self._thread = thread
        self._connection = connection
        self._beginning = False

    @classmethod
    async def open(cls, url: Any) -> "_Sqlite":
        thread = ThreadPoolExecutor(1, "homeroom-reader")
        try:
            return cls(thread, await asyncio.get_running_loop().run_in_executor(thread, _connected, url.database))
        except BaseException:
            thread.shutdown(wait=False)
            raise

    @property
    def closed(self) -> bool:
        return False

    async def rows(self, statement: Statement, values: Mapping[str, object]) -> Sequence[Record]:
        return (await self.each([(statement, values)]))[0]

    async def each(self, asked: Sequence[tuple[Statement, Mapping[str, object]]]) -> Sequence[Sequence[Record]]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._fetch, asked)

    def _fetch(self, asked: Sequence[tuple[Statement, Mapping[str, object]]]) -> list[list[Record]]:
        if self._beginning:
            self._connection.execute("BEGIN")
            self._beginning = False
        found: list[list[Record]] = []
        for statement, values in asked:
            constants = statement.constants
            given = [
                _json(value) if type(value := values[name] if name in values else constants[name]) is list else value
                for name in statement.order
            ]
            found.append(self._connection.execute(statement.text, given).fetchall())
        return found

    async def begin(self) -> None:
        self._beginning = True  # with the first statement: a way to the thread and back is saved

    async def end(self) -> None:
        if not self._beginning:
            # Nobody waits for it: the thread has ended the moment before it runs anything else.
            self._thread.submit(self._connection.rollback)
        self._beginning = False

    async def close(self) -> None:
        self._connection.interrupt()
        self._thread.submit(self._connection.close)
        self._thread.shutdown(wait=False)


def _connected(database: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("query_only=ON", "busy_timeout=10000", "cache_size=-65536", "mmap_size=1073741824"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT 1 FROM sqlite_master").close()  # a file that is no database says so here
    except BaseException:
        connection.close()
        raise
    return connection


class _Postgresql:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: Any) -> "_Postgresql":
        given = arguments(url, default_transaction_read_only="on", jit="off")
        return cls(await asyncpg.connect(**given, command_timeout=PATIENCE, statement_cache_size=1024))

    @property
    def closed(self) -> bool:
        return bool(self._connection.is_closed())

    async def rows(self, statement: Statement, values: Mapping[str, object]) -> Sequence[Record]:
        constants = statement.constants
        given = [values[name] if name in values else constants[name] for name in statement.order]
        return await self._connection.fetch(statement.text, *given)  # type: ignore[no-any-return]

    async def each(self, asked: Sequence[tuple[Statement, Mapping[str, object]]]) -> Sequence[Sequence[Record]]:
        return [await self.rows(statement, values) for statement, values in asked]

    async def begin(self) -> None:
        await self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    async def end(self) -> None:
        await self._connection.execute("COMMIT")

    async def close(self) -> None:
        self._connection.terminate()
