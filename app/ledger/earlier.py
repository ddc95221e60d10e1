"""Days that are over, laid out by student: what a parent's page reads is some rows, however long the ledger is.

While a day goes on, the summary keeps for each vendor and set of fields whom they left about on it, as one bitmap. When
another day has come, each such bitmap is taken apart into blocks of students, and put beside the other days of its
month. Nothing is lost by it: a day is in one form, in the other, or in both, and a reader takes either.

Shape: a row's `days` is four bytes for each of a block's students, little end first; bit 1 is the first of the month.
"""

from array import array
from collections.abc import Iterable, Iterator
from datetime import date
from struct import Struct
from typing import Any, TypeAlias

from pyroaring import BitMap
from sqlalchemy import Connection, Row, Select, delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger.store import earlier, reach, summarized
from app.ledger.turn import in_turn
from app.storage.upsert import upsert

BLOCK = 256
"""How many students lie together."""

ROWS, STUDENTS = 16, 8_000
"""How much is laid out with one commit: this many days of a set, or fewer with so many students."""

WIDTH = 4
LAYOUT = Struct(f"<{BLOCK}I")
KEYS = ("block", "client", "purpose", "basis", "fields", "month")
OF_A_DAY = ("client", "purpose", "basis", "fields", "day")
AT_ONCE = 100

Key: TypeAlias = tuple[int, str, str, str, int, int]


async def lay_out(engine: AsyncEngine) -> int:
    """Lay out some days that are over, in one commit; gives how many. Raises: SQLAlchemyError, OSError."""
    async with in_turn(engine) as connection:
        return await connection.run_sync(_lay_out)


def _lay_out(connection: Connection) -> int:
    connection.execute(select(summarized.c.through).with_for_update())
    newest = connection.execute(select(func.max(reach.c.day))).scalar_one()
    if newest is None:
        return 0
    over = select(reach).where(reach.c.day < newest).order_by(reach.c.day).limit(ROWS)
    taken: list[tuple[Any, ...]] = []
    made: dict[Key, array[int]] = {}
    reached = 0
    for row in connection.execute(over):
        students = BitMap.deserialize(row.students)
        reached += len(students)
        if taken and reached > STUDENTS:
            break
        taken.append(tuple(getattr(row, name) for name in OF_A_DAY))
        _spread(made, row, students)
    _keep(connection, made)
    for some in _few(taken):
        connection.execute(delete(reach).where(tuple_(*(reach.c[name] for name in OF_A_DAY)).in_(some)))
    return len(taken)


def _spread(made: dict[Key, "array[int]"], row: Row[Any], students: Iterable[int]) -> None:
    """Set the bit of a day for each student."""
    day = date.fromordinal(row.day)
    month, bit = month_of(day), 1 << day.day
    blocks: dict[int, array[int]] = {}
    for student in students:
        number = student // BLOCK
        if number not in blocks:
            key = number, row.client, row.purpose, row.basis, row.fields, month
            blocks[number] = made.setdefault(key, array("I", bytes(LAYOUT.size)))
        blocks[number][student % BLOCK] |= bit


def _keep(connection: Connection, made: dict[Key, "array[int]"]) -> None:
    """Add days to those that stand."""
    texts = {key: LAYOUT.pack(*days) for key, days in made.items()}
    new = upsert(connection, earlier)
    put = new.on_conflict_do_update(index_elements=[*KEYS], set_={"days": new.excluded.days})
    for some in _few([*texts]):
        kept = connection.execute(select(earlier).where(tuple_(*(earlier.c[name] for name in KEYS)).in_(some)))
        for row in kept:
            key = row.block, row.client, row.purpose, row.basis, row.fields, row.month
            both = int.from_bytes(texts[key], "little") | int.from_bytes(row.days, "little")
            texts[key] = both.to_bytes(LAYOUT.size, "little")
        connection.execute(put, [{**dict(zip(KEYS, key, strict=True)), "days": texts[key]} for key in some])


def _few(keys: list[Any]) -> Iterator[list[Any]]:
    """As many at once as one statement takes."""
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def of_one(student: int) -> Select[Any]:
    """The rows of a student, with the student's own four bytes as `days`."""
    place = func.substr(earlier.c.days, student % BLOCK * WIDTH + 1, WIDTH, type_=earlier.c.days.type)
    names = (earlier.c.client, earlier.c.purpose, earlier.c.basis, earlier.c.fields, earlier.c.month)
    return select(*names, place.label("days")).where(earlier.c.block == student // BLOCK)


def month_of(day: date) -> int:
    """A month's number."""
    return day.year * 12 + day.month - 1


def eve_of(month: int) -> int:
    """The day before a month's first, as an ordinal: what bit 0 of its days would stand for."""
    return date(month // 12, month % 12 + 1, 1).toordinal() - 1
