"""Take of a subgraph's answer what it was asked for, and nothing else.

INVARIANT: of an answer nothing gets into the tree under a key that was not asked for. What the space alone may say,
that it admits a student, a subgraph cannot say in its stead.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, parse

LISTS = 8
"""How many lists may stand in one another. No schema of ours has more than two."""

LEVELS = 64
"""How deep the value of a scalar may be, which may be any JSON."""


class TooDeep(Exception):  # noqa: N818 - it reads as what is the case
    """An answer is deeper than anything that was asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of an object: every key, and of those that lead to objects what was asked of them."""

    keys: frozenset[str]
    below: tuple[tuple[str, "Asked"], ...]
    leaves: tuple[str, ...]
    typed: bool  # it was asked for its type, by which it is sorted


@lru_cache(4_096)
def asked_by(document: str) -> Asked:
    """What an operation that we wrote asks for."""
    (operation,) = parse(document, no_location=True).definitions
    assert isinstance(operation, OperationDefinitionNode)  # noqa: S101 - we write no fragments
    return _asked([operation.selection_set])


def _asked(sets: Iterable[SelectionSetNode]) -> Asked:
    below: dict[str, list[SelectionSetNode]] = {}
    rest = [selection for one in sets for selection in one.selections]
    while rest:
        one = rest.pop(0)
        if isinstance(one, InlineFragmentNode):
            rest.extend(one.selection_set.selections)
        elif isinstance(one, FieldNode):
            listed = below.setdefault((one.alias or one.name).value, [])
            if one.selection_set is not None:
                listed.append(one.selection_set)
    leading = tuple((key, _asked(listed)) for key, listed in below.items() if listed)
    leaves = tuple(key for key, listed in below.items() if not listed)
    return Asked(frozenset(below), leading, leaves, "__typename" in below)


def take(told: dict[str, Any], asked: Asked) -> dict[str, Any]:
    """An object without what was not asked for: the very one, as nobody else holds it. Raises: TooDeep."""
    if not told.keys() <= asked.keys:
        for key in told.keys() - asked.keys:
            del told[key]
    if asked.typed and told.get("__typename").__class__ is not str:
        told.pop("__typename", None)
    for key in asked.leaves:
        value = told.get(key)
        if value.__class__ is dict or value.__class__ is list:
            if key == "__typename":
                told[key] = ""  # it names no type
            _shallow(value)
    for key, below in asked.below:
        value = told.get(key)
        if value.__class__ is dict:
            take(value, below)
        elif value.__class__ is list:
            _take_each(value, below, LISTS)
    return told


def _take_each(told: list[Any], asked: Asked, most: int) -> None:
    if not most:
        raise TooDeep
    for one in told:
        if one.__class__ is dict:
            take(one, asked)
        elif one.__class__ is list:
            _take_each(one, asked, most - 1)


def _shallow(value: Any) -> None:
    """Refuse a value of too many levels. They are counted level by level: a stack has its own limit."""
    level = [value]
    for _ in range(LEVELS):
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for values in inner for one in values if isinstance(one, dict | list)]
        if not level:
            return
    raise TooDeep
