"""Answer an operation whose answers fit into records: read them, fill what other requests tell, write the whole.

Pure but for the asking. At the first thing that does not fit, nothing more is sent and there is no answer: the careful
way of `waves` begins, and is given what was heard already.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from app.federation.positions import Field, Position, Question
from app.federation.records import Shape, Shaping, Unsuited
from app.federation.steps import Fetch, Flatten, QueryPlan
from app.federation.waves import in_order
from app.operation.model import Operation, holds
from app.subgraphs.endpoint import Bounds

BATCH = Bounds().batch

encode = msgspec.json.Encoder().encode

Read = Callable[[Fetch, bytes, "msgspec.json.Decoder[Any]"], Awaitable[Any]]
"""Sends a request's body, and reads its answer; None if there is none, or none that fits."""


class Unfit(Exception):  # noqa: N818 - it reads as what is the case
    """Something is not as the schema says."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: what it tells of, and what becomes of its answer."""

    fetch: Fetch
    head: bytes  # of its body, up to the variables
    tell: Callable[[Any], tuple[Any, ...]]  # from the root: for each place, objects by what is told of them
    take: Callable[[Any, Any, tuple[Any, ...]], None]  # root, answer, what `tell` gave. Raises: Unfit
    told: tuple[Callable[[Any], list[Any]], ...]  # ... its keys, as representations
    variables: tuple[str, ...]  # under which they are sent
    decoder: "msgspec.json.Decoder[Any]"

    def body(self, variables: Mapping[str, object], groups: tuple[Any, ...]) -> bytes:
        """The request, as `waves` would write it. Raises: Unfit if it tells of more than one request may."""
        if sum(map(len, groups)) > BATCH:
            raise Unfit
        values: dict[str, Any] = {name: variables[name] for name in self.fetch.variables if name in variables}
        for name, told, group in zip(self.variables, self.told, groups, strict=True):
            values[name] = told(group)
        return self.head + (b',"variables":' + encode(values) if values else b"") + b"}"


@dataclass(frozen=True, slots=True)
class Filling:
    """How an operation is answered out of records."""

    root: Shape
    askings: Mapping[int, Asking]
    fetches: tuple[Fetch, ...]

    async def answer(self, read: Read, variables: Mapping[str, object]) -> bytes | None:
        """The answer's body; None if something does not fit."""
        root = self.root.read(**dict.fromkeys(self.root.names.values()))
        fits = True

        async def send(fetch: Fetch) -> None:
            nonlocal fits
            asking = self.askings[fetch.number]
            try:
                groups = asking.tell(root)
                if not fits or (groups and fetch.root is None and not any(groups)):
                    return
                answer = await read(fetch, asking.body(variables, groups), asking.decoder)
                if answer is None:
                    raise Unfit
                asking.take(root, answer.data, groups)
            except Unfit:
                fits = False

        await in_order(self.fetches, send)
        if not fits:
            return None
        if self.root.read is self.root.written:
            return encode({"data": root})
        return encode({"data": msgspec.convert(root, self.root.written, from_attributes=True)})


def filling(operation: Operation, question: Question, plan: QueryPlan, true: frozenset[str]) -> Filling | None:
    """How an operation is answered out of records; None where it cannot be."""
    try:
        return _Generating(Shaping(operation, question, plan, true)).filling()
    except Unsuited:
        return None


class _Generating:
    """Generates the functions that go through records. Nothing of a query's text is in them but numbers."""

    def __init__(self, shaping: Shaping) -> None:
        self.shaping = shaping
        self.shape = shaping.root()
        self.needed = {
            one for fetch in shaping.fetches for at in shaping.flattens(fetch) for one in shaping.key(at).values()
        }

    def filling(self) -> Filling:
        fetches = tuple(self.shaping.fetches)
        return Filling(self.shape, {fetch.number: self.asking(fetch) for fetch in fetches}, fetches)

    def asking(self, fetch: Fetch) -> Asking:
        flattens = list(self.shaping.flattens(fetch))
        if len(flattens) != len(fetch.flattens):
            raise Unsuited  # what is not asked is still a variable
        fields: list[tuple[str, Any]] = []
        keys: dict[str, str] = {}
        tell, take = ["def tell(root):"], ["def take(root, data, groups):"]
        names: dict[str, Any] = {"Groups": defaultdict, "unfit": _unfit}
        if fetch.root is not None and holds(fetch.root, self.shaping.true):
            for one in self.shaping.told(fetch.selected, self.shaping.question.root):
                name = self.shape.names[one]
                fields.append((name, self.shape.types[one]))
                keys[name] = one.key
                take.append(f"    root.{name} = data.{name}")
        for number, flatten in enumerate(flattens):
            position = self.shaping.at(flatten)
            told = self.shaping.told(flatten.selected, position)
            fields.append((f"e{number}", list[self.shaping.part(position, told) | None]))  # type: ignore[misc]
            keys[f"e{number}"] = flatten.alias
            strict = any(one in self.shaping.shapes[position].required or one in self.needed for one in told)
            tell += self.telling(number, flatten, position, strict=strict)
            take += self.taking(number, position, told, strict=strict)
        tell.append(f"    return ({''.join(f'g{number}, ' for number in range(len(flattens)))})")
        take.append("    return None")
        exec("\n".join(tell + take), names)  # noqa: S102 - made of numbers alone
        data = msgspec.defstruct("Data", fields, rename=keys, kw_only=True, gc=False)
        answer = msgspec.defstruct("Answer", [("data", data), ("errors", None, None)], gc=False)
        return Asking(
            fetch,
            b'{"query":' + encode(fetch.document),
            names["tell"],
            names["take"],
            tuple(_representing(one.representation or "", tuple(self.shaping.key(one))) for one in flattens),
            tuple(one.variable for one in flattens),
            msgspec.json.Decoder(answer),
        )

    def telling(self, number: int, flatten: Flatten, position: Position, *, strict: bool) -> list[str]:
        """Group the objects of a place by what is told of them."""
        names = self.shaping.shapes[position].names
        lines = [f"    g{number} = Groups(list)", f"    for o in {self.objects(position)}:"]
        key = self.shaping.key(flatten)
        identifies = [names[key[one.name]] for one in flatten.told if one.identifies]
        absent = " or ".join(f"o.{name} is None" for name in identifies)
        if absent:
            lines.append(f"        if {absent}: {'unfit()' if strict else 'continue'}")
        told = ", ".join(f"o.{names[one]}" for one in key.values())
        lines.append(f"        g{number}[{told}].append(o)")
        return lines

    def objects(self, position: Position) -> str:
        """The objects of a place, from the root."""
        loops, at = [], "root"
        for number, one in enumerate(position.steps):
            name = self.shaping.shapes[one.place.position].names[one]
            value = f"{at}.{name}"
            for deep in range(self.shaping.depth(one)):
                at = f"x{number}_{deep}"
                loops.append(f"for {at} in ({value} or ())")
                value = at
            if at != value:
                at = f"x{number}"
                loops.append(f"for {at} in ({value},)")
            loops.append(f"if {at} is not None")
        return f"[{at} {' '.join(loops)}]"

    def taking(self, number: int, position: Position, told: list[Field], *, strict: bool) -> list[str]:
        """Put what is told of objects where they stand."""
        names = [self.shaping.shapes[position].names[one] for one in told]
        return [
            f"    if len(data.e{number}) != len(groups[{number}]): unfit()",
            f"    for one, standing in zip(data.e{number}, groups[{number}].values()):",
            f"        if one is None: {'unfit()' if strict else 'continue'}",
            *(f"        v{name} = one.{name}" for name in names),
            "        for o in standing:",
            *(f"            o.{name} = v{name}" for name in names),
        ]


def _representing(type_name: str, names: tuple[str, ...]) -> Callable[[Any], list[Any]]:
    """From what objects are grouped by to representations."""
    if len(names) == 1:
        (name,) = names
        return lambda keys: [{"__typename": type_name, name: key} for key in keys]
    return lambda keys: [{"__typename": type_name, **dict(zip(names, key, strict=True))} for key in keys]


def _unfit() -> None:
    raise Unfit
