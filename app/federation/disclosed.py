"""Whose data a joined answer holds, beside what the space itself told: what subgraphs told, student by student."""

from collections.abc import Iterable, Iterator
from typing import Any

from pyroaring import BitMap

from app.federation.joined import Joined
from app.federation.positions import Position
from app.federation.tree import Tree
from app.ledger.entry import Whose
from app.operation.model import holds

ROW = "__row"


def rows_of(objects: Iterable[Tree], type_name: str) -> BitMap | None:
    """The row numbers of students; None if these are no students."""
    if type_name != "Student":
        return None
    return BitMap([row for one in objects if isinstance(row := one.get(ROW), int)])


def disclosed(joined: Joined, tree: Tree, true: frozenset[str]) -> Iterator[Whose]:
    """What subgraphs told of whom, by the places at which they told it."""
    asked = _asked(joined, true)
    found: dict[tuple[str, ...], tuple[BitMap, int]] = {}

    def go(one: Any, position: Position, row: int | None) -> None:
        if isinstance(one, list):
            for each in one:
                go(each, position, row)
            return
        if not isinstance(one, dict):
            return
        name = one.get("__typename") if len(position.places) > 1 else next(iter(position.places))
        place = position.places.get(str(name))
        if place is None:
            return
        own = one.get(ROW)
        for key in joined.belonging.get(place.type, ()) if own is None else ():
            nested = one.get(key)
            own = nested.get(ROW) if isinstance(nested, dict) else own
        row = own if isinstance(own, int) else row
        coordinates = tuple(
            f"{place.type}.{field.name}"
            for field in place.fields.values()
            if field in asked and asked[field] and one.get(field.key) is not None
        )
        if coordinates:
            students, count = found.get(coordinates, (BitMap(), 0))
            if row is not None:
                students.add(row)
            found[coordinates] = students, count + 1
        for field in place.fields.values():
            if field.child is not None and field in asked:
                go(one.get(field.key), field.child, row)

    go(tree, joined.question.root, None)
    for coordinates, (students, count) in found.items():
        yield Whose(coordinates, students or None, count)


def _asked(joined: Joined, true: frozenset[str]) -> dict[Any, bool]:
    """The fields that the client asks for here, and whether a subgraph tells them: `id` of what it alone knows, too."""
    return {
        field: f"{field.place.type}.{field.name}" in joined.remote
        or (field.name == "id" and field.place.type in joined.belonging)
        for selection, field in joined.question.of.items()
        if selection not in joined.withheld and holds(selection.when, true)
    }
