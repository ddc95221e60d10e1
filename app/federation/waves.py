"""Send a plan's requests, and put their answers into one tree.

Shape: the tree is plain dictionaries under internal keys. A request is sent as soon as those that it is made of are
answered; what a subgraph does not give is missing from the tree, with one error that says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec

from app.federation.steps import Fetch, Flatten, QueryPlan
from app.federation.taking import TooDeep, asked_by, take
from app.federation.tree import Path, Tree, is_one_value, located, merge, objects, renamed, represent
from app.operation.model import holds
from app.subgraphs.endpoint import Bounds, Tally

encode = msgspec.json.Encoder().encode

Entering = list[tuple[Flatten, list[list[Tree]]]]
"""The places that a request enters, each with the objects that its representations stand for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a subgraph did not give. `path` is internal; None if it concerns the whole answer."""

    subgraph: str
    message: str
    path: Path | None
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one request brought."""

    data: Tree | None
    errors: Iterable[Mapping[str, Any]] = ()


Ask = Callable[[Fetch, bytes, Tally], Awaitable[Heard]]
"""Sends a request's body to the subgraph of a fetch; the tally is of all that is heard for it. Raises: Silent."""


class Silent(Exception):  # noqa: N818 - it reads as what is the case
    """A subgraph gave nothing. The text says why, in a sentence."""


async def in_order(fetches: Sequence[Fetch], send: Callable[[Fetch], Awaitable[None]]) -> None:
    """Requests of which some wait for others: each is sent as soon as those that it is made of are answered."""
    if all(one.number in other.after for one, other in pairwise(fetches)):
        for fetch in fetches:
            await send(fetch)
        return
    tasks: dict[int, asyncio.Task[None]] = {}

    async def after(fetch: Fetch) -> None:
        for number in fetch.after:
            if number in tasks:
                await asyncio.wait([tasks[number]])
        await send(fetch)

    for fetch in fetches:
        tasks[fetch.number] = asyncio.create_task(after(fetch))
    try:
        await asyncio.gather(*tasks.values())
    finally:
        for task in tasks.values():
            task.cancel()


@dataclass(slots=True)
class Gathering:
    """One answer in the making."""

    ask: Ask
    variables: Mapping[str, object]
    true: frozenset[str]
    bounds: Mapping[str, Bounds] = field(default_factory=dict)  # by subgraph, where it has bounds of its own
    tree: Tree = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    async def run(self, plan: QueryPlan) -> None:
        """Every row of a plan, one after the other."""
        for row in plan.rows:
            await in_order([fetch for fetch in row if holds(fetch.when, self.true)], self.fetch)

    async def fetch(self, fetch: Fetch) -> None:
        """Send one request, if there is anything to ask, and take its answer in."""
        values = {name: self.variables[name] for name in fetch.variables if name in self.variables}
        entering: Entering = []
        told = 0
        for flatten in fetch.flattens:
            if flatten.representation is None:
                entering.append((flatten, [list(objects(self.tree, flatten.path, flatten.types))]))
                continue
            representations, targets = self.represented(flatten)
            values[flatten.variable] = representations
            entering.append((flatten, targets))
            told += len(representations)
        if fetch.root is None and not any(targets and targets[0] for _, targets in entering):
            return
        bounds = self.bounds.get(fetch.subgraph, Bounds())
        try:
            await self.before(fetch, entering)
            if told <= bounds.batch:
                await self.send(fetch, fetch.document, values, entering, Tally())
            else:
                await self.batches(fetch, values, entering, bounds)
        except Silent as error:
            self.problem(fetch, entering, str(error))

    async def before(self, fetch: Fetch, entering: Entering) -> None:
        """What has to be done before a subgraph is asked. Raises: Silent if it is not to be asked."""

    async def batches(self, fetch: Fetch, values: Mapping[str, Any], entering: Entering, bounds: Bounds) -> None:
        """Send a request in several, so that none tells of more objects than a subgraph takes at a time.

        Raises: Silent, once one of them was not answered; what the others brought stands.
        """
        rest = [*enumerate(batched(values, entering, bounds.batch))]
        rest.reverse()
        tally, silent = Tally(), list[Silent]()

        async def some() -> None:
            while rest and not silent:
                number, (told, places) = rest.pop()
                try:
                    await self.send(fetch, fetch.further if number else fetch.document, told, places, tally)
                except Silent as error:
                    silent.append(error)

        await asyncio.gather(*(some() for _ in range(min(bounds.at_once, len(rest)))))
        if silent:
            raise silent[0]

    async def send(
        self, fetch: Fetch, document: str, values: Mapping[str, Any], entering: Entering, tally: Tally
    ) -> None:
        """Send one request, and take its answer in. Raises: Silent."""
        body = encode({"query": document, "variables": values} if values else {"query": document})
        heard = await self.ask(fetch, body, tally)
        try:
            data = take(heard.data or {}, asked_by(fetch.document))
        except TooDeep:
            raise Silent("It answered with more levels than anything has that it was asked for.") from None
        for told in heard.errors:
            self.told(fetch, entering, told)
        if fetch.root is not None and document == fetch.document:
            aliases = {flatten.alias for flatten, _ in entering if flatten.representation is not None}
            merge(self.tree, renamed({key: value for key, value in data.items() if key not in aliases}, fetch.reading))
        for flatten, targets in entering:
            self.enter(fetch, flatten, targets, data)

    def represented(self, flatten: Flatten) -> tuple[list[Tree], list[list[Tree]]]:
        """What a subgraph is told of the objects at a place, each once, and which objects each stands for."""
        if not holds(flatten.when, self.true):
            return [], []
        numbers: dict[bytes | str, int] = {}
        representations: list[Tree] = []
        targets: list[list[Tree]] = []
        key = flatten.told[0].key if is_one_value(flatten.told) else ""
        for target in objects(self.tree, flatten.path, flatten.types):
            told = target.get(key)
            if told.__class__ is not str:
                made = represent(target, flatten.told)
                if made is None:
                    continue
                told = encode(made)
            number = numbers.get(told)
            if number is None:
                numbers[told] = len(targets)
                representations.append(
                    {"__typename": flatten.representation, **(represent(target, flatten.told) or {})}
                )
                targets.append([target])
            else:
                targets[number].append(target)
        return representations, targets

    def enter(self, fetch: Fetch, flatten: Flatten, targets: list[list[Tree]], data: Tree) -> None:
        """Put what was told of entities where they stand."""
        if flatten.representation is None:
            for target in targets[0]:
                merge(target, renamed(dict(data), flatten.reading))
            return
        if not targets:
            return
        found = data.get(flatten.alias)
        if not isinstance(found, list) or len(found) != len(targets):
            if found is not None:
                self.problems.append(
                    Problem(fetch.subgraph, "It told of more or fewer objects than it was asked.", None)
                )
            return
        for one, standing in zip(found, targets, strict=True):
            if not isinstance(one, dict):
                continue
            told = renamed(one, flatten.reading)
            for target in standing:
                merge(target, told)

    def problem(self, fetch: Fetch, entering: Entering, message: str) -> None:
        """One error for all that a request would have brought."""
        path: Path | None = None
        if fetch.root is None and entering:
            path = tuple(step.key for step in entering[0][0].path)
        self.problems.append(Problem(fetch.subgraph, message, path))

    def told(self, fetch: Fetch, entering: Entering, error: Mapping[str, Any]) -> None:
        """An error of a subgraph's own, with its path as the answer has it."""
        message, extensions = error.get("message"), error.get("extensions")
        path = self.place(fetch, entering, error.get("path"))
        self.problems.append(
            Problem(
                fetch.subgraph,
                message if isinstance(message, str) else "It answered with an error.",
                path,
                extensions if isinstance(extensions, dict) else {},
            )
        )

    def place(self, fetch: Fetch, entering: Entering, path: object) -> Path | None:
        """Where an error of a subgraph belongs."""
        if not isinstance(path, list) or not path:
            return None
        for flatten, targets in entering:
            if flatten.representation is None or path[0] != flatten.alias:
                continue
            number = path[1] if len(path) > 1 and isinstance(path[1], int) else 0
            if not 0 <= number < len(targets):
                return tuple(step.key for step in flatten.path)
            wanted = targets[number][0]
            for at, target in located(self.tree, flatten.path, ()):
                if target is wanted:
                    return (*at, *path[2:])
        return tuple(path) if fetch.root is not None else None


def batched(values: Mapping[str, Any], entering: Entering, most: int) -> Iterator[tuple[dict[str, Any], Entering]]:
    """What a request tells, in parts of at most so many objects. The first has what is asked at the root, too."""
    empty: dict[str, Any] = {flatten.variable: [] for flatten, _ in entering if flatten.representation is not None}
    told = {**values, **empty}
    places: Entering = [one for one in entering if one[0].representation is None]
    left = most
    for flatten, targets in entering:
        at = 0
        while flatten.representation is not None and at < len(targets):
            told[flatten.variable] = values[flatten.variable][at : at + left]
            places.append((flatten, targets[at : at + left]))
            at, left = at + left, left - len(told[flatten.variable])
            if not left:
                yield told, places
                told, places, left = {**values, **empty}, [], most
    if left < most:
        yield told, places
