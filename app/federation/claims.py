"""What a subgraph claims of what is the districts' own: nothing of it is ever fetched from anybody but the space.

A subgraph adds to the graph. A supergraph in which one takes a core field over (`@override`), tells it too
(`@shareable`), brings it along (`@provides`), tells it of an interface (`@interfaceObject`), or adds to the types that
only arrange the core's records, is refused whole.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from graphql import ObjectTypeDefinitionNode, parse

from app.federation.fieldsets import FieldSet, read_field_set
from app.federation.supergraph_sdl import Composed, TypeView, directives
from app.operation.vocabulary import FRAMES
from app.schema.build import sdl

SHARED = "PageInfo"
"""The type of the core that says nothing of any record: whoever makes pages makes it."""


@cache
def own() -> Mapping[str, Mapping[str, bool]]:
    """Every field of the core's types, and whether the core itself knows its objects by it."""
    return {
        node.name.value: {one.name.value: one.name.value in keys for one in node.fields or ()}
        for node in parse(sdl(), no_location=True).definitions
        if isinstance(node, ObjectTypeDefinitionNode)
        for keys in ({each.name for key in directives(node, "key") for each in read_field_set(key["fields"])},)
    }


def claims(composed: Composed, core: str) -> Iterator[str]:
    """A sentence for each thing that is the core's and that a subgraph claims."""
    for type_name, fields in own().items():
        views = composed.views.get(type_name, {})
        for name in composed.fields.get(type_name, {}):
            coordinate = f"{type_name}.{name}"
            others = [graph for graph in views if graph != core and _tells(views[graph], name)]
            by = ", ".join(composed.subgraphs[graph].name for graph in others) or "The supergraph"
            if name not in fields:
                if name.startswith("__") or type_name in FRAMES:
                    yield f"{by}: {coordinate} cannot be added to what is the core's. Take it out."
                continue
            taken = core in views and not _tells(views[core], name)
            told = others and not fields[name] and type_name != SHARED
            if taken or told:
                yield f"{by}: {coordinate} is a district's own to tell. Give the field another name."
    for graph, coordinate in _brought(composed, core):
        type_name, _, name = coordinate.partition(".")
        if own().get(type_name, {}).get(name) is False:
            by = composed.subgraphs[graph].name
            yield f"{by}: {coordinate} is a district's own to tell, and is not for others to bring along. Take it out."


def _tells(view: TypeView, name: str) -> bool:
    return name in view.fields and not view.fields[name].external


def _brought(composed: Composed, core: str) -> Iterator[tuple[str, str]]:
    """What subgraphs tell beside their own fields: provided, within their keys, and of whole interfaces."""
    for type_name, views in composed.views.items():
        for graph, view in views.items():
            if graph == core:
                continue
            for known in view.fields.values():
                yield from ((graph, one) for one in _named(composed, known.named, known.provides))
            for key in view.keys:
                for one in key.fields:
                    leads_to = composed.fields[type_name].get(one.name, "")
                    yield from ((graph, below) for below in _named(composed, leads_to, one.below))
            if view.is_interface_object:
                for member in composed.members[type_name]:
                    yield from ((graph, f"{member}.{name}") for name in view.fields if _tells(view, name))


def _named(composed: Composed, type_name: str, fields: FieldSet) -> Iterator[str]:
    """The coordinates that a field set names."""
    for one in fields:
        of = one.on[-1] if one.on else type_name
        for member in composed.members.get(of, ()):
            yield f"{member}.{one.name}"
        yield from _named(composed, composed.fields.get(of, {}).get(one.name, ""), one.below)
