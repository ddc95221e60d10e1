"""Where readers put their rows: gathered into batches, counted, and handed to the space's store."""

from app.importers.report import Report
from app.importers.values import CellError
from app.spaces.staging import READ, Part
from app.spaces.store import Store

BATCH = 2_000


class Sink:
    """The rows of one import on their way to the store."""

    def __init__(self, store: Store, report: Report, *, keep_ssn: bool) -> None:
        self.store = store
        self.report = report
        self.keep_ssn = keep_ssn
        self._rows: dict[str, tuple[Part, list[tuple[object, ...]]]] = {}
        self._removed: list[tuple[str, str]] = []
        self._waiting = 0
        self._opened: dict[str, Part] = {}

    @property
    def full(self) -> bool:
        """Whether there is enough for a batch: time to `flush`."""
        return self._waiting >= BATCH

    def open(self, part: Part) -> None:
        """Declare a part, so that a file without a single row is still the full state of its type."""
        self._opened[part.name] = part

    def add(  # noqa: PLR0917 - a row's place, its key, its values
        self, part: Part, file: str, line: int, key: str, values: dict[str, object], kind: str | None = None
    ) -> None:
        """Take a row. `values` holds the part's columns, and its parents' keys under the parents' names.

        `kind` is the kind of element that the row stands for in the report's account of the file.
        """
        columns = (values.get(name) for name in (*part.columns, *part.parents))
        self._put(part, (file, line, key, None, kind, *columns))

    def mention(self, part: Part, file: str, line: int, key: str) -> None:
        """Say that a record is in the file, though its row was not taken: it stays in the space as it was."""
        self._put(part, (file, line, key, READ, None, *(None for _ in (*part.columns, *part.parents))))

    def reject(  # noqa: PLR0917 - as `add`
        self, part: Part, file: str, line: int, key: str | None, bad: CellError, kind: str | None = None
    ) -> None:
        """Report a row that is not taken; its record, if any, stays as it was."""
        self.report.reject(file, line, bad.column, bad.reason)
        if kind is not None:
            self.report.leave_out(file, kind, bad.reason)
        if key is None:
            self.store.keep_unmentioned(part.type)
        else:
            self.mention(part, file, line, key)

    def remove(self, type_: str, key: str) -> None:
        """Delete a record by its key."""
        self._removed.append((type_, key))
        self._waiting += 1

    async def flush(self) -> None:
        """Hand over what was gathered."""
        for part, rows in self._rows.values():
            if rows:
                await self.store.stage(part, rows)
                rows.clear()
        if self._removed:
            await self.store.remove(self._removed)
            self._removed.clear()
        self._waiting = 0

    async def close(self) -> None:
        """Hand over the last rows, and the parts that came without any."""
        await self.flush()
        for name, part in self._opened.items():
            if name not in self._rows:
                await self.store.stage(part, [])

    def _put(self, part: Part, row: tuple[object, ...]) -> None:
        if part.name not in self._rows:
            self._rows[part.name] = (part, [])
        self._rows[part.name][1].append(row)
        self._waiting += 1
