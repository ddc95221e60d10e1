"""Run a joined plan: the space and its subgraphs, wave by wave, and one answer of it all.

INVARIANT: what a subgraph is told is recorded before it is sent; a student that the space does not admit is dropped
before anything else is done with what a subgraph said of them; nothing that a subgraph says of an error leaves.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

import msgspec

from app.federation.admitting import Way
from app.federation.blocking import block
from app.federation.completion import Completion, Unfit
from app.federation.core_part import CorePart
from app.federation.disclosed import disclosed, rows_of, sent
from app.federation.execute import Part, execute
from app.federation.joined import Joined
from app.federation.plan import Plan
from app.federation.remote import ROW
from app.federation.steps import Fetch
from app.federation.tree import Tree, merge
from app.federation.waves import Ask, Entering, Gathering, Problem
from app.ledger.entry import Whose
from app.operation.model import holds
from app.sources.fetch import Asking, Source
from app.subgraphs.endpoint import Bounds

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode

Sending = Callable[[str, tuple[Whose, ...]], Awaitable[None]]
"""Records what a subgraph is about to be told. Shape: its name, and what of whom."""

Awake = Callable[[Fetch], None]
"""Raises: Silent while the subgraph of a fetch is left alone."""


@dataclass(slots=True)
class Joining(Gathering):
    """One answer in the making, of a space and its subgraphs."""

    joined: Joined | None = None
    space: Source | None = None
    asking: Asking | None = None
    awake: Awake | None = None
    sending: Sending | None = None
    names: Mapping[str, str] = field(default_factory=dict)  # in join__Graph → the subgraph's own
    whose: list[Whose] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    async def fetch(self, fetch: Fetch) -> None:
        """One request: to the space, or to a subgraph."""
        assert self.joined is not None  # noqa: S101 - for the type checker
        part = self.joined.core.get(fetch.number)
        if part is None:
            await Gathering.fetch(self, fetch)
        else:
            await self.core(fetch, part)

    async def before(self, fetch: Fetch, entering: Entering) -> None:
        """Record what a subgraph is about to be told. Who is left alone is told nothing. Raises: Silent."""
        assert self.joined is not None  # noqa: S101 - for the type checker
        assert self.awake is not None  # noqa: S101
        assert self.sending is not None  # noqa: S101
        self.awake(fetch)
        told: list[Whose] = []
        for flatten, targets in entering:
            if targets and flatten.representation is not None:
                objects = [target for standing in targets for target in standing]
                of = flatten.representation
                coordinates = tuple(dict.fromkeys(sent(self.joined.question.composed, of, flatten.told)))
                told.append(Whose(coordinates, rows_of(objects, of), len(targets)))
        if told:
            await self.sending(self.names[fetch.subgraph], tuple(told))

    async def core(self, fetch: Fetch, part: CorePart) -> None:
        """What the space is asked: root fields, and records that subgraphs named."""
        assert self.space is not None  # noqa: S101 - for the type checker
        assert self.asking is not None  # noqa: S101
        roots = tuple(root for root in part.roots.roots if holds(root.when, self.true))
        if roots:
            # Under internal keys, as the planner wrote them.
            arguments = {key: self.asking.arguments.get(own, {}) for key, own in part.arguments.items()}
            asking = replace(self.asking, arguments=arguments)
            whole = bytearray()
            async for one in execute(Plan(part.roots.roots, (part.roots,)), asking, {"core": self.space}, {}):
                whole += one.data
                self.whose.extend(one.whose)
                self.parts.append(one)
            merge(self.tree, decode(whole))
        for flatten, lookup in zip(fetch.flattens, part.lookups, strict=True):
            representations, targets = self.represented(flatten)
            if representations:
                keys = [str(one[lookup.key]) for one in representations]
                found = await self.space.find(lookup, keys, self.asking)
                self.whose.extend(found.whose)
                records: dict[str, Tree] = decode(encode(found.records))
                self.enter(fetch, flatten, targets, {flatten.alias: [records.get(key) for key in keys]})
        for drop in part.drops:
            prune(self.tree, drop.way, drop.others, drop.student)

    def told(self, fetch: Fetch, entering: Entering, error: Mapping[str, Any]) -> None:
        """A subgraph's error, of which nothing but its place is passed on: its text may quote a record.

        One for each place, down to the first list: neither their number nor a number in a list tells of whom.
        """
        whole = self.place(fetch, entering, error.get("path"))
        path = whole and tuple(takewhile(lambda step: isinstance(step, str), whole))
        name = self.names[fetch.subgraph]
        self.problems.append(Problem(name, f"{name} answered with an error here.", path or None))


def _named(problem: Problem, names: Mapping[str, str]) -> Problem:
    """A problem with its subgraph under its own name."""
    return replace(problem, subgraph=names.get(problem.subgraph, problem.subgraph))


def prune(tree: Tree, way: Way, others: frozenset[str], student: tuple[str, ...]) -> None:
    """Drop the objects at a place whose student was not admitted: out of lists, and to null elsewhere.

    Of what says that it is of a type that can stand there, and belongs to no student, nothing is dropped. Whatever else
    it says it is: it has to be admitted.
    """

    def admitted(one: Any) -> bool:
        if not isinstance(one, dict) or (others and one.get("__typename") in others):
            return True
        at: Any = one
        for key in student:
            at = at.get(key) if isinstance(at, dict) else None
        return isinstance(at, dict) and at.get(ROW) is not None

    def kept(value: Any) -> Any:
        if isinstance(value, list):
            return [kept(one) for one in value if isinstance(one, list) or admitted(one)]
        return value if admitted(value) else None

    standing: list[Tree] = [tree]
    for key, beside in way[:-1]:
        following: list[Tree] = []
        for one in standing:
            if not beside or one.get("__typename") not in beside:
                _flatten(one.get(key), following)
        standing = following
    last, beside = way[-1]
    for one in standing:
        if last in one and (not beside or one.get("__typename") not in beside):
            one[last] = kept(one[last])


def _flatten(value: Any, into: list[Tree]) -> None:
    if isinstance(value, dict):
        into.append(value)
    elif isinstance(value, list):
        for one in value:
            _flatten(one, into)


async def join_answer(
    joined: Joined,
    completion: Completion,
    asking: Asking,
    variables: Mapping[str, object],
    local: Mapping[str, object],
    *,
    space: Source,
    ask: Ask,
    awake: Awake,
    sending: Sending,
    names: Mapping[str, str],
    bounds: Mapping[str, Bounds],
) -> AsyncGenerator[Part]:
    """The answer of a joined plan, in one part. Raises: Unavailable if the space does not answer."""
    gathering = Joining(ask, variables, asking.true, bounds)
    gathering.joined, gathering.space, gathering.asking = joined, space, asking
    gathering.awake, gathering.sending, gathering.names = awake, sending, names
    await gathering.run(joined.plan)
    if joined.blocked:
        block(gathering.tree, joined.question, joined.blocked, joined.belonging)
    roots = joined.authorized.operation.roots
    values = {**local, **{root.response_key: "Query" for root in roots if root.field == "__typename"}}
    errors: tuple[dict[str, Any], ...] = ()
    data: Tree | None = None
    try:
        if gathering.problems:
            raise Unfit
        data = completion.straight(gathering.tree, asking.true, values)
    except Unfit:
        problems = [_named(problem, names) for problem in gathering.problems]
        data, found = completion.careful(gathering.tree, asking.true, values, problems)
        errors = tuple(found)
    whose = (*gathering.whose, *disclosed(joined, gathering.tree, asking.true))
    keeping = tuple(one for part in gathering.parts for one in part.keeping)
    removed = tuple(one for part in gathering.parts for one in part.removed)
    yield Part(bytearray(encode(data)), whose, True, removed, keeping, errors)
