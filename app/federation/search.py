"""The fewest requests: the shortest rows of subgraphs after which all that was asked is known.

Breadth first over sets of bits: a row is no better for asking two independent subgraphs in another order, and a row
that knows less than another of the same length is dropped. Exact for whatever a real query asks; beyond the effort that
a plan may take, a row that takes at each step whoever tells most.
"""

from dataclasses import dataclass

from app.federation.reach import Entrances

WIDTH = 128
"""How many sets of bits a step keeps."""

ROWS = 24
"""How many rows of the least length are looked at further."""

LOOKS = 200_000
"""How many entrances are looked at before the search for a better plan ends."""

Row = tuple[str, ...]


@dataclass(slots=True)
class Effort:
    """How much was looked at for one plan. INVARIANT: it is counted, not timed, so that every machine plans alike."""

    most: int = LOOKS
    looks: int = 0

    @property
    def over(self) -> bool:
        """Whether what was found has to do."""
        return self.looks >= self.most


def saturate(entrances: Entrances, effort: Effort) -> int:
    """All that can be known at all."""
    known = 0
    while True:
        after = known
        for graph in entrances.by_graph:
            after |= entrances.ask(graph, known)
            effort.looks += len(entrances.by_graph[graph])
        if after == known:
            return known
        known = after


def greedy(entrances: Entrances, wanted: int, effort: Effort) -> Row | None:
    """A row after which `wanted` is known: at each step whoever tells most of it, or else most. None if it ends."""
    known, row = 0, list[str]()
    while (known & wanted) != wanted:
        after: dict[str, int] = {}
        for graph in entrances.by_graph:
            after[graph] = entrances.ask(graph, known)
            effort.looks += len(entrances.by_graph[graph])
        chosen = max(after, key=lambda graph: ((after[graph] & wanted).bit_count(), after[graph].bit_count()))
        if (after[chosen] & wanted) == (known & wanted):
            chosen = max(after, key=lambda graph: after[graph].bit_count())
        if after[chosen] == known:
            return None
        known = after[chosen]
        row.append(chosen)
    return tuple(row)


def shortest(entrances: Entrances, wanted: int, at_most: int, effort: Effort) -> list[Row]:
    """The shortest rows of subgraphs after which `wanted` is known.

    None if they are longer than `at_most`, or if the effort ends before they are found.
    """
    alone = _alone(entrances, wanted)
    layer: dict[int, list[Row]] = {0: [()]}
    seen: set[int] = {0}
    length = 0
    while layer:
        done = [row for known, rows in layer.items() if (known & wanted) == wanted for row in rows]
        if done:
            return done[:ROWS]
        following: dict[int, list[Row]] = {}
        for known, rows in layer.items():
            still = sum((known & mask) != mask for mask in alone)
            if length + max(still, 1) > at_most:
                continue
            if effort.over:
                return []
            for graph, entered in entrances.by_graph.items():
                after = entrances.ask(graph, known)
                effort.looks += len(entered)
                if after != known and (after not in seen or after in following):
                    following.setdefault(after, []).extend((*row, graph) for row in rows[:ROWS])
        layer = _best(following, wanted)
        seen.update(layer)
        length += 1
    return []


def _alone(entrances: Entrances, wanted: int) -> list[int]:
    """For each subgraph what of `wanted` nobody else can tell: so many requests are sent at least."""
    telling = {graph: entrances.telling(graph) & wanted for graph in entrances.by_graph}
    masks = []
    for graph, told in telling.items():
        also = 0
        for other, others in telling.items():
            also |= others if other != graph else 0
        if told & ~also:
            masks.append(told & ~also)
    return masks


def _best(layer: dict[int, list[Row]], wanted: int) -> dict[int, list[Row]]:
    """Without the sets that another one contains."""
    ordered = sorted(layer, key=int.bit_count, reverse=True)
    kept: list[int] = []
    for known in ordered:
        if not any((known & other) == known for other in kept):
            kept.append(known)
    kept.sort(key=lambda known: (known & wanted).bit_count(), reverse=True)
    return {known: layer[known] for known in kept[:WIDTH]}
