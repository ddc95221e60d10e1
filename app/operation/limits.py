"""What a query would cost, found before it is validated, in time that grows with its text alone.

Each fragment is measured once, whatever spreads it, so that fragments which double each other thirty times over cost
no more to refuse than to read. Depth, aliases and cost are those of the query with its fragments written out.

Units: a field costs 1, a list of records 10 times what stands below it, a page `first` times. A field of
introspection costs 10, as graphql-core answers it one by one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)
from graphql.utilities.coerce_input_value import coerce_default_value

from app.operation.invalid import InvalidOperation, error
from app.operation.model import Operation, Selection
from app.settings import Limits

LIST = 10
"""How many records a list of records is taken to have."""

INTROSPECTION = 10
"""What a field of introspection costs."""

BEYOND = 10**15
"""No figure is told more exactly than up to here: every number of JSON's readers can hold it."""

FIRST = "first"
"""The argument by which a page says how many records it has."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a query costs, given its variables: `fixed`, and for each variable that sizes pages, so much a record."""

    fixed: int = 0
    paged: Mapping[str, int] = field(default_factory=dict)
    page: int = 0  # what a page has when its variable is not given

    def of(self, variables: Mapping[str, object]) -> int:
        """The cost with these variables."""
        return self.fixed + sum(each * self.size(variables.get(name)) for name, each in self.paged.items())

    def size(self, first: object) -> int:
        """How many records a page has."""
        return first if isinstance(first, int) else self.page


@dataclass(slots=True)
class Measure:
    """A selection set with its fragments written out: levels, aliases, and cost by the variable that multiplies it."""

    depth: int = 0
    aliases: int = 0
    fixed: int = 0
    paged: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Measure", times: int = 1) -> None:
        """Take in what stands beside or, `times` over, below."""
        self.depth = max(self.depth, other.depth)
        self.aliases += other.aliases
        self.fixed += times * other.fixed
        for name, each in other.paged.items():
            self.paged[name] = self.paged.get(name, 0) + times * each


def check(document: DocumentNode, definition: OperationDefinitionNode, schema: GraphQLSchema, limits: Limits) -> None:
    """Refuse a query past a limit. Depth and aliases hold for every operation of the text, cost for the one to run.

    Raises: InvalidOperation naming the limit and the query's figure.
    """
    measuring = _Measuring(document, schema)
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            measure = measuring.operation(operation)
            _within("LIMIT_DEPTH", "levels deep", limits.depth, measure.depth, "Ask for less nested data")
            _within("LIMIT_ALIASES", "aliases wide", limits.aliases, measure.aliases, "Use fewer aliases")
    for figure in measuring.pages:
        check_page(figure, limits)
    check_cost(_cost(measuring.operation(definition), measuring), {}, limits, paged=False)


def check_request(operation: Operation, schema: GraphQLSchema, variables: Mapping[str, object], limits: Limits) -> None:
    """Refuse a request whose variables take the query past a limit. Raises: InvalidOperation."""
    cost = cost_of(operation, schema)
    if not cost.paged:
        return  # all of it was known, and checked, when the text was read
    for name in cost.paged:
        check_page(cost.size(variables.get(name)), limits)
    check_cost(cost, variables, limits)


@lru_cache(maxsize=256)
def cost_of(operation: Operation, schema: GraphQLSchema) -> Cost:
    """The cost of an operation as a linear form, worked out once."""
    measuring = _Measuring(operation.document, schema)
    return _cost(measuring.operation(operation.definition), measuring)


def check_page(first: int, limits: Limits) -> None:
    """Refuse a page of an impossible or excessive size. Raises: InvalidOperation."""
    if not 0 <= first <= limits.page:
        message = f"`first` is at least 0 and at most {limits.page}. Ask for smaller pages, and follow `endCursor`."
        raise InvalidOperation([error("BAD_USER_INPUT", message, limit=limits.page)])


def check_cost(cost: Cost, variables: Mapping[str, object], limits: Limits, *, paged: bool = True) -> None:
    """Refuse what costs too much. Raises: InvalidOperation."""
    figure = cost.of(variables) if paged else cost.fixed
    _within("LIMIT_COST", "fields by estimate", limits.cost, figure, "Ask for smaller pages or fewer fields")


def check_edges(roots: Iterable[Selection], limits: Limits) -> None:
    """Refuse a query that follows too many edges: each is a statement of its own. Raises: InvalidOperation."""
    figure, rest = 0, list(roots)
    while rest:
        selection = rest.pop()
        if selection.parent != "Query" and not selection.parent.startswith("__"):
            figure += selection.type is not None
        rest.extend(below for children in selection.children.values() for below in children)
    _within("LIMIT_EDGES", "edges", limits.edges, figure, "Follow fewer edges, or ask in several queries")


def _within(code: str, unit: str, limit: int, figure: int, mend: str) -> None:
    if figure > limit:
        # A figure can have hundreds of digits; past a point only that it is past it matters.
        said = f"{figure}" if figure < BEYOND else f"more than {BEYOND}"
        message = f"The query is {said} {unit}; the limit is {limit}. {mend}."
        raise InvalidOperation([error(code, message, limit=limit, figure=min(figure, BEYOND))])


def _cost(measure: Measure, measuring: "_Measuring") -> Cost:
    return Cost(measure.fixed, dict(measure.paged), measuring.page)


class _Measuring:
    """One document, each fragment of it measured once.

    INVARIANT: nothing here trusts the text: fragments may be unknown, doubled or circular, fields and types unknown.
    """

    def __init__(self, document: DocumentNode, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.pages: list[int] = []  # every literal `first`
        self.page = 0
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.measured: dict[str, Measure] = {}
        for name in self.inside_out():
            fragment = self.fragments[name]
            self.measured[name] = self.measure(fragment.selection_set, self.named(fragment.type_condition.name.value))

    def inside_out(self) -> Iterator[str]:
        """Fragments in an order in which those that are spread come before those that spread them."""
        begun: set[str] = set()
        for start in self.fragments:
            path = [(start, iter(spreads(self.fragments[start])))] if start not in begun else []
            begun.add(start)
            while path:
                name, rest = path[-1]
                following = next((other for other in rest if other in self.fragments and other not in begun), None)
                if following is None:
                    path.pop()
                    yield name
                else:
                    begun.add(following)
                    path.append((following, iter(spreads(self.fragments[following]))))

    def operation(self, definition: OperationDefinitionNode) -> Measure:
        """The measure of one operation."""
        return self.measure(definition.selection_set, self.schema.get_root_type(definition.operation))

    def measure(self, selection_set: SelectionSetNode, of: GraphQLCompositeType | None) -> Measure:
        """The measure of one selection set on a type, or on what the schema does not know."""
        whole = Measure()
        for selection in selection_set.selections:
            match selection:
                case FragmentSpreadNode():
                    # A fragment that is not measured yet spreads itself: validation refuses it.
                    whole.add(self.measured.get(selection.name.value, Measure()))
                case InlineFragmentNode():
                    condition = selection.type_condition
                    whole.add(
                        self.measure(selection.selection_set, self.named(condition.name.value) if condition else of)
                    )
                case FieldNode():  # pragma: no branch - there is no fourth kind
                    self.field(whole, selection, of)
        return whole

    def field(self, whole: Measure, node: FieldNode, of: GraphQLCompositeType | None) -> None:
        """Add one field, with all that stands below it."""
        name = node.name.value
        known = self.schema.get_field(of, name) if of is not None else None
        below = Measure()
        if node.selection_set is not None:
            leads_to = get_named_type(known.type) if known is not None else None
            below = self.measure(node.selection_set, leads_to if is_composite_type(leads_to) else None)
        below.depth += 1
        below.aliases += node.alias is not None
        if known is not None and FIRST in known.args:
            self.paged(whole, below, node, known)
        else:
            whole.add(below, self.times(of, known))
        whole.fixed += INTROSPECTION if of is not None and of.name.startswith("__") else 1

    def times(self, of: GraphQLCompositeType | None, known: GraphQLField | None) -> int:
        """How many records a field leads to, by estimate. The lists of a page are counted by its `first`."""
        if of is None or known is None or of.name.endswith("Connection"):
            return 1
        if not is_list_type(get_nullable_type(known.type)) or not is_composite_type(get_named_type(known.type)):
            return 1
        return len(self.schema.type_map) if of.name == "__Schema" else LIST

    def paged(self, whole: Measure, below: Measure, node: FieldNode, known: GraphQLField) -> None:
        """Add a page: what stands below it, `first` times over."""
        default = coerce_default_value(known.args[FIRST])
        self.page = default if isinstance(default, int) else 0
        first = next((given.value for given in node.arguments or () if given.name.value == FIRST), None)
        match first:
            case VariableNode():
                once = Measure(below.depth, below.aliases)
                once.paged = {first.name.value: below.fixed}
                whole.add(once)
            case IntValueNode():
                # Ten digits are past any page; a number of five thousand is past Python's own limit.
                figure = int(first.value) if len(first.value) <= 10 else 10**10
                self.pages.append(figure)
                whole.add(below, max(figure, 1))
            case _:
                whole.add(below, max(self.page, 1))

    def named(self, name: str) -> GraphQLCompositeType | None:
        """The composite type of that name, if there is one."""
        found = self.schema.type_map.get(name)
        return found if is_composite_type(found) else None


def spreads(fragment: FragmentDefinitionNode) -> Iterable[str]:
    """The names of the fragments that a fragment spreads, at any depth."""
    found: dict[str, None] = {}
    rest = [fragment.selection_set]
    while rest:
        for selection in rest.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                found[selection.name.value] = None
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set is not None:
                rest.append(selection.selection_set)
    return found
