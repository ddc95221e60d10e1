"""Whose data a joined answer holds, beside what the space itself told: what subgraphs told, student by student."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from pyroaring import BitMap

from app.federation.joined import Joined
from app.federation.positions import Field, Position
from app.federation.remote import OWNED, ROW
from app.federation.steps import Told
from app.federation.supergraph_sdl import Composed
from app.federation.tree import Tree
from app.ledger.entry import Whose
from app.operation.model import holds


def rows_of(objects: Iterable[Tree], type_name: str) -> BitMap | None:
    """The row numbers of the students that these are, or are of; None if they are nobody's."""
    if type_name not in OWNED:
        return None
    return BitMap([row for one in objects if isinstance(row := one.get(ROW), int)])


def sent(composed: Composed, of: str, told: Iterable[Told]) -> Iterator[str]:
    """The coordinates of what a subgraph is told of an object, and of what stands below it."""
    for one in told:
        yield f"{of}.{one.name}"
        leads_to = composed.fields.get(of, {}).get(one.name, "")
        for name in sorted(composed.members.get(leads_to, ())):
            yield from sent(composed, name, (below for below in one.below if below.on is None or name in below.on))


@dataclass(slots=True, eq=False)
class Spot:
    """Objects of one type at one place, where a subgraph tells something of them or below them."""

    type: str
    keys: tuple[str, ...]  # of what subgraphs tell of them
    coordinates: tuple[str, ...]  # ... and its coordinates
    student: tuple[str, ...]  # the keys that lead to the student that they belong to
    below: tuple[tuple[str, "Spots"], ...]

    def told(self, mask: int) -> tuple[str, ...]:
        """The coordinates of which something was told."""
        return tuple(one for number, one in enumerate(self.coordinates) if mask >> number & 1)


Spots = Mapping[str | None, Spot]
"""Those of one place: by type, and under None where all objects are of one."""

_SPOTS: WeakKeyDictionary[Joined, dict[frozenset[str], Spots]] = WeakKeyDictionary()
CONDITIONS = 64
"""For how many sets of conditions they are kept."""


def disclosed(joined: Joined, tree: Tree, true: frozenset[str]) -> Iterator[Whose]:
    """What subgraphs told of whom, by the places at which they told it."""
    kept = _SPOTS.setdefault(joined, {})
    if true not in kept:
        if len(kept) >= CONDITIONS:
            kept.clear()
        kept[true] = spots(joined, joined.question.root, _asked(joined, true))
    found: dict[tuple[str, ...], list[int | None]] = {}
    for (spot, mask), rows in gone_through(tree, kept[true]).items():
        found.setdefault(spot.told(mask), []).extend(rows)
    for coordinates, rows in found.items():
        yield Whose(coordinates, BitMap([row for row in rows if row is not None]) or None, len(rows))


def spots(joined: Joined, position: Position, asked: Mapping[Field, bool]) -> Spots:
    """Where subgraphs tell something, from a place down."""
    made: dict[str | None, Spot] = {}
    for name, place in position.places.items():
        fields = [one for one in place.fields.values() if asked.get(one)]
        leading = ((one.key, one.child) for one in place.fields.values() if one in asked)
        below = ((key, spots(joined, child, asked)) for key, child in leading if child is not None)
        spot = Spot(
            name,
            tuple(one.key for one in fields),
            tuple(f"{name}.{one.name}" for one in fields),
            joined.belonging.get(name, ()),
            tuple((key, further) for key, further in below if further),
        )
        if spot.keys or spot.below:
            made[name if len(position.places) > 1 else None] = spot
    return made


def gone_through(tree: Tree, at: Spots) -> dict[tuple[Spot, int], list[int | None]]:
    """The rows of those of whom was told: for each spot, and each set of what was told there (a bit for a key)."""
    found: dict[tuple[Spot, int], list[int | None]] = {}

    def go(value: Any, spots: Spots, row: int | None) -> None:
        if value.__class__ is list:
            for one in value:
                go(one, spots, row)
            return
        if value.__class__ is not dict:
            return
        spot = spots.get(None) or spots.get(str(value.get("__typename")))
        if spot is None:
            return
        own = value.get(ROW)
        if own is None:
            for key in spot.student:
                nested = value.get(key)
                own = nested.get(ROW) if isinstance(nested, dict) else own
        if own.__class__ is int:
            row = own
        mask, bit = 0, 1
        for key in spot.keys:
            if value.get(key) is not None:
                mask |= bit
            bit <<= 1
        if mask:
            rows = found.get((spot, mask))
            if rows is None:
                rows = found[spot, mask] = []
            rows.append(row)
        for key, below in spot.below:
            go(value.get(key), below, row)

    go(tree, at, None)
    return found


def _asked(joined: Joined, true: frozenset[str]) -> dict[Field, bool]:
    """The fields that the client asks for here, and whether a subgraph tells them: `id` of what it alone knows, too."""
    return {
        field: f"{field.place.type}.{field.name}" in joined.remote
        or (field.name == "id" and field.place.type in joined.belonging)
        for selection, field in joined.question.of.items()
        if selection not in joined.withheld and holds(selection.when, true)
    }
