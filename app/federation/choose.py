"""Of a row of requests, what each is really asked: every field once, where it is first to be had.

Shape: `Asking` for each request of the row, with an `Entry` for each place at which it enters the answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.federation.fieldsets import FieldSet
from app.federation.positions import NEVER, Field, Place, Position, Question
from app.federation.reach import Entrance, Entrances
from app.federation.search import Row
from app.operation.model import ALWAYS, When


@dataclass(slots=True, eq=False)
class Entry:
    """One place at which a request enters the answer, and what it is asked there."""

    entrance: Entrance
    when: When = NEVER
    told: list[FieldSet] = field(default_factory=list)  # what a representation holds: a key, and what is required
    selected: dict[Field, When] = field(default_factory=dict)
    after: set[int] = field(default_factory=set)  # requests whose answers the representations are made of


@dataclass(slots=True)
class Request:
    """One request to a subgraph."""

    graph: str
    entries: dict[Entrance, Entry] = field(default_factory=dict)

    @property
    def after(self) -> set[int]:
        """The requests that have to be answered first."""
        return {number for entry in self.entries.values() for number in entry.after}


def widened(when: When, more: When) -> When:
    """Either condition."""
    return ALWAYS if ALWAYS in (when, more) or frozenset() in when | more else when | more


class Choice:
    """What a row of requests is asked, so that all that the client asks is known. `complete` if all of it is."""

    def __init__(self, entrances: Entrances, row: Row, wanted: Iterable[tuple[Field | Position, When]]) -> None:
        self.entrances = entrances
        self.question: Question = entrances.question
        self.requests = [Request(graph) for graph in row]
        self.known = [0]
        for graph in row:
            self.known.append(entrances.ask(graph, self.known[-1]))
        self.told: list[dict[Position, list[tuple[Entrance, int]]]] = []  # by request, by place
        for graph, known in zip(row, self.known, strict=False):
            told: dict[Position, list[tuple[Entrance, int]]] = {}
            for entrance in entrances.by_graph[graph]:
                if bits := self._tells(entrance, known):
                    told.setdefault(entrance.position, []).append((entrance, bits))
            self.told.append(told)
        self.complete = True
        self._needed: dict[int, When] = {}
        self._rest: list[tuple[Field | Position, When]] = list(wanted)
        while self._rest:
            what, when = self._rest.pop()
            self._need(what, when)

    def _tells(self, entrance: Entrance, known: int) -> int:
        """What is really told through an entrance, without what is known because it cannot be."""
        if entrance.of(known) == known:
            return 0
        bits = entrance.yields.bits
        for way in entrance.requiring:
            if (known & way.needs) == way.needs:
                bits |= way.yields.bits
        return bits

    def _need(self, what: Field | Position, when: When) -> None:
        bit = what.typename if isinstance(what, Position) else what.bit
        before = self._needed.get(bit, NEVER)
        after = widened(before, when)
        if after == before:
            return
        self._needed[bit] = after
        place = what.owner.place if isinstance(what, Position) and what.owner else getattr(what, "place", None)
        if place is not None and not self.stands(place):
            return
        found = self._supply(what, bit)
        if found is None:
            self.complete = False
            return
        number, entrance = found
        self._ask(number, entrance, what, after)

    def stands(self, place: Place) -> bool:
        """Whether an object of that type can stand there, by what the subgraph knows that tells of the position."""
        owner = place.position.owner
        if owner is None:
            return True
        if not self.stands(owner.place):
            return False
        found = self._supply(owner, owner.bit)
        if found is None:
            return True
        graph = found[1].graph
        members = self.members(owner, graph)
        return members is None or place.type in members

    def members(self, owner: Field, graph: str) -> frozenset[str] | None:
        """The types that a subgraph knows to stand where a field leads; None if it knows but an interface object."""
        views = self.question.composed.views
        for name in (owner.place.type, *sorted(self.question.composed.interfaces.get(owner.place.type, ()))):
            known = views.get(name, {}).get(graph)
            field_view = known.fields.get(owner.name) if known is not None else None
            if field_view is not None:
                view = views.get(field_view.named, {}).get(graph)
                if view is None or view.is_interface_object:
                    return None
                return view.members
        return None

    def _supply(self, what: Field | Position, bit: int) -> tuple[int, Entrance] | None:
        """The first request that tells it, and through which entrance: the nearest, so that least is asked twice."""
        above = [*self._above(what)]
        for number, told in enumerate(self.told):
            found = [entrance for position in above for entrance, bits in told.get(position, ()) if bits & bit]
            if found:
                return number, max(found, key=lambda one: self._nearness(number, one))
        return None

    def _nearness(self, number: int, entrance: Entrance) -> tuple[int, bool, int]:
        used = entrance in self.requests[number].entries
        return entrance.position.depth, used, -len(entrance.types)

    @staticmethod
    def _above(what: Field | Position) -> Iterable[Position]:
        position: Position | None = what if isinstance(what, Position) else what.place.position
        while position is not None:
            yield position
            position = position.owner.place.position if position.owner is not None else None

    def _ask(self, number: int, entrance: Entrance, what: Field | Position, when: When) -> None:
        request = self.requests[number]
        entry = request.entries.get(entrance)
        if entry is None:
            entry = request.entries[entrance] = Entry(entrance)
            if entrance.keys:
                key = min(
                    (way for way in entrance.keys if (self.known[number] & way.needs) == way.needs),
                    key=lambda way: sum(1 for bit in self._missing(way.needs)),
                )
                entry.told.append(key.fields)
        one = what.owner if isinstance(what, Position) else what
        while one is not None and one.place.position.depth >= entrance.position.depth:
            entry.selected[one] = widened(entry.selected.get(one, NEVER), when)
            for way in entrance.requiring:
                if way.field is one and way.fields not in entry.told:
                    entry.told.append(way.fields)
            if one.place.position is entrance.position:
                break
            one = one.place.position.owner
        entry.when = widened(entry.when, when)
        self._tell(entry)

    def _tell(self, entry: Entry) -> None:
        """Need all that a representation holds."""
        entrance = entry.entrance
        if entrance.representation is None and entrance.position.owner is not None:
            self._rest.append((entrance.position.owner, entry.when))
        if entrance.needs & entrance.position.typename:
            self._rest.append((entrance.position, entry.when))
        for name in entrance.types:
            place = entrance.position.places[name]
            for wanted in entry.told:
                for one in self.question.fields(place, wanted):
                    self._rest.append((one, entry.when))
                    if one.child is not None and len(one.child.places) > 1:
                        self._rest.append((one.child, entry.when))

    def _missing(self, bits: int) -> Iterable[int]:
        while bits:
            low = bits & -bits
            if low not in self._needed:
                yield low
            bits ^= low

    def supplier(self, what: Field | Position) -> int | None:
        """The number of the request that tells it."""
        found = self._supply(what, what.typename if isinstance(what, Position) else what.bit)
        return found[0] if found else None

    def dependencies(self) -> None:
        """Say of every entry which requests its representations are made of."""
        for request in self.requests:
            for entry in request.entries.values():
                entrance = entry.entrance
                owner = entrance.position.owner
                if owner is None:
                    continue
                needs: list[Field | Position] = [owner]
                if entrance.needs & entrance.position.typename:
                    needs.append(entrance.position)
                needs.extend(mark for mark in self.question.admitted(entrance.position) if entrance.needs & mark.bit)
                for name in entrance.types:
                    place = entrance.position.places[name]
                    if self.stands(place):
                        needs.extend(one for wanted in entry.told for one in self.question.fields(place, wanted))
                entry.after = {number for one in needs if (number := self.supplier(one)) is not None}

    def waves(self) -> list[int]:
        """In which wave each request can be sent."""
        waves: list[int] = []
        for request in self.requests:
            waves.append(1 + max((waves[number] for number in request.after if number < len(waves)), default=0))
        return waves
