"""Plan an authorized operation over a space and its subgraphs.

Pure. The planner sees only what was permitted; what a subgraph would have to be told beyond what the district lets it
receive cannot be planned, and becomes a denial. Where a subgraph names students, the space has to admit them before
anything else is done with them. INVARIANT: `join` takes an `Authorized` and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import print_ast

from app.federation.admitting import marks
from app.federation.blocking import asks, blockable
from app.federation.core_part import CorePart, core_parts
from app.federation.finding import best
from app.federation.planning import needed
from app.federation.positions import Question
from app.federation.receiving import Receiving, refused, unreachable
from app.federation.steps import QueryPlan
from app.federation.supergraph_sdl import Composed
from app.federation.writing import fetches
from app.names import Coordinate
from app.operation.decided import (
    Authorized,
    Decided,
    Denial,
    Edge,
    Frame,
    Root,
    Withheld,
)
from app.operation.model import Selection
from app.operation.vocabulary import Vocabulary

LOCAL = frozenset({"grant", "requests"})


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
    blocked: frozenset[Coordinate]  # what subgraphs tell that is withheld where a family blocked it

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
    allowed = Receiving(authorized, composed, core, offered)
    blocked = blockable(authorized, vocabulary)
    denials: list[Denial] = []
    while True:
        question = Question(composed, "Query", roots, hidden)
        marked = list(marks(question, vocabulary, core, directory=asks(question, blocked)))
        wanted = [*needed(question, roots), *marked]
        lost = unreachable(question, wanted, allowed)
        if not lost:
            break
        for selection in lost:
            denials.append(refused(selection, made[selection], authorized, composed))
            hidden.add(selection)
    choice = best(question, wanted, allowed)
    written = tuple(fetches(choice, "query", _types(authorized), 0))
    parts = core_parts(choice, written, core, made, vocabulary)
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
        blocked if asks(question, blocked) else frozenset(),
    )


def _types(authorized: Authorized) -> dict[str, str]:
    declared = authorized.operation.definition.variable_definitions or ()
    return {one.variable.name.value: print_ast(one.type) for one in declared}
