"""Take out of an operation what its caller may not have; keep why.

Pure. `Operation × Authority → Authorized`: every field below a guarded type bears a decision, and only what was
permitted can be planned. Decided before @skip and @include: a branch that is not taken was decided all the same.
"""

from collections.abc import Iterable
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
from app.operation.vocabulary import CORE_VOCABULARY, Vocabulary
from app.policy.authority import Authority
from app.policy.decide import Ask, Decision, Deny, Permit, Reason, advice, decide, entrance
from app.schema.facts import Fact


def authorize(
    operation: Operation,
    authority: Authority,
    vocabulary: Vocabulary = CORE_VOCABULARY,
    offered: frozenset[str] = frozenset(),
) -> Authorized:
    """Decide every coordinate that the operation names, once. `offered`: the subgraphs that the space names."""
    deciding = _Deciding(authority, vocabulary, offered)
    roots = tuple(deciding.root(selection) for selection in operation.roots)
    return Authorized(operation, authority, roots, tuple(deciding.denials), deciding.for_filter, vocabulary.facts)


class _Deciding:
    def __init__(self, authority: Authority, vocabulary: Vocabulary, offered: frozenset[str]) -> None:
        self.authority = authority
        self.vocabulary = vocabulary
        self.offered = offered
        self.denials: list[Denial] = []
        self.decisions: dict[str, Decision] = {}
        self.entrances: dict[str, Deny | None] = {}

    def decision(self, fact: Fact) -> Decision:
        """What the grant says of one coordinate, for an edge also whether its type may be entered."""
        made = self.decisions.get(fact.coordinate)
        if made is None:
            made = self.decisions[fact.coordinate] = self.decide(fact)
        if isinstance(made, Permit) and fact.leads_to is not None:
            return self.closed(fact.leads_to) or made
        return made

    def decide(self, fact: Fact) -> Decision:
        """What the grant says, and whether the space has a subgraph that could tell."""
        made = decide(ask_for(fact), self.authority)
        telling = self.vocabulary.told_by.get(fact.coordinate)
        if isinstance(made, Permit) and telling is not None and not telling & self.offered:
            return Deny(Reason.NOT_OFFERED)
        return made

    def closed(self, type_name: str) -> Deny | None:
        """Why a type may not be entered; None if it may: one of its coordinates at least is permitted.

        Of an interface or a union one type at least may be.
        """
        if type_name in self.vocabulary.frames:
            return None
        if type_name in self.vocabulary.members:
            shut = [self.closed(name) for name in sorted(self.vocabulary.members[type_name])]
            return None if None in shut else next(iter(shut), SILENT)
        if type_name not in self.entrances:
            facts = self.vocabulary.by_type.get(type_name, ())
            self.entrances[type_name] = entrance(map(ask_for, facts), self.authority) if facts else SILENT
        return self.entrances[type_name]

    def for_filter(self, coordinate: Coordinate) -> Decision:
        """Whether `where` may name a coordinate: only if it is granted as it is, else a filter is an oracle."""
        fact = self.vocabulary.facts.get(coordinate)
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
        fact = self.vocabulary.facts.get(Coordinate(selection.coordinate))
        if fact is not None or selection.field not in CORE_ROOTS:
            return self.remote_root(selection, fact, place)
        leads_to = self.vocabulary.roots.get(selection.field)
        shut = self.closed(leads_to) if leads_to is not None else None
        if shut is not None:
            # The root of a type is no coordinate that could be granted: the type's own scopes are what it takes.
            return Withheld(key, when, self.deny(shut, Coordinate(selection.coordinate), None, place))
        children = {
            name: tuple(self.decided(name, below, place) for below in selections)
            for name, selections in selection.children.items()
            if name not in self.vocabulary.by_type
            or selection.field != "node"
            or not self.refused_node(name, selections, place)
        }
        return Root(key, when, selection.field, selection, children)

    def remote_root(self, selection: Selection, fact: Fact | None, place: "_Place") -> Root | Withheld:
        """A root field of a subgraph is a coordinate like any other: granted by name."""
        made = self.decision(fact) if fact is not None else SILENT
        if isinstance(made, Deny):
            scope = fact.scope if fact is not None else None
            denial = self.deny(made, Coordinate(selection.coordinate), scope, place)
            return Withheld(selection.response_key, selection.when, denial)
        children = {
            name: tuple(self.of_member(selection, name, below, place) for below in selections)
            for name, selections in selection.children.items()
        }
        return Root(selection.response_key, selection.when, selection.field, selection, children)

    def refused_node(self, type_name: str, selections: Iterable[Selection], place: "_Place") -> bool:
        """Whether `node` may not enter a type; the fields that were asked of it by name are then denials."""
        shut = self.closed(type_name)
        if shut is None:
            return False
        for below in selections:
            fact = self.vocabulary.facts.get(Coordinate(below.coordinate))
            if fact is not None:
                self.deny(shut, fact.coordinate, fact.scope, place.down(below))
        return True

    def decided(self, type_name: str, selection: Selection, above: "_Place") -> Decided:
        key, when, name = selection.response_key, selection.when, selection.field
        place = above.down(selection)
        if name == "__typename":
            return Typename(key, when)
        if type_name in self.vocabulary.frames:
            shut = self.closed(selection.type) if selection.type is not None else None
            if shut is not None:
                return Withheld(key, when, self.deny(shut, Coordinate(selection.coordinate), None, place))
            return Frame(
                key, when, name, selection.type, self.below(selection, place, is_list=name in {"nodes", "edges"})
            )
        if name == "id":
            return Identifier(key, when)
        fact = self.vocabulary.facts.get(Coordinate(selection.coordinate))
        if fact is None:
            # INVARIANT: silence denies. Nobody said what this is, so nobody can have granted it.
            return Withheld(key, when, self.deny(SILENT, Coordinate(selection.coordinate), None, place))
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
            self.of_member(selection, type_name, child, inside)
            for type_name, children in selection.children.items()
            for child in children
        )

    def of_member(self, above: Selection, type_name: str, selection: Selection, place: "_Place") -> Decided:
        """A field of one of the types that may stand there: withheld if that one may not be entered."""
        shut = self.closed(type_name) if above.type in self.vocabulary.members else None
        if shut is None or selection.field == "__typename":
            return self.decided(type_name, selection, place)
        fact = self.vocabulary.facts.get(Coordinate(selection.coordinate))
        scope = fact.scope if fact is not None else None
        denial = self.deny(shut, Coordinate(selection.coordinate), scope, place.down(selection))
        return Withheld(selection.response_key, selection.when, denial)

    def deny(self, denied: Deny, coordinate: Coordinate, scope: str | None, place: "_Place") -> Denial:
        fact = self.vocabulary.facts.get(coordinate)
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


OF_THE_CLIENT = frozenset({Reason.CLIENT_SUSPENDED, Reason.NO_GRANT, Reason.GRANT_NOT_YET, Reason.GRANT_EXPIRED})
"""Reasons that are the same for whatever the client asks."""

SILENT = Deny(Reason.NOT_GRANTED)
"""What is said of a coordinate that nobody declared."""

CORE_ROOTS = frozenset({*ROOT_TYPES, "node", "grant", "requests"})
"""The root fields of the core."""


def ask_for(fact: Fact) -> Ask:
    """The question that a fact puts to policy."""
    return Ask(fact.coordinate, fact.scope, fact.sensitivity.value, fact.is_text)
