"""Plan an operation over several subgraphs: the fewest requests, then the fewest waves, then the least asked."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice, permutations, product
from typing import Any

from graphql import OperationType, print_ast

from app.errors import RequestError
from app.federation.choose import Choice
from app.federation.positions import Field, Position, Question
from app.federation.reach import EVERYTHING, Allowed, Entrances
from app.federation.search import Row, saturate, shortest
from app.federation.steps import Fetch, QueryPlan
from app.federation.supergraph_sdl import Composed
from app.federation.writing import fetches
from app.operation.model import Operation, Selection, When

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
