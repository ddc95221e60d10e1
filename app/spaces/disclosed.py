"""What the rows of a level disclose, and of whom: the ledger claims what left, and nothing of what was withheld."""

from collections.abc import Iterator, Sequence

from app.ledger.entry import Whose
from app.spaces.driver import Record
from app.spaces.levels import Level
from app.spaces.veil import BLOCKED, OPEN


def disclosed(level: Level, rows: Sequence[Record]) -> Iterator[Whose]:
    """The coordinates that leave together with these rows, and whose they are."""
    if level.owner is None:
        yield Whose(level.coordinates, None, len(rows))
    elif level.degree is None:
        yield Whose(level.coordinates, level.whose(rows), len(rows))
    else:
        for degree, coordinates in ((OPEN, level.coordinates), (BLOCKED, level.unblocked)):
            some = [row for row in rows if row[level.degree] == degree]
            if some and coordinates:
                yield Whose(coordinates, level.whose(some), len(some))
