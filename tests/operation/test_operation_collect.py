"""Fragments are written out as the specification has it, for every value of every condition."""

from collections.abc import Sequence
from typing import Any

import pytest
from graphql import GraphQLResolveInfo, build_schema, execute_sync, get_named_type, is_composite_type, is_list_type
from graphql import get_nullable_type as nullable
from hypothesis import given, settings
from hypothesis import strategies as st

from app.operation.model import ALWAYS, Operation, Selection, holds
from app.operation.parse import InvalidOperation, parse_operation
from app.schema.build import graphql_schema
from app.schema.catalogue import TYPES
from app.settings import Limits
from tests.operation.queries import CONDITIONS, SMALL, queries

LIMITS = Limits(depth=50, aliases=1000)


def parsed(text: str) -> Operation:
    return parse_operation(text, None, graphql_schema(), LIMITS)


def below(selections: Sequence[Selection], *path: str, of: str | None = None) -> dict[str, Selection]:
    """The selections under a response path, of the only type there is or of the one that is named last."""
    for key in path:
        found = next(selection for selection in selections if selection.response_key == key)
        selections = found.children[of if of in found.children else next(iter(found.children))]
    return {selection.response_key: selection for selection in selections}


def branches(*given: dict[str, bool]) -> frozenset[frozenset[tuple[str, bool]]]:
    return frozenset(frozenset(branch.items()) for branch in given)


def skeleton(selections: Sequence[Selection], true: frozenset[str], node: str) -> dict[str, object]:
    """The shape of the answer: every response key that is included, with what stands below it."""
    return {
        selection.response_key: leaf(selection)
        if selection.type is None
        else skeleton(selection.children[node if selection.type == "Node" else selection.type], true, node)
        for selection in selections
        if holds(selection.when, true)
    }


def leaf(selection: Selection) -> str:
    return f"{selection.parent}.{selection.field}"


def by_graphql_core(text: str, true: frozenset[str], node: str) -> dict[str, Any]:
    """The same shape by graphql-core, which decides conditions first and merges then."""

    def resolve(_source: object, info: GraphQLResolveInfo, **_: object) -> object:
        if not is_composite_type(get_named_type(info.return_type)):
            return f"{info.parent_type.name}.{info.field_name}"
        return [{}] if is_list_type(nullable(info.return_type)) else {}

    result = execute_sync(
        SMALL,
        parse_operation(text, None, SMALL, LIMITS).document,
        field_resolver=resolve,
        type_resolver=lambda *_: node,
        variable_values={name: name in true for name in CONDITIONS},
    )
    assert result.errors is None  # type: ignore[union-attr]
    return plain(result.data)  # type: ignore[union-attr]


def plain(data: Any) -> Any:
    """Lists of one as that one, and `__typename` as a coordinate like any other leaf."""
    if isinstance(data, list):
        return plain(data[0])
    if not isinstance(data, dict):
        return data
    return {key: f"{value}.__typename" if key == "__typename" else plain(value) for key, value in data.items()}


@settings(max_examples=150, deadline=None)
@given(queries(), st.sets(st.sampled_from(CONDITIONS)), st.sampled_from(["Student", "School"]))
def test_what_is_included_is_what_graphql_core_includes(text: str, true: set[str], node: str) -> None:
    operation = parse_operation(text, None, SMALL, LIMITS)
    assert skeleton(operation.roots, frozenset(true), node) == by_graphql_core(text, frozenset(true), node)
    assert set(operation.conditions) <= set(CONDITIONS)


@settings(max_examples=50, deadline=None)
@given(queries())
def test_what_always_stands_is_always_itself(text: str) -> None:
    rest = list(parse_operation(text, None, SMALL, LIMITS).roots)
    while rest:
        selection = rest.pop()
        assert selection.when is ALWAYS or (selection.when and frozenset() not in selection.when)
        assert bool(selection.children) == (selection.type is not None)
        rest.extend(child for children in selection.children.values() for child in children)


def test_equal_response_keys_are_one_selection_with_all_that_stands_below_them() -> None:
    roots = parsed("{ students { nodes { id } } students { nodes { firstName id } pageInfo { endCursor } } }").roots
    assert [root.response_key for root in roots] == ["students"]
    assert list(below(roots, "students", "nodes")) == ["id", "firstName"]
    assert list(below(roots, "students")) == ["nodes", "pageInfo"]


def test_a_selection_knows_its_coordinate_its_key_and_its_type() -> None:
    roots = parsed('{ one: student(id: "a") { given: firstName grades { id } } }').roots
    one = below(roots)["one"]
    assert (one.coordinate, one.type, one.parent) == ("Query.student", "Student", "Query")
    given_name = below(roots, "one")["given"]
    assert (given_name.coordinate, given_name.type, given_name.children) == ("Student.firstName", None, {})
    assert below(roots, "one")["grades"].type == "Grade"


def test_under_node_every_type_has_what_is_asked_of_it() -> None:
    roots = parsed(
        '{ node(id: "a") { id ... on Student { firstName } ... on Node { __typename } ...S } }'
        " fragment S on Section { title school { id } }"
    ).roots
    node = below(roots)["node"]
    assert node.type == "Node"
    assert set(node.children) == set(TYPES)
    assert list(below(roots, "node", of="Student")) == ["id", "firstName", "__typename"]
    assert list(below(roots, "node", of="Section")) == ["id", "__typename", "title", "school"]
    assert list(below(roots, "node", of="Grade")) == ["id", "__typename"]
    assert below(roots, "node", of="Student")["id"].coordinate == "Student.id"


def test_a_condition_is_relative_to_the_whole_path() -> None:
    operation = parsed(
        "query ($x: Boolean!, $y: Boolean!, $z: Boolean!) {"
        " district @include(if: $x) { id nameOfInstitution @skip(if: $z) }"
        " district @skip(if: $y) { id schools { id } } }"
    )
    assert operation.conditions == ("x", "y", "z")
    district = below(operation.roots)["district"]
    assert district.when == branches({"x": True}, {"y": False})
    inner = below(operation.roots, "district")
    assert inner["id"].when == branches({"x": True}, {"y": False})
    assert inner["nameOfInstitution"].when == branches({"x": True, "z": False})
    assert inner["schools"].when == branches({"y": False})
    assert below(operation.roots, "district", "schools")["id"].when == branches({"y": False})


def test_one_occurrence_without_a_condition_lets_a_field_stand_always() -> None:
    operation = parsed("query ($x: Boolean!) { district { id @include(if: $x) ...F } } fragment F on District { id }")
    assert below(operation.roots, "district")["id"].when is ALWAYS


def test_conditions_that_are_written_out_are_decided_at_once() -> None:
    operation = parsed(
        "{ district { id @skip(if: true) schools @include(if: false) { id } sessions @include(if: true) { id }"
        " ... @skip(if: true) { nameOfInstitution } ...F @include(if: false) } } fragment F on District { id }"
    )
    assert list(below(operation.roots, "district")) == ["sessions"]
    assert below(operation.roots, "district")["sessions"].when is ALWAYS
    assert operation.conditions == ()


def test_an_occurrence_that_contradicts_itself_is_not_there() -> None:
    operation = parsed(
        "query ($x: Boolean!) { district { __typename ... @include(if: $x) { id @skip(if: $x) nameOfInstitution } } }"
    )
    assert list(below(operation.roots, "district")) == ["__typename", "nameOfInstitution"]


def test_a_query_of_which_nothing_is_left_asks_for_nothing() -> None:
    assert parsed("{ district @skip(if: true) { id } }").roots == ()
    roots = parsed("{ district { id @skip(if: true) } }").roots
    assert roots[0].children == {"District": ()}


def test_other_directives_condition_nothing() -> None:
    schema = build_schema("directive @note(if: Boolean) on FIELD type Query { a: String }")
    operation = parse_operation("{ a @note(if: false) @skip(if: false) }", None, schema, LIMITS)
    assert operation.roots[0].when is ALWAYS


def test_conditions_that_multiply_through_fragments_are_refused() -> None:
    levels = 17
    variables = " ".join(f"$a{level}: Boolean! $b{level}: Boolean!" for level in range(levels))
    fragments = " ".join(
        f"fragment F{level} on Query {{ ...F{level + 1} @include(if: $a{level}) ...F{level + 1} @skip(if: $b{level}) }}"
        for level in range(levels)
    )
    with pytest.raises(InvalidOperation) as refused:
        parsed(f"query ({variables}) {{ ...F0 }} {fragments} fragment F{levels} on Query {{ __typename }}")
    assert refused.value.errors[0]["extensions"] == {"code": "LIMIT_SELECTIONS", "limit": 50_000, "figure": 50_001}


def test_fragments_that_double_each_other_are_written_out_once() -> None:
    levels = 20
    fragments = " ".join(
        f"fragment F{level} on District {{ ...F{level + 1} ... {{ ...F{level + 1} }} }}" for level in range(levels)
    )
    operation = parsed(f"{{ district {{ ...F0 }} }} {fragments} fragment F{levels} on District {{ id }}")
    assert list(below(operation.roots, "district")) == ["id"]
