"""The schema, put together: as a federated subgraph for composers, and as the public graph for vendors."""

import hashlib
from functools import cache

import strawberry
from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLScalarType,
    GraphQLSchema,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    Visitor,
    VisitorAction,
    build_ast_schema,
    parse,
    print_ast,
    print_schema,
    specified_directives,
    visit,
)
from strawberry.schema.config import StrawberryConfig

from app.schema.query import Query
from app.schema.scalars import SCALARS, read_date
from app.schema.types import TYPES

SCHEMA = strawberry.federation.Schema(
    query=Query,
    types=TYPES,
    # The oldest version that has @requiresScopes: the newest is refused by some composers.
    federation_version="2.5",
    config=StrawberryConfig(scalar_map=SCALARS),
)


@cache
def sdl() -> str:
    """The text of `schema.graphql`: the schema with its federation directives, without federation's own entrances."""
    return f"{print_ast(visit(parse(SCHEMA.as_str()), _Describing()))}\n"


@cache
def graphql_schema() -> GraphQLSchema:
    """The public graph: what vendors see, and what queries are validated against.

    It has no resolvers, so that any executor can bring its own; enums and dates are the text that is stored.
    """
    return public(sdl())


def schema_digest(schema: GraphQLSchema) -> str:
    """What two installations compare to know whether they present the same graph: the SHA-256 of its text."""
    return hashlib.sha256(print_schema(schema).encode()).hexdigest()


def public(subgraph: str) -> GraphQLSchema:
    """A subgraph's SDL without what is federation's own: its directives, and every field that is @inaccessible."""
    document: DocumentNode = visit(parse(subgraph), _Publishing())
    schema = build_ast_schema(document)
    date = schema.type_map.get("Date")
    if isinstance(date, GraphQLScalarType):  # pragma: no branch - a fragment of a schema may have no dates
        date.coerce_input_value = date.parse_value = read_date  # type: ignore[method-assign]
    return schema


class _Describing(Visitor):
    """Takes out `_service`, `_entities` and their types: composers add them, and no vendor may enter there."""

    def _reserved(self, node: FieldDefinitionNode | TypeDefinitionNode, *_: object) -> VisitorAction:
        return REMOVE if node.name.value.startswith("_") else None

    enter_field_definition = enter_object_type_definition = _reserved
    enter_scalar_type_definition = enter_union_type_definition = _reserved


class _Publishing(Visitor):
    """Takes out of a subgraph's document what vendors do not see."""

    standard = frozenset(directive.name for directive in specified_directives)

    def enter_schema_definition(self, _node: SchemaDefinitionNode, *_: object) -> VisitorAction:
        return REMOVE

    def enter_field_definition(self, node: FieldDefinitionNode, *_: object) -> VisitorAction:
        return REMOVE if any(directive.name.value == "inaccessible" for directive in node.directives or ()) else None

    def enter_directive(self, node: DirectiveNode, *_: object) -> VisitorAction:
        return None if node.name.value in self.standard else REMOVE
