"""Every guarded coordinate with what Homeroom knows of it, read off the schema.

Silence denies: a field of a stored type that declares no scope stops start-up, here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_object_type,
)
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField

from app.names import Coordinate, Scope
from app.schema import types
from app.schema.build import SCHEMA, graphql_schema
from app.schema.facts import Fact, Sensitivity
from app.schema.guard import GUARD, Guard
from app.schema.scopes import SENTENCES

UNGUARDED = frozenset({"id"})
"""What has no scope of its own: an id is pairwise and says nothing."""

RESTRICTED = frozenset({Sensitivity.RESTRICTED, Sensitivity.STAFF_SENSITIVE})
"""Sensitivities that make a scope restricted: a client has to be registered for it by name."""


@dataclass(frozen=True, slots=True)
class ScopeFact:
    """One scope: what it gives, and whether a client must be registered for it by name."""

    scope: Scope
    description: str
    restricted: bool


def read_facts(of: type, graph: GraphQLObjectType) -> Iterable[Fact]:
    """The facts of one type's fields. Raises: TypeError for a field without a scope."""
    declared: Mapping[str, StrawberryField] = {
        SCHEMA.config.name_converter.from_field(field): field for field in get_object_definition(of, strict=True).fields
    }
    for name, field in graph.fields.items():
        if name in UNGUARDED:
            continue
        guard = declared[name].metadata.get(GUARD)
        if not isinstance(guard, Guard):
            raise TypeError(f"{graph.name}.{name} has no scope. Declare it with `guarded`.")
        yield fact(guard, graph.name, name, field.type)


def fact(guard: Guard, of: str, name: str, kind: GraphQLOutputType) -> Fact:
    """What was declared of a field, with the name and the type that it has in the graph."""
    named = get_named_type(kind)
    return Fact(
        coordinate=Coordinate(f"{of}.{name}"),
        scope=guard.scope,
        category=guard.category,
        sensitivity=guard.sensitivity,
        type=of,
        field=name,
        graphql_type=str(kind),
        leads_to=named.name if is_object_type(named) else None,
        is_list=is_list_type(get_nullable_type(kind)),
        ceds=guard.ceds,
        edfi=guard.edfi,
        oneroster=guard.oneroster,
    )


def _facts() -> Iterable[Fact]:
    for of in types.TYPES:
        graph = graphql_schema().type_map[of.__name__]
        if isinstance(graph, GraphQLObjectType):  # pragma: no branch - it is one by its decorator
            yield from read_facts(of, graph)


TYPES: tuple[str, ...] = tuple(of.__name__ for of in types.TYPES)
"""Every guarded type by name, parents before children."""

CATALOGUE: Mapping[Coordinate, Fact] = MappingProxyType({fact.coordinate: fact for fact in _facts()})
"""Every guarded coordinate, in the order of the schema."""

SCOPES: Mapping[Scope, ScopeFact] = MappingProxyType(
    {
        scope: ScopeFact(
            scope,
            sentence,
            restricted=any(fact.scope == scope and fact.sensitivity in RESTRICTED for fact in CATALOGUE.values()),
        )
        for scope, sentence in SENTENCES.items()
    }
)
"""Every scope that a client can be registered for."""
