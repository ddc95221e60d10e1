"""The fewest requests: the shortest rows of subgraphs after which all that was asked is known.

Breadth first over sets of bits: a row is no better for asking two independent subgraphs in another order, and a row
that knows less than another of the same length is dropped. Exact, but for operations so wide that a step has more
than `WIDTH` sets that are worth keeping.
"""

from app.federation.reach import Entrances

WIDTH = 128
"""How many sets of bits a step keeps."""

ROWS = 24
"""How many rows of the least length are looked at further."""

Row = tuple[str, ...]


def saturate(entrances: Entrances, known: int = 0) -> int:
    """All that can be known at all."""
    while True:
        after = known
        for graph in entrances.by_graph:
            after |= entrances.ask(graph, known)
        if after == known:
            return known
        known = after


def shortest(entrances: Entrances, wanted: int, at_most: int) -> list[Row]:
    """The shortest rows of subgraphs after which `wanted` is known; none if they are longer than `at_most`."""
    layer: dict[int, list[Row]] = {0: [()]}
    seen: set[int] = {0}
    while layer:
        done = [row for known, rows in layer.items() if (known & wanted) == wanted for row in rows]
        if done:
            return done[:ROWS]
        if len(next(iter(layer.values()))[0]) >= at_most:
            return []
        following: dict[int, list[Row]] = {}
        for known, rows in layer.items():
            for graph in entrances.by_graph:
                after = entrances.ask(graph, known)
                if after != known and (after not in seen or after in following):
                    following.setdefault(after, []).extend((*row, graph) for row in rows[:ROWS])
        layer = _best(following, wanted)
        seen.update(layer)
    return []


def _best(layer: dict[int, list[Row]], wanted: int) -> dict[int, list[Row]]:
    """Without the sets that another one contains."""
    ordered = sorted(layer, key=int.bit_count, reverse=True)
    kept: list[int] = []
    for known in ordered:
        if not any((known & other) == known for other in kept):
            kept.append(known)
    kept.sort(key=lambda known: (known & wanted).bit_count(), reverse=True)
    return {known: layer[known] for known in kept[:WIDTH]}
