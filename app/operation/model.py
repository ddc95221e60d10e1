"""An operation as the rooms see it: parsed, validated, costed; fragments inlined and fields merged.

Shape: `Operation.roots` is a tree of `Selection`, one for each response key, in response order. Below a selection
of a composite type, `children` has the selections for each concrete type that the value may have (one, but for
`Node`).
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from graphql import DocumentNode, FieldNode, OperationDefinitionNode

Branch = frozenset[tuple[str, bool]]
"""Boolean variables with the values that they must have for one occurrence of a field to be included."""

When = frozenset[Branch]
"""One branch for each occurrence of the field: it is included iff any of them holds. `ALWAYS` holds whatever comes."""

ALWAYS: When = frozenset({frozenset()})


def holds(when: When, true: Set[str]) -> bool:
    """Whether a selection is included, given the directive variables that are true. Spec: GraphQL §3.13."""
    return when is ALWAYS or any(all((name in true) == value for name, value in branch) for branch in when)


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """One field under one response key, merged from every place that asks for it."""

    response_key: str
    parent: str  # the concrete type that it is asked of: "Query", "Student", "StudentConnection"
    field: str  # "students", "firstName", "__typename"
    type: str | None  # the named composite type that it leads to; None for a leaf
    node: FieldNode  # where its arguments stand
    when: When
    children: Mapping[str, tuple["Selection", ...]]  # by concrete type; empty for a leaf

    @property
    def coordinate(self) -> str:
        """`Student.firstName`."""
        return f"{self.parent}.{self.field}"


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A valid query. Everything here follows from its text, its name and the schema."""

    digest: str  # SHA-256 of the text, in hex: what the ledger keeps
    name: str | None
    document: DocumentNode
    definition: OperationDefinitionNode
    roots: tuple[Selection, ...]
    conditions: tuple[str, ...]  # variables that @skip and @include name, sorted
