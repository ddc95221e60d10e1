"""Read one CSV file row by row: any encoding that declares itself, any damage reported, never more than a line held.

Spec: RFC 4180, UTF-8 (OneRoster 1.2 CSV Binding §3). A byte order mark is taken for what it says.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.importers.report import Report
from app.importers.source import File, RosterError, Source
from app.importers.values import MAX_CELL, CellError, key

MAX_LINE = 4 * 1024**2
"""Characters of the longest line; beyond it the file is no table."""

Value = TypeVar("Value")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line, its cells by column, and what is wrong with it as a whole, if anything."""

    line: int
    names: dict[str, int]
    cells: Sequence[str]
    bad: CellError | None

    def cell(self, column: str) -> str | None:
        """The cell as it stands; None where the file has no such column."""
        place = self.names.get(column.lower())
        return self.cells[place] if place is not None and place < len(self.cells) else None

    def read(self, read: Callable[[str | None], Value], column: str) -> Value:
        """One value. Raises: CellError that names the column."""
        try:
            return read(self.cell(column))
        except CellError as bad:
            raise CellError(bad.reason, column) from None

    def key(self, column: str = "sourcedId") -> str:
        """A key that must be there. Raises: CellError."""
        found = self.read(key, column)
        if found is None:
            raise CellError("The cell is empty, and the row cannot be without it.", column)
        return found

    @property
    def removed(self) -> bool:
        """Whether the row says that its record is to be deleted. Raises: CellError."""
        match (self.cell("status") or "").strip().lower():
            case "" | "active":
                return False
            case "tobedeleted" | "inactive":
                return True
            case _:
                raise CellError("The status is neither active nor tobedeleted. Write one of them.", "status")


def rows(source: Source, file: File, report: Report, needed: Sequence[str]) -> Iterator[Row]:
    """Every row of a file below its header.

    Raises: HomeroomError, naming the file, for a wrong encoding, a missing column or a quote that never closes.
    """
    with source.open(file) as stream:
        start = stream.peek(4)[:4]
        encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
        text = io.TextIOWrapper(stream, encoding=encoding, errors="strict", newline="")
        try:
            yield from _read(text, file, needed)
        except UnicodeError:
            raise RosterError(
                f"{file.name} is not written in {encoding.removesuffix('-sig').upper()}. "
                "Save it as UTF-8; nothing was stored."
            ) from None


def _read(text: io.TextIOWrapper, file: File, needed: Sequence[str]) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE)
    lines = _Lines(text, file)
    reader = csv.reader(lines, strict=True)
    names = _header(reader, file, needed)
    while True:
        line = lines.number + 1
        bad: CellError | None = None
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error) or "field limit" in str(error):
                raise RosterError(
                    f"{file.name}:{line}: a quoted cell begins here or below and never ends. "
                    "Export the file again; nothing was stored."
                ) from None
            bad = CellError("The row is no CSV: a quotation mark stands where none may. Double it inside quotes.")
        if not cells and bad is None:
            continue
        if bad is None and len(cells) != len(names):
            bad = CellError(f"The row has {len(cells):,} cells, but the header has {len(names):,}.")
        if (
            bad is None
            and (long := next((n for n, cell in enumerate(cells) if len(cell) > MAX_CELL), None)) is not None
        ):
            column = _named(names, long)
            bad = CellError(f"The value is longer than {MAX_CELL:,} characters. Shorten it.", column)
        yield Row(line, names, cells, bad)


def _header(reader: Iterator[list[str]], file: File, needed: Sequence[str]) -> dict[str, int]:
    try:
        header = next(reader, [])
    except csv.Error:
        raise RosterError(f"{file.name}:1: the header is no CSV. Export the file again; nothing was stored.") from None
    names: dict[str, int] = {}
    for place, name in enumerate(header):
        said = name.strip().lower() or f"#{place}"
        if said in names:
            raise RosterError(f"{file.name}:1: two columns have the same name. Take one out; nothing was stored.")
        names[said] = place
    for column in needed:
        if column.lower() not in names:
            raise RosterError(
                f"{file.name}:1: the column {column} is missing. Export the file with it; nothing was stored."
            )
    return names


def _named(names: dict[str, int], place: int) -> str | None:
    return next((name for name, at in names.items() if at == place), None)


class _Lines(Iterator[str]):
    """The lines of a file, each bounded, and their number."""

    def __init__(self, text: io.TextIOWrapper, file: File) -> None:
        self._text = text
        self._file = file
        self.number = 0

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        if len(line) >= MAX_LINE:
            raise RosterError(
                f"{self._file.name}:{self.number + 1}: the line is longer than {MAX_LINE:,} characters. "
                "Export the file again; nothing was stored."
            )
        self.number += 1
        return line
