"""Compile what was decided of a root field into levels: one statement and one shape for each set of records.

Breadth first: a level runs once over all of its parents, however many. Only selected and granted columns are read,
plus the keys that hang the levels together and the student that each record belongs to, for the ledger.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from operator import itemgetter
from typing import Any

from pyroaring import BitMap
from sqlalchemy import Boolean, ColumnElement, FromClause, bindparam, select

from app.operation.decided import Column, Decided, Edge, Frame, Hidden, Identifier, Typename, Withheld
from app.operation.model import holds
from app.spaces import tables as t
from app.spaces.admission import Admission
from app.spaces.among import among
from app.spaces.driver import Readers, Record, Statement
from app.spaces.edges import GIVEN, IMPLIED, OF_MANY, PAIRWISE, expression, owner, snake, transformed, way
from app.spaces.shape import Gathering, Kind, Make, Slot, shape
from app.spaces.veil import Veil, veil
from app.spaces.where import Where, conditions

AFTER, LIMIT, KEYS = "p_after", "p_limit", "p_keys"
NONE: frozenset[str] = frozenset()
LISTS = frozenset({"races", "gradesOffered", "levelCharacteristic", "period"})
"""Fields whose column holds a list as JSON."""


class Reach(Enum):
    """How the records of a level are come by."""

    PAGE = auto()  # a root list, keyset by keyset
    ROWS = auto()  # root records by row number
    PARENT = auto()  # what a column of the level above names
    CHILDREN = auto()  # what names the level above


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Level:
    """One set of records: how it is read, what a record of it looks like, and whose it is."""

    type: str
    reach: Reach
    statement: Statement
    make: Make
    row: int  # the position of the row number in a row
    owner: int | None  # ... of the student's row number; None if this is not student data
    of_many: bool  # ... of several students' row numbers, separated by commas
    key: int  # the position, in the level above, of what this level is asked for
    identified: bool
    coordinates: tuple[str, ...]
    degree: int | None  # the position of how much of the record is withheld; None: nothing of any
    unblocked: tuple[str, ...]  # the coordinates without those that a blocked student's record does not show
    children: tuple["Level", ...]
    shared: bool  # a parent with no student data below it: read once in a request, and encoded once

    def whose(self, rows: Iterable[Record]) -> BitMap:
        """The students whose data these rows are; none of them is left out, or the ledger would say too little."""
        if self.owner is None:
            return BitMap()
        owners = map(itemgetter(self.owner), rows)
        return BitMap([int(one) for many in owners for one in many.split(",")] if self.of_many else list(owners))


@dataclass(slots=True)
class _Columns:
    """The columns of a level's statement, each once."""

    expressions: list[ColumnElement[Any]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def place(self, name: str, value: ColumnElement[Any]) -> int:
        if name not in self.places:
            self.places[name] = len(self.expressions)
            self.expressions.append(value.label(f"c{len(self.expressions)}"))
        return self.places[name]


@dataclass(frozen=True, slots=True)
class Compiler:
    """What the levels of one plan have in common."""

    readers: Readers
    admission: Admission
    true: frozenset[str]
    alias: Callable[[str], str]  # what this client calls a person whom the district's key names

    def root(self, type_name: str, decided: Iterable[Decided], reach: Reach, where: Where = ()) -> Level:
        """The level of a root field."""
        table = t.BY_TYPE[type_name].alias("t")
        admitted = self.admission.of_root(type_name, table)
        over = veil(type_name, table, self.admission.withholding, root=True)
        if reach is Reach.PAGE:
            columns = _Columns()
            row = columns.place("row", table.c.row)
            filtered = conditions(type_name, table, where, self.admission, over)
            condition = (table.c.row > bindparam(AFTER), admitted, *filtered)
            order = (table.c.row,)
            return self._level(
                type_name, table, over, columns, row, decided, reach, Gathering.LIST, condition, order, limited=True
            )
        return self._by_rows(type_name, table, over, decided, reach, (admitted,))

    def keyed(self, type_name: str, column: str, decided: Iterable[Decided]) -> Level:
        """The level of records that a subgraph names by a key of the district's own."""
        table = t.BY_TYPE[type_name].alias("t")
        columns = _Columns()
        row = columns.place("row", table.c.row)
        key = columns.place("key", table.c[column])
        over = veil(type_name, table, self.admission.withholding, root=True)
        condition = (among(table.c[column], bindparam(KEYS)), self.admission.of_root(type_name, table))
        return self._level(
            type_name, table, over, columns, row, decided, Reach.ROWS, Gathering.BY_ROW, condition, (), gather=key
        )

    def _by_rows(  # noqa: PLR0917
        self,
        type_name: str,
        table: FromClause,
        over: Veil,
        decided: Iterable[Decided],
        reach: Reach,
        admitted: tuple[ColumnElement[bool], ...],
        key: int = 0,
    ) -> Level:
        columns = _Columns()
        row = columns.place("row", table.c.row)
        condition = (among(table.c.row, bindparam(KEYS)), *admitted)
        return self._level(
            type_name, table, over, columns, row, decided, reach, Gathering.BY_ROW, condition, (), key=key
        )

    def _edge(self, edge: Edge, above: _Columns, table: FromClause, over: Veil) -> Level:
        """The level that an edge leads to. Over an edge that is withheld nothing is asked for."""
        target = edge.fact.leads_to
        if target is None:
            raise AssertionError(f"{edge.fact.coordinate} leads nowhere")
        step = way(edge.fact)
        other = t.BY_TYPE[target].alias("t")
        below = veil(target, other, self.admission.withholding, root=False)
        column = step.column if step.to_parent else "row"
        withheld = over.over(edge.fact) is not None
        key = above.place(f"{edge.fact.field}: its key" if withheld else column, over.shown(edge.fact, table.c[column]))
        if step.to_parent:
            # INVARIANT: an edge is left out of IMPLIED unless the record's own admission asked for this parent's.
            admitted = () if edge.fact.coordinate in IMPLIED else (self.admission.of(target, other),)
            return self._by_rows(target, other, below, edge.children, Reach.PARENT, admitted, key)
        columns = _Columns()
        link = columns.place(step.column, other.c[step.column])
        row = columns.place("row", other.c.row)
        given = GIVEN.get(edge.fact.type, NONE)
        condition = (among(other.c[step.column], bindparam(KEYS)), self.admission.of(target, other, given=given))
        order = (other.c[step.column], other.c.row)
        return self._level(
            target, other, below, columns, row, edge.children, Reach.CHILDREN, Gathering.BY_PARENT, condition, order,
            key=key, gather=link,
        )  # fmt: skip

    def _level(  # noqa: PLR0917 - every part of a level differs by how it is reached
        self,
        type_name: str,
        table: FromClause,
        over: Veil,
        columns: _Columns,
        row: int,
        decided: Iterable[Decided],
        reach: Reach,
        gathering: Gathering,
        condition: tuple[ColumnElement[bool], ...],
        order: tuple[ColumnElement[Any], ...],
        *,
        key: int = 0,
        gather: int | None = None,
        limited: bool = False,
    ) -> Level:
        whose = owner(type_name)
        student = columns.place(whose, table.c[whose]) if whose is not None else None
        if type_name in OF_MANY:
            student = columns.place("students", self.admission.disciplined(table))
        degree = columns.place("degree", over.degree) if over.degree is not None else None
        slots: list[Slot] = []
        children: list[Level] = []
        coordinates: dict[str, bool] = {}  # with whether blocked students' records do not show it
        for one in decided:
            if not holds(one.when, self.true):
                continue
            match one:
                case Typename(response_key):
                    slots.append(Slot(response_key, Kind.CONSTANT, constant=type_name))
                case Identifier(response_key):
                    slots.append(Slot(response_key, Kind.ID))
                    coordinates[f"{type_name}.id"] = False
                case Withheld(response_key):
                    slots.append(Slot(response_key, Kind.CONSTANT))
                case Column(response_key, _, fact, permit):
                    value = transformed(expression(table, type_name, fact.field), permit.transform)
                    place = columns.place(f"{fact.field}:{permit.transform}", over.shown(fact, value))
                    kind = _kind(table, fact.field, fact.is_list)
                    if fact.coordinate in PAIRWISE and permit.transform is None:
                        kind = Kind.ALIAS
                    slots.append(Slot(response_key, kind, column=place))
                    coordinates[fact.coordinate] = over.covers(fact)
                case Hidden(response_key, _, name):
                    place = columns.place(f"{name}: hidden", _hidden(over, table, type_name, name))
                    slots.append(Slot(response_key, _kind(table, name, name in LISTS), column=place))
                case Edge(response_key, _, fact):
                    below = self._edge(one, columns, table, over)
                    kind = Kind.ONE if below.reach is Reach.PARENT else Kind.MANY
                    slots.append(Slot(response_key, kind, column=below.key, level=len(children)))
                    children.append(below)
                    coordinates[fact.coordinate] = over.covers(fact)
                    named = () if student is None else named_by(below)
                    coordinates |= dict.fromkeys(named, over.covers(fact))
                case Frame():
                    # INVARIANT: the backstop. What has no decision of its own is never read.
                    raise AssertionError(f"{one.field} of {type_name} has no decision")
        coordinates = coordinates or {f"{type_name}.__typename": False}
        query = select(*columns.expressions).select_from(over.source).where(*condition).order_by(*order)
        if limited:
            query = query.limit(bindparam(LIMIT))
        return Level(
            type=type_name,
            reach=reach,
            statement=self.readers.statement(query),
            make=shape(
                slots,
                len(columns.expressions),
                gathering,
                levels=len(children),
                alias=self.alias,
                key=row if gather is None else gather,
            ),
            row=row,
            owner=student,
            of_many=type_name in OF_MANY,
            key=key,
            identified=any(slot.kind is Kind.ID for slot in slots),
            coordinates=tuple(coordinates),
            degree=degree,
            unblocked=tuple(one for one, covered in coordinates.items() if not covered),
            children=tuple(children),
            shared=reach is Reach.PARENT and student is None and all(below.shared for below in children),
        )


def named_by(level: Level) -> Iterator[str]:
    """What is told of a class, a course or a school that a student's record names: it is told of that student."""
    if level.reach is Reach.PARENT and level.owner is None:
        yield from level.coordinates
        for below in level.children:
            yield from named_by(below)


def _hidden(over: Veil, table: FromClause, type_name: str, name: str) -> ColumnElement[Any]:
    """What subgraphs join on; or a mark: whose a record is, and whether directory fields may be shown of whom it is."""
    whose = owner(type_name) if name in {"row", "open"} else None
    if whose is None:
        return over.joined(expression(table, type_name, name))
    return over.joined(table.c[whose]) if name == "row" else over.unblocked(table.c[whose])


def _kind(table: FromClause, field_name: str, is_list: bool) -> Kind:
    if is_list:
        return Kind.JSON
    column = table.c.get(snake(field_name))
    return Kind.FLAG if column is not None and isinstance(column.type, Boolean) else Kind.VALUE


def depth(level: Level) -> int:
    """How many statements a level and those below it run."""
    return 1 + sum(depth(below) for below in level.children)
