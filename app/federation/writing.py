"""Write the requests of a choice: what each subgraph is sent, of which objects, and where its answers belong."""

from collections.abc import Iterable, Iterator, Mapping

from app.federation.choose import Choice, Entry, Request, widened
from app.federation.documents import Printer, Reading
from app.federation.fieldsets import FieldSet
from app.federation.positions import NEVER, Field, Position, Question
from app.federation.steps import Fetch, Flatten, Step, Told
from app.operation.model import When


def fetches(choice: Choice, kind: str, types: Mapping[str, str], first: int) -> Iterator[Fetch]:
    """The requests of a choice, written out."""
    numbers: dict[int, int] = {}
    for index, request in enumerate(choice.requests):
        if request.entries:
            numbers[index] = first + len(numbers)
    for index, number in numbers.items():
        request = choice.requests[index]
        after = frozenset(numbers[at] for at in request.after if at in numbers)
        yield fetch(choice, request, kind, types, number=number, after=after)


def fetch(
    choice: Choice, request: Request, kind: str, types: Mapping[str, str], *, number: int, after: frozenset[int]
) -> Fetch:
    """One request, written out."""
    above: dict[str, None] = {}  # the variables of what is asked at the root
    below: dict[str, None] = {}  # ... and of objects
    flattens: list[Flatten] = []
    root: tuple[Entry, str, Reading | None] | None = None
    entries = sorted(request.entries.values(), key=lambda one: one.entrance.position.depth)
    entities = [entry for entry in entries if entry.entrance.position.owner is not None]
    for entry in entries:
        if entry.entrance.representation is None:
            text, reading = Printer(choice, request.graph, entry, above).root()
            if entry.entrance.position.owner is None:
                root = entry, text, reading
            else:
                flattens.append(flatten(choice, entry, len(flattens), text, reading, alone=False))
            continue
        text, reading = Printer(choice, request.graph, entry, below).entities()
        flattens.append(flatten(choice, entry, len(flattens), text, reading, alone=len(entities) == 1))
    asked = [root[1]] if root is not None else []
    asked += [one.selection for one in flattens if one.representation is None]
    told = [
        f"{alias(one)}_entities(representations: ${one.variable}) {{ {one.selection} }}"
        for one in flattens
        if one.representation is not None
    ]
    objects = [f"${one.variable}: [_Any!]!" for one in flattens if one.representation is not None]
    variables = above | below
    operation = kind if root is not None else "query"
    document = written(operation, [f"${name}: {types[name]}" for name in variables] + objects, asked + told)
    further = written("query", [f"${name}: {types[name]}" for name in below] + objects, told) if asked else document
    when: When = NEVER
    for entry in entries:
        when = widened(when, entry.when)
    return Fetch(
        number=number,
        subgraph=request.graph,
        document=document,
        variables=tuple(variables),
        after=after,
        root=root[0].when if root is not None else None,
        reading=root[2] if root is not None else None,
        flattens=tuple(flattens),
        when=when,
        selection=root[1] if root is not None else "",
        further=further,
        selected=root[0].selected if root is not None else {},
    )


def written(operation: str, declared: Iterable[str], parts: Iterable[str]) -> str:
    """A request's text."""
    head = ", ".join(declared)
    return f"{operation}{f'({head})' if head else ''} {{ {' '.join(parts)} }}"


def alias(one: Flatten) -> str:
    """The key of `_entities` in the document, where there are several."""
    return "" if one.alias == "_entities" else f"{one.alias}: "


def flatten(choice: Choice, entry: Entry, number: int, text: str, reading: Reading | None, *, alone: bool) -> Flatten:
    """Where an entry's answers belong, and what the subgraph is told there."""
    entrance = entry.entrance
    position = entrance.position
    types = frozenset(entrance.types)
    return Flatten(
        path=tuple(steps(position)),
        types=None if len(position.places) == len(types) else types,
        representation=entrance.representation,
        told=tuple(represented(choice.question, entry)),
        alias="_entities" if alone else f"_{number}",
        variable="representations" if alone else f"_{number}",
        when=entry.when,
        reading=reading,
        selection=text,
        selected=entry.selected,
    )


def steps(position: Position) -> Iterator[Step]:
    """The way from the root to a position."""
    for one in position.steps:
        above = one.place.position
        yield Step(one.key, frozenset({one.place.type}) if len(above.places) > 1 else None)


def represented(question: Question, entry: Entry) -> Iterator[Told]:
    """What a representation holds: the key first, then what is required."""
    entrance = entry.entrance
    key = entry.told[: 1 if entrance.keys else 0]
    found = list(told(question, entrance.position, entrance.types, key, identifies=True))
    names = {(one.name, one.key) for one in found if not one.below}
    yield from found
    for one in told(question, entrance.position, entrance.types, entry.told[len(key) :], identifies=False):
        if (one.name, one.key) not in names:
            yield one


def told(
    question: Question, position: Position, types: Iterable[str], wanted: Iterable[FieldSet], *, identifies: bool
) -> Iterator[Told]:
    """The fields of field sets, merged."""
    found: dict[tuple[str, str], tuple[set[str], Field, list[FieldSet]]] = {}
    for name in types:
        place = position.places[name]
        for fields in wanted:
            for one in question.of_type(place, fields):
                known = question.find(place, one)
                at = found.setdefault((one.name, known.key), (set(), known, []))
                at[0].add(name)
                at[2].append(one.below)
    for (name, key), (on, known, below) in found.items():
        inner: tuple[Told, ...] = ()
        if known.child is not None:
            inner = tuple(told(question, known.child, known.child.places, below, identifies=identifies))
        yield Told(name, key, None if len(on) == len(position.places) else frozenset(on), identifies, inner)
