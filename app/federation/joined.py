"""Plan an authorized operation over a space and its subgraphs.

Pure. The planner sees only what was permitted; what a subgraph would have to be told beyond what the district lets it
receive cannot be planned, and becomes a denial. Where a subgraph names students, the space has to admit them before
anything else is done with them. INVARIANT: `join` takes an `Authorized` and nothing else.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from graphql import print_ast

from app.federation.choose import Choice, Entry
from app.federation.fieldsets import FieldSet
from app.federation.planning import best, bit, fetches, needed, steps
from app.federation.positions import Field, Place, Position, Question
from app.federation.reach import Allowed, Entrances
from app.federation.remote import ROW
from app.federation.search import saturate
from app.federation.steps import QueryPlan, Step
from app.federation.supergraph_sdl import Composed
from app.names import Coordinate
from app.operation.decided import (
    Authorized,
    Column,
    Decided,
    Denial,
    Edge,
    Frame,
    Hidden,
    Identifier,
    Root,
    Typename,
    Withheld,
)
from app.operation.model import ALWAYS, Selection, When
from app.operation.vocabulary import Vocabulary
from app.policy.decide import Permit, Reason
from app.schema.catalogue import CATALOGUE
from app.sources.fetch import Fetch as SourceFetch
from app.sources.fetch import Keyed

LOCAL = frozenset({"grant"})


@dataclass(frozen=True, slots=True)
class Drop:
    """Objects that go when the student that they belong to was not admitted."""

    path: tuple[Step, ...]
    types: frozenset[str]
    student: tuple[str, ...]  # the keys that lead from an object to its student; () for the student


@dataclass(frozen=True, slots=True)
class CorePart:
    """What one request of a plan asks of the space."""

    roots: SourceFetch
    arguments: Mapping[str, str]  # internal key of a root field → the client's response key
    lookups: tuple[Keyed, ...]
    drops: tuple[Drop, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Joined:
    """The requests that answer an authorized operation, to the space and to subgraphs."""

    authorized: Authorized
    plan: QueryPlan
    core: Mapping[int, CorePart]  # by the number of the request
    question: Question
    withheld: frozenset[Selection]
    denials: tuple[Denial, ...]  # beyond those of the operation: what a subgraph may not receive
    remote: frozenset[Coordinate]  # what subgraphs tell
    belonging: Mapping[str, tuple[str, ...]]  # types that belong to students, with the keys that lead to theirs

    def __str__(self) -> str:
        return str(self.plan)


def decisions(authorized: Authorized) -> dict[Selection, Decided | Root]:
    """What was decided of every selection of the operation."""
    found: dict[Selection, Decided | Root] = {}

    def below(selections: Iterable[Selection], decided: Iterable[Decided]) -> None:
        for selection, one in zip(selections, decided, strict=True):
            found[selection] = one
            if isinstance(one, Edge | Frame):
                below((child for listed in selection.children.values() for child in listed), one.children)

    for selection, root in zip(authorized.operation.roots, authorized.roots, strict=True):
        found[selection] = root
        if isinstance(root, Root):
            for name, children in root.children.items():
                below(selection.children.get(name, ()), children)
    return found


def withheld(authorized: Authorized, made: Mapping[Selection, Decided | Root]) -> set[Selection]:
    """Every selection that is not disclosed: denied, or below a type that may not be entered."""
    found: set[Selection] = set()

    def below(selections: Iterable[Selection]) -> None:
        for selection in selections:
            if selection not in made or isinstance(made[selection], Withheld):
                found.add(selection)
            else:
                for listed in selection.children.values():
                    below(listed)

    below(authorized.operation.roots)
    return found


def join(
    authorized: Authorized, composed: Composed, vocabulary: Vocabulary, core: str, offered: Mapping[str, str]
) -> Joined:
    """The plan. `offered` has the subgraphs that the space names, by their names in the supergraph."""
    made = decisions(authorized)
    hidden = withheld(authorized, made)
    roots = [
        selection
        for selection in authorized.operation.roots
        if not selection.field.startswith("__") and selection.field not in LOCAL
    ]
    allowed = _Allowed(authorized, composed, core, offered)
    denials: list[Denial] = []
    while True:
        question = Question(composed, "Query", roots, hidden)
        marks = list(_marks(question, vocabulary, core))
        wanted = [*needed(question, roots), *marks]
        unreachable = _unreachable(question, wanted, allowed)
        if not unreachable:
            break
        for selection in unreachable:
            denials.append(_refused(selection, made[selection], authorized))
            hidden.add(selection)
    choice = best(question, wanted, allowed)
    written = tuple(fetches(choice, "query", _types(authorized), 0))
    parts = _core(choice, written, core, made, vocabulary)
    plan = QueryPlan("query", (written,), _types(authorized))
    return Joined(
        authorized,
        plan,
        parts,
        question,
        frozenset(hidden),
        tuple(denials),
        frozenset(vocabulary.told_by),
        vocabulary.students,
    )


def _types(authorized: Authorized) -> dict[str, str]:
    declared = authorized.operation.definition.variable_definitions or ()
    return {one.variable.name.value: print_ast(one.type) for one in declared}


@dataclass(slots=True)
class _Allowed(Allowed):
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
        return graph == self.core or graph in self.offered

    def told(self, graph: str, type_name: str, wanted: FieldSet) -> bool:
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


def _remote(question: Question, one: Field, core: str) -> bool:
    """Whether a field is not the space's to tell."""
    view = question.composed.views.get(one.place.type, {}).get(core)
    return view is None or one.name not in view.fields


def _marks(question: Question, vocabulary: Vocabulary, core: str) -> Iterator[tuple[Field, When]]:
    """What has to be known of students beside what the client asks: that they are admitted, and who they are."""
    for position in [*question.positions]:
        owner = position.owner
        if owner is None or owner.when == frozenset():
            continue
        for place in [*position.places.values()]:
            if place.type == "Student":
                asks = any(one.when and _remote(question, one, core) for one in [*place.fields.values()])
                named = _remote(question, owner, core)
                if named or asks:
                    mark = question.field(place, ROW, (), 1)
                    if named:
                        question.admitting[position] = mark.bit
                    yield mark, owner.when
            elif vocabulary.students.get(place.type) and _remote(question, owner, core) and not _of_student(position):
                yield from _belonging(question, place, vocabulary.students[place.type], owner.when)
    question.beside()


def _of_student(position: Position) -> bool:
    """Whether something stands below a student, and so belongs to that student."""
    owner = position.owner
    while owner is not None:
        if owner.place.type == "Student":
            return True
        owner = owner.place.position.owner
    return False


def _belonging(question: Question, place: Place, path: tuple[str, ...], when: When) -> Iterator[tuple[Field, When]]:
    """The student that an object belongs to has to be admitted before the object is."""
    start, at = place.position, place
    for name in path:
        step = question.field(at, name, (), 1)
        yield step, when
        if step.child is None:
            return
        at = step.child.places.get("Student") or next(iter(step.child.places.values()))
    if at.type == "Student":
        mark = question.field(at, ROW, (), 1)
        question.admitting[at.position] = mark.bit
        question.admitting[start] = mark.bit
        yield mark, when


def _unreachable(
    question: Question, wanted: Iterable[tuple[Field | Position, When]], allowed: Allowed
) -> list[Selection]:
    """Selections that cannot be told, given what subgraphs may receive: the outermost of each branch."""
    reachable = saturate(Entrances(question, allowed=allowed))
    lost = {id(what) for what, _ in wanted if not bit(what) & reachable}
    selections = [selection for selection, one in question.of.items() if id(one) in lost]
    if selections or not lost:
        return selections
    # A mark cannot be told: what it belongs to cannot be admitted, and goes.
    marks = [what for what, _ in wanted if id(what) in lost]
    owners = {id(owner) for what in marks if (owner := _owner(what)) is not None}
    return [selection for selection, one in question.of.items() if id(one) in owners]


def _owner(what: Field | Position) -> Field | None:
    owner = what.owner if isinstance(what, Position) else what.place.position.owner
    while owner is not None and not owner.when:
        owner = owner.place.position.owner
    return owner


def _refused(selection: Selection, decided: Decided | Root, authorized: Authorized) -> Denial:
    """The denial of a field that needs more told than the district lets its subgraph receive."""
    district = authorized.authority.district
    fact = decided.fact if isinstance(decided, Column | Edge) else None
    name = district.name if district is not None else "the district"
    return Denial(
        coordinate=Coordinate(selection.coordinate),
        scope=fact.scope if fact is not None else None,
        reason=Reason.DENIED_BY_DISTRICT,
        revision=authorized.authority.revision,
        message=(
            f"{selection.coordinate} comes from a subgraph that would be told more than {name} lets it receive. "
            f"Ask {name} about `may_receive`, or leave it out."
        ),
        path=(),
        selection=selection.response_key,
        whens=(selection.when,),
    )


def _core(
    choice: Choice,
    written: Iterable["object"],
    core: str,
    made: Mapping[Selection, Decided | Root],
    vocabulary: Vocabulary,
) -> dict[int, CorePart]:
    """What the space is asked, for each request of the plan that goes to it."""
    templates: dict[Field, Decided | Root] = {}
    keys: dict[str, str] = {}
    for selection, one in choice.question.of.items():
        templates.setdefault(one, made[selection])
        if one.place.position.owner is None:
            keys.setdefault(one.key, selection.response_key)
    numbers = iter(written)
    parts: dict[int, CorePart] = {}
    for request in choice.requests:
        if not request.entries:
            continue
        fetch = next(numbers)
        if request.graph != core:
            continue
        writing = _Writing(choice.question, templates)
        roots: tuple[Root, ...] = ()
        lookups: list[Keyed] = []
        drops: list[Drop] = []
        for entry in sorted(request.entries.values(), key=lambda one: one.entrance.position.depth):
            if entry.entrance.position.owner is None:
                roots = tuple(writing.roots(entry))
                continue
            lookups.append(writing.lookup(entry))
            drops.extend(_drops(choice.question, entry.entrance.position, vocabulary))
        number: int = getattr(fetch, "number")  # noqa: B009 - a plan's fetch
        parts[number] = CorePart(SourceFetch("core", roots), keys, tuple(lookups), tuple(drops))
    return parts


def _drops(question: Question, position: Position, vocabulary: Vocabulary) -> Iterator[Drop]:
    """What goes with students that were not admitted: they themselves first, then what belongs to them."""
    if position not in question.admitting:
        return
    yield Drop(tuple(steps(position)), frozenset({"Student"}), ())
    path: list[str] = []
    owner = position.owner
    while owner is not None:
        path.insert(0, owner.key)
        place = owner.place
        if vocabulary.students.get(place.type) and place.position in question.admitting:
            yield Drop(tuple(steps(place.position)), frozenset({place.type}), tuple(path))
        owner = place.position.owner


@dataclass(slots=True)
class _Writing:
    """Writes what the space is asked as decisions, under internal keys."""

    question: Question
    templates: Mapping[Field, Decided | Root]

    def roots(self, entry: Entry) -> Iterator[Root]:
        place = next(iter(entry.entrance.position.places.values()))
        for one in place.fields.values():
            if one in entry.selected:
                template = self.templates[one]
                assert isinstance(template, Root)  # noqa: S101 - a root field was decided as one
                assert one.child is not None  # noqa: S101 - the core's root fields lead to records
                children = {name: self.at(below, entry) for name, below in one.child.places.items()}
                yield replace(
                    template,
                    response_key=one.key,
                    when=entry.selected[one],
                    children={name: below for name, below in children.items() if name in template.children},
                )

    def lookup(self, entry: Entry) -> Keyed:
        position = entry.entrance.position
        (name,) = entry.entrance.types
        (key,) = entry.told[0]
        return Keyed(name, key.name, self.at(position.places[name], entry))

    def at(self, place: Place, entry: Entry) -> tuple[Decided, ...]:
        found: list[Decided] = [Typename("__typename", ALWAYS)] if len(place.position.places) > 1 else []
        for one in place.fields.values():
            if one in entry.selected:
                found.append(self.field(one, entry))
        return tuple(found)

    def field(self, one: Field, entry: Entry) -> Decided:
        when = entry.selected[one]
        template = self.templates.get(one)
        below: tuple[Decided, ...] = ()
        if one.child is not None:
            below = tuple(each for place in one.child.places.values() for each in self.at(place, entry))
        match template:
            case Column() | Identifier():
                return replace(template, response_key=one.key, when=when)
            case Edge() | Frame():
                return replace(template, response_key=one.key, when=when, children=below)
            case _ if one.child is None:
                return Hidden(one.key, when, "row" if one.name == ROW else one.name)
            case _:
                fact = CATALOGUE[Coordinate(f"{one.place.type}.{one.name}")]
                return Edge(one.key, when, fact, Permit(None), below)
