"""Read a supergraph: which subgraph knows which type, field and key, and the schema that vendors see.

Spec: the join specification, v0.3 to v0.5. Shape: a subgraph goes by its name in `join__Graph`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    REMOVE,
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    Node,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    Visitor,
    VisitorAction,
    build_ast_schema,
    parse,
    print_ast,
    specified_directives,
    value_from_ast_untyped,
    visit,
)

from app.errors import ConfigurationError
from app.federation.fieldsets import FieldSet, read_field_set

SPECIFIED = frozenset(directive.name for directive in specified_directives)


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One subgraph, as the supergraph declares it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Key:
    """Fields by which a subgraph finds an entity."""

    fields: FieldSet
    resolvable: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """How one subgraph knows a field."""

    type: str  # as that subgraph prints it: "[Category!]"
    named: str  # "Category"
    requires: FieldSet
    provides: FieldSet
    external: bool  # it cannot resolve the field by itself: only under @provides, or as a part of its key


@dataclass(frozen=True, slots=True)
class TypeView:
    """How one subgraph knows a composite type."""

    keys: tuple[Key, ...]
    is_interface_object: bool
    fields: Mapping[str, FieldView]
    members: frozenset[str]  # the object types that a value may have there


@dataclass(frozen=True, slots=True)
class Composed:
    """A supergraph as the planner reads it. INVARIANT: frozen, and read once."""

    subgraphs: Mapping[str, Subgraph]
    views: Mapping[str, Mapping[str, TypeView]]  # composite type → subgraph → how it is known there
    members: Mapping[str, frozenset[str]]  # composite type → every object type that a value may have
    fields: Mapping[str, Mapping[str, str]]  # composite type → field → the named type that it leads to
    interfaces: Mapping[str, frozenset[str]]  # object type → the interfaces that it implements
    hidden: Mapping[str, frozenset[str]]  # enum → its values that are @inaccessible
    schema: GraphQLSchema = field(repr=False)  # what vendors see


def read_supergraph(sdl: str) -> Composed:
    """The supergraph of an SDL text. Raises: ConfigurationError if it is none."""
    try:
        document = parse(sdl, no_location=True)
        return _Reading(document).composed()
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"This is not a supergraph ({type(error).__name__}: {error}). Compose it again.", file="supergraph"
        ) from None


def arguments(node: DirectiveNode | ConstDirectiveNode) -> dict[str, Any]:
    """A directive's arguments as plain values."""
    return {given.name.value: value_from_ast_untyped(given.value) for given in node.arguments or ()}


def directives(node: Any, name: str) -> Iterator[dict[str, Any]]:
    """The arguments of every directive of that name."""
    return (arguments(one) for one in node.directives or () if one.name.value == name)


def named(node: TypeNode) -> str:
    """The named type within a type."""
    while not isinstance(node, NamedTypeNode):
        node = node.type  # type: ignore[attr-defined]
    return node.name.value


def is_hidden(node: Any) -> bool:
    """Whether a definition is @inaccessible: there for subgraphs, and not for vendors."""
    return any(one.name.value == "inaccessible" for one in getattr(node, "directives", None) or ())


class _Reading:
    def __init__(self, document: DocumentNode) -> None:
        self.document = document
        self.types: dict[str, Any] = {
            node.name.value: node for node in document.definitions if isinstance(node, TypeDefinitionNode)
        }
        graphs = self.types.get("join__Graph")
        if not isinstance(graphs, EnumTypeDefinitionNode):
            raise ConfigurationError(
                "There is no join__Graph, so this is no supergraph. Compose it with `homeroom compose`.",
                file="supergraph",
            )
        self.subgraphs = {
            value.name.value: Subgraph(**next(directives(value, "join__graph"))) for value in graphs.values or ()
        }
        self.composite = {
            name: node
            for name, node in self.types.items()
            if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | UnionTypeDefinitionNode)
        }

    def composed(self) -> Composed:
        return Composed(
            subgraphs=self.subgraphs,
            views={
                name: {graph: self.view(node, graph) for graph in self.graphs(node)}
                for name, node in self.composite.items()
            },
            members={name: self.members(node) for name, node in self.composite.items()},
            fields={
                name: {one.name.value: named(one.type) for one in getattr(node, "fields", None) or ()}
                for name, node in self.composite.items()
            },
            interfaces={
                name: frozenset(one.name.value for one in node.interfaces or ())
                for name, node in self.composite.items()
                if isinstance(node, ObjectTypeDefinitionNode)
            },
            hidden={
                name: frozenset(value.name.value for value in node.values or () if is_hidden(value))
                for name, node in self.types.items()
                if isinstance(node, EnumTypeDefinitionNode)
            },
            schema=public(self.document),
        )

    def graphs(self, node: Any) -> list[str]:
        return list(dict.fromkeys(one["graph"] for one in directives(node, "join__type")))

    def members(self, node: Any) -> frozenset[str]:
        """Every object type that a value of a type may have."""
        match node:
            case ObjectTypeDefinitionNode():
                return frozenset({node.name.value})
            case UnionTypeDefinitionNode():
                return frozenset(one.name.value for one in node.types or ())
            case _:
                return frozenset(
                    name
                    for name, other in self.composite.items()
                    if isinstance(other, ObjectTypeDefinitionNode)
                    and any(one.name.value == node.name.value for one in other.interfaces or ())
                )

    def members_in(self, node: Any, graph: str) -> frozenset[str]:
        """Those that one subgraph knows."""
        match node:
            case ObjectTypeDefinitionNode():
                return frozenset({node.name.value})
            case UnionTypeDefinitionNode():
                joins = list(directives(node, "join__unionMember"))
                if joins:
                    return frozenset(one["member"] for one in joins if one["graph"] == graph)
                return frozenset(name for name in self.members(node) if graph in self.graphs(self.types[name]))
            case _:
                return frozenset(
                    name
                    for name, other in self.composite.items()
                    if isinstance(other, ObjectTypeDefinitionNode)
                    and any(
                        one["graph"] == graph and one["interface"] == node.name.value
                        for one in directives(other, "join__implements")
                    )
                )

    def view(self, node: Any, graph: str) -> TypeView:
        joins = [one for one in directives(node, "join__type") if one["graph"] == graph]
        keys = tuple(
            Key(read_field_set(one["key"]), one.get("resolvable", True)) for one in joins if one.get("key") is not None
        )
        return TypeView(
            keys=keys,
            is_interface_object=any(one.get("isInterfaceObject", False) for one in joins),
            fields={
                one.name.value: known
                for one in getattr(node, "fields", None) or ()
                if (known := self.field(one, graph)) is not None
            },
            members=self.members_in(node, graph),
        )

    def field(self, node: FieldDefinitionNode, graph: str) -> FieldView | None:
        """How a subgraph knows a field; None if it does not, or another took it over."""
        joins = list(directives(node, "join__field"))
        if not joins:
            return FieldView(print_ast(node.type), named(node.type), (), (), external=False)
        for one in joins:
            if one.get("graph") == graph:
                if one.get("contextArguments"):
                    raise ConfigurationError(
                        f"{self.subgraphs[graph].name}: {node.name.value} takes an argument out of a context "
                        "(@fromContext), which Homeroom does not plan. Let the field require what it needs.",
                        file="supergraph",
                    )
                # A field that another subgraph overrides stays declared where some @requires or @provides names it.
                text = one.get("type") or print_ast(node.type)
                return FieldView(
                    type=text,
                    named=text.strip("[]!"),
                    requires=read_field_set(one["requires"]) if one.get("requires") else (),
                    provides=read_field_set(one["provides"]) if one.get("provides") else (),
                    external=bool(one.get("external", False) or one.get("usedOverridden", False)),
                )
        return None


def public(document: DocumentNode) -> GraphQLSchema:
    """The schema without what is federation's own, and without what is @inaccessible."""
    return build_ast_schema(visit(document, _Publishing(document)), assume_valid_sdl=True)


class _Publishing(Visitor):
    def __init__(self, document: DocumentNode) -> None:
        super().__init__()
        # The specifications that are linked bring types of their own, under their names.
        urls = (
            one["url"]
            for node in document.definitions
            if isinstance(node, SchemaDefinitionNode)
            for one in directives(node, "link")
        )
        names = {url.rstrip("/").split("/")[-2] for url in urls if url.count("/") > 3}
        self.prefixes = tuple(f"{name}__" for name in sorted({"join", "link", "core", "federation", *names}))

    def _internal(self, node: Any) -> bool:
        return node.name.value.startswith(self.prefixes) or is_hidden(node)

    def enter(self, node: Node, *_: object) -> VisitorAction:
        match node:
            case SchemaDefinitionNode():
                return None
            case DirectiveNode() | ConstDirectiveNode():
                return None if node.name.value in SPECIFIED else REMOVE
            case DefinitionNode() if getattr(node, "name", None) is not None and self._internal(node):
                return REMOVE
            case _ if node.kind in {"field_definition", "input_value_definition", "enum_value_definition"}:
                return REMOVE if self._internal(node) else None
            case _ if node.kind == "directive_definition":
                return REMOVE
        return None
