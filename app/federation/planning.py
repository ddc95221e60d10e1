"""Plan an operation over several subgraphs: the fewest requests, then the fewest waves, then the least asked."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from graphql import OperationType, print_ast

from app.federation.finding import best
from app.federation.positions import Field, Position, Question
from app.federation.search import Effort
from app.federation.steps import Fetch, QueryPlan
from app.federation.supergraph_sdl import Composed
from app.federation.writing import fetches
from app.operation.model import Operation, Selection, When


class Planned:
    """A plan with the question that it answers: what the answer is read from."""

    def __init__(self, plan: QueryPlan, question: Question) -> None:
        self.plan = plan
        self.question = question


def plan_operation(operation: Operation, composed: Composed, effort: Effort | None = None) -> Planned:
    """The requests that answer an operation, and where their answers stand."""
    effort = effort or Effort()
    kind = operation.definition.operation
    root = {OperationType.QUERY: "Query", OperationType.MUTATION: "Mutation"}[kind]
    question = Question(composed, root, operation.roots)
    types = {
        one.variable.name.value: print_ast(one.type)
        + (f" = {print_ast(one.default_value)}" if one.default_value else "")
        for one in operation.definition.variable_definitions or ()
    }
    written: list[tuple[Fetch, ...]] = []
    number = 0
    for selections in runs(operation.roots, kind, question, composed):
        wanted = list(needed(question, selections))
        choice = best(question, wanted, effort=effort)
        row = tuple(fetches(choice, kind.value, types, number))
        number += len(row)
        written.append(row)
    return Planned(QueryPlan(kind.value, tuple(written), types), question)


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
