"""Hold a roster beside a space before any of it is stored: temporary tables, filled batch by batch.

Shape: one table for each `Part`, with the row's place (`file`, `line`), its key, the kind of element that it stands
for (`kind`, if its reader accounts for elements), its values, the keys of its parents, and room for what the database
finds out: `refusal`, `target` and the parents' row numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from app.spaces.tables import BY_TYPE

READ = "read"
"""The refusal of a row that its reader has already reported; it is here so that its record counts as mentioned."""

PLACED = ("Grade", "StudentGradebookEntry")
"""Types whose records hang on the section enrollment that they were earned in; the database finds which one."""

ROWS = BigInteger().with_variant(Integer(), "sqlite")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one kind of row brings: which columns of which type, and whose children its records are."""

    name: str  # of the temporary table
    type: str  # of the graph: "Student"
    columns: tuple[str, ...]
    parents: Mapping[str, str] = field(default_factory=dict)  # column -> what the file calls it, for the report
    key: str = "sourcedId"  # what the file calls the key, for the report
    creates: bool = True  # False: only records that are there already are changed
    whole: bool = False  # the file is the full state: what it does not mention goes
    label: str | None = None  # what the report calls it, if not by its type


def stored_table(part: Part) -> Table:
    """The table of the space that a part goes to."""
    return BY_TYPE[part.type]


def staged_table(part: Part) -> Table:
    """The temporary table that a part is held in."""
    target = stored_table(part)
    return Table(
        f"staged_{part.name}",
        MetaData(),
        Column("seq", Integer),
        Column("file", String),
        Column("line", Integer),
        Column("source_key", String),
        Column("refusal", String),
        Column("kind", String),
        *(Column(name, target.c[name].type) for name in part.columns),
        *(Column(f"{parent}_key", String) for parent in part.parents),
        Column("target", ROWS),
        *(Column(parent, ROWS) for parent in _numbers(part)),
        prefixes=["TEMPORARY"],
    )


def _numbers(part: Part) -> tuple[str, ...]:
    """The columns that hold row numbers of parents, once they are known."""
    if part.type in PLACED and "section" in part.parents:
        return (*part.parents, "section_enrollment")
    return tuple(part.parents)


def removed_table() -> Table:
    """The keys that the files name as to be deleted."""
    return Table("removed", MetaData(), Column("type", String), Column("source_key", String), prefixes=["TEMPORARY"])


def doomed_table(name: str) -> Table:
    """The row numbers of one type that the import deletes."""
    return Table(
        f"doomed_{name}", MetaData(), Column("row", ROWS, primary_key=True, autoincrement=False), prefixes=["TEMPORARY"]
    )


class Stage:
    """The temporary tables of one import, on the connection whose transaction the import is."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.postgres = connection.dialect.name == "postgresql"
        self.tables: dict[str, tuple[Part, Table]] = {}
        self.made: list[Table] = []
        self.removed: Table | None = None
        self._seq = 0

    async def make(self, table: Table) -> Table:
        """Create a temporary table."""
        await self.connection.execute(CreateTable(table))
        self.made.append(table)
        return table

    async def clear(self) -> None:
        """Drop every temporary table, so that the connection goes back to its pool as it came."""
        for table in reversed(self.made):
            await self.connection.execute(DropTable(table))
        self.made.clear()

    async def add(self, part: Part, rows: Sequence[tuple[object, ...]]) -> None:
        """Hold a batch. Shape of a row: file, line, key, refusal, kind, the part's columns, its parents' keys."""
        if part.name not in self.tables:
            self.tables[part.name] = (part, await self.make(staged_table(part)))
        _, table = self.tables[part.name]
        places = ("seq", "file", "line", "source_key", "refusal", "kind")
        names = [*places, *part.columns, *(f"{p}_key" for p in part.parents)]
        records = [(self._seq + n, *row) for n, row in enumerate(rows)]
        self._seq += len(records)
        await self._fill(table, names, records)

    async def remove(self, keys: Sequence[tuple[str, str]]) -> None:
        """Hold keys that are to be deleted, each with its type."""
        if self.removed is None:
            self.removed = await self.make(removed_table())
        await self._fill(self.removed, ["type", "source_key"], list(keys))

    async def _fill(self, table: Table, names: list[str], records: list[tuple[object, ...]]) -> None:
        if not records:
            return
        raw = await self.connection.get_raw_connection()
        driver = raw.driver_connection
        if driver is None:
            raise TypeError("the connection has no driver")
        if self.postgres:
            await driver.copy_records_to_table(table.name, records=records, columns=names)
        else:
            marks = ", ".join("?" * len(names))
            columns = ", ".join(f'"{name}"' for name in names)
            await driver.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', records)  # noqa: S608 - our own names

    async def settle(self) -> None:
        """Index what is held, so that every later step is one statement over sets."""
        for _, table in self.tables.values():
            await self.connection.execute(CreateIndex(Index(f"ix_{table.name}", table.c.source_key, table.c.seq)))
            await self.analyze(table)

    async def analyze(self, table: Table) -> None:
        """Let the database plan with the sizes that are there now."""
        await self.connection.exec_driver_sql(f'ANALYZE "{table.name}"')
