"""Introspection tells the public schema, the same to everyone."""

from typing import Any

from graphql import build_client_schema, find_schema_changes, get_introspection_query

from app.operation.introspection import introspect
from app.operation.parse import parse_operation
from app.schema.build import graphql_schema
from app.settings import Limits


def answer(text: str, **variables: object) -> dict[str, Any]:
    operation = parse_operation(text, None, graphql_schema(), Limits())
    return introspect(operation, graphql_schema(), variables)


def test_the_whole_schema_can_be_read_back() -> None:
    told = answer(get_introspection_query())
    assert find_schema_changes(build_client_schema(told), graphql_schema()) == []  # type: ignore[arg-type]


def test_the_types_name_at_the_root_is_query() -> None:
    assert answer("{ __typename again: __typename district { id } }") == {"__typename": "Query", "again": "Query"}


def test_a_type_is_told_by_its_name_and_an_unknown_one_is_null() -> None:
    text = "query ($name: String!) { one: __type(name: $name) { name kind } __typename }"
    assert answer(text, name="Student") == {"one": {"name": "Student", "kind": "OBJECT"}, "__typename": "Query"}
    assert answer(text, name="_Entity")["one"] is None


def test_equal_keys_are_merged() -> None:
    told = answer("{ __schema { queryType { name } } __schema { mutationType { name } subscriptionType { name } } }")
    assert told == {"__schema": {"queryType": {"name": "Query"}, "mutationType": None, "subscriptionType": None}}


def test_what_is_not_included_is_not_told() -> None:
    text = "query ($x: Boolean!) { __typename @include(if: $x) __schema @skip(if: $x) { queryType { name } } }"
    assert answer(text, x=True) == {"__typename": "Query"}
    assert answer(text, x=False) == {"__schema": {"queryType": {"name": "Query"}}}


def test_fields_of_the_graph_are_not_run_beside_it() -> None:
    told = answer(
        "query ($id: ID!) { __schema { queryType { name } } student(id: $id) { id } grant { client } }", id="a"
    )
    assert told == {"__schema": {"queryType": {"name": "Query"}}}


def test_a_query_without_introspection_is_told_nothing() -> None:
    assert answer("{ district { id } }") == {}
    assert answer("{ __typename @skip(if: true) }") == {}
