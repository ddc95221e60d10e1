"""The least number of requests that answers a query, found by trying every row of subgraphs.

Written from the worlds' own words and not from the planner's: what a subgraph tells follows from owners, keys,
requirements and what is provided.
"""

from dataclasses import dataclass, field
from itertools import product

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode, parse

from tests.federation.divided import Field, World

Fact = tuple[int, str, str]


@dataclass
class Spot:
    """A place in the answer."""

    number: int
    types: list[str]
    above: Fact | None
    fields: dict[str, dict[str, tuple[Field | None, "Spot | None"]]] = field(default_factory=dict)


class Exhaustive:
    """One query of a world, tried in every way."""

    def __init__(self, world: World, query: str) -> None:
        self.world = world
        self.spots: list[Spot] = []
        self.wanted: set[Fact] = set()
        definition = parse(query).definitions[0]
        self.top = self.spot(["Query"], None)
        self.ask_for(self.top, definition.selection_set, ["Query"])  # type: ignore[attr-defined]
        for spot in self.spots:
            for name in spot.types:
                if name == "Query":
                    continue
                entity = world.entities[name]
                there = spot.fields.setdefault(name, {})
                for keys in entity.keys.values():
                    for key, _ in keys:
                        there.setdefault(key, (None, None))
                for known, _ in [*there.values()]:
                    for required in known.requires if known else ():
                        there.setdefault(required, (entity.fields[required], None))

    def spot(self, types: list[str], above: Fact | None) -> Spot:
        self.spots.append(Spot(len(self.spots), types, above))
        return self.spots[-1]

    def ask_for(self, spot: Spot, selections: SelectionSetNode, types: list[str]) -> None:
        for node in selections.selections:
            if isinstance(node, InlineFragmentNode):
                assert node.type_condition
                self.ask_for(spot, node.selection_set, [node.type_condition.name.value])
            elif isinstance(node, FieldNode) and node.name.value != "__typename":
                for name in types:
                    self.ask_one(spot, node, name)

    def ask_one(self, spot: Spot, node: FieldNode, type_name: str) -> None:
        name = node.name.value
        there = spot.fields.setdefault(type_name, {})
        if type_name == "Query":
            known: Field | None = self.world.roots[name]
        else:
            known = self.world.entities[type_name].fields.get(name)
        by = "".join(str(argument.value.value) for argument in node.arguments or ())  # type: ignore[attr-defined]
        fact = (spot.number, type_name, name + by)
        self.wanted.add(fact)
        if fact[2] not in there:
            below = None
            if known is not None and known.target is not None:
                below = self.spot(self.world.members(known.target), fact)
            there[fact[2]] = (known, below)
        below = there[fact[2]][1]
        if below is not None and node.selection_set is not None:
            self.ask_for(below, node.selection_set, below.types)

    def ask(self, graph: str, known: frozenset[Fact], suppliers: dict[int, str]) -> frozenset[Fact]:
        """Everything that one request could tell."""
        found = set(known)
        self.tell(self.top, "Query", graph, (), found, suppliers, None)
        for spot in self.spots:
            if spot.above is None or spot.above not in known:
                continue
            for name in spot.types:
                keys = self.world.entities[name].keys.get(graph, ())
                if any(resolvable and (spot.number, name, key) in known for key, resolvable in keys):
                    self.tell(spot, name, graph, (), found, suppliers, known)
        return frozenset(found)

    def tell(
        self,
        spot: Spot,
        type_name: str,
        graph: str,
        provided: tuple[str, ...],
        found: set[Fact],
        suppliers: dict[int, str],
        known: frozenset[Fact] | None,
    ) -> None:
        for fact_name, (one, below) in spot.fields.get(type_name, {}).items():
            if one is None:
                if fact_name in {key for key, _ in self.world.entities[type_name].keys.get(graph, ())}:
                    found.add((spot.number, type_name, fact_name))
                continue
            if graph not in one.owners and one.name not in provided:
                continue
            if one.requires and not (
                known is not None and all((spot.number, type_name, required) in known for required in one.requires)
            ):
                continue
            if below is not None and len(below.types) > 1 and suppliers.get(below.number, graph) != graph:
                continue
            found.add((spot.number, type_name, fact_name))
            for name in below.types if below is not None else ():
                assert below is not None
                self.tell(below, name, graph, one.provides.get(graph, ()), found, suppliers, None)

    def least(self, at_most: int) -> int:
        """The fewest requests, at most so many."""
        open_spots = [spot.number for spot in self.spots if len(spot.types) > 1]
        ways = [
            dict(zip(open_spots, chosen, strict=True)) for chosen in product(self.world.graphs, repeat=len(open_spots))
        ]
        for length in range(1, at_most):
            for suppliers in ways:
                for row in product(self.world.graphs, repeat=length):
                    known: frozenset[Fact] = frozenset()
                    for graph in row:
                        known = self.ask(graph, known, suppliers)
                    if self.wanted <= known:
                        return length
        return at_most
