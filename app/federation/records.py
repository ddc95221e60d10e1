"""The records that a subgraph's answer is read into, and that the client's answer is written from.

For an operation where each place holds objects of one type and each field comes from one request, every place gets a
record type: msgspec reads an answer right into it, looks at every value as the schema says, and writes it as the
client asked. So a value that comes and goes is never touched. What such records cannot hold is `Unsuited`, and goes
the way of `waves` and `completion`. Nothing of a query's text is in what is generated but numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
)

from app.federation.careful import LARGEST_INT, definition
from app.federation.positions import Field, Place, Position, Question
from app.federation.steps import Fetch, Flatten, QueryPlan
from app.operation.model import Operation, Selection, holds

INT = Annotated[int, msgspec.Meta(ge=-LARGEST_INT, lt=LARGEST_INT)]
WHOLE = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number where any number may be: what is larger is rare, and for the careful way to look at."""

LEAVES: Mapping[str, Any] = {"String": str, "ID": str, "Int": INT, "Float": WHOLE | float, "Boolean": bool}
"""How values of the built-in scalars are read. Others are taken as they come, but for lists and objects."""

TELLABLE = frozenset({"String", "ID", "Int", "Boolean"})
"""What of a representation is equal exactly where its JSON is."""


class Unsuited(Exception):  # noqa: N818 - it reads as what is the case
    """Records cannot hold the answers to this operation."""


@dataclass(slots=True, eq=False)
class Shape:
    """The records of one place."""

    position: Position
    names: dict[Field, str]  # a field's name in them
    types: dict[Field, Any]  # ... and what it is
    read: Any  # their type, as answers are read
    written: Any  # ... and as they are written; the same, where the client's keys are the plan's
    required: frozenset[Field]  # what may not be null


@dataclass(slots=True)
class Shaping:
    """Makes the record types of one operation, under one set of conditions. Raises, wherever: Unsuited."""

    operation: Operation
    question: Question
    plan: QueryPlan
    true: frozenset[str]
    shapes: dict[Position, Shape] = field(default_factory=dict)
    tellers: dict[Field, tuple[int, Position]] = field(default_factory=dict)

    def root(self) -> Shape:
        """The records of the root, and of every place below."""
        if self.plan.operation != "query" or len(self.plan.rows) != 1:
            raise Unsuited
        for fetch in self.fetches:
            if fetch.root is not None and holds(fetch.root, self.true):
                self._tells(fetch, fetch.selected, self.question.root)
            for flatten in self.flattens(fetch):
                if flatten.representation is None:
                    raise Unsuited
                self._tells(fetch, flatten.selected, self.at(flatten))
        return self._shape(self.question.root, self.operation.roots, None)

    @property
    def fetches(self) -> Iterator[Fetch]:
        """The requests that are sent."""
        return (fetch for fetch in self.plan.rows[0] if holds(fetch.when, self.true))

    def flattens(self, fetch: Fetch) -> Iterator[Flatten]:
        """The places at which a request enters the answer."""
        return (flatten for flatten in fetch.flattens if holds(flatten.when, self.true))

    def told(self, fields: Mapping[Field, Any], position: Position) -> list[Field]:
        """What is told of the objects of a place themselves."""
        return [one for one, when in fields.items() if one.place.position is position and holds(when, self.true)]

    def at(self, flatten: Flatten) -> Position:
        """The place at which a request enters."""
        position = self.question.root
        for step in flatten.path:
            child = _place(position).fields[step.key].child
            if child is None:
                raise Unsuited
            position = child
        return position

    def _tells(self, fetch: Fetch, fields: Mapping[Field, Any], position: Position) -> None:
        for one, when in fields.items():
            if holds(when, self.true):
                if one in self.tellers:
                    raise Unsuited  # answers would have to be merged
                self.tellers[one] = fetch.number, position

    def _shape(self, position: Position, selections: Iterable[Selection], owner: tuple[int, Position] | None) -> Shape:
        place = _place(position)
        if not isinstance(self.question.composed.schema.type_map.get(position.type), GraphQLObjectType):
            raise Unsuited
        names: dict[Field, str] = {}
        types: dict[Field, Any] = {}
        read: list[tuple[Any, ...]] = []  # name, type, default where another request tells it
        written: list[tuple[Any, ...]] = []
        keys: dict[str, str] = {}
        client_keys: dict[str, str] = {}
        required: set[Field] = set()
        for selection in selections:
            if not holds(selection.when, self.true):
                continue
            name = f"f{len(client_keys)}"
            client_keys[name] = selection.response_key
            if selection.field == "__typename":
                keys[name] = "__typename"
                read.append((name, Literal[place.type], place.type))
                written.append((name, str, place.type))
                continue
            one = self.question.of.get(selection)
            if one is None or one in names or one not in self.tellers:
                raise Unsuited
            names[one], keys[name] = name, one.key
            of = definition(self.question, selection).type
            if isinstance(of, GraphQLNonNull):
                required.add(one)
            below = None
            if one.child is not None:
                below = self._shape(one.child, selection.children.get(_place(one.child).type, ()), self.tellers[one])
            types[one] = _type(of, below and below.read)
            read.append(self._read(name, types[one], own=self.tellers[one] == owner))
            written.append((name, _type(of, below.written) if below else Any))
        for one in place.fields.values():
            if one in self.tellers and one not in names:
                name = names[one] = f"f{len(keys)}"
                keys[name], types[one] = one.key, self._besides(one)
                read.append(self._read(name, types[one], own=self.tellers[one] == owner))
        made = _struct(read, keys)
        same = keys == client_keys and all(
            one.child is None or self.shapes[one.child].read is self.shapes[one.child].written for one in names
        )
        shape = Shape(
            position, names, types, made, made if same else _struct(written, client_keys), frozenset(required)
        )
        self.shapes[position] = shape
        return shape

    @staticmethod
    def _read(name: str, of: Any, *, own: bool) -> tuple[Any, ...]:
        """A field as the first answer may have it. INVARIANT: of what it was not asked for it tells nothing."""
        return (name, of) if own else (name, None, None)

    def _besides(self, one: Field) -> Any:
        """What moving between subgraphs alone needs: it is a value that can be told again."""
        named = self.question.composed.fields.get(one.place.type, {}).get(one.name, "")
        if one.child is not None or named not in TELLABLE:
            raise Unsuited
        return LEAVES[named] | None

    def part(self, position: Position, told: Iterable[Field]) -> Any:
        """A record of what one request tells of objects that another named."""
        shape = self.shapes[position]
        return _struct(
            [(shape.names[one], shape.types[one]) for one in told], {shape.names[one]: one.key for one in told}
        )

    def key(self, flatten: Flatten) -> dict[str, Field]:
        """What a representation holds: names, as the subgraph knows them, and the fields that tell it."""
        position = self.at(flatten)
        if flatten.representation != position.type:
            raise Unsuited
        found = {}
        for one in flatten.told:
            known = _place(position).fields[one.key]
            of = self.question.composed.fields.get(position.type, {}).get(one.name, "")
            if one.below or one.on is not None or known not in self.tellers or of not in TELLABLE:
                raise Unsuited
            found[one.name] = known
        return found

    def depth(self, one: Field) -> int:
        """How many lists a field's objects stand in."""
        parent = self.question.composed.schema.type_map[one.place.type]
        assert isinstance(parent, GraphQLObjectType)  # noqa: S101 - `_shape` saw to it
        of: Any = parent.fields[one.name].type
        depth = 0
        while isinstance(of, GraphQLList | GraphQLNonNull):
            depth += isinstance(of, GraphQLList)
            of = of.of_type
        return depth


def _place(position: Position) -> Place:
    if len(position.places) != 1:
        raise Unsuited
    return next(iter(position.places.values()))


def _type(of: GraphQLOutputType, below: Any) -> Any:
    """The Python type that msgspec reads a value as."""
    if isinstance(of, GraphQLNonNull):
        return _bare(of.of_type, below)
    return _bare(of, below) | None


def _bare(of: Any, below: Any) -> Any:
    if isinstance(of, GraphQLList):
        return list[_type(of.of_type, below)]  # type: ignore[misc]
    if below is not None:
        return below
    if isinstance(of, GraphQLEnumType):
        return Literal[tuple(of.values)]
    return LEAVES.get(of.name, str | int | float | bool)


def _struct(fields: list[tuple[Any, ...]], keys: Mapping[str, str]) -> Any:
    return msgspec.defstruct("Record", fields, rename=dict(keys), kw_only=True, gc=False)
