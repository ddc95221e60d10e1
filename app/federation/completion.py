"""Write the answer to a client's operation from a tree of what subgraphs told: order, aliases, types, nulls.

Two ways to the same answer. The straight one is a function that is generated once for an operation; it takes only what
is as the schema says, and gives up at the first thing that is not. Then the careful one goes through the tree again,
and says of every such thing what and where it is. Spec: GraphQL §6.4.3 and §6.4.4.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
)

from app.federation.careful import LARGEST_FLOAT, LARGEST_INT, Careful, definition
from app.federation.positions import Position, Question
from app.federation.tree import Tree
from app.federation.waves import Problem
from app.operation.model import Operation, Selection, holds


class Unfit(Exception):  # noqa: N818 - it reads as what is the case
    """Something is not as the schema says."""


@dataclass(slots=True, eq=False)
class Completion:
    """Writes the answers of one operation."""

    operation: Operation
    question: Question
    withheld: Set[Selection] = frozenset()
    # What is made of a value before it leaves: shortened, or sealed.
    making: Mapping[Selection, Callable[[Any], Any]] = field(default_factory=dict)
    _straight: dict[frozenset[str], Callable[[Tree], Tree]] = field(default_factory=dict)

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
        return Careful(self, true, problems).answer(tree, local)


class _Generating:
    """Generates the source of the straight way. Nothing of a query's text is in it but numbers."""

    def __init__(self, completion: Completion, true: frozenset[str]) -> None:
        self.completion = completion
        self.true = true
        self.names: dict[str, Any] = {"unfit": _unfit}
        self.lines: list[str] = []
        self.count = 0

    def function(self) -> Callable[[Tree], Tree]:
        known = (*self.completion.question.of, *self.completion.withheld)
        roots = tuple(root for root in self.completion.operation.roots if root in known)
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
            if one in self.completion.withheld:
                parts.append(f"{key}: None")
                continue
            asked = self.completion.question.of[one]
            value = f"o[{self.constant(asked.key)}]"
            made = self.value(value, definition(self.completion.question, one).type, one, asked.child, 0)
            if one in self.completion.making:
                made = f"{self.constant(self.completion.making[one])}({made})"
            parts.append(f"{key}: {made}")
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
                return f"{name} if {name}.__class__ is int and -{LARGEST_INT} <= {name} < {LARGEST_INT} else unfit()"
            case "Float":
                whole = f"{name}.__class__ is int and -{LARGEST_FLOAT} <= {name} <= {LARGEST_FLOAT}"
                return f"{name} if {name}.__class__ is float or {whole} else unfit()"
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
