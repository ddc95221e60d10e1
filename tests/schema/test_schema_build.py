"""What the graph presents, to vendors and to composers."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLObjectType,
    find_breaking_changes,
    introspection_from_schema,
    is_input_object_type,
    is_object_type,
    parse,
    print_schema,
    print_type,
    validate_schema,
)

from app.schema.build import SCHEMA, graphql_schema, public, sdl
from app.schema.catalogue import CATALOGUE, TYPES
from app.schema.scalars import read_date

PRINTED = Path(__file__).resolve().parents[2] / "schema.graphql"


def fields(name: str) -> dict[str, str]:
    of = graphql_schema().type_map[name]
    assert isinstance(of, GraphQLObjectType | GraphQLInputObjectType)
    return {field: str(known.type) for field, known in of.fields.items()}


def test_the_printed_schema_is_the_schema() -> None:
    assert PRINTED.read_text(encoding="utf-8") == sdl(), "Print it anew: ./run schema print > schema.graphql"


def test_the_public_schema_is_valid() -> None:
    assert validate_schema(graphql_schema()) == []


def test_vendors_see_nothing_that_is_federations_own() -> None:
    seen = print_schema(graphql_schema()) + str(introspection_from_schema(graphql_schema()))
    for hidden in ("sourceKey", "_entities", "_service", "_Any", "_Entity", "requiresScopes", "@key", "inaccessible"):
        assert hidden not in seen
    assert {directive.name for directive in graphql_schema().directives} == {
        "include",
        "skip",
        "deprecated",
        "specifiedBy",
        "oneOf",
    }


def test_the_subgraph_differs_from_the_public_graph_only_in_what_is_federations_own() -> None:
    assert find_breaking_changes(public(sdl()), graphql_schema()) == []
    assert find_breaking_changes(graphql_schema(), public(SCHEMA.as_str().replace("_service: _Service!", ""))) == []


@pytest.mark.parametrize("name", TYPES)
def test_subgraphs_join_every_entity_by_a_key_that_no_vendor_sees(name: str) -> None:
    assert f'type {name} implements Node @key(fields: "sourceKey")' in sdl()
    assert sdl().count("sourceKey: String! @inaccessible") == len(TYPES)


def test_every_guarded_field_requires_its_scope() -> None:
    assert sdl().count("@requiresScopes(scopes: [[") == len(CATALOGUE)
    assert 'firstName: String @requiresScopes(scopes: [["student/name.read"]])' in sdl()


def test_the_federation_version_is_one_that_composers_accept() -> None:
    assert "https://specs.apollo.dev/federation/v2.5" in sdl()
    parse(sdl())


def test_the_roots_are_these() -> None:
    assert fields("Query") == {
        "district": "District",
        "student": "Student",
        "students": "StudentConnection",
        "section": "Section",
        "sections": "SectionConnection",
        "schoolEnrollments": "SchoolEnrollmentConnection",
        "sectionEnrollments": "SectionEnrollmentConnection",
        "grades": "GradeConnection",
        "schools": "SchoolConnection",
        "courses": "CourseConnection",
        "sessions": "SessionConnection",
        "node": "Node",
        "grant": "Grant",
        "requests": "[AccessRequest!]",
    }


@pytest.mark.parametrize(
    "name", ["Student", "Section", "SchoolEnrollment", "SectionEnrollment", "Grade", "School", "Course", "Session"]
)
def test_lists_are_pages_of_a_hundred_unless_asked_otherwise(name: str) -> None:
    query = graphql_schema().type_map["Query"]
    assert is_object_type(query)
    field = next(field for field in query.fields.values() if str(field.type) == f"{name}Connection")
    assert {argument: str(of.type) for argument, of in field.args.items()} == {
        "first": "Int",
        "after": "String",
        "changedSince": "String",
        "where": f"{name}Where",
    }
    assert "first: Int = 100" in print_type(query)
    assert fields(f"{name}Connection") == {
        "edges": f"[{name}Edge!]!",
        "nodes": f"[{name}!]!",
        "pageInfo": "PageInfo!",
        "changeCursor": "String",
        "removed": "[ID!]",
    }
    assert fields(f"{name}Edge") == {"node": f"{name}!", "cursor": "String!"}


def test_a_where_compares_scalars_and_the_ids_of_parents() -> None:
    assert fields("SectionWhere") == {
        "title": "StringFilter",
        "localCourseCode": "StringFilter",
        "room": "StringFilter",
        "school": "IDFilter",
        "course": "IDFilter",
        "session": "IDFilter",
    }
    assert fields("GradeWhere") == {
        "letterGradeEarned": "StringFilter",
        "numericGradeEarned": "FloatFilter",
        "gradeType": "StringFilter",
        "narrative": "StringFilter",
        "student": "IDFilter",
        "section": "IDFilter",
        "gradingPeriod": "IDFilter",
    }
    assert fields("SessionWhere")["type"] == "SessionTypeFilter"


def test_no_where_names_a_social_security_number_a_list_or_a_list_of_records() -> None:
    assert not {"ssn", "races", "grades", "sectionEnrollments", "sourceKey", "id"} & set(fields("StudentWhere"))
    assert {"firstName", "birthDate", "birthYear", "homelessStatus"} <= set(fields("StudentWhere"))


def test_every_where_names_guarded_coordinates_alone() -> None:
    for of in graphql_schema().type_map.values():
        if is_input_object_type(of) and of.name.endswith("Where"):
            for field in of.fields:
                assert f"{of.name.removesuffix('Where')}.{field}" in CATALOGUE


def test_only_what_has_an_order_is_compared_by_it() -> None:
    assert fields("DateFilter") == {"eq": "Date", "in": "[Date!]", "gte": "Date", "lte": "Date"}
    assert set(fields("IntFilter")) == set(fields("FloatFilter")) == {"eq", "in", "gte", "lte"}
    assert fields("StringFilter") == {"eq": "String", "in": "[String!]"}
    assert fields("IDFilter") == {"eq": "ID", "in": "[ID!]"}
    assert fields("BooleanFilter") == {"eq": "Boolean"}


def test_every_type_and_field_is_described() -> None:
    for of in graphql_schema().type_map.values():
        if of.name.startswith("__") or of.name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        assert of.description, of.name
        if isinstance(of, GraphQLObjectType | GraphQLInputObjectType):
            assert not [field for field, known in of.fields.items() if not known.description], of.name


@pytest.mark.parametrize("day", ["2026-08-15", "2024-02-29"])
def test_a_date_is_a_day_of_the_calendar(day: str) -> None:
    assert read_date(day) == day


@pytest.mark.parametrize(
    "text", ["2026-02-29", "20260815", "2026-8-15", "2026-08-15T00:00", "２０２６-08-15", 20260815, None]
)
def test_what_is_no_day_is_refused_and_not_quoted(text: object) -> None:
    with pytest.raises(GraphQLError) as refused:
        read_date(text)
    assert str(text) not in refused.value.message


def test_the_presented_schema_answers_nothing_itself() -> None:
    for query in ("{district{id}}", '{student(id: "1"){id}}', "{students{nodes{id}}}"):
        result = SCHEMA.execute_sync(query)
        assert list((result.data or {}).values()) == [None]
        assert "the gateway answers" in str(result.errors)
