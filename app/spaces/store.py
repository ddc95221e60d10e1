"""Store a roster in a space: one transaction, set by set, and nothing at all if anything fails.

Shape: `storing(engine)` opens a `Store`; rows are staged in batches; `merge` brings them into the space, type by
type, parents first; leaving the block commits, an exception or `dry_run` rolls back.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.spaces.erasing import Erased, kept_out
from app.spaces.merged import Merged
from app.spaces.merging import Merging
from app.spaces.staging import Part, Stage
from app.spaces.tables import BY_TYPE, contact, school_enrollment, ssn_met, student
from app.spaces.writing import writing


@dataclass(frozen=True, slots=True)
class KnownEnrollment:
    """A school enrollment that the space holds already: its key, whose it is, and its first and last day."""

    key: str
    student: str
    entry_date: str | None
    exit_date: str | None


@dataclass(frozen=True, slots=True)
class KnownContact:
    """A contact that the space holds already: its key, whose it is, who it is, and what is known of them."""

    key: str
    student: str
    person: str
    first_name: str | None
    last_surname: str | None
    email: str | None
    telephone: str | None
    relationship: str | None


class Store:
    """One import's hold on a space."""

    def __init__(self, connection: AsyncConnection, erased: Erased) -> None:
        self._connection = connection
        self._erased = erased
        self._stage = Stage(connection)
        self._kept: set[str] = set()

    async def stage(self, part: Part, rows: Sequence[tuple[object, ...]]) -> None:
        """Hold a batch. Shape of a row: file, line, key, refusal, kind, the part's columns, its parents' keys."""
        await self._stage.add(part, rows)

    async def remove(self, keys: Sequence[tuple[str, str]]) -> None:
        """Delete these records, each named by type and key, and the records that cannot be without them."""
        await self._stage.remove(keys)

    def keep_unmentioned(self, type_: str) -> None:
        """Delete no record of a type for not being mentioned: a row that might have named it could not be read."""
        self._kept.add(type_)

    async def known(self, type_: str, keys: Iterable[str]) -> set[str]:
        """Which of these keys the space holds already."""
        table = BY_TYPE[type_]
        wanted = list(set(keys))
        found: set[str] = set()
        for start in range(0, len(wanted), 500):
            statement = select(table.c.source_key).where(table.c.source_key.in_(wanted[start : start + 500]))
            found.update((await self._connection.execute(statement)).scalars())
        return found

    async def keys(self, type_: str) -> set[str]:
        """Every key of a type that has few records: districts, schools, sessions, grading periods."""
        return set((await self._connection.execute(select(BY_TYPE[type_].c.source_key))).scalars())

    async def enrollments(self, students: Sequence[str]) -> list[KnownEnrollment]:
        """The school enrollments that the space holds of these students, named by their keys."""
        enrollment = school_enrollment.c
        found: list[KnownEnrollment] = []
        for start in range(0, len(students), 500):
            statement = (
                select(enrollment.source_key, student.c.source_key, enrollment.entry_date, enrollment.exit_date)
                .join_from(school_enrollment, student, enrollment.student == student.c.row)
                .where(student.c.source_key.in_(students[start : start + 500]))
            )
            found.extend(KnownEnrollment(*row) for row in await self._connection.execute(statement))
        return found

    async def contacts(self, *, students: Iterable[str] = (), people: Iterable[str] = ()) -> list[KnownContact]:
        """The contacts that the space holds of these students, and those that these people are; by their keys."""
        mine = contact.c
        columns = (mine.first_name, mine.last_surname, mine.email, mine.telephone, mine.relationship)
        found: list[KnownContact] = []
        for column, keys in ((student.c.source_key, list(students)), (mine.contact_id, list(people))):
            for start in range(0, len(keys), 500):
                statement = (
                    select(mine.source_key, student.c.source_key, mine.contact_id, *columns)
                    .join_from(contact, student, mine.student == student.c.row)
                    .where(column.in_(keys[start : start + 500]), mine.contact_id.is_not(None))
                )
                found.extend(KnownContact(*row) for row in await self._connection.execute(statement))
        return found

    async def merge(self) -> Merged:
        """Bring all that is staged into the space, and say what became of it."""
        return await Merging(self._connection, self._stage, frozenset(self._kept), self._erased).run()

    async def note_ssns(self, *, at: str, met: int, stored: int) -> None:
        """Write down how many social security numbers an import met, unless the last note says the same.

        That none were met is only noted of an import that brought all students: a few changes tell nothing of the rest.
        """
        whole = any(part.whole and part.type == "Student" for part, _ in self._stage.tables.values())
        last = select(ssn_met.c.met, ssn_met.c.stored).order_by(ssn_met.c.number.desc()).limit(1)
        found = (await self._connection.execute(last)).first()
        if (met or whole) and (met, stored) != (tuple(found) if found is not None else (0, 0)):
            await self._connection.execute(insert(ssn_met).values(at=at, met=met, stored=stored))

    async def count(self, type_: str) -> int:
        """How many records of a type the space holds now."""
        return (await self._connection.execute(select(func.count()).select_from(BY_TYPE[type_]))).scalar_one()

    async def finish(self) -> None:
        """Leave nothing behind but the space's own tables."""
        await self._stage.clear()


@asynccontextmanager
async def storing(engine: AsyncEngine, *, secret: bytes, dry_run: bool = False) -> AsyncIterator[Store]:
    """One transaction in which a roster is stored: all of it, or, on any failure and on a dry run, none.

    `secret` is the space's: the keys of erased students are told by it.
    Raises: Unavailable when the database fails; the space is then as it was.
    """
    async with writing(engine, dry_run=dry_run) as connection:
        store = Store(connection, await kept_out(connection, secret))
        yield store
        if not dry_run:
            await store.finish()
