"""Find the best choice: rows of subgraphs, and for each who tells what stands where several could.

First it is looked as if whoever likes might tell it. No plan has fewer requests than that, and mostly one that has as
few follows from it: whoever comes first in the row tells. Then the other ways are tried, as far as the effort goes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, permutations, product
from typing import Any

from app.errors import RequestError
from app.federation.choose import Choice
from app.federation.positions import Field, Position, Question
from app.federation.reach import EVERYTHING, Allowed, Entrances
from app.federation.search import Effort, Row, greedy, saturate, shortest
from app.operation.model import When

ASSIGNMENTS = 64
"""How many ways to say who tells what stands where are looked at."""

FOLLOWED = 8
"""How many rows are followed to a way, and how many ways are looked at once no plan can have fewer requests."""

BUILDING = 4
"""How many looks it takes to put down what can be seen at an entrance."""

LONGEST = 100
"""How many requests a plan has at most."""

ORDERS = 6
"""Rows of at most so many requests are tried in every order."""

Wanted = list[tuple[Field | Position, When]]


def best(question: Question, wanted: Wanted, allowed: Allowed = EVERYTHING, effort: Effort | None = None) -> Choice:
    """The choice of fewest requests, fewest waves, and then least asked. Raises: RequestError."""
    effort = effort or Effort()
    free = Entrances(question, allowed=allowed)
    effort.looks += BUILDING * free.size
    known = saturate(free, effort)
    floor = rows(free, bits(wanted, known), LONGEST, effort)
    finding = _Finding(wanted, effort, len(floor[0]) if floor else 0)
    for entrances in assignments(free, floor):
        if finding.enough:
            break
        finding.look(entrances)
    return finding.choice()


def bit(what: Field | Position) -> int:
    """The bit of knowing it."""
    return what.typename if isinstance(what, Position) else what.bit


def bits(wanted: Wanted, known: int) -> int:
    """The bits of what is wanted and can be known."""
    found = 0
    for what, _ in wanted:
        found |= bit(what) & known
    return found


def rows(entrances: Entrances, wanted: int, at_most: int, effort: Effort) -> list[Row]:
    """The shortest rows, or where the effort is over one that does; none if all are longer than `at_most`."""
    quick = greedy(entrances, wanted, effort)
    if quick is None:
        return shortest(entrances, wanted, at_most, Effort())
    found = shortest(entrances, wanted, min(at_most, len(quick)), effort)
    return found or ([quick] if len(quick) <= at_most else [])


def assignments(free: Entrances, floor: Iterable[Row]) -> Iterator[Entrances]:
    """The entrances, for each way to say which subgraph tells what stands where several could."""
    contested = free.contested
    if not contested:
        yield free
        return
    seen: set[tuple[str, ...]] = set()

    def fresh(ways: Iterable[Mapping[Position, str]]) -> Iterator[Entrances]:
        for way in ways:
            key = tuple(way.values())
            if key not in seen:
                seen.add(key)
                yield Entrances(free.question, way, allowed=free.allowed)

    followed = [follow(free, row, contested) for row in islice(floor, FOLLOWED)]
    yield from fresh(followed)
    groups: dict[object, list[Position]] = {}
    count = 1
    for graphs in contested.values():
        count *= len(graphs)
    for position in contested:
        owner = position.owner
        assert owner is not None  # noqa: S101 - the root is of one type
        groups.setdefault((owner.place.type, owner.name) if count > ASSIGNMENTS else position, []).append(position)
    options = [contested[positions[0]] for positions in groups.values()]

    def chosen(graphs: Iterable[str]) -> dict[Position, str]:
        by_position = {
            position: graph
            for positions, graph in zip(groups.values(), graphs, strict=True)
            for position in positions
            if graph in contested[position]
        }
        return {position: by_position.get(position, told[0]) for position, told in contested.items()}

    yield from fresh(map(chosen, islice(product(*options), ASSIGNMENTS)))
    # Each alone told by somebody else: so a way that leaves something untold is mended.
    for start in followed[:1]:
        yield from fresh(
            {**start, **{position: graph for position in positions if graph in contested[position]}}
            for positions, graphs in zip(groups.values(), options, strict=True)
            for graph in graphs
        )


def follow(free: Entrances, row: Row, contested: Mapping[Position, list[str]]) -> dict[Position, str]:
    """Who tells what stands where, if whoever comes first in a row does."""
    way: dict[Position, str] = {}
    known = 0
    for graph in row:
        after = free.ask(graph, known)
        for position, graphs in contested.items():
            owner = position.owner
            if position not in way and graph in graphs and owner is not None and owner.bit & after & ~known:
                way[position] = graph
        known = after
    return {position: way.get(position, graphs[0]) for position, graphs in contested.items()}


@dataclass(slots=True)
class _Finding:
    """What was found so far."""

    wanted: Wanted
    effort: Effort
    floor: int  # no plan has fewer requests
    choices: list[tuple[tuple[Any, ...], int, Choice]] = field(default_factory=list)
    least: tuple[int, int] | None = None  # fields that nobody can tell, requests
    tied: int = 0

    @property
    def enough(self) -> bool:
        """Whether a plan was found and looking on is not worth the while."""
        if self.least is None or self.least[0]:
            return False
        return self.effort.over or (self.least[1] <= self.floor and self.tied >= FOLLOWED)

    def look(self, entrances: Entrances) -> None:
        """Look at the rows of one assignment."""
        effort = self.effort
        effort.looks += BUILDING * entrances.size
        known = saturate(entrances, effort)
        asked = [(what, when) for what, when in self.wanted if bit(what) & known]
        missing = len(self.wanted) - len(asked)
        if self.least is not None and missing > self.least[0]:
            return
        as_good = self.least is not None and missing == self.least[0]
        at_most = self.least[1] if self.least is not None and as_good else LONGEST
        self.tied += as_good
        found = rows(entrances, bits(asked, known), at_most, effort)
        for row in found[:ORDERS] if as_good else candidates(found):
            if effort.over and self.least is not None and missing >= self.least[0]:
                break
            choice = Choice(entrances, row, asked)
            choice.dependencies()
            effort.looks += BUILDING * sum(len(entrances.by_graph[graph]) for graph in row)
            self.choices.append(((missing, *worth(choice)), len(self.choices), choice))
            if choice.complete and (self.least is None or (missing, len(row)) < self.least):
                self.least = missing, len(row)

    def choice(self) -> Choice:
        """The best. Raises: RequestError if something cannot be told at all."""
        (missing, *_), _, choice = min(self.choices, key=lambda one: one[:2])
        if missing:
            known = saturate(choice.entrances, self.effort)
            what = next(what for what, _ in self.wanted if not bit(what) & known)
            name = f"{what.place.type}.{what.name}" if isinstance(what, Field) else f"{what.type}.__typename"
            raise RequestError(
                f"No subgraph can tell {name} where it is asked for. Leave it out, or mend the supergraph.",
                code="NOT_PLANNABLE",
                extensions={"coordinate": name},
            )
        return choice


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
