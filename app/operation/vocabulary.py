"""What can be asked and granted: the core's coordinates, and those that subgraphs add.

Frozen, and made once for an installation. What is not in it cannot be granted, and so cannot be fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from app.names import Coordinate, Scope
from app.operation.decided import ROOT_TYPES
from app.schema.catalogue import CATALOGUE, RESTRICTED, SCOPES, TYPES
from app.schema.facts import Fact

FRAMES = frozenset(
    {"PageInfo", "Grant", "GrantedCoordinate", "GrantedRows", "AccessRequest", "RequestedCoordinate"}
).union(*({f"{name}Connection", f"{name}Edge"} for name in ROOT_TYPES.values()))
"""Types that hold nothing of a record: they arrange records, or tell the caller of its own grant and requests."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Every coordinate with what is known of it, and how the types stand to each other."""

    facts: Mapping[Coordinate, Fact]
    frames: frozenset[str] = FRAMES
    roots: Mapping[str, str] = field(default_factory=lambda: ROOT_TYPES)  # root field of the core → the type it enters
    # Coordinates that the core does not tell, with the subgraphs that do.
    told_by: Mapping[Coordinate, frozenset[str]] = field(default_factory=dict)
    # Types of subgraphs that belong to students, with the fields that lead to theirs; () where there is none.
    students: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Interfaces and unions of subgraphs, with the types that a value may have.
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def scopes(self) -> Mapping[Scope, bool]:
        """Every scope that a client can be registered for, and whether it must be by name."""
        found = {scope: fact.restricted for scope, fact in SCOPES.items()}
        for fact in self.facts.values():
            found[fact.scope] = found.get(fact.scope, False) or fact.sensitivity in RESTRICTED
        return found

    @cached_property
    def by_type(self) -> Mapping[str, tuple[Fact, ...]]:
        """The coordinates of each guarded type."""
        found: dict[str, list[Fact]] = {name: [] for name in TYPES}
        for fact in self.facts.values():
            found.setdefault(fact.type, []).append(fact)
        return {name: tuple(facts) for name, facts in found.items()}


CORE_VOCABULARY = Vocabulary(CATALOGUE)
"""A graph without subgraphs."""
