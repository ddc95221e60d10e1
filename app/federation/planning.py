"""Plan an operation over several subgraphs: the fewest requests, then the fewest waves, then the least asked."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice, permutations, product
from typing import Any

from graphql import OperationType, print_ast

from app.errors import RequestError
from app.federation.choose import Choice, Entry, Request, widened
from app.federation.documents import Printer, Reading
from app.federation.fieldsets import FieldSet
from app.federation.positions import NEVER, Field, Position, Question
from app.federation.reach import EVERYTHING, Allowed, Entrances
from app.federation.search import Row, saturate, shortest
from app.federation.steps import Fetch, Flatten, QueryPlan, Step, Told
from app.federation.supergraph_sdl import Composed
from app.operation.model import ALWAYS, Operation, Selection, When

ASSIGNMENTS = 64
"""How many ways to say who tells what stands where are looked at."""

LONGEST = 100
"""How many requests a plan has at most."""

ORDERS = 6
"""Rows of at most so many requests are tried in every order."""


class Planned:
    """A plan with the question that it answers: what the answer is read from."""

    def __init__(self, plan: QueryPlan, question: Question) -> None:
        self.plan = plan
        self.question = question


def plan_operation(operation: Operation, composed: Composed) -> Planned:
    """The requests that answer an operation, and where their answers stand."""
    kind = operation.definition.operation
    root = {OperationType.QUERY: "Query", OperationType.MUTATION: "Mutation"}[kind]
    question = Question(composed, root, operation.roots)
    types = {
        one.variable.name.value: print_ast(one.type)
        + (f" = {print_ast(one.default_value)}" if one.default_value else "")
        for one in operation.definition.variable_definitions or ()
    }
    rows: list[tuple[Fetch, ...]] = []
    number = 0
    for selections in runs(operation.roots, kind, question, composed):
        wanted = list(needed(question, selections))
        choice = best(question, wanted)
        row = tuple(fetches(choice, kind.value, types, number))
        number += len(row)
        rows.append(row)
    return Planned(QueryPlan(kind.value, tuple(rows), types), question)


def runs(
    roots: Iterable[Selection], kind: OperationType, question: Question, composed: Composed
) -> Iterator[list[Selection]]:
    """Mutations happen one after the other (GraphQL §6.2.2): those that one subgraph runs in a row are one run."""
    asked = [one for one in roots if not one.field.startswith("__")]
    if kind is not OperationType.MUTATION:
        yield asked
        return

    def owner(selection: Selection) -> str | None:
        views = composed.views[question.root.type]
        return next((graph for graph, view in views.items() if selection.field in view.fields), None)

    for _, run in groupby(asked, owner):
        yield list(run)


def needed(question: Question, selections: Iterable[Selection]) -> Iterator[tuple[Field | Position, When]]:
    """What the client has to be told."""
    for selection in selections:
        if selection.field.startswith("__") or selection in question.withheld:
            continue
        one = question.of[selection]
        yield one, selection.when
        if one.child is None:
            continue
        children = [*selection.children.values()]
        asks = {tuple((below.response_key, below.field) for below in listed) for listed in children}
        typed = any(below.field == "__typename" for listed in children for below in listed)
        if len(one.child.places) > 1 and (typed or len(asks) > 1):
            yield one.child, selection.when
        for listed in children:
            yield from needed(question, listed)


def best(question: Question, wanted: list[tuple[Field | Position, When]], allowed: Allowed = EVERYTHING) -> Choice:
    """The choice of fewest requests, fewest waves, and then least asked."""
    choices: list[tuple[tuple[Any, ...], int, Choice]] = []
    least: tuple[int, int] | None = None  # fields that nobody can tell, requests
    for entrances in assignments(question, allowed):
        reachable = saturate(entrances)
        asked = [(what, when) for what, when in wanted if bit(what) & reachable]
        missing = len(wanted) - len(asked)
        if least is not None and missing > least[0]:
            continue
        bits = 0
        for what, _ in asked:
            bits |= bit(what)
        at_most = least[1] if least is not None and missing == least[0] else LONGEST
        for row in candidates(shortest(entrances, bits, at_most)):
            choice = Choice(entrances, row, asked)
            choice.dependencies()
            found = (missing, *worth(choice))
            choices.append((found, len(choices), choice))
            if choice.complete and (least is None or (missing, len(row)) < least):
                least = missing, len(row)
    (missing, *_), _, choice = min(choices, key=lambda one: one[:2])
    if missing:
        reachable = saturate(choice.entrances)
        what = next(what for what, _ in wanted if not bit(what) & reachable)
        name = f"{what.place.type}.{what.name}" if isinstance(what, Field) else f"{what.type}.__typename"
        raise RequestError(
            f"No subgraph can tell {name} where it is asked for. Leave it out, or mend the supergraph.",
            code="NOT_PLANNABLE",
            extensions={"coordinate": name},
        )
    return choice


def bit(what: Field | Position) -> int:
    """The bit of knowing it."""
    return what.typename if isinstance(what, Position) else what.bit


def assignments(question: Question, allowed: Allowed) -> Iterator[Entrances]:
    """The entrances, for each way to say which subgraph tells what stands where several could."""
    free = Entrances(question, allowed=allowed)
    contested = free.contested
    if not contested:
        yield free
        return
    groups: dict[object, list[Position]] = {}
    ways = 1
    for graphs in contested.values():
        ways *= len(graphs)
    for position in contested:
        owner = position.owner
        assert owner is not None  # noqa: S101 - the root is of one type
        groups.setdefault((owner.place.type, owner.name) if ways > ASSIGNMENTS else position, []).append(position)
    options = [contested[positions[0]] for positions in groups.values()]
    for chosen in islice(product(*options), ASSIGNMENTS):
        yield Entrances(
            question,
            {
                position: graph
                for positions, graph in zip(groups.values(), chosen, strict=True)
                for position in positions
                if graph in contested[position]
            },
            allowed=allowed,
        )


def candidates(rows: list[Row]) -> list[Row]:
    """The rows, and short ones in every order that is as good."""
    found: dict[Row, None] = dict.fromkeys(rows)
    for row in rows[:4]:
        if len(row) <= ORDERS - 2:
            found.update(dict.fromkeys(permutations(row)))
    return list(found)


def worth(choice: Choice) -> tuple[object, ...]:
    """The smaller, the better."""
    used = [request for request in choice.requests if request.entries]
    entries = sum(len(request.entries) for request in used)
    asked = sum(len(entry.selected) for request in used for entry in request.entries.values())
    return not choice.complete, len(used), max(choice.waves(), default=0), entries, asked


def fetches(choice: Choice, kind: str, types: Mapping[str, str], first: int) -> Iterator[Fetch]:
    """The requests of a choice, written out."""
    numbers: dict[int, int] = {}
    for index, request in enumerate(choice.requests):
        if request.entries:
            numbers[index] = first + len(numbers)
    for index, number in numbers.items():
        request = choice.requests[index]
        after = frozenset(numbers[at] for at in request.after if at in numbers)
        yield fetch(choice, request, kind, types, number=number, after=after)


def fetch(
    choice: Choice, request: Request, kind: str, types: Mapping[str, str], *, number: int, after: frozenset[int]
) -> Fetch:
    """One request, written out."""
    variables: dict[str, None] = {}
    flattens: list[Flatten] = []
    root: tuple[When, str, Reading | None] | None = None
    entries = sorted(request.entries.values(), key=lambda one: one.entrance.position.depth)
    entities = [entry for entry in entries if entry.entrance.position.owner is not None]
    for entry in entries:
        printer = Printer(choice, request.graph, entry, variables)
        if entry.entrance.representation is None:
            text, reading = printer.root()
            if entry.entrance.position.owner is None:
                root = entry.when, text, reading
            else:
                flattens.append(flatten(choice, entry, len(flattens), text, reading, alone=False))
            continue
        text, reading = printer.entities()
        flattens.append(flatten(choice, entry, len(flattens), text, reading, alone=len(entities) == 1))
    parts = [root[1]] if root is not None else []
    parts += [
        one.selection
        if one.representation is None
        else f"{alias(one)}_entities(representations: ${one.variable}) {{ {one.selection} }}"
        for one in flattens
    ]
    declared = [f"${name}: {types[name]}" for name in variables]
    declared += [f"${one.variable}: [_Any!]!" for one in flattens if one.representation is not None]
    head = f"({', '.join(declared)})" if declared else ""
    operation = kind if root is not None else "query"
    when: When = NEVER
    for entry in entries:
        when = widened(when, entry.when)
    return Fetch(
        number=number,
        subgraph=request.graph,
        document=f"{operation}{head} {{ {' '.join(parts)} }}",
        variables=tuple(variables),
        after=after,
        root=root[0] if root is not None else None,
        reading=root[2] if root is not None else None,
        flattens=tuple(flattens),
        when=when,
        selection=root[1] if root is not None else "",
    )


def alias(one: Flatten) -> str:
    """The key of `_entities` in the document, where there are several."""
    return "" if one.alias == "_entities" else f"{one.alias}: "


def flatten(choice: Choice, entry: Entry, number: int, text: str, reading: Reading | None, *, alone: bool) -> Flatten:
    entrance = entry.entrance
    position = entrance.position
    types = frozenset(entrance.types)
    return Flatten(
        path=tuple(steps(position)),
        types=None if len(position.places) == len(types) else types,
        representation=entrance.representation,
        told=tuple(represented(choice.question, entry)),
        alias="_entities" if alone else f"_{number}",
        variable="representations" if alone else f"_{number}",
        when=entry.when,
        reading=reading,
        selection=text,
    )


def steps(position: Position) -> Iterator[Step]:
    """The way from the root to a position."""
    for one in position.steps:
        above = one.place.position
        yield Step(one.key, frozenset({one.place.type}) if len(above.places) > 1 else None)


def represented(question: Question, entry: Entry) -> Iterator[Told]:
    """What a representation holds: the key first, then what is required."""
    entrance = entry.entrance
    key = entry.told[: 1 if entrance.keys else 0]
    found = list(told(question, entrance.position, entrance.types, key, identifies=True))
    names = {(one.name, one.key) for one in found if not one.below}
    yield from found
    for one in told(question, entrance.position, entrance.types, entry.told[len(key) :], identifies=False):
        if (one.name, one.key) not in names:
            yield one


def told(
    question: Question, position: Position, types: Iterable[str], wanted: Iterable[FieldSet], *, identifies: bool
) -> Iterator[Told]:
    """The fields of field sets, merged."""
    found: dict[tuple[str, str], tuple[set[str], Field, list[FieldSet]]] = {}
    for name in types:
        place = position.places[name]
        for fields in wanted:
            for one in question.of_type(place, fields):
                known = question.find(place, one)
                at = found.setdefault((one.name, known.key), (set(), known, []))
                at[0].add(name)
                at[2].append(one.below)
    for (name, key), (on, known, below) in found.items():
        inner: tuple[Told, ...] = ()
        if known.child is not None:
            inner = tuple(told(question, known.child, known.child.places, below, identifies=identifies))
        yield Told(name, key, None if len(on) == len(position.places) else frozenset(on), identifies, inner)


__all__ = ["ALWAYS", "Planned", "plan_operation"]
