"""What a plan asks of the space itself: written as decisions, under the plan's own keys, so that the space reads it as
it reads any operation.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from app.federation.admitting import Drop, drops
from app.federation.choose import Choice, Entry
from app.federation.positions import Field, Place, Question
from app.federation.remote import OPEN, ROW
from app.federation.steps import Fetch
from app.names import Coordinate
from app.operation.decided import Column, Decided, Edge, Frame, Hidden, Identifier, Root, Typename
from app.operation.model import ALWAYS, Selection
from app.operation.vocabulary import Vocabulary
from app.policy.decide import Permit
from app.schema.catalogue import CATALOGUE
from app.sources.fetch import Fetch as SourceFetch
from app.sources.fetch import Keyed

MARKS = {ROW: "row", OPEN: "open"}
"""What the space calls its hidden marks."""


@dataclass(frozen=True, slots=True)
class CorePart:
    """What one request of a plan asks of the space."""

    roots: SourceFetch
    arguments: Mapping[str, str]  # internal key of a root field → the client's response key
    lookups: tuple[Keyed, ...]
    drops: tuple[Drop, ...]


def core_parts(
    choice: Choice,
    written: Iterable[Fetch],
    core: str,
    made: Mapping[Selection, Decided | Root],
    vocabulary: Vocabulary,
) -> dict[int, CorePart]:
    """What the space is asked, for each request of the plan that goes to it."""
    templates: dict[Field, Decided | Root] = {}
    keys: dict[str, str] = {}
    for selection, one in choice.question.of.items():
        templates.setdefault(one, made[selection])
        if one.place.position.owner is None:
            keys.setdefault(one.key, selection.response_key)
    numbers = iter(written)
    parts: dict[int, CorePart] = {}
    for request in choice.requests:
        if not request.entries:
            continue
        fetch = next(numbers)
        if request.graph != core:
            continue
        writing = _Writing(choice.question, templates)
        roots: tuple[Root, ...] = ()
        lookups: list[Keyed] = []
        dropped: list[Drop] = []
        for entry in sorted(request.entries.values(), key=lambda one: one.entrance.position.depth):
            if entry.entrance.position.owner is None:
                roots = tuple(writing.roots(entry))
                continue
            lookups.append(writing.lookup(entry))
            dropped.extend(drops(choice.question, entry.entrance.position, vocabulary))
        parts[fetch.number] = CorePart(SourceFetch("core", roots), keys, tuple(lookups), tuple(dropped))
    return parts


@dataclass(slots=True)
class _Writing:
    """Writes what the space is asked as decisions, under internal keys."""

    question: Question
    templates: Mapping[Field, Decided | Root]

    def roots(self, entry: Entry) -> Iterator[Root]:
        place = next(iter(entry.entrance.position.places.values()))
        for one in place.fields.values():
            if one in entry.selected:
                template = self.templates[one]
                assert isinstance(template, Root)  # noqa: S101 - a root field was decided as one
                assert one.child is not None  # noqa: S101 - the core's root fields lead to records
                children = {name: self.at(below, entry) for name, below in one.child.places.items()}
                yield replace(
                    template,
                    response_key=one.key,
                    when=entry.selected[one],
                    children={name: below for name, below in children.items() if name in template.children},
                )

    def lookup(self, entry: Entry) -> Keyed:
        position = entry.entrance.position
        (name,) = entry.entrance.types
        (key,) = entry.told[0]
        return Keyed(name, key.name, self.at(position.places[name], entry))

    def at(self, place: Place, entry: Entry) -> tuple[Decided, ...]:
        found: list[Decided] = [Typename("__typename", ALWAYS)] if len(place.position.places) > 1 else []
        for one in place.fields.values():
            if one in entry.selected:
                found.append(self.field(one, entry))
        return tuple(found)

    def field(self, one: Field, entry: Entry) -> Decided:
        when = entry.selected[one]
        template = self.templates.get(one)
        below: tuple[Decided, ...] = ()
        if one.child is not None:
            below = tuple(each for place in one.child.places.values() for each in self.at(place, entry))
        match template:
            case Column() | Identifier():
                return replace(template, response_key=one.key, when=when)
            case Edge() | Frame():
                return replace(template, response_key=one.key, when=when, children=below)
            case _ if one.child is None:
                return Hidden(one.key, when, MARKS.get(one.name, one.name))
            case _:
                fact = CATALOGUE[Coordinate(f"{one.place.type}.{one.name}")]
                return Edge(one.key, when, fact, Permit(None), below)
