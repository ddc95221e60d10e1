"""A plan for several subgraphs: which requests are sent, in which order, and where their answers belong.

Pure and frozen; `str(plan)` is the tree that `homeroom plan` shows. Spec of the nodes: Apollo's query plans.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from app.federation.documents import Reading
from app.federation.positions import Field
from app.operation.model import ALWAYS, When


@dataclass(frozen=True, slots=True)
class Step:
    """One field of the way from the root to a position."""

    key: str
    types: frozenset[str] | None  # the types that its object must have; None if it can be of one alone


@dataclass(frozen=True, slots=True)
class Told:
    """What a representation holds of an object: fields by internal key, and below."""

    name: str  # as the subgraph knows it
    key: str  # the internal key
    on: frozenset[str] | None  # for objects of these types
    identifies: bool  # it is part of the key: an object without it cannot be told of
    below: tuple["Told", ...]


@dataclass(frozen=True, slots=True)
class Flatten:
    """The objects at one place of the answer that a subgraph is told of, and whose fields it gives."""

    path: tuple[Step, ...]
    types: frozenset[str] | None  # which of the objects there; None for all
    representation: str | None  # their __typename as the subgraph knows it; None: the root, asked again
    told: tuple[Told, ...]
    alias: str  # of `_entities` in the answer
    variable: str
    when: When
    reading: Reading | None
    selection: str
    selected: Mapping[Field, When] = field(default_factory=dict, repr=False, compare=False)  # what it gives of them


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to a subgraph: at the root, for the entities of one place, or (a batch) of several."""

    number: int
    subgraph: str
    document: str
    variables: tuple[str, ...]
    after: frozenset[int]  # the requests whose answers this one is made of
    root: When | None  # under which condition it asks at the root; None if it does not
    reading: Reading | None
    flattens: tuple[Flatten, ...]
    when: When
    selection: str = ""
    further: str = ""  # the document for more objects than one request tells of: without what is asked at the root
    selected: Mapping[Field, When] = field(default_factory=dict, repr=False, compare=False)  # ... at the root

    @property
    def is_batch(self) -> bool:
        """Whether it asks at more than one place."""
        return len(self.flattens) + (self.root is not None) > 1


@dataclass(frozen=True, slots=True)
class Condition:
    """A step that is taken under a condition alone."""

    when: When
    step: Fetch


@dataclass(frozen=True, slots=True)
class Parallel:
    """Steps that wait for nothing of each other."""

    steps: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps of which each waits for those before it."""

    steps: tuple["Node", ...]


Node: TypeAlias = Fetch | Condition | Parallel | Sequence


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The requests that answer an operation. Mutations have several rows, one after the other."""

    operation: str
    rows: tuple[tuple[Fetch, ...], ...]
    types: Mapping[str, str] = field(default_factory=dict)  # variable → its type as declared

    @property
    def fetches(self) -> int:
        """How many requests are sent at most."""
        return sum(len(row) for row in self.rows)

    @property
    def node(self) -> Node:
        """The plan as a tree of nodes, wave by wave."""
        return Sequence(tuple(node for row in self.rows for node in waves(row)))

    def __str__(self) -> str:
        return "\n".join(printed(self.node, ""))


def waves(row: tuple[Fetch, ...]) -> Iterator[Node]:
    """The requests of a row, those that can be sent together in parallel."""
    rest, done = list(row), set[int]()
    while rest:
        ready = [fetch for fetch in rest if fetch.after <= done]
        nodes: list[Node] = [Condition(one.when, one) if one.when != ALWAYS else one for one in ready]
        yield nodes[0] if len(nodes) == 1 else Parallel(tuple(nodes))
        done |= {fetch.number for fetch in ready}
        rest = [fetch for fetch in rest if fetch not in ready]


def printed(node: Node, indent: str) -> Iterator[str]:
    """The lines of a node."""
    match node:
        case Sequence(steps) | Parallel(steps):
            yield f"{indent}{type(node).__name__} {{"
            for step in steps:
                yield from printed(step, indent + "  ")
            yield f"{indent}}}"
        case Condition(when, step):
            yield f"{indent}Condition({said(when)}) {{"
            yield from printed(step, indent + "  ")
            yield f"{indent}}}"
        case Fetch():
            yield f"{indent}{'BatchFetch' if node.is_batch else 'Fetch'}({node.subgraph}) {{"
            if node.root is not None:
                yield f"{indent}  {{ {node.selection} }}"
            for one in node.flattens:
                path = ".".join(step.key for step in one.path)
                yield f"{indent}  Flatten({path}) {{ {one.representation or 'Query'} {{ {keys(one.told)} }} }} =>"
                yield f"{indent}    {one.selection}"
            yield f"{indent}}}"


def keys(told: tuple[Told, ...]) -> str:
    """What a representation holds."""
    return " ".join(one.name + (f" {{ {keys(one.below)} }}" if one.below else "") for one in told)


def said(when: When) -> str:
    """A condition in words."""
    branches = sorted(sorted(branch) for branch in when)
    return " or ".join(
        " and ".join(f"{'' if value else 'not '}${name}" for name, value in branch) for branch in branches
    )
