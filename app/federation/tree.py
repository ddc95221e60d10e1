"""The tree that a plan's answers are put into: plain dictionaries under internal keys."""

from collections.abc import Iterator
from typing import Any

import msgspec

from app.federation.documents import Reading
from app.federation.steps import Step, Told

Tree = dict[str, Any]
Path = tuple[str | int, ...]


def objects(tree: Tree, path: tuple[Step, ...], types: frozenset[str] | None) -> Iterator[Tree]:
    """The objects at a place of the tree."""
    standing: list[Any] = [tree]
    for step in path:
        key, of = step.key, step.types
        following: list[Any] = []
        for one in standing:
            if of is not None and one.get("__typename") not in of:
                continue
            value = one.get(key)
            if isinstance(value, dict):
                following.append(value)
            elif isinstance(value, list):
                following.extend(flat(value))
        standing = following
    if types is None:
        return iter(standing)
    return (one for one in standing if one.get("__typename") in types)


def flat(values: list[Any]) -> Iterator[Tree]:
    """The objects of a list, and of the lists in it."""
    for value in values:
        if isinstance(value, dict):
            yield value
        elif isinstance(value, list):
            yield from flat(value)


def located(tree: Any, path: tuple[Step, ...], at: Path) -> Iterator[tuple[Path, Tree]]:
    """The objects at a place of the tree, each with its path."""
    if isinstance(tree, list):
        for number, one in enumerate(tree):
            yield from located(one, path, (*at, number))
    elif isinstance(tree, dict):
        if not path:
            yield at, tree
            return
        step = path[0]
        if step.types is None or tree.get("__typename") in step.types:
            yield from located(tree.get(step.key), path[1:], (*at, step.key))


def represent(target: Tree, told: tuple[Told, ...]) -> Tree | None:
    """What a representation holds of an object; None if a part of it is not known."""
    made: Tree = {}
    for one in told:
        if one.on is not None and target.get("__typename") not in one.on:
            continue
        value = target.get(one.key, msgspec.UNSET)
        if value is msgspec.UNSET or (value is None and one.identifies):
            return None
        if one.below and value is not None:
            value = _below(value, one.below)
            if value is msgspec.UNSET:
                return None
        made[one.name] = value
    return made


def is_one_value(told: tuple[Told, ...]) -> bool:
    """Whether a representation holds one value, that any object may have: then objects are equal where it is."""
    return len(told) == 1 and told[0].on is None and not told[0].below


def _below(value: Any, told: tuple[Told, ...]) -> Any:
    if isinstance(value, list):
        listed = [_below(one, told) for one in value]
        return msgspec.UNSET if msgspec.UNSET in listed else listed
    if not isinstance(value, dict):
        return None
    made = represent(value, told)
    if made is None:
        return msgspec.UNSET
    return {"__typename": value["__typename"], **made} if "__typename" in value else made


def renamed(value: Any, reading: Reading | None) -> Any:
    """An answer under its internal keys."""
    if reading is None or value is None:
        return value
    if isinstance(value, list):
        return [renamed(one, reading) for one in value]
    if not isinstance(value, dict):
        return value
    renames = reading.renames.get(value.get("__typename", ""), {})
    out: Tree = {}
    for key, one in value.items():
        internal = renames.get(key, key)
        out[internal] = renamed(one, reading.below.get(internal))
    return out


def merge(target: Tree, more: Tree) -> None:
    """Take one answer into another. INVARIANT: null never overwrites what is known."""
    for key, value in more.items():
        if key not in target:
            target[key] = value
            continue
        known = target[key]
        if isinstance(known, dict) and isinstance(value, dict):
            if known is not value:
                merge(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            merge_lists(known, value)
        elif known is None:
            target[key] = value


def merge_lists(known: list[Any], more: list[Any]) -> None:
    """Two answers' lists of the same objects."""
    for number, (one, other) in enumerate(zip(known, more, strict=False)):
        if isinstance(one, dict) and isinstance(other, dict):
            if one is not other:
                merge(one, other)
        elif isinstance(one, list) and isinstance(other, list):
            merge_lists(one, other)
        elif one is None:
            known[number] = other
