"""Write the operation that a subgraph is sent, and how its answer is read back.

Fields go out under their internal keys. Where objects of two types stand at one position and a subgraph gives their
fields of one name unlike types, the specification forbids one key for both (GraphQL §5.3.2): then each has a key of
its own, which is renamed when the answer comes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from graphql import print_ast

from app.federation.choose import Choice, Entry
from app.federation.positions import Field, Place, Position
from app.federation.supergraph_sdl import FieldView, TypeView
from app.operation.model import ALWAYS, When


@dataclass(frozen=True, slots=True)
class Reading:
    """How the objects at one position of an answer are read back, where that takes more than taking them."""

    renames: Mapping[str, Mapping[str, str]]  # object type → key in the answer → internal key
    below: Mapping[str, "Reading"]  # internal key → what stands below


@dataclass(slots=True)
class _Printed:
    key: str
    under: Callable[[str], str]  # the field under any key
    shape: "_Shape"
    reading: Reading | None
    text: str = ""

    def __post_init__(self) -> None:
        self.text = self.under(self.key)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What two fields under one key must have in common. Spec: GraphQL §5.3.2, SameResponseShape."""

    wrappers: str
    leaf: str | None
    below: Mapping[str, tuple["_Shape", ...]] = field(default_factory=dict)

    def fits(self, other: "_Shape") -> bool:
        """Whether both can stand under one key."""
        if self.wrappers != other.wrappers or self.leaf != other.leaf:
            return False
        return all(
            one.fits(two) for key, shapes in self.below.items() for one in shapes for two in other.below.get(key, ())
        )


@dataclass(slots=True)
class Printer:
    """Prints what one entry asks of one subgraph."""

    choice: Choice
    graph: str
    entry: Entry
    variables: dict[str, None]

    def root(self) -> tuple[str, Reading | None]:
        """The selections at the root."""
        position = self.entry.entrance.position
        printed = self.place(next(iter(position.places.values())), self.view(position.type), ALWAYS)
        return self.together(printed, {})

    def entities(self) -> tuple[str, Reading | None]:
        """The selections on a representation's type."""
        entrance = self.entry.entrance
        assert entrance.representation is not None  # noqa: S101 - the root is printed by `root`
        text, reading = self.object(entrance.position, entrance.types, entrance.representation, self.entry.when)
        return f"... on {entrance.representation} {text}", reading

    def view(self, name: str) -> TypeView:
        """How this subgraph knows a type."""
        return self.choice.question.composed.views[name][self.graph]

    def object(self, position: Position, types: Iterable[str], name: str, when: When) -> tuple[str, Reading | None]:
        """A selection set on what this subgraph knows by the type `name`."""
        view = self.view(name)
        places = [position.places[one] for one in types if one in position.places]
        if view.is_interface_object:
            # Here it is one object type: the fields of all types that it may turn out to have.
            merged: dict[str, Field] = {}
            for place in places:
                for one in self.selected(place):
                    merged.setdefault(one.key, one)
            printed = [self.field(one, view, when) for one in merged.values()]
            text, reading = self.together(printed, {})
            return f"{{ {text or '__typename'} }}", reading
        if name in position.places:
            text, reading = self.together(self.place(position.places[name], view, when), {})
            # Elsewhere other types may stand here: the tree says which it is.
            typed = "__typename " if len(position.places) > 1 else ""
            return f"{{ {typed}{text or '__typename'} }}", reading
        by_type: dict[str, list[_Printed]] = {}
        for place in places:
            if place.type in view.members:
                found = self.place(place, self.view(place.type), when)
                if found:
                    by_type[place.type] = found
        return self.abstract(view, places, by_type)

    def abstract(
        self, view: TypeView, places: list[Place], by_type: dict[str, list[_Printed]]
    ) -> tuple[str, Reading | None]:
        """Fragments on each type, but for what is asked of all alike."""
        standing = [place.type for place in places if place.type in view.members]
        common: list[_Printed] = []
        if len(by_type) == len(standing) and len(standing) > 1:
            first, *others = by_type.values()
            rest = [{one.text for one in other} for other in others]
            common = [
                one
                for one in first
                if one.reading is None and one.key in view.fields and all(one.text in other for other in rest)
            ]
            shared = {one.text for one in common}
            by_type = {name: [one for one in found if one.text not in shared] for name, found in by_type.items()}
        renames = self.apart(by_type)
        parts = ["__typename", *(one.text for one in common)]
        reading: dict[str, Reading] = {}
        for name, found in by_type.items():
            text, below = self.together(found, {})
            if text:
                parts.append(f"... on {name} {{ {text} }}")
            reading |= below.below if below is not None else {}
        whole = Reading(renames, reading) if renames or reading else None
        return f"{{ {' '.join(parts)} }}", whole

    def apart(self, by_type: dict[str, list[_Printed]]) -> dict[str, dict[str, str]]:
        """Give fields that cannot share a key one each."""
        renames: dict[str, dict[str, str]] = {}
        taken: dict[str, list[_Shape]] = {}
        for name, found in by_type.items():
            for one in found:
                shapes = taken.setdefault(one.key, [])
                if all(shape.fits(one.shape) for shape in shapes):
                    shapes.append(one.shape)
                    continue
                alias = f"{one.key}__{name}"
                one.text = one.under(alias)
                renames.setdefault(name, {})[alias] = one.key
        return renames

    def together(self, printed: list[_Printed], renames: Mapping[str, Mapping[str, str]]) -> tuple[str, Reading | None]:
        """Printed fields as one text."""
        below = {one.key: one.reading for one in printed if one.reading is not None}
        reading = Reading(renames, below) if below or renames else None
        return " ".join(one.text for one in printed), reading

    def selected(self, place: Place) -> Iterable[Field]:
        """The fields that it is asked for at a place."""
        return (one for one in place.fields.values() if one in self.entry.selected)

    def place(self, place: Place, view: TypeView, when: When) -> list[_Printed]:
        """Those fields, printed."""
        return [self.field(one, view, when) for one in self.selected(place)]

    def field(self, one: Field, view: TypeView, outer: When) -> _Printed:
        """One field, with all that is selected below it."""
        known: FieldView = view.fields[one.name]
        when = self.entry.selected[one]
        given = f"({', '.join(print_ast(given) for given in one.arguments)})" if one.arguments else ""
        if one.arguments:
            self.variables.update(dict.fromkeys(one.variables))
        below, reading = "", None
        nested: dict[str, tuple[_Shape, ...]] = {}
        if one.child is not None:
            below, reading = self.object(one.child, tuple(one.child.places), known.named, when)
            below = f" {below}"
            nested = self.shapes(one.child, known.named)
        wrappers = known.type.replace(known.named, "")
        shape = _Shape(wrappers, None if one.child is not None else known.named, nested)

        def under(key: str) -> str:
            text = f"{one.name}{given}" if key == one.name else f"{key}: {one.name}{given}"
            return self.conditional(text, below, when, outer)

        return _Printed(one.key, under, shape, reading)

    def shapes(self, position: Position, name: str) -> dict[str, tuple[_Shape, ...]]:
        """The shapes of everything that is selected at a position, whatever its type."""
        found: dict[str, tuple[_Shape, ...]] = {}
        top = self.view(name)
        for place in position.places.values():
            view = top if top.is_interface_object or place.type == name else None
            if view is None and place.type in top.members:
                view = self.view(place.type)
            if view is None:
                continue
            for one in self.selected(place):
                known = view.fields[one.name]
                nested = self.shapes(one.child, known.named) if one.child is not None else {}
                shape = _Shape(known.type.replace(known.named, ""), known.named if one.child is None else None, nested)
                found[one.key] = (*found.get(one.key, ()), shape)
        return found

    def conditional(self, text: str, below: str, when: When, outer: When) -> str:
        """A field under its condition. What stands under the condition of the field above needs none."""
        if when == outer or ALWAYS in (when,):
            return f"{text}{below}"
        branches = sorted(when, key=sorted)
        if len(branches) == 1 and len(branches[0]) == 1:
            return f"{text}{self.directive(*next(iter(branches[0])))}{below}"
        return " ".join(self.nested(f"{text}{below}", branch) for branch in branches)

    def nested(self, text: str, branch: Iterable[tuple[str, bool]]) -> str:
        """A field under several conditions: a directive may stand once at a place."""
        for name, value in sorted(branch, reverse=True):
            text = f"...{self.directive(name, value)} {{ {text} }}"
        return text

    def directive(self, name: str, value: bool) -> str:
        """The directive by which a condition is said."""
        self.variables[name] = None
        return f" @{'include' if value else 'skip'}(if: ${name})"
