"""Complete an answer value by value, and say of each that is not as it should be what and where it is.

Spec: GraphQL §6.4.3 and §6.4.4. What is @inaccessible becomes null without an error: an error would say that it is
there.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from sys import float_info
from typing import Any, Protocol

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    is_leaf_type,
)

from app.federation.positions import Position, Question
from app.federation.tree import Path, Tree
from app.federation.waves import Problem
from app.operation.model import Operation, Selection, holds

LEAVES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "ID": (str, int),
    "Int": (int,),
    "Float": (float, int),
    "Boolean": (bool,),
}
"""What a value of a built-in scalar is in JSON. Other scalars are taken as they come."""


LARGEST_INT = 2**31
LARGEST_FLOAT = int(float_info.max)
"""What numbers there are in GraphQL: of 32 bits, and finite ones."""


class Null(Exception):  # noqa: N818 - it says what becomes of the field above
    """A non-null field has no value: the one above it is null."""


def definition(question: Question, selection: Selection) -> GraphQLField:
    """The field of the schema that a selection names."""
    of = question.composed.schema.type_map[selection.parent]
    assert isinstance(of, GraphQLObjectType)  # noqa: S101 - selections are written out for object types
    known: GraphQLField = of.fields[selection.field]
    return known


class Answering(Protocol):
    """What is to be answered."""

    operation: Operation
    question: Question
    withheld: Set[Selection]
    making: Mapping[Selection, Callable[[Any], Any]]


class Careful:
    """One answer, looked at value by value."""

    def __init__(self, answering: Answering, true: frozenset[str], problems: Iterable[Problem]) -> None:
        self.answering = answering
        self.operation = answering.operation
        self.question = answering.question
        self.true = true
        self.errors: list[dict[str, Any]] = []
        self.places: list[Path] = []
        told: set[tuple[str, str, Path]] = set()
        for problem in problems:
            path = None if problem.path is None else self.path(problem.path)
            same = (problem.subgraph, problem.message, path or ())
            if not problem.extensions and same in told:
                continue
            told.add(same)
            self.add(problem.message, path, {**problem.extensions, "subgraph": problem.subgraph})

    def add(self, message: str, path: Path | None, extensions: Mapping[str, Any]) -> None:
        """One more error."""
        error: dict[str, Any] = {"message": message}
        if path:
            error["path"] = list(path)
            self.places.append(path)
        error["extensions"] = {"code": "SUBGRAPH_FAILED", **extensions}
        self.errors.append(error)

    def path(self, internal: Path) -> Path:
        """An internal path as the client knows it, as far as the client asked for it."""
        out: list[str | int] = []
        selections: Iterable[Selection] = self.operation.roots
        for step in internal:
            if isinstance(step, int):
                out.append(step)
                continue
            found = next(
                (one for one in selections if one in self.question.of and self.question.of[one].key == step),
                None,
            )
            if found is None:
                break
            out.append(found.response_key)
            selections = [below for listed in found.children.values() for below in listed]
        return tuple(out)

    def answer(self, tree: Tree, local: Mapping[str, object]) -> tuple[Tree | None, list[dict[str, Any]]]:
        """The whole answer, with its errors."""
        out: Tree = {}
        try:
            for root in self.operation.roots:
                if not holds(root.when, self.true):
                    continue
                if root.response_key in local:
                    out[root.response_key] = local[root.response_key]
                else:
                    self.field(out, root, tree, ())
        except Null:
            return None, self.errors
        return out, self.errors

    def field(self, out: Tree, one: Selection, tree: Tree, path: Path) -> None:
        """One field of an object."""
        if one in self.answering.withheld:
            out[one.response_key] = None
            return
        asked = self.question.of[one]
        of = definition(self.question, one).type
        here = (*path, one.response_key)
        made = self.value(tree.get(asked.key), of, one, asked.child, here)
        out[one.response_key] = self.answering.making[one](made) if one in self.answering.making else made

    def value(self, value: Any, of: GraphQLOutputType, one: Selection, child: Position | None, path: Path) -> Any:
        """A value as its type says, or null."""
        if isinstance(of, GraphQLNonNull):
            made = self.value(value, of.of_type, one, child, path)
            if made is None:
                self.missing(path, one)
                raise Null
            return made
        if value is None:
            return None
        try:
            if isinstance(of, GraphQLList):
                if not isinstance(value, list):
                    return self.unfit(path, one)
                return [self.value(item, of.of_type, one, child, (*path, number)) for number, item in enumerate(value)]
            if child is not None:
                return self.object(value, one, child, path)
        except Null:
            return None
        return value if not is_leaf_type(of) else self.leaf(value, of, one, path)

    def object(self, value: Any, one: Selection, child: Position, path: Path) -> Any:
        """An object, as the client asked for it."""
        if not isinstance(value, dict):
            return self.unfit(path, one)
        name = value.get("__typename")
        if len(child.places) == 1:
            name = next(iter(child.places))
        elif name is None:
            name = next(iter(one.children), None)
        if not isinstance(name, str) or name not in one.children:
            return None if name in child.places else self.unfit(path, one)
        out: Tree = {}
        for below in one.children[name]:
            if not holds(below.when, self.true):
                continue
            if below.field == "__typename":
                out[below.response_key] = name
            else:
                self.field(out, below, value, path)
        return out

    def leaf(self, value: Any, of: Any, one: Selection, path: Path) -> Any:
        """A value of a scalar or an enum."""
        if isinstance(of, GraphQLEnumType):
            if isinstance(value, str) and value in of.values:
                return value
            # What is hidden is no error either: an error would say that there is something.
            hidden = self.question.composed.hidden.get(of.name, ())
            return None if value in hidden else self.unfit(path, one)
        kinds = LEAVES.get(of.name)
        if kinds is None:
            return value
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            return self.unfit(path, one)
        if of.name in {"Int", "Float"} and not _in_bounds(value, of.name):
            return self.unfit(path, one)
        return str(value) if of.name == "ID" else value

    def unfit(self, path: Path, one: Selection) -> None:
        """Something that its type does not allow."""
        self.add(
            f"{one.coordinate} came as something that its type does not allow.", path, {"coordinate": one.coordinate}
        )

    def missing(self, path: Path, one: Selection) -> None:
        """A non-null field without a value is an error of its own, unless an error there says why already."""
        if not any(place[: len(path)] == path or path[: len(place)] == place for place in self.places):
            self.add(f"{one.coordinate} has no value, and may not be null.", path, {"coordinate": one.coordinate})


def _in_bounds(value: Any, name: str) -> bool:
    if name == "Int":
        return -LARGEST_INT <= int(value) < LARGEST_INT
    return isinstance(value, float) or -LARGEST_FLOAT <= int(value) <= LARGEST_FLOAT
