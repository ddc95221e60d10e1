"""Which granted fields a query can come to, walking granted edges from the root fields."""

from collections.abc import Iterator, Mapping

from app.names import Coordinate

ENTRANCES = frozenset(
    {"District", "School", "Session", "Course", "Section", "Student", "SchoolEnrollment", "SectionEnrollment", "Grade"}
)
"""Types that a root field of their own enters. (`node` takes an id, which has to be come by first.)"""

Edges = Mapping[Coordinate, str | None]
"""Granted coordinates, each with the type that it leads to; None for a column."""


def lead_nowhere(edges: Edges) -> Iterator[tuple[Coordinate, str]]:
    """The granted edges to types of which nothing is granted: such a type may not be entered."""
    granted = {_type(coordinate) for coordinate in edges}
    for coordinate, leads_to in edges.items():
        if leads_to is not None and leads_to not in granted:
            yield coordinate, leads_to


def unreachable(edges: Edges) -> Iterator[Coordinate]:
    """The granted coordinates on types that no root field and no granted edge comes to."""
    reached: set[str] = set()
    waiting = {_type(coordinate) for coordinate in edges} & ENTRANCES
    while waiting:
        reached |= waiting
        waiting = {to for at, to in edges.items() if to is not None and _type(at) in waiting} - reached
    return (coordinate for coordinate in edges if _type(coordinate) not in reached)


def _type(coordinate: Coordinate) -> str:
    return coordinate.partition(".")[0]
