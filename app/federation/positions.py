"""What an operation asks, place by place, with the fields that moving between subgraphs may need beside it.

Shape: a `Position` is a place in the answer (the root, or where a field leads to); for each object type that may stand
there it has a `Place` with its fields. Fields go by internal keys, so that aliases of the client and equal fields with
other arguments never meet. Every field, and the type of every position, is one bit of what can be known.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from graphql import ArgumentNode, print_ast

from app.federation.fieldsets import FieldSet, Named
from app.federation.supergraph_sdl import Composed
from app.operation.model import Selection, When

HIDDEN_DEPTH = 4
"""How far keys of keys are followed: deeper ones no real supergraph has."""

NEVER: When = frozenset()


@dataclass(eq=False, slots=True)
class Field:
    """One field at one place, asked by the client or needed on the way."""

    bit: int
    place: "Place"
    name: str
    key: str
    arguments: tuple[ArgumentNode, ...]
    child: "Position | None" = None
    when: When = NEVER  # under which conditions the client asks for it

    @property
    def variables(self) -> Iterator[str]:
        """The variables that its arguments name."""
        rest: list[object] = [given.value for given in self.arguments]
        while rest:
            node = rest.pop()
            kind = getattr(node, "kind", "")
            if kind == "variable":
                yield node.name.value  # type: ignore[attr-defined]
            elif kind == "list_value":
                rest.extend(node.values)  # type: ignore[attr-defined]
            elif kind == "object_value":
                rest.extend(one.value for one in node.fields)  # type: ignore[attr-defined]


@dataclass(eq=False, slots=True)
class Place:
    """An object of one type at a position."""

    position: "Position"
    type: str
    fields: dict[str, Field] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Position:
    """The root of the answer, or where a field leads to."""

    type: str
    owner: Field | None
    depth: int
    hidden: int  # how many steps it is away from what the client asked
    typename: int  # the bit of knowing which type stands here
    places: dict[str, Place] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def steps(self) -> list[Field]:
        """The fields that lead here from the root."""
        steps: list[Field] = []
        owner = self.owner
        while owner is not None:
            steps.append(owner)
            owner = owner.place.position.owner
        return steps[::-1]


class Question:
    """An operation's tree of positions."""

    def __init__(
        self,
        composed: Composed,
        root: str,
        selections: Iterable[Selection],
        withheld: Set[Selection] | None = None,
    ) -> None:
        self.composed = composed
        self.withheld = withheld or frozenset()
        # Positions at which nothing is done before a field is known: that what stands there is admitted.
        self.admitting: dict[Position, Field] = {}
        self._besides = 0
        self.bits = 0
        self.positions: list[Position] = []
        self.of: dict[Selection, Field] = {}  # the field that answers a selection of the client's
        self.unknown = self._bit()  # what nobody can tell
        self.root = self._position(root, None, 0)
        self.asked(self.root, {root: tuple(selections)})
        if withheld is None:
            self.beside()

    def admitted(self, position: Position) -> Iterator[Field]:
        """What has to be known before anybody is told of what stands at a position: it and all above are admitted."""
        at: Position | None = position
        while at is not None:
            if at in self.admitting:
                yield self.admitting[at]
            at = at.owner.place.position if at.owner is not None else None

    def beside(self) -> None:
        """Add what moving between subgraphs may need, at every position."""
        while self._besides < len(self.positions):  # grows while it is gone through
            position = self.positions[self._besides]
            self._besides += 1
            for place in position.places.values():
                self._beside(place)

    def _bit(self) -> int:
        self.bits += 1
        return 1 << (self.bits - 1)

    def _position(self, type_name: str, owner: Field | None, hidden: int) -> Position:
        depth = owner.place.position.depth + 1 if owner is not None else 0
        position = Position(type_name, owner, depth, hidden, self._bit())
        for member in sorted(self.composed.members.get(type_name, ())):
            position.places[member] = Place(position, member)
        self.positions.append(position)
        return position

    def asked(self, position: Position, children: Mapping[str, tuple[Selection, ...]]) -> None:
        """Add what the client asks at a position."""
        for type_name, selections in children.items():
            place = position.places[type_name]
            for selection in selections:
                if selection.field.startswith("__") or selection in self.withheld:
                    continue
                # A mutation that is asked for twice happens twice.
                apart = selection.response_key if type_name == "Mutation" else ""
                one = self.field(place, selection.field, tuple(selection.node.arguments or ()), 0, apart)
                one.when |= selection.when
                self.of[selection] = one
                if one.child is not None:
                    one.child.hidden = 0
                    self.asked(one.child, selection.children)

    def field(
        self, place: Place, name: str, arguments: tuple[ArgumentNode, ...], hidden: int, apart: str = ""
    ) -> Field:
        """The field of that name and those arguments, made if it is not there."""
        text = ", ".join(sorted(print_ast(one) for one in arguments)) + apart
        keys = place.position.keys
        if (name, text) not in keys:
            same = sum(known == name for known, _ in keys)
            keys[name, text] = f"{name}__{same}" if same else name
        key = keys[name, text]
        if key not in place.fields:
            made = place.fields[key] = Field(self._bit(), place, name, key, arguments)
            leads_to = self.composed.fields[place.type].get(name, "")
            if leads_to in self.composed.members:
                made.child = self._position(leads_to, made, hidden)
        return place.fields[key]

    def find(self, place: Place, wanted: Named) -> Field:
        """The field that a field set names at a place. Beyond `HIDDEN_DEPTH` it is one that nobody can tell."""
        text = ", ".join(sorted(print_ast(one) for one in wanted.arguments))
        key = place.position.keys.get((wanted.name, text))
        found = place.fields.get(key) if key is not None else None
        return found or Field(self.unknown, place, wanted.name, wanted.name, wanted.arguments)

    def _beside(self, place: Place) -> None:
        """Add what subgraphs need to be told of an object here: their keys, and what their fields require."""
        composed, hidden = self.composed, place.position.hidden
        if hidden >= HIDDEN_DEPTH:
            return
        for name in (place.type, *sorted(composed.interfaces.get(place.type, ()))):
            for view in composed.views.get(name, {}).values():
                for key in view.keys:
                    self.add(place, key.fields, hidden + 1)
        seen = 0
        while seen < len(place.fields):  # what is required may require more
            for one in [*place.fields.values()][seen:]:
                seen += 1
                for name in (place.type, *sorted(composed.interfaces.get(place.type, ()))):
                    for view in composed.views.get(name, {}).values():
                        known = view.fields.get(one.name)
                        if known is not None and known.requires and (name == place.type or view.is_interface_object):
                            self.add(place, known.requires, hidden + 1)

    def add(self, place: Place, wanted: FieldSet, hidden: int) -> None:
        """Add a field set's fields at a place, and below."""
        for one in self.of_type(place, wanted):
            made = self.field(place, one.name, one.arguments, hidden)
            if made.child is not None:
                for below in made.child.places.values():
                    self.add(below, one.below, hidden + 1)

    def of_type(self, place: Place, wanted: FieldSet) -> Iterator[Named]:
        """The fields of a field set that speak of the type of a place."""
        return (one for one in wanted if all(place.type in self.composed.members[name] for name in one.on))

    def fields(self, place: Place, wanted: FieldSet) -> Iterator[Field]:
        """The fields that a field set names at a place, and below."""
        for one in self.of_type(place, wanted):
            found = self.find(place, one)
            yield found
            if found.child is not None:
                for below in found.child.places.values():
                    yield from self.fields(below, one.below)

    def everything(self, place: Place) -> int:
        """The bits of all that can be asked of an object here."""
        bits = 0
        for one in place.fields.values():
            bits |= one.bit
            if one.child is not None:
                bits |= one.child.typename
                for below in one.child.places.values():
                    bits |= self.everything(below)
        return bits
