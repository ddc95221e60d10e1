"""How a row of a file becomes a record: which column of the file fills which column of the space."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.importers.oneroster.rows import Row
from app.spaces.staging import Part

Reader = Callable[[str | None], object]


@dataclass(frozen=True, slots=True)
class Shape:
    """A part with the cells that fill its columns.

    A column that the file does not have is not filled and not emptied: `narrowed` takes it out.
    """

    part: Part
    cells: dict[str, tuple[str, Reader]]

    def narrowed(self, row: Row, *, whole: bool) -> "Shape":
        """This shape for one file, by the header that the row came under."""
        cells = {name: (column, read) for name, (column, read) in self.cells.items() if column.lower() in row.names}
        missing = self.cells.keys() - cells.keys()
        columns = tuple(name for name in self.part.columns if name not in missing)
        return Shape(replace(self.part, columns=columns, whole=whole), cells)

    def values(self, row: Row) -> dict[str, object]:
        """A row's values. Raises: CellError that names the column."""
        return {name: row.read(read, column) for name, (column, read) in self.cells.items()}


def whole(part: Part, is_whole: bool) -> Part:
    """The part, of a file that is or is not the full state."""
    return replace(part, whole=is_whole)
