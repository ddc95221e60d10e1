"""An operation with a decision at every field: what is left of it, and what was taken out.

Shape: `Authorized.roots` is a tree of what was decided, in response order. INVARIANT: only `authorize` makes an
`Authorized`, and nothing else can be planned.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from app.names import Coordinate
from app.operation.model import Operation, Selection, When, holds
from app.policy.authority import Authority
from app.policy.decide import Decision, Permit, Reason
from app.schema.facts import Fact

ROOT_TYPES: Mapping[str, str] = {
    "district": "District",
    "student": "Student",
    "students": "Student",
    "section": "Section",
    "sections": "Section",
    "schoolEnrollments": "SchoolEnrollment",
    "sectionEnrollments": "SectionEnrollment",
    "grades": "Grade",
    "schools": "School",
    "courses": "Course",
    "sessions": "Session",
}
"""The guarded type that each root field enters. `node` may enter any, `grant` and `requests` none."""

INTROSPECTION = frozenset({"__schema", "__type"})
"""Root fields that tell of the public schema alone."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A selection that is not disclosed, with its reason: a value, never an exception."""

    coordinate: Coordinate
    scope: str | None
    reason: Reason
    revision: str | None
    message: str
    path: tuple[str, ...]  # the response path up to the first list
    selection: str  # every response key down to the field, "students.nodes.birthDate"
    whens: tuple[When, ...]

    def asked(self, true: frozenset[str]) -> bool:
        """Whether the selection stands in this request, given the directive variables that are true."""
        return all(holds(when, true) for when in self.whens)

    def error(self) -> dict[str, object]:
        """The entry of the answer's `errors`. Spec: GraphQL §7.1.2."""
        return {
            "message": self.message,
            "path": list(self.path),
            "extensions": {
                "code": self.reason.value,
                "coordinate": self.coordinate,
                "selection": self.selection,
                "scope": self.scope,
                "revision": self.revision,
            },
        }


@dataclass(frozen=True, slots=True, eq=False)
class Typename:
    """`__typename`."""

    response_key: str
    when: When


@dataclass(frozen=True, slots=True, eq=False)
class Identifier:
    """`id`: pairwise, so that it needs no grant of its own."""

    response_key: str
    when: When


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A value that the district discloses, as it is or transformed."""

    response_key: str
    when: When
    fact: Fact
    permit: Permit


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """A column that no client asked for: what subgraphs join on. It is in no answer."""

    response_key: str
    when: When
    field: str


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A step to other records that the district discloses."""

    response_key: str
    when: When
    fact: Fact
    permit: Permit
    children: tuple["Decided", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A field that only arranges records (`nodes`, `edges`, `pageInfo`) or tells of the caller's own grant."""

    response_key: str
    when: When
    field: str
    type: str | None
    children: tuple["Decided", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Withheld:
    """A field that is not disclosed: null in the answer, and in no plan."""

    response_key: str
    when: When
    denial: Denial


Decided = Typename | Identifier | Column | Hidden | Edge | Frame | Withheld


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """One permitted root field. `children` has what was decided for each concrete type that it may lead to."""

    response_key: str
    when: When
    field: str
    selection: Selection
    children: Mapping[str, tuple[Decided, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Authorized:
    """An operation of which only what the district granted is left. Made by `authorize` alone."""

    operation: Operation
    authority: Authority
    roots: tuple[Root | Withheld | Typename, ...]
    denials: tuple[Denial, ...]
    filters: Callable[[Coordinate], Decision] = field(repr=False)
    facts: Mapping[Coordinate, Fact] = field(repr=False)  # everything that could be granted


def walk(decided: Iterable[Decided]) -> Iterator[Decided]:
    """Every decision of a tree, parents first."""
    for one in decided:
        yield one
        if isinstance(one, Edge | Frame):
            yield from walk(one.children)
