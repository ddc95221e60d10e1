"""Field sets: what `@key`, `@requires` and `@provides` name. Spec: Apollo Federation, the scalar `FieldSet`."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import ArgumentNode, FieldNode, InlineFragmentNode, SelectionSetNode, parse
from graphql.language import OperationDefinitionNode


@dataclass(frozen=True, slots=True)
class Named:
    """One field of a field set, with what it names below. `on`: the fragments that it stands in, outermost first."""

    name: str
    arguments: tuple[ArgumentNode, ...]
    on: tuple[str, ...]
    below: "FieldSet"


FieldSet = tuple[Named, ...]


def read_field_set(text: str) -> FieldSet:
    """The fields that a text such as `id organization { id }` names."""
    definition = parse(f"{{{text}}}", no_location=True).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)  # noqa: S101 - a text in braces is one
    return tuple(_fields(definition.selection_set, ()))


def _fields(selections: SelectionSetNode, on: tuple[str, ...]) -> Iterator[Named]:
    for node in selections.selections:
        match node:
            case FieldNode():
                below = tuple(_fields(node.selection_set, ())) if node.selection_set else ()
                yield Named(node.name.value, tuple(node.arguments or ()), on, below)
            case InlineFragmentNode():
                condition = node.type_condition
                yield from _fields(node.selection_set, (*on, condition.name.value) if condition else on)
