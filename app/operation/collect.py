"""Write out a valid operation's fragments: one selection for each response key, merged from all that ask for it.

Fields merge as the specification merges them (§6.3.2), but before @skip and @include are decided: each occurrence of
a field brings the conditions of the path to it, as one branch of the selection's `When`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_object_type,
)

from app.operation.invalid import InvalidOperation, error
from app.operation.model import ALWAYS, Branch, Selection, When

ANY: Branch = frozenset()
"""The branch of what is asked for without a condition."""

SELECTIONS = 50_000
"""How many occurrences of fields and fragments an operation may be written out to. Conditions that multiply through
nested fragments come to this before they come to any other limit."""

INCLUDED_IF = {"include": True, "skip": False}
"""The value of `if` with which a directive lets a field stand."""


def collect(
    document: DocumentNode, definition: OperationDefinitionNode, schema: GraphQLSchema
) -> tuple[tuple[Selection, ...], tuple[str, ...]]:
    """The selections at the root, and the variables that conditions name, sorted.

    Raises: InvalidOperation when conditions multiply past all measure.
    """
    collecting = _Collecting(document, schema)
    root = schema.get_root_type(definition.operation)
    assert root is not None  # noqa: S101 - the operation is valid
    roots = collecting.selections(root, [(definition.selection_set, ANY)])
    return roots, tuple(sorted(collecting.conditions))


@dataclass(slots=True)
class _Level:
    """What is asked of one concrete type at one place: for each response key the fields, with their branches."""

    of: GraphQLObjectType
    occurrences: dict[str, list[tuple[FieldNode, Branch]]] = field(default_factory=dict)
    spread: set[tuple[str, Branch]] = field(default_factory=set)


class _Collecting:
    def __init__(self, document: DocumentNode, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.conditions: set[str] = set()
        self.steps = 0

    def selections(
        self, of: GraphQLObjectType, sources: Iterable[tuple[SelectionSetNode, Branch]]
    ) -> tuple[Selection, ...]:
        """Everything that several occurrences of one field ask of one concrete type."""
        level = _Level(of)
        for selection_set, branch in sources:
            self.gather(level, selection_set, branch)
        return tuple(self.selection(of, key, asked) for key, asked in level.occurrences.items())

    def gather(self, level: _Level, selection_set: SelectionSetNode, branch: Branch) -> None:
        """Sort a selection set into a level, under the conditions of the path to it."""
        for selection in selection_set.selections:
            self.step()
            inner = self.branch(selection, branch)
            if inner is None:
                continue
            match selection:
                case FieldNode():
                    key = (selection.alias or selection.name).value
                    level.occurrences.setdefault(key, []).append((selection, inner))
                case InlineFragmentNode():
                    if self.applies(selection.type_condition, level.of):
                        self.gather(level, selection.selection_set, inner)
                case FragmentSpreadNode():  # pragma: no branch - there is no fourth kind
                    self.spread(level, selection.name.value, inner)

    def spread(self, level: _Level, name: str, branch: Branch) -> None:
        """Sort a fragment into a level, unless it stands there already under this condition or under none."""
        if (name, ANY) in level.spread or (name, branch) in level.spread:
            return
        level.spread.add((name, branch))
        fragment = self.fragments[name]
        if self.applies(fragment.type_condition, level.of):
            self.gather(level, fragment.selection_set, branch)

    def selection(self, of: GraphQLObjectType, key: str, asked: list[tuple[FieldNode, Branch]]) -> Selection:
        """One field, merged from its occurrences, with all that stands below it."""
        node = asked[0][0]
        known = self.schema.get_field(of, node.name.value)
        assert known is not None  # noqa: S101 - the operation is valid
        leads_to = get_named_type(known.type)
        return Selection(
            response_key=key,
            parent=of.name,
            field=node.name.value,
            type=leads_to.name if is_composite_type(leads_to) else None,
            node=node,
            when=self.when(branch for _, branch in asked),
            children={
                concrete.name: self.selections(
                    concrete, [(node.selection_set, branch) for node, branch in asked if node.selection_set is not None]
                )
                for concrete in self.concrete(leads_to)
            },
        )

    def when(self, branches: Iterable[Branch]) -> When:
        """The condition of a field. INVARIANT: what always stands is `ALWAYS` itself."""
        when = frozenset(branches)
        return ALWAYS if ANY in when else when

    def branch(self, selection: SelectionNode, outer: Branch) -> Branch | None:
        """The condition of one occurrence, or None where it can never stand."""
        branch = outer
        for directive in selection.directives or ():
            needed = INCLUDED_IF.get(directive.name.value)
            if needed is None:
                continue
            match directive.arguments:
                case (argument, *_) if isinstance(argument.value, VariableNode):
                    name = argument.value.name.value
                    self.conditions.add(name)
                    branch |= {(name, needed)}
                    if (name, not needed) in branch:
                        return None
                case (argument, *_) if isinstance(argument.value, BooleanValueNode) and argument.value.value != needed:
                    return None
        return branch

    def applies(self, condition: NamedTypeNode | None, of: GraphQLObjectType) -> bool:
        """Whether a fragment speaks of that type. Spec: GraphQL §6.3.2, DoesFragmentTypeApply."""
        if condition is None or condition.name.value == of.name:
            return True
        named = self.schema.type_map[condition.name.value]
        return is_abstract_type(named) and self.schema.is_sub_type(named, of)

    def concrete(self, leads_to: object) -> Iterable[GraphQLObjectType]:
        """The types that a value may have: itself, or for an interface all that implement it."""
        if is_object_type(leads_to):
            return (leads_to,)
        return self.schema.get_possible_types(leads_to) if is_abstract_type(leads_to) else ()

    def step(self) -> None:
        """Count one occurrence. Raises: InvalidOperation past the limit."""
        self.steps += 1
        if self.steps > SELECTIONS:
            message = (
                f"Written out, the query has more than {SELECTIONS} selections. "
                "Use fewer fragments, and fewer @skip and @include in them."
            )
            raise InvalidOperation([error("LIMIT_SELECTIONS", message, limit=SELECTIONS, figure=self.steps)])
