"""Take out of an operation what its caller may not have; keep why.

Pure. `Operation × Authority → Authorized`: every field below a guarded type bears a decision, and only what was
permitted can be planned. Decided before @skip and @include: a branch that is not taken was decided all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.names import Coordinate, Scope
from app.operation.decided import (
    INTROSPECTION,
    ROOT_TYPES,
    Authorized,
    Column,
    Decided,
    Denial,
    Edge,
    Frame,
    Identifier,
    Root,
    Typename,
    Withheld,
)
from app.operation.model import Operation, Selection, When
from app.policy.authority import Authority
from app.policy.decide import Ask, Decision, Deny, Permit, Reason, advice, decide, entrance
from app.schema.catalogue import CATALOGUE, TYPES
from app.schema.facts import Fact


def authorize(operation: Operation, authority: Authority) -> Authorized:
    """Decide every coordinate that the operation names, once."""
    deciding = _Deciding(authority)
    roots = tuple(deciding.root(selection) for selection in operation.roots)
    return Authorized(operation, authority, roots, tuple(deciding.denials), deciding.for_filter)


class _Deciding:
    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.denials: list[Denial] = []
        self.decisions: dict[str, Decision] = {}
        self.entrances: dict[str, Deny | None] = {}

    def decision(self, fact: Fact) -> Decision:
        """What the grant says of one coordinate, for an edge also whether its type may be entered."""
        made = self.decisions.get(fact.coordinate)
        if made is None:
            made = self.decisions[fact.coordinate] = decide(ask_for(fact), self.authority)
        if isinstance(made, Permit) and fact.leads_to is not None:
            return self.closed(fact.leads_to) or made
        return made

    def closed(self, type_name: str) -> Deny | None:
        """Why a type may not be entered; None if it may: one of its coordinates at least is permitted."""
        if type_name not in self.entrances:
            self.entrances[type_name] = entrance(map(ask_for, FACTS[type_name]), self.authority)
        return self.entrances[type_name]

    def for_filter(self, coordinate: Coordinate) -> Decision:
        """Whether `where` may name a coordinate: only if it is granted as it is, else a filter is an oracle."""
        fact = CATALOGUE.get(coordinate)
        made = self.decision(fact) if fact is not None else Deny(Reason.NOT_GRANTED)
        if isinstance(made, Permit) and made.transform is not None:
            return Deny(Reason.NOT_GRANTED)
        return made

    def root(self, selection: Selection) -> Root | Withheld | Typename:
        key, when = selection.response_key, selection.when
        if selection.field == "__typename":
            return Typename(key, when)
        if selection.field in INTROSPECTION:
            return Root(key, when, selection.field, selection, {})
        place = _Place((key,), (key,), False, (when,))
        leads_to = ROOT_TYPES.get(selection.field)
        shut = self.closed(leads_to) if leads_to is not None else None
        if shut is not None:
            # The root of a type is no coordinate that could be granted: the type's own scopes are what it takes.
            return Withheld(key, when, self.deny(shut, Coordinate(selection.coordinate), None, place))
        children = {
            name: tuple(self.decided(name, below, place) for below in selections)
            for name, selections in selection.children.items()
            if name not in TYPES or selection.field != "node" or not self.refused_node(name, selections, place)
        }
        return Root(key, when, selection.field, selection, children)

    def refused_node(self, type_name: str, selections: Iterable[Selection], place: "_Place") -> bool:
        """Whether `node` may not enter a type; the fields that were asked of it by name are then denials."""
        shut = self.closed(type_name)
        if shut is None:
            return False
        for below in selections:
            fact = CATALOGUE.get(Coordinate(below.coordinate))
            if fact is not None:
                self.deny(shut, fact.coordinate, fact.scope, place.down(below))
        return True

    def decided(self, type_name: str, selection: Selection, above: "_Place") -> Decided:
        key, when, name = selection.response_key, selection.when, selection.field
        place = above.down(selection)
        if name == "__typename":
            return Typename(key, when)
        if type_name not in TYPES:
            if type_name not in FRAMES:
                raise AssertionError(f"{selection.coordinate} has no decision")  # INVARIANT: silence denies
            return Frame(
                key, when, name, selection.type, self.below(selection, place, is_list=name in {"nodes", "edges"})
            )
        if name == "id":
            return Identifier(key, when)
        fact = CATALOGUE[Coordinate(selection.coordinate)]
        match self.decision(fact):
            case Deny() as denied:
                return Withheld(key, when, self.deny(denied, fact.coordinate, fact.scope, place))
            case Permit() as permit if fact.leads_to is None:
                return Column(key, when, fact, permit)
            case Permit() as permit:
                return Edge(key, when, fact, permit, self.below(selection, place, is_list=fact.is_list))

    def below(self, selection: Selection, place: "_Place", *, is_list: bool) -> tuple[Decided, ...]:
        inside = _Place(place.path, place.keys, place.in_list or is_list, place.whens)
        return tuple(
            self.decided(type_name, child, inside)
            for type_name, children in selection.children.items()
            for child in children
        )

    def deny(self, denied: Deny, coordinate: Coordinate, scope: str | None, place: "_Place") -> Denial:
        fact = CATALOGUE.get(coordinate)
        ask = ask_for(fact) if fact is not None else None
        denial = Denial(
            coordinate=coordinate,
            scope=scope,
            reason=denied.reason,
            revision=self.authority.revision,
            message=advice(denied.reason, ask, self.authority) if ask else self.root_advice(denied.reason, coordinate),
            path=place.path,
            selection=".".join(place.keys),
            whens=place.whens,
        )
        self.denials.append(denial)
        return denial

    def root_advice(self, reason: Reason, coordinate: Coordinate) -> str:
        """What to do where a whole type is shut: some reasons concern the client, others the type."""
        if reason in OF_THE_CLIENT:
            return advice(reason, Ask(coordinate, Scope(""), ""), self.authority)
        return (
            f"Nothing of the type that {coordinate} leads to is disclosed to this client ({reason.value}). "
            "Ask the district for a grant of its fields, and hold their scopes."
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the answer a selection stands."""

    path: tuple[str, ...]  # ends at the first list
    keys: tuple[str, ...]
    in_list: bool
    whens: tuple[When, ...]

    def down(self, selection: Selection) -> "_Place":
        key = selection.response_key
        path = self.path if self.in_list else (*self.path, key)
        return _Place(path, (*self.keys, key), self.in_list, (*self.whens, selection.when))


FACTS: Mapping[str, tuple[Fact, ...]] = {
    name: tuple(fact for fact in CATALOGUE.values() if fact.type == name) for name in TYPES
}
"""The guarded coordinates of each type."""

OF_THE_CLIENT = frozenset({Reason.CLIENT_SUSPENDED, Reason.NO_GRANT, Reason.GRANT_NOT_YET, Reason.GRANT_EXPIRED})
"""Reasons that are the same for whatever the client asks."""

FRAMES = frozenset({"PageInfo", "Grant", "GrantedCoordinate", "GrantedRows"}).union(
    *({f"{name}Connection", f"{name}Edge"} for name in ROOT_TYPES.values())
)
"""Types that hold nothing of a record: they arrange records, or tell the caller of its own grant."""


def ask_for(fact: Fact) -> Ask:
    """The question that a fact puts to policy."""
    return Ask(fact.coordinate, fact.scope, fact.sensitivity.value, fact.is_text)
