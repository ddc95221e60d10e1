"""Write the answer to a client's operation from a tree of what subgraphs told: order, aliases, types, nulls.

Two ways to the same answer. The straight one is a function that is generated once for an operation; it takes only what
is as the schema says, and gives up at the first thing that is not. Then the careful one goes through the tree again,
and says of every such thing what and where it is. Spec: GraphQL §6.4.3 and §6.4.4.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    is_leaf_type,
)

from app.federation.positions import Position, Question
from app.federation.waves import Path, Problem, Tree
from app.operation.model import Operation, Selection, holds

LEAVES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "ID": (str, int),
    "Int": (int,),
    "Float": (float, int),
    "Boolean": (bool,),
}
"""What a value of a built-in scalar is in JSON. Other scalars are taken as they come."""


class Unfit(Exception):  # noqa: N818 - it reads as what is the case
    """Something is not as the schema says."""


class Null(Exception):  # noqa: N818 - it says what becomes of the field above
    """A non-null field has no value: the one above it is null."""


@dataclass(slots=True, eq=False)
class Completion:
    """Writes the answers of one operation."""

    operation: Operation
    question: Question
    _straight: dict[frozenset[str], Callable[[Tree], Tree]] = field(default_factory=dict)

    @property
    def schema(self) -> GraphQLSchema:
        """What vendors see."""
        return self.question.composed.schema

    def straight(self, tree: Tree, true: frozenset[str], local: Mapping[str, object]) -> Tree:
        """The answer, if everything is there and as it should be. Raises: Unfit."""
        made = self._straight.get(true)
        if made is None:
            if len(self._straight) >= 64:
                self._straight.clear()
            made = self._straight[true] = _Generating(self, true).function()
        try:
            answer = made(tree)
        except (KeyError, TypeError):
            raise Unfit from None
        if local:
            # In the order of the operation, as the specification wants it.
            return {
                root.response_key: local.get(root.response_key, answer.get(root.response_key))
                for root in self.operation.roots
                if holds(root.when, true)
            }
        return answer

    def careful(
        self, tree: Tree, true: frozenset[str], local: Mapping[str, object], problems: Iterable[Problem]
    ) -> tuple[Tree | None, list[dict[str, Any]]]:
        """The answer with one error for each thing that is missing from it."""
        return _Careful(self, true, problems).answer(tree, local)

    def definition(self, selection: Selection) -> GraphQLField:
        """The field of the schema that a selection names."""
        of = self.schema.type_map[selection.parent]
        assert isinstance(of, GraphQLObjectType)  # noqa: S101 - selections are written out for object types
        known: GraphQLField = of.fields[selection.field]
        return known


class _Generating:
    """Generates the source of the straight way. Nothing of a query's text is in it but numbers."""

    def __init__(self, completion: Completion, true: frozenset[str]) -> None:
        self.completion = completion
        self.true = true
        self.names: dict[str, Any] = {"unfit": _unfit}
        self.lines: list[str] = []
        self.count = 0

    def function(self) -> Callable[[Tree], Tree]:
        roots = tuple(root for root in self.completion.operation.roots if not root.field.startswith("__"))
        entry = self.object(self.completion.question.root, self.completion.question.root.type, roots)
        exec("\n".join(self.lines), self.names)  # noqa: S102 - made of numbers alone
        made: Callable[[Tree], Tree] = self.names[entry]
        return made

    def constant(self, value: object) -> str:
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def object(self, position: Position, type_name: str, selections: tuple[Selection, ...]) -> str:
        """A function from an object to what the client asked of it."""
        parts = []
        for one in selections:
            if not holds(one.when, self.true):
                continue
            key = self.constant(one.response_key)
            if one.field == "__typename":
                parts.append(f"{key}: {self.constant(type_name)}")
                continue
            asked = self.completion.question.of[one]
            value = f"o[{self.constant(asked.key)}]"
            parts.append(f"{key}: {self.value(value, self.completion.definition(one).type, one, asked.child, 0)}")
        self.count += 1
        name = f"f{self.count}"
        self.lines.append(f"def {name}(o):\n    return {{{', '.join(parts)}}}")
        return name

    def value(self, value: str, of: GraphQLOutputType, selection: Selection, child: Position | None, depth: int) -> str:
        """The expression that takes a value as its type says."""
        name = f"v{depth}"
        nullable = True
        if isinstance(of, GraphQLNonNull):
            nullable, of = False, of.of_type
        if isinstance(of, GraphQLList):
            item = self.value(f"x{depth}", of.of_type, selection, child, depth + 1)
            taken = f"[{item} for x{depth} in {name}] if {name}.__class__ is list else unfit()"
        elif child is not None:
            taken = f"{self.composite(child, selection)}({name})"
        else:
            taken = self.leaf(name, of)
        absent = "None" if nullable else "unfit()"
        return f"({absent} if ({name} := {value}) is None else {taken})"

    def leaf(self, name: str, of: GraphQLOutputType) -> str:
        if isinstance(of, GraphQLEnumType):
            return f"{name} if {name} in {self.constant(frozenset(of.values))} else unfit()"
        match getattr(of, "name", ""):
            case "String":
                return f"{name} if {name}.__class__ is str else unfit()"
            case "ID":
                return f"{name} if {name}.__class__ is str else str({name}) if {name}.__class__ is int else unfit()"
            case "Int":
                return f"{name} if {name}.__class__ is int else unfit()"
            case "Float":
                return f"{name} if {name}.__class__ is float or {name}.__class__ is int else unfit()"
            case "Boolean":
                return f"{name} if {name}.__class__ is bool else unfit()"
            case _:
                return name

    def composite(self, position: Position, selection: Selection) -> str:
        """The function for whatever stands at a position."""
        functions = {
            type_name: self.object(position, type_name, below) for type_name, below in selection.children.items()
        }
        if len(functions) == 1 and len(position.places) == 1:
            return next(iter(functions.values()))
        bodies = {tuple((one.response_key, one.field) for one in below) for below in selection.children.values()}
        typed = any(one.field == "__typename" for below in selection.children.values() for one in below)
        self.count += 1
        name = f"f{self.count}"
        table = ", ".join(f"{self.constant(key)}: {made}" for key, made in functions.items())
        first = next(iter(functions.values()))
        # Where the same is asked of whatever stands there, its type may be unknown.
        chosen = f".get(o.get('__typename'), {first})" if len(bodies) == 1 and not typed else "[o['__typename']]"
        self.lines.append(f"{name}t = {{{table}}}\ndef {name}(o):\n    return {name}t{chosen}(o)")
        return name


def _unfit() -> Any:
    raise Unfit


class _Careful:
    def __init__(self, completion: Completion, true: frozenset[str], problems: Iterable[Problem]) -> None:
        self.completion = completion
        self.true = true
        self.errors: list[dict[str, Any]] = []
        self.places: list[Path] = []
        for problem in problems:
            path = None if problem.path is None else self.path(problem.path)
            self.add(problem.message, path, {**problem.extensions, "subgraph": problem.subgraph})

    def add(self, message: str, path: Path | None, extensions: Mapping[str, Any]) -> None:
        error: dict[str, Any] = {"message": message}
        if path:
            error["path"] = list(path)
            self.places.append(path)
        error["extensions"] = {"code": "SUBGRAPH_FAILED", **extensions}
        self.errors.append(error)

    def path(self, internal: Path) -> Path:
        """An internal path as the client knows it, as far as the client asked for it."""
        out: list[str | int] = []
        selections: Iterable[Selection] = self.completion.operation.roots
        for step in internal:
            if isinstance(step, int):
                out.append(step)
                continue
            found = next(
                (
                    one
                    for one in selections
                    if one in self.completion.question.of and self.completion.question.of[one].key == step
                ),
                None,
            )
            if found is None:
                break
            out.append(found.response_key)
            selections = [below for listed in found.children.values() for below in listed]
        return tuple(out)

    def answer(self, tree: Tree, local: Mapping[str, object]) -> tuple[Tree | None, list[dict[str, Any]]]:
        out: Tree = {}
        try:
            for root in self.completion.operation.roots:
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
        asked = self.completion.question.of[one]
        of = self.completion.definition(one).type
        here = (*path, one.response_key)
        out[one.response_key] = self.value(tree.get(asked.key), of, one, asked.child, here)

    def value(self, value: Any, of: GraphQLOutputType, one: Selection, child: Position | None, path: Path) -> Any:
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
        if isinstance(of, GraphQLEnumType):
            if isinstance(value, str) and value in of.values:
                return value
            # What is hidden is no error either: an error would say that there is something.
            hidden = self.completion.question.composed.hidden.get(of.name, ())
            return None if value in hidden else self.unfit(path, one)
        kinds = LEAVES.get(of.name)
        if kinds is None:
            return value
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            return self.unfit(path, one)
        return str(value) if of.name == "ID" else value

    def unfit(self, path: Path, one: Selection) -> None:
        self.add(
            f"{one.coordinate} came as something that its type does not allow.", path, {"coordinate": one.coordinate}
        )

    def missing(self, path: Path, one: Selection) -> None:
        """A non-null field without a value is an error of its own, unless an error there says why already."""
        if not any(place[: len(path)] == path or path[: len(place)] == place for place in self.places):
            self.add(f"{one.coordinate} has no value, and may not be null.", path, {"coordinate": one.coordinate})
