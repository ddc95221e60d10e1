"""Take records out of a space: those that are named, and what cannot be without them. Row numbers are never reused.

A student takes everything of theirs along. A record that only refers to what goes stays, without the reference.
"""

from dataclasses import dataclass, field

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Select, Table, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.spaces.belonging import holding
from app.spaces.edges import owner
from app.spaces.staging import Stage, doomed_table
from app.spaces.tables import BY_TYPE


@dataclass(frozen=True, slots=True)
class Removed:
    """The records of one type that went, and whose they were."""

    type: str
    records: int
    students: BitMap | None  # None: no student's data


@dataclass(slots=True)
class Removal:
    """One removal, inside the transaction that it is."""

    connection: AsyncConnection
    _stage: Stage = field(init=False)
    _doomed: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stage = Stage(self.connection)

    def going(self, type_name: str) -> Select[tuple[int]] | None:
        """The row numbers of a type that go; None while there are none."""
        doomed = self._doomed.get(type_name)
        return None if doomed is None else select(doomed.c.row)

    def staying(self, type_name: str) -> ColumnElement[bool] | None:
        """Whether a record of a type stays; None: all do."""
        going = self.going(type_name)
        return None if going is None else BY_TYPE[type_name].c.row.not_in(going)

    async def doom(self, type_name: str, *conditions: ColumnElement[bool]) -> int:
        """Name the records of a type that go: those that meet one of the conditions. Answers how many are new."""
        table = BY_TYPE[type_name]
        if not conditions:
            return 0
        query = select(table.c.row).where(or_(*conditions))
        if (staying := self.staying(type_name)) is not None:
            query = query.where(staying)
        elif await self.connection.scalar(query.limit(1)) is None:
            return 0
        else:
            self._doomed[type_name] = await self._stage.make(doomed_table(table.name))
        doomed = self._doomed[type_name]
        return int((await self.connection.execute(insert(doomed).from_select(["row"], query))).rowcount)

    async def doom_dependents(self, type_name: str) -> int:
        """Name what cannot be without a record that goes: a student's own, and what must have its parent."""
        table, whose = BY_TYPE[type_name], owner(type_name)
        parents = {TYPES[parent]: table.c[parent] for parent in holding(type_name)}
        if whose is not None and type_name != "Student":
            parents["Student"] = table.c[whose]
        going = [(column, self.going(parent)) for parent, column in parents.items()]
        return await self.doom(type_name, *(column.in_(rows) for column, rows in going if rows is not None))

    async def doom_all_dependents(self) -> None:
        """Name everything that cannot be without what goes."""
        for type_name in BY_TYPE:  # parents first
            await self.doom_dependents(type_name)

    async def doom_emptied_incidents(self) -> None:
        """Name the discipline incidents on which no action stands any more: they are nobody else's."""
        incident, action = BY_TYPE["DisciplineIncident"], BY_TYPE["DisciplineAction"]
        going, stays = self.going("DisciplineAction"), self.staying("DisciplineAction")
        if going is not None and stays is not None:
            on_it = select(1).where(action.c.discipline_incident == incident.c.row)
            await self.doom(
                "DisciplineIncident", exists(on_it.where(action.c.row.in_(going))) & ~exists(on_it.where(stays))
            )

    async def carry_out(self) -> list[Removed]:
        """Take what was named out of the space, children first. Answers what went, parents first."""
        removed = [await self._told(type_name) for type_name in BY_TYPE if type_name in self._doomed]
        for type_name, table in BY_TYPE.items():
            for parent in self._doomed:
                column = table.c.get(BY_TYPE[parent].name)
                if column is not None and parent != type_name:
                    stays = self.staying(type_name)
                    lost = update(table).where(column.in_(self.going(parent))).values({column.name: None})  # type: ignore[arg-type]
                    await self.connection.execute(lost if stays is None else lost.where(stays))
        for type_name, table in reversed(BY_TYPE.items()):
            if (going := self.going(type_name)) is not None:
                await self.connection.execute(delete(table).where(table.c.row.in_(going)))
        await self._stage.clear()
        return removed

    async def _told(self, type_name: str) -> Removed:
        table, whose, doomed = BY_TYPE[type_name], owner(type_name), self._doomed[type_name]
        count = await self.connection.scalar(select(func.count()).select_from(doomed))
        if whose is None:
            return Removed(type_name, count or 0, None)
        owners = select(table.c[whose]).join_from(doomed, table, table.c.row == doomed.c.row).distinct()
        students = BitMap([row for row in (await self.connection.execute(owners)).scalars() if row is not None])
        return Removed(type_name, count or 0, students)


TYPES = {table.name: type_name for type_name, table in BY_TYPE.items()}
"""The types by the name that a reference to them bears."""
