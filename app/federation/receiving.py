"""What subgraphs may be told, as the district says, and what cannot be fetched because of it.

Pure. A representation or a required field holds of the space's own data only what stands under `may_receive`; a field
that would need more is a denial.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from graphql import GraphQLObjectType, get_nullable_type, is_list_type

from app.federation.fieldsets import FieldSet
from app.federation.finding import bit
from app.federation.positions import Field, Position, Question
from app.federation.reach import Allowed, Entrances
from app.federation.search import Effort, saturate
from app.federation.supergraph_sdl import Composed
from app.names import Coordinate
from app.operation.decided import Authorized, Column, Decided, Denial, Edge, Root
from app.operation.model import Selection, When
from app.policy.decide import Reason


@dataclass(slots=True)
class Receiving(Allowed):
    """Which subgraphs are asked at all, and what each may be told."""

    authorized: Authorized
    composed: Composed
    core: str
    offered: Mapping[str, str]  # name in join__Graph → the subgraph's own name
    _transformed: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        grant = self.authorized.authority.grant
        self._transformed = frozenset(c for c, transform in grant.fields.items() if transform) if grant else frozenset()

    def graph(self, graph: str) -> bool:
        """The space, and those subgraphs that it names an endpoint of."""
        return graph == self.core or graph in self.offered

    def told(self, graph: str, type_name: str, wanted: FieldSet) -> bool:
        """Of the space's own data only what stands under `may_receive`; the space itself may be told anything."""
        if graph == self.core:
            return True
        district = self.authorized.authority.district
        policy = district.subgraphs.get(self.offered[graph]) if district is not None else None
        may = frozenset(policy.may_receive) if policy is not None else frozenset[Coordinate]()
        return self._within(type_name, wanted, may)

    def _within(self, type_name: str, wanted: FieldSet, may: frozenset[Coordinate]) -> bool:
        for one in wanted:
            leads_to = self.composed.fields.get(type_name, {}).get(one.name, "")
            if one.below:
                members = self.composed.members.get(leads_to, frozenset())
                if not all(self._within(name, one.below, may) for name in members):
                    return False
                continue
            coordinate = Coordinate(f"{type_name}.{one.name}")
            told_by_core = one.name in self.composed.views.get(type_name, {}).get(self.core, _NOTHING).fields
            # What another subgraph told may be told to the next; what the space holds, only as the district says.
            if told_by_core and (coordinate not in may or coordinate in self._transformed):
                return False
        return True


class _Nothing:
    fields: Mapping[str, object] = {}


_NOTHING = _Nothing()


def unreachable(
    question: Question, wanted: Iterable[tuple[Field | Position, When]], allowed: Allowed
) -> list[Selection]:
    """Selections that cannot be told, given what subgraphs may receive: the outermost of each branch."""
    reachable = saturate(Entrances(question, allowed=allowed), Effort())
    lost = {id(what) for what, _ in wanted if not bit(what) & reachable}
    selections = {selection for selection, one in question.of.items() if id(one) in lost}
    if lost and not selections:
        # A mark cannot be told: what it belongs to cannot be admitted, and goes.
        marks = [what for what, _ in wanted if id(what) in lost]
        owners = {id(owner) for what in marks if (owner := _owner(what)) is not None}
        selections = {selection for selection, one in question.of.items() if id(one) in owners}
    below = {child for one in selections for child in _below(one)}
    return [selection for selection in question.of if selection in selections and selection not in below]


def _below(selection: Selection) -> Iterator[Selection]:
    for listed in selection.children.values():
        for child in listed:
            yield child
            yield from _below(child)


def _owner(what: Field | Position) -> Field | None:
    owner = what.owner if isinstance(what, Position) else what.place.position.owner
    while owner is not None and not owner.when:
        owner = owner.place.position.owner
    return owner


def refused(selection: Selection, decided: Decided | Root, authorized: Authorized, composed: Composed) -> Denial:
    """The denial of a field that needs more told than the district lets its subgraph receive."""
    district = authorized.authority.district
    fact = decided.fact if isinstance(decided, Column | Edge) else None
    name = district.name if district is not None else "the district"
    place = next(found for found in _places(authorized.operation.roots, (), (), composed) if found[0] is selection)
    return Denial(
        coordinate=Coordinate(selection.coordinate),
        scope=fact.scope if fact is not None else None,
        reason=Reason.DENIED_BY_DISTRICT,
        revision=authorized.authority.revision,
        message=(
            f"{selection.coordinate} comes from a subgraph that would be told more than {name} lets it receive. "
            f"Ask {name} about `may_receive`, or leave it out."
        ),
        path=place[2],
        selection=".".join(place[1]),
        whens=(selection.when,),
    )


def _places(
    selections: Iterable[Selection],
    keys: tuple[str, ...],
    path: tuple[str, ...],
    composed: Composed,
    *,
    inside: bool = False,
) -> Iterator[tuple[Selection, tuple[str, ...], tuple[str, ...]]]:
    """Every selection with the response keys down to it, and its response path up to the first list."""
    for selection in selections:
        below = (*keys, selection.response_key)
        here = path if inside else (*path, selection.response_key)
        yield selection, below, here
        of = composed.schema.type_map[selection.parent]
        known = of.fields.get(selection.field) if isinstance(of, GraphQLObjectType) else None
        is_list = known is not None and is_list_type(get_nullable_type(known.type))
        for listed in selection.children.values():
            yield from _places(listed, below, here, composed, inside=inside or is_list)
