"""What a subgraph can tell, given what is known: the entrances of every subgraph into an answer, and what each yields.

A request to a subgraph asks for all that it could tell at that moment; asking for more never makes less reachable. So
the fewest requests are the shortest row of subgraphs after which everything is known, and a request is one step from
one set of bits to a larger one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from app.federation.fieldsets import FieldSet, Named
from app.federation.positions import Field, Place, Position, Question
from app.federation.remote import ROW
from app.federation.supergraph_sdl import FieldView, TypeView


@dataclass(frozen=True, slots=True)
class Yield:
    """What one step into a subgraph tells."""

    bits: int = 0
    absent: int = 0  # what cannot stand there, so that there is nothing to be known of it
    # The same, if nobody told before which type stands there. (bit of the type, bits)
    first: tuple[int, int] = (0, 0)

    def of(self, known: int) -> int:
        """The bits that are known after it."""
        bits = known | self.bits | self.absent
        typename, absent = self.first
        return bits if known & typename else bits | absent


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One key by which an entrance can be taken, or one field that can be had with what it requires."""

    fields: FieldSet
    needs: int
    yields: Yield
    field: Field | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Entrance:
    """Where a subgraph can be asked: at the root, or for the objects of some types at a position."""

    graph: str
    position: Position
    types: tuple[str, ...]
    representation: str | None  # the __typename that the subgraph is told; None at the root
    needs: int  # that there is something, and of which type
    keys: tuple[Way, ...]
    yields: Yield
    requiring: tuple[Way, ...]

    @property
    def most(self) -> int:
        """All that it could ever make known."""
        bits = self.yields.bits | self.yields.absent | self.yields.first[1]
        for way in self.requiring:
            bits |= way.yields.bits | way.yields.absent | way.yields.first[1]
        return bits

    def of(self, known: int) -> int:
        """What is known after this entrance was taken as far as it goes. `known` must not change meanwhile."""
        if (known & self.needs) != self.needs:
            return known
        if self.keys and not any((known & key.needs) == key.needs for key in self.keys):
            return known
        bits = self.yields.of(known)
        for way in self.requiring:
            if (known & way.needs) == way.needs:
                bits |= way.yields.of(known)
        return bits


class Allowed:
    """Who may be asked, and told what: everybody, everything. The gateway brings what a district says."""

    def graph(self, graph: str) -> bool:
        """Whether a subgraph is asked at all."""
        return True

    def told(self, graph: str, type_name: str, wanted: FieldSet) -> bool:
        """Whether a subgraph may be told these fields of an object."""
        return True


EVERYTHING = Allowed()


@dataclass(slots=True)
class Entrances:
    """Every entrance of a question, by subgraph."""

    question: Question
    # Which object stands where its type is open is told by one subgraph alone, for another may know other types there.
    suppliers: Mapping[Position, str] = field(default_factory=dict)
    by_graph: dict[str, list[Entrance]] = field(default_factory=dict)
    candidates: dict[Position, dict[str, tuple[int, int]]] = field(default_factory=dict)
    allowed: Allowed = EVERYTHING
    _entered: dict[str, list[tuple[int, int, Entrance]]] = field(init=False, default_factory=dict)  # needs, most

    def __post_init__(self) -> None:
        for graph in filter(self.allowed.graph, self.question.composed.subgraphs):
            found = list(self._of(graph))
            if found:
                self.by_graph[graph] = found
                self._entered[graph] = [(one.needs, one.most, one) for one in found]

    @property
    def contested(self) -> dict[Position, list[str]]:
        """Positions of an open type of which several subgraphs tell unlike things."""
        return {
            position: list(told)
            for position, told in self.candidates.items()
            if len(told) > 1 and len(set(told.values())) > 1
        }

    def ask(self, graph: str, known: int) -> int:
        """What is known after one request to a subgraph."""
        bits = known
        for needs, most, entrance in self._entered[graph]:
            if (known & needs) == needs and (bits & most) != most:
                bits |= entrance.of(known)
        return bits

    @property
    def size(self) -> int:
        """How many entrances there are."""
        return sum(map(len, self.by_graph.values()))

    def telling(self, graph: str) -> int:
        """All that a subgraph could ever make known."""
        bits = 0
        for _, most, _ in self._entered[graph]:
            bits |= most
        return bits

    def _of(self, graph: str) -> Iterator[Entrance]:
        question = self.question
        views = question.composed.views
        root = question.root
        if graph in views[root.type]:
            yields = self.walk(root, graph, root.type, ())
            yield Entrance(graph, root, (root.type,), None, 0, (), yields, ())
        for position in question.positions:
            if position.owner is None:
                continue
            yield from self._at(graph, position)

    def _at(self, graph: str, position: Position) -> Iterator[Entrance]:
        views, owner = self.question.composed.views, position.owner
        assert owner is not None  # noqa: S101 - the root has entrances of its own
        if position.type == self.question.root.type and graph in views[position.type]:
            # A field that leads back to the root: anything of it can be asked afresh.
            yields = self.walk(position, graph, position.type, ())
            yield Entrance(graph, position, (position.type,), None, owner.bit, (), yields, ())
        # Whatever is not admitted yet is told to nobody but the space that admits it.
        admitted = 0
        for mark in self.question.admitted(position):
            admitted |= mark.bit
        own = any(one.name == ROW for place in position.places.values() for one in place.fields.values())
        tells = any(ROW in view.fields for view in (views.get("Student", {}).get(graph),) if view is not None)
        owner_bit = owner.bit | (0 if own and tells else admitted)
        sure = owner_bit | (0 if len(position.places) == 1 else position.typename)
        for place in position.places.values():
            view = views.get(place.type, {}).get(graph)
            if view is not None:
                yield from self._entrance(graph, position, (place,), place.type, view, needs=sure)
            for interface in sorted(self.question.composed.interfaces.get(place.type, ())):
                view = views.get(interface, {}).get(graph)
                if view is not None and view.is_interface_object:
                    yield from self._entrance(graph, position, (place,), interface, view, needs=sure)
        # An object whose type nobody has told yet, in a subgraph that knows the interface by a key.
        view = views.get(position.type, {}).get(graph)
        if view is not None and position.type not in position.places:
            places = tuple(position.places.values())
            yield from self._entrance(graph, position, places, position.type, view, needs=owner_bit)

    def _entrance(
        self, graph: str, position: Position, places: tuple[Place, ...], name: str, view: TypeView, *, needs: int
    ) -> Iterator[Entrance]:
        keys = tuple(
            Way(key.fields, self.bits(places, key.fields), Yield())
            for key in view.keys
            if key.resolvable and self.allowed.told(graph, name, key.fields)
        )
        if not keys:
            return
        yields, requiring, absent = self._walk(position, places, graph, view, ())
        if absent:
            # Nothing was known of the type before: whoever resolves it tells what cannot stand there.
            yields = Yield(yields.bits, yields.absent, (position.typename, absent))
        yield Entrance(
            graph, position, tuple(place.type for place in places), name, needs, keys, yields, tuple(requiring)
        )

    def bits(self, places: tuple[Place, ...], wanted: FieldSet) -> int:
        """The bits of a field set's fields at each of several places."""
        bits = 0
        for place in places:
            for one in self.question.fields(place, wanted):
                bits |= one.bit
                if one.child is not None and len(one.child.places) > 1:
                    bits |= one.child.typename
        return bits

    def walk(self, position: Position, graph: str, name: str, overlay: FieldSet) -> Yield:
        """What a subgraph tells of a position that it has come to, which it knows by the type `name`."""
        view = self.question.composed.views.get(name, {}).get(graph)
        if view is None:
            return Yield()
        yields, _, absent = self._walk(position, tuple(position.places.values()), graph, view, overlay)
        return Yield(yields.bits, yields.absent | absent)

    def _walk(
        self,
        position: Position,
        places: tuple[Place, ...],
        graph: str,
        view: TypeView,
        overlay: FieldSet,
    ) -> tuple[Yield, list[Way], int]:
        views = self.question.composed.views
        bits, absent, requiring, nothing = 0, 0, [], 0
        if not view.is_interface_object:
            bits |= position.typename
        for place in places:
            if view.is_interface_object:
                known: TypeView | None = view
            elif place.type in view.members:
                known = views.get(place.type, {}).get(graph)
            else:
                absent |= self.question.everything(place)
                continue
            if known is None:
                continue
            for one in place.fields.values():
                as_known = self.available(known, one, overlay)
                if as_known is None:
                    continue
                below = self._field(one, graph, as_known, overlay, known)
                if as_known.requires:
                    if not self.allowed.told(graph, place.type, as_known.requires):
                        continue
                    requiring.append(Way(as_known.requires, self.bits((place,), as_known.requires), below, one))
                else:
                    bits |= below.bits
                    nothing |= below.absent
        return Yield(bits, nothing), requiring, absent

    def _field(self, one: Field, graph: str, known: FieldView, overlay: FieldSet, view: TypeView) -> Yield:
        if one.child is None:
            return Yield(one.bit)
        below = self.walk(one.child, graph, known.named, self.overlay(one, known, overlay, view))
        if one.child.owner is not None and len(one.child.places) > 1:
            chosen = self.suppliers.get(one.child)
            if chosen is not None and chosen != graph:
                return Yield()
            told = self.candidates.setdefault(one.child, {}).get(graph, (0, 0))
            self.candidates[one.child][graph] = told[0] | below.bits, told[1] | below.absent
        return Yield(one.bit | below.bits, below.absent)

    def available(self, view: TypeView, one: Field, overlay: FieldSet) -> FieldView | None:
        """How a subgraph knows a field if it can tell it here; None if it cannot."""
        known = view.fields.get(one.name)
        if known is None or not known.external:
            return known
        return known if any(self._provided(one, overlay)) else None

    def _provided(self, one: Field, overlay: FieldSet) -> Iterator[Named]:
        """What an overlay says of a field."""
        return (named for named in self.question.of_type(one.place, overlay) if named.name == one.name)

    def overlay(self, one: Field, known: FieldView, overlay: FieldSet, view: TypeView) -> FieldSet:
        """What is provided below a field: by the field itself, by what provides the field, or as a part of a key."""
        return (
            *known.provides,
            *(below for named in self._provided(one, overlay) for below in named.below),
            *(below for key in view.keys for named in key.fields if named.name == one.name for below in named.below),
        )
