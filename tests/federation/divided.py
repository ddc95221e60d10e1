"""Worlds that are divided at random over several subgraphs, and asked at random.

Shape: `worlds()` draws a plain schema with its data and a division of it; `World.supergraph` is the join-spec text that
a composer would write of it, `World.heard` answers as one subgraph would (and only with what that subgraph can tell),
`World.undivided` is the whole as one schema, which graphql-core answers from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync
from hypothesis import strategies as st

OBJECTS = 5
"""How many objects of each type there are."""


@dataclass(slots=True)
class Field:
    """One field of an entity: a value, or a step to other entities."""

    name: str
    type: str  # as printed
    target: str | None  # the entity, interface or union that it leads to
    owners: set[str]
    requires: tuple[str, ...] = ()  # names of the fields that its only owner is told of
    provides: dict[str, tuple[str, ...]] = field(default_factory=dict)  # owner → fields of the target
    argument: bool = False


@dataclass(slots=True)
class Entity:
    """One type of objects, with the keys by which each subgraph knows it."""

    name: str
    fields: dict[str, Field]
    keys: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)  # subgraph → (key, resolvable)
    external: dict[str, set[str]] = field(default_factory=dict)  # subgraph → fields that it only names


@dataclass
class World:
    """A divided world."""

    graphs: list[str]
    entities: dict[str, Entity]
    interface: list[str]  # the entities that implement `Named`
    union: list[str]
    roots: dict[str, Field]

    # -- the data -------------------------------------------------------------------------------------------------

    def value(self, of: str, number: int, one: Field, argument: int | None) -> Any:
        """A field's value, computed."""
        if one.requires:
            return self.computed(
                one, {name: self.value(of, number, self.entities[of].fields[name], None) for name in one.requires}
            )
        seed = sum(map(ord, f"{of}.{one.name}")) + number * 7
        if one.target is not None:
            targets = self.members(one.target)
            if one.type.startswith("["):
                return [self.object(targets, seed + at) for at in range(seed % 4)]
            return None if seed % 5 == 0 else self.object(targets, seed)
        if one.type == "Int":
            return seed + (argument or 0)
        return None if seed % 6 == 0 and not one.type.endswith("!") else f"{of} {one.name} {number} {argument or 0}"

    @staticmethod
    def computed(one: Field, given: dict[str, Any]) -> str:
        return f"{one.name} of {sorted(given.items())}"

    def object(self, types: list[str], seed: int) -> dict[str, Any]:
        return {"__typename": types[seed % len(types)], "number": seed % OBJECTS}

    def members(self, name: str) -> list[str]:
        return {"Named": self.interface, "Either": self.union}.get(name, [name])

    def identity(self, of: str, key: str, number: int) -> str:
        return f"{of}-{key}-{number}"

    def resolve(self, graph: str | None, source: Any, info: Any, **arguments: Any) -> Any:
        """As graphql-core's field resolver: of one subgraph, or of the whole."""
        name, parent = info.field_name, info.parent_type.name
        if parent == "Query":
            if name == "_entities":
                return [self.reference(graph, one) for one in arguments["representations"]]
            one = self.roots[name]
            if graph is not None and graph not in one.owners:
                raise GraphQLError(f"{graph} does not tell {name}")
            found = self.value("Query", 1, one, None)
            return self.provided(found, one, graph)
        of, number = source["__typename"], source["number"]
        entity = self.entities[of]
        if name in {"id", "code"}:
            if graph is not None and name not in {key for key, _ in entity.keys[graph]}:
                raise GraphQLError(f"{graph} does not know {of} by {name}")
            return self.identity(of, name, number)
        one = entity.fields[name]
        if graph is not None and graph not in one.owners and name not in source.get("provided", ()):
            raise GraphQLError(f"{graph} does not tell {of}.{name}")
        if graph is not None and one.requires:
            told = source.get("told", {})
            if any(required not in told for required in one.requires):
                raise GraphQLError(f"{graph} was not told what {of}.{name} requires")
            return self.computed(one, {required: told[required] for required in one.requires})
        return self.provided(self.value(of, number, one, arguments.get("by")), one, graph)

    def provided(self, found: Any, one: Field, graph: str | None) -> Any:
        if graph is None or graph not in one.provides:
            return found
        listed = found if isinstance(found, list) else [found]
        for each in listed:
            if each is not None:
                each["provided"] = one.provides[graph]
        return found

    def reference(self, graph: str | None, told: dict[str, Any]) -> Any:
        entity = self.entities[told["__typename"]]
        assert graph is not None
        for key, resolvable in entity.keys[graph]:
            if resolvable and told.get(key) is not None:
                number = int(told[key].rpartition("-")[2])
                return {"__typename": entity.name, "number": number, "told": told}
        raise GraphQLError(f"{graph} cannot find a {entity.name} by {sorted(told)}")

    # -- the schemas ----------------------------------------------------------------------------------------------

    def known(self, graph: str) -> list[Entity]:
        return [entity for entity in self.entities.values() if graph in entity.keys]

    def in_interface(self, graph: str) -> bool:
        return all(graph in self.entities[name].keys for name in self.interface)

    def in_union(self, graph: str) -> bool:
        return all(graph in self.entities[name].keys for name in self.union)

    def common(self, graph: str) -> bool:
        """Whether a subgraph tells `common` of everything that is `Named`."""
        return self.in_interface(graph) and all(
            graph in self.entities[name].fields["common"].owners for name in self.interface
        )

    def implements(self, name: str) -> str:
        return " implements Named" if name in self.interface else ""

    @staticmethod
    def printed(one: Field) -> str:
        return f"{one.name}{'(by: Int)' if one.argument else ''}: {one.type}"

    @cached_property
    def undivided(self) -> GraphQLSchema:
        lines = ["interface Named { common: String }", f"union Either = {' | '.join(self.union)}"]
        for entity in self.entities.values():
            keys = sorted({key for keys in entity.keys.values() for key, _ in keys})
            lines.append(f"type {entity.name}{self.implements(entity.name)} {{")
            lines += [f"  {key}: ID!" for key in keys]
            lines += [f"  {self.printed(one)}" for one in entity.fields.values()]
            lines.append("}")
        lines.append("type Query {")
        lines += [f"  {self.printed(one)}" for one in self.roots.values()]
        lines.append("}")
        return self._typed(build_schema("\n".join(lines)))

    @staticmethod
    def _typed(schema: GraphQLSchema) -> GraphQLSchema:
        for one in schema.type_map.values():
            if hasattr(one, "resolve_type"):
                one.resolve_type = lambda value, *_: value["__typename"]
        return schema

    def subgraph(self, graph: str) -> GraphQLSchema:
        lines = ["scalar _Any"]
        if self.in_interface(graph):
            lines.append(f"interface Named {{ {'common: String' if self.common(graph) else 'nothing: String'} }}")
        if self.in_union(graph):
            lines.append(f"union Either = {' | '.join(self.union)}")
        for entity in self.known(graph):
            named = self.implements(entity.name) if self.in_interface(graph) else ""
            lines.append(f"type {entity.name}{named} {{")
            lines += [f"  {key}: ID!" for key, _ in entity.keys[graph]]
            lines += [f"  {self.printed(one)}" for one in self._fields(entity, graph)]
            if named and not self.common(graph):
                lines.append("  nothing: String")
            lines.append("}")
        entities = [entity.name for entity in self.known(graph)]
        lines += [f"union _Entity = {' | '.join(entities)}"] if entities else []
        lines.append("type Query { nothing: String")
        lines += [f"  {self.printed(one)}" for one in self.roots.values() if graph in one.owners]
        lines += ["  _entities(representations: [_Any!]!): [_Entity]!"] if entities else []
        lines.append("}")
        return self._typed(build_schema("\n".join(lines)))

    def _fields(self, entity: Entity, graph: str) -> Iterator[Field]:
        for one in entity.fields.values():
            if graph in one.owners or one.name in entity.external.get(graph, ()):
                yield one

    @cached_property
    def subgraphs(self) -> dict[str, GraphQLSchema]:
        return {graph: self.subgraph(graph) for graph in self.graphs}

    def heard(self, graph: str, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """What a subgraph answers."""
        result = graphql_sync(
            self.subgraphs[graph],
            document,
            variable_values=variables,
            field_resolver=lambda source, info, **arguments: self.resolve(graph, source, info, **arguments),
        )
        return result.formatted  # type: ignore[return-value]

    @cached_property
    def supergraph(self) -> str:
        """The join-spec text."""
        lines = [
            'schema @link(url: "https://specs.apollo.dev/link/v1.0") '
            '@link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }',
            "enum join__Graph {",
            *(
                f'  {graph} @join__graph(name: "{graph.lower()}", url: "http://127.0.0.1:1/{graph}")'
                for graph in self.graphs
            ),
            "}",
        ]
        with_interface = [graph for graph in self.graphs if self.in_interface(graph)]
        lines.append("interface Named" + "".join(f" @join__type(graph: {graph})" for graph in with_interface))
        common = "".join(f" @join__field(graph: {graph})" for graph in with_interface if self.common(graph))
        lines.append(f"{{ common: String{common or ' @join__field'} }}")
        with_union = [graph for graph in self.graphs if self.in_union(graph)]
        members = "".join(
            f' @join__unionMember(graph: {graph}, member: "{name}")' for graph in with_union for name in self.union
        )
        lines.append(
            "union Either"
            + "".join(f" @join__type(graph: {graph})" for graph in with_union)
            + members
            + f" = {' | '.join(self.union)}"
        )
        for entity in self.entities.values():
            lines.append(f"type {entity.name}{self.implements(entity.name)}")
            for graph, keys in entity.keys.items():
                for key, resolvable in keys:
                    more = "" if resolvable else ", resolvable: false"
                    lines.append(f'  @join__type(graph: {graph}, key: "{key}"{more})')
                if entity.name in self.interface and graph in with_interface:
                    lines.append(f'  @join__implements(graph: {graph}, interface: "Named")')
            lines.append("{")
            for key in sorted({key for keys in entity.keys.values() for key, _ in keys}):
                joins = "".join(
                    f" @join__field(graph: {graph})"
                    for graph, keys in entity.keys.items()
                    if key in {name for name, _ in keys}
                )
                lines.append(f"  {key}: ID!{joins}")
            for one in entity.fields.values():
                lines.append(f"  {self.printed(one)}{self._joins(entity, one)}")
            lines.append("}")
        lines.append("type Query" + "".join(f" @join__type(graph: {graph})" for graph in self.graphs) + " {")
        lines += [f"  {self.printed(one)}{self._joins(None, one)}" for one in self.roots.values()]
        lines.append("}")
        return "\n".join(lines)

    @staticmethod
    def _joins(entity: Entity | None, one: Field) -> str:
        parts = []
        for graph in sorted(one.owners):
            more = f', requires: "{" ".join(one.requires)}"' if one.requires else ""
            more += f', provides: "{" ".join(one.provides[graph])}"' if graph in one.provides else ""
            parts.append(f" @join__field(graph: {graph}{more})")
        if entity is not None:
            parts += [
                f" @join__field(graph: {graph}, external: true)"
                for graph, names in entity.external.items()
                if one.name in names and graph not in one.owners
            ]
        return "".join(parts)


@st.composite
def worlds(draw: st.DrawFn, *, graphs: int = 5, fields: int = 4, types: int = 4) -> World:
    """A world of a few types over a few subgraphs."""
    names = [chr(ord("A") + at) for at in range(draw(st.integers(2, graphs)))]
    some = st.sets(st.sampled_from(names), min_size=1, max_size=2)
    entities: dict[str, Entity] = {}
    of = [f"E{at}" for at in range(draw(st.integers(2, types)))]
    interface = draw(st.lists(st.sampled_from(of), min_size=1, max_size=3, unique=True))
    union = draw(st.lists(st.sampled_from(of), min_size=1, max_size=3, unique=True))
    targets = st.sampled_from([*of, "Named", "Either"])
    for name in of:
        made: dict[str, Field] = {}
        for at in range(draw(st.integers(1, fields))):
            kind = draw(st.sampled_from(["String", "Int", "step", "list"]))
            if kind in {"step", "list"}:
                target = draw(targets)
                made[f"f{at}"] = Field(f"f{at}", target if kind == "step" else f"[{target}!]", target, draw(some))
            else:
                made[f"f{at}"] = Field(f"f{at}", kind, None, draw(some), argument=draw(st.booleans()))
        if name in interface:
            made["common"] = Field("common", "String", None, draw(some))
        entities[name] = Entity(name, made)
    roots = {
        f"r{at}": Field(f"r{at}", target if draw(st.booleans()) else f"[{target}!]", target, draw(some))
        for at, target in enumerate(draw(st.lists(targets, min_size=1, max_size=3)))
    }
    world = World(names, entities, interface, union, roots)
    _know(draw, world)
    _require(draw, world)
    _provide(draw, world)
    return world


def _know(draw: st.DrawFn, world: World) -> None:
    """Give every subgraph the types that it owns fields of or leads to, with keys by which all are reached."""
    knowing: dict[str, set[str]] = {name: set() for name in world.entities}
    for entity in world.entities.values():
        for one in entity.fields.values():
            knowing[entity.name] |= one.owners
            for target in world.members(one.target) if one.target else ():
                knowing[target] |= one.owners
    for one in world.roots.values():
        for target in world.members(str(one.target)):
            knowing[target] |= one.owners
    for entity in world.entities.values():
        graphs = sorted(knowing[entity.name] or {world.graphs[0]})
        hub = draw(st.sampled_from(graphs))  # knows both keys, so that every subgraph is reached from every other
        for graph in graphs:
            both = graph == hub or draw(st.booleans())
            keys = ["id", "code"] if both else [draw(st.sampled_from(["id", "code"]))]
            entity.keys[graph] = [(key, True) for key in keys]


def _require(draw: st.DrawFn, world: World) -> None:
    """Let some values be made of others, which other subgraphs own."""
    for entity in world.entities.values():
        values = [one for one in entity.fields.values() if one.target is None and not one.argument]
        for one in values:
            if one.name == "common" or one.type != "String" or len(one.owners) != 1 or not draw(st.booleans()):
                continue
            owner = next(iter(one.owners))
            others = [
                other.name for other in values if owner not in other.owners and not other.requires and other is not one
            ]
            # What is required is not made of others itself, so that nothing goes round in a circle.
            if not others or any(one.name in other.requires for other in values):
                continue
            one.requires = tuple(draw(st.lists(st.sampled_from(others), min_size=1, max_size=2, unique=True)))
            entity.external.setdefault(owner, set()).update(one.requires)


def _provide(draw: st.DrawFn, world: World) -> None:
    """Let some steps bring fields along that their subgraph does not own."""
    steps = [one for entity in world.entities.values() for one in entity.fields.values()] + [*world.roots.values()]
    for one in steps:
        if one.target not in world.entities or not draw(st.booleans()):
            continue
        target = world.entities[str(one.target)]
        for graph in sorted(one.owners):
            others = [
                other.name
                for other in target.fields.values()
                if other.target is None and graph not in other.owners and not other.requires and not other.argument
            ]
            if others:
                given = tuple(draw(st.lists(st.sampled_from(others), min_size=1, max_size=2, unique=True)))
                one.provides[graph] = given
                target.external.setdefault(graph, set()).update(given)


@st.composite
def operations(draw: st.DrawFn, world: World, *, depth: int = 4, width: int = 4) -> str:
    """A query of that world, and nothing that its schema does not have."""
    aliases = iter(range(10_000))
    conditions: set[str] = set()

    def directive() -> str:
        if draw(st.integers(0, 5)):
            return ""
        name = draw(st.sampled_from(["a", "b"]))
        conditions.add(name)
        return f" @{draw(st.sampled_from(['skip', 'include']))}(if: ${name})"

    def printed(one: Field, left: int, *, apart: bool = False) -> str:
        # Under fragments each has a key of its own, so that unlike fields of one name never meet.
        alias = f"x{next(aliases)}: " if apart or one.argument or draw(st.integers(0, 3)) == 0 else ""
        argument = f"(by: {draw(st.integers(0, 2))})" if one.argument and draw(st.booleans()) else ""
        below = f" {{ {selections(one.target, left - 1)} }}" if one.target is not None else ""
        return f"{alias}{one.name}{argument}{directive()}{below}"

    def selections(target: str | None, left: int, *, apart: bool = False) -> str:
        parts = ["__typename"] if draw(st.integers(0, 3)) == 0 else []
        if target in {"Named", "Either"}:
            if target == "Named" and draw(st.booleans()):
                parts.append("common")
            members = world.members(str(target))
            for name in draw(st.lists(st.sampled_from(members), max_size=len(members), unique=True)):
                parts.append(f"... on {name}{directive()} {{ {selections(name, left, apart=True)} }}")
            return " ".join(parts) or "__typename"
        entity = world.entities[str(target)]
        keys = sorted({key for keys in entity.keys.values() for key, _ in keys})
        parts += [key for key in keys if draw(st.integers(0, 2)) == 0]
        fields = [one for one in entity.fields.values() if one.target is None or left > 0]
        if fields:
            chosen = draw(st.lists(st.sampled_from(range(len(fields))), max_size=width, unique=True))
            parts += [printed(fields[at], left, apart=apart) for at in chosen]
        return " ".join(parts) or "__typename"

    roots = draw(st.lists(st.sampled_from(sorted(world.roots)), min_size=1, max_size=3, unique=True))
    body = " ".join(printed(world.roots[name], depth) for name in roots)
    declared = f"({', '.join(f'${name}: Boolean!' for name in sorted(conditions))})" if conditions else ""
    return f"query{declared} {{ {body} }}"
