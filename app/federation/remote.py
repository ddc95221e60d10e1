"""What subgraphs add to the graph: their coordinates with scope, category and sensitivity, read off the supergraph.

A field says them by `@requiresScopes` and by tags (`@tag(name: "category/Assessment")`, `"sensitivity/pii"`), on
itself or on its type; the configuration may say them instead. A type that belongs to students says by which fields
(`@tag(name: "student/submission/student")`), and one that belongs to none says `"student/none"`; one that only arranges
others is tagged `"arranges"`. INVARIANT: what says nothing of itself is not in the vocabulary, and so is denied.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from graphql import (
    FieldDefinitionNode,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    parse,
    print_ast,
    value_from_ast_untyped,
)

from app.elsewhere import FieldSettings
from app.errors import ConfigurationError
from app.federation.supergraph_sdl import Composed, FieldView, named
from app.names import Coordinate, Scope
from app.operation.vocabulary import FRAMES, Vocabulary
from app.schema.catalogue import CATALOGUE, TYPES
from app.schema.facts import Fact, Sensitivity
from app.schema.ndpa import of_tag
from app.schema.scalars import read_date

CORE_SUBGRAPH = "core"
"""The name of the core among the subgraphs of a supergraph."""

ARRANGING = frozenset({"cursor", "totalCount"})
"""What a type that arranges others says by itself. INVARIANT: nobody decides on it, so it holds nothing of a record."""

OWNED = frozenset(
    {"Student", "StudentGradebookEntry", *(each.partition(".")[0] for each in CATALOGUE if each.endswith(".student"))}
)
"""The types of the core whose records are a student's."""

OF_MANY = "DisciplineIncident"
"""The type of the core whose records are several students': a subgraph can add nothing to it."""

ROW = "__row"
"""Their hidden field that the space alone tells: that it is in the grant's rows, and its student's row number."""

OPEN = "__open"
"""... and that its family did not block its directory information."""


def core_graph(composed: Composed) -> str:
    """The core's name in `join__Graph`. Raises: ConfigurationError."""
    for graph, subgraph in composed.subgraphs.items():
        if subgraph.name == CORE_SUBGRAPH:
            return graph
    raise ConfigurationError(
        f"No subgraph is named {CORE_SUBGRAPH}. Compose the supergraph with `homeroom compose`.", file="supergraph"
    )


def dates(composed: Composed) -> None:
    """Let the supergraph's schema read dates as the core's does."""
    date = composed.schema.type_map.get("Date")
    if isinstance(date, GraphQLScalarType):
        date.coerce_input_value = date.parse_value = read_date  # type: ignore[method-assign]


def vocabulary(sdl: str, composed: Composed, declared: Mapping[str, Mapping[str, FieldSettings]]) -> Vocabulary:
    """The core's coordinates and those of every other subgraph.

    `declared` has what the configuration says of fields, by subgraph and coordinate. Raises: ConfigurationError.
    """
    core = core_graph(composed)
    facts: dict[Coordinate, Fact] = dict(CATALOGUE)
    told_by: dict[Coordinate, frozenset[str]] = {}
    students: dict[str, tuple[str, ...]] = {}
    frames = set(FRAMES)
    said = {name: one for fields in declared.values() for name, one in fields.items()}
    for node in parse(sdl, no_location=True).definitions:
        if not isinstance(node, ObjectTypeDefinitionNode) or node.name.value in frames:
            continue
        type_name = node.name.value
        tags = set(_tags(node))
        if type_name not in TYPES and type_name != "Query":
            if "arranges" in tags and not any(_holds(composed, one) for one in node.fields or ()):
                frames.add(type_name)
                continue
            path = _path(tags)
            if path is None:
                continue
            students[type_name] = path
        for one in node.fields or () if type_name != OF_MANY else ():
            name = one.name.value
            coordinate = Coordinate(f"{type_name}.{name}")
            if core in {graph for graph, view in composed.views.get(type_name, {}).items() if name in view.fields}:
                continue
            fact = _fact(node, one, coordinate, said.get(coordinate), is_leaf=named(one.type) not in composed.views)
            if fact is not None and name != "id":
                facts[coordinate] = fact
                told_by[coordinate] = frozenset(_telling(composed, type_name, name))
    members = {name: found for name, found in composed.members.items() if name not in composed.interfaces}
    return Vocabulary(facts, frozenset(frames), told_by=told_by, students=students, members=members)


def _telling(composed: Composed, type_name: str, name: str) -> Iterator[str]:
    """The subgraphs that tell a field, of the type itself or of an interface that is one object type there."""
    for of in (type_name, *composed.interfaces.get(type_name, ())):
        for graph, view in composed.views.get(of, {}).items():
            if name in view.fields and not view.fields[name].external and (of == type_name or view.is_interface_object):
                yield composed.subgraphs[graph].name


def _holds(composed: Composed, node: FieldDefinitionNode) -> bool:
    """Whether a field is a value of its own, beside where one is in a list."""
    return named(node.type) not in composed.views and node.name.value not in ARRANGING


def _tags(node: Any) -> Iterator[str]:
    for directive in node.directives or ():
        if directive.name.value == "tag":
            yield from (str(value_from_ast_untyped(given.value)) for given in directive.arguments or ())


def _path(tags: Iterable[str]) -> tuple[str, ...] | None:
    for tag in tags:
        if tag == "student/none":
            return ()
        if tag.startswith("student/"):
            return tuple(tag.split("/")[1:])
    return None


def _scope(node: Any) -> str | None:
    for directive in node.directives or ():
        if directive.name.value == "requiresScopes":
            for given in directive.arguments or ():
                groups = value_from_ast_untyped(given.value)
                if isinstance(groups, list) and len(groups) == 1 and len(groups[0]) == 1:
                    return str(groups[0][0])
    return None


def _fact(
    of: ObjectTypeDefinitionNode,
    node: FieldDefinitionNode,
    coordinate: Coordinate,
    said: FieldSettings | None,
    *,
    is_leaf: bool,
) -> Fact | None:
    """What is declared of a field, by itself, by its type or by the configuration; None if anything is missing."""
    tags = dict(tag.split("/", 1) for one in (of, node) for tag in _tags(one) if "/" in tag)
    scope = said.scope if said else _scope(node) or _scope(of)
    category = said.category if said else of_tag(tags.get("category", ""))
    sensitivity = said.sensitivity if said else tags.get("sensitivity", "")
    if not scope or not category or sensitivity not in {one.value for one in Sensitivity}:
        return None
    return Fact(
        coordinate=coordinate,
        scope=Scope(scope),
        category=category,
        sensitivity=Sensitivity(sensitivity),
        type=of.name.value,
        field=node.name.value,
        graphql_type=_printed(node).removesuffix("!"),  # a district may withhold it
        leads_to=None if is_leaf else named(node.type),
        is_list=_printed(node).lstrip().startswith("["),
        ceds=None,
        edfi=None,
        oneroster=None,
    )


def _printed(node: FieldDefinitionNode) -> str:
    return print_ast(node.type)


MARK = FieldView("Int", "Int", (), (), external=False)
"""How the space knows its hidden marks."""


def opened(composed: Composed) -> Composed:
    """The supergraph as a district's gateway serves it: students and what is theirs bear hidden marks that their space
    alone tells, and of what subgraphs tell nothing but `id` is non-null, since a district may withhold it; nor is `id`,
    where an object stands among others of an interface or a union. It is read alone: whatever a subgraph changes, or
    sends on its own, is not in the graph.
    """
    core = core_graph(composed)
    views = {name: dict(known) for name, known in composed.views.items()}
    for name in OWNED & views.keys():
        if core in views[name]:
            own = views[name][core]
            views[name][core] = replace(own, fields={**own.fields, ROW: MARK, OPEN: MARK})
    abstract = {
        name for name in composed.members if name not in composed.interfaces and core not in composed.views[name]
    }
    among = abstract.union(*(composed.members[name] for name in abstract))
    for name, of in composed.schema.type_map.items():
        if isinstance(of, GraphQLObjectType | GraphQLInterfaceType) and name in composed.views:
            told = composed.views[name][core].fields if core in composed.views[name] else {}
            for field_name, one in of.fields.items():
                known = field_name in told or (field_name == "id" and name not in among)
                if not known and isinstance(one.type, GraphQLNonNull):
                    one.type = one.type.of_type
    return replace(composed, views=views, schema=_read_alone(composed.schema))


def _read_alone(schema: GraphQLSchema) -> GraphQLSchema:
    """A schema without changes and subscriptions."""
    if schema.mutation_type is None and schema.subscription_type is None:
        return schema
    others = (schema.mutation_type, schema.subscription_type)
    types = tuple(one for one in schema.type_map.values() if one not in others)
    return GraphQLSchema(schema.query_type, None, None, types, schema.directives, assume_valid=True)
