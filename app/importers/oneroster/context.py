"""What a row needs to know of the files before it: what is a school, who is a student, what was graded."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from app.importers.oneroster.manifest import Manifest
from app.importers.oneroster.rows import Row, rows
from app.importers.sink import Sink
from app.importers.source import Source
from app.importers.values import CellError
from app.spaces.staging import Part


@dataclass(frozen=True, slots=True)
class Role:
    """One row of roles.csv: what a user is, where, and from when to when."""

    key: str
    line: int
    role: str
    org: str | None
    begin_date: str | None
    end_date: str | None
    grade_level: str | None  # of the vendor extension `metadata.gradeLevel`: a level that is not the user's present one


@dataclass(frozen=True, slots=True)
class LineItem:
    """What a result is the result of."""

    section: str
    period: str | None
    category: str | None
    is_mark: bool  # a mark for a span of time, such as a quarter; else one piece of work


@dataclass(slots=True)
class Context:
    """What was met so far, and where rows go."""

    source: Source
    sink: Sink
    manifest: Manifest
    districts: set[str] = field(default_factory=set)
    schools: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    periods: set[str] = field(default_factory=set)
    homerooms: set[str] = field(default_factory=set)
    roles: dict[str, tuple[Role, ...]] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)  # users who are not students
    categories: dict[str, str | None] = field(default_factory=dict)
    line_items: dict[str, LineItem] = field(default_factory=dict)

    async def each(self, name: str, needed: Sequence[str]) -> AsyncIterator[Row]:
        """Every row of a file, in batches for the store. A file of changes needs a status."""
        if self.manifest.mode(name) == "delta":
            needed = [*needed, "status"]
        for row in rows(self.source, self.manifest.files[name], self.sink.report, needed):
            yield row
            if self.sink.full:
                await self.sink.flush()

    def file(self, name: str) -> str:
        """A file's name as it was sent."""
        return self.manifest.files[name].name

    def take(self, name: str, part: Part, row: Row, values: Callable[[Row, str], dict[str, object]]) -> None:
        """Take one row as one record, delete its record, or report why neither."""
        self.sink.report.count(part.type)
        found: str | None = None
        try:
            found = sound(row)
            if row.removed:
                self.sink.remove(part.type, found)
                return
            self.sink.add(part, self.file(name), row.line, found, values(row, found))
        except CellError as bad:
            self.sink.reject(part, self.file(name), row.line, found or readable(row), bad)


def sound(row: Row) -> str:
    """The key of a row that is whole. Raises: CellError."""
    if row.bad is not None:
        raise row.bad
    return row.key()


def readable(row: Row) -> str | None:
    """The key of a row that is not whole, if it can be read all the same."""
    try:
        return row.key()
    except CellError:
        return None
