"""A text becomes an operation, or one error object for each thing that is wrong with it."""

import hashlib

import pytest

from app.errors import RequestError
from app.operation.parse import InvalidOperation, parse_operation
from app.schema.build import graphql_schema
from app.settings import Limits

LIMITS = Limits()


def refusal(text: str, name: str | None = None, limits: Limits = LIMITS) -> InvalidOperation:
    with pytest.raises(InvalidOperation) as refused:
        parse_operation(text, name, graphql_schema(), limits)
    return refused.value


def test_an_operation_is_known_by_its_texts_digest_and_its_name() -> None:
    text = "query Roster { students { nodes { id } } }"
    operation = parse_operation(text, None, graphql_schema(), LIMITS)
    assert operation.digest == hashlib.sha256(text.encode()).hexdigest()
    assert operation.name == "Roster"
    assert parse_operation("{ __typename }", "", graphql_schema(), LIMITS).name is None


def test_the_operation_to_run_is_chosen_by_name() -> None:
    text = "query A { __typename } query B { district { id } }"
    operation = parse_operation(text, "B", graphql_schema(), LIMITS)
    assert [root.field for root in operation.roots] == ["district"]


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("query A { __typename } query B { __typename }", None, "OPERATION_NAME_REQUIRED"),
        ("query A { __typename } query B { __typename }", "", "OPERATION_NAME_REQUIRED"),
        ("query A { __typename }", "B", "OPERATION_NOT_FOUND"),
        ("{ __typename }", "A", "OPERATION_NOT_FOUND"),
        ("fragment F on Query { __typename }", None, "OPERATION_NOT_FOUND"),
        ("type A { b: Int }", None, "OPERATION_NOT_FOUND"),
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("", None, "GRAPHQL_PARSE_FAILED"),
        ("{ student }}", None, "GRAPHQL_PARSE_FAILED"),
        ("{ students { } }", None, "GRAPHQL_PARSE_FAILED"),
        ('{ student(id: "\ud800") { id } }', None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...Unknown }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...A } fragment A on Nothing { id }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ district { ... on Nothing { id } } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ district { ... on Date { id } } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ district { id { x } } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { deleteStudent { id } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { students { nodes { id } } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ a: district { id } a: grant { client } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($a: Int) { __typename }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ __typename @defer }", None, "GRAPHQL_VALIDATION_FAILED"),
        ('{ students(first: "ten") { nodes { id } } }', None, "GRAPHQL_VALIDATION_FAILED"),
        ('{ students(where: {birthDate: {eq: "2026-02-30"}}) { nodes { id } } }', None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ sessions(where: {type: {eq: TERM}}) { nodes { id } } }", None, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_what_cannot_run_is_refused_by_its_code(text: str, name: str | None, code: str) -> None:
    refused = refusal(text, name)
    assert {error["extensions"]["code"] for error in refused.errors} == {code}  # type: ignore[index]
    assert refused.code == code
    assert isinstance(refused, RequestError)


def test_an_error_says_where_it_stands() -> None:
    (error,) = refusal("{\n  district { nothing }\n}").errors
    assert error == {
        "message": "Cannot query field 'nothing' on type 'District'.",
        "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
        "locations": [{"line": 2, "column": 14}],
    }


def test_every_error_is_told_up_to_a_bound() -> None:
    assert len(refusal("{ nothing nowhere }").errors) == 2
    many = refusal("{ " + " ".join(f"n{number}" for number in range(100)) + " }").errors
    assert len(many) == 21
    assert "Too many validation errors" in str(many[-1]["message"])


@pytest.mark.parametrize(
    "text",
    [
        "{ student(id: 1) { firstNam } }",
        "{ student(id: 1) { sourceKe } }",
        "{ studens { nodes { id } } }",
        "{ student(id: 1) { ... on Studen { id } } }",
        "{ student(idd: 1) { id } }",
        '{ students(where: {firstNam: {eq: "a"}}) { nodes { id } } }',
        "{ sessions(where: {type: {eq: SEMESTERS}}) { nodes { id } } }",
        "{ __typename @skp(if: true) }",
    ],
)
def test_threat_5_a_name_that_is_nearly_right_is_not_put_right(text: str) -> None:
    told = str(refusal(text).errors)
    assert "Did you mean" not in told
    for name in ("firstName", "sourceKey", "'students'", "'Student'?", "SEMESTER'", "@skip"):
        assert name not in told


@pytest.mark.parametrize(
    "text",
    [
        "{ _service { sdl } }",
        '{ _entities(representations: [{__typename: "Student", sourceKey: "1"}]) { ... on Student { firstName } } }',
        "{ student(id: 1) { sourceKey } }",
        "{ ... on _Service { sdl } }",
    ],
)
def test_threat_10_what_is_federations_own_cannot_be_reached(text: str) -> None:
    assert refusal(text).code == "GRAPHQL_VALIDATION_FAILED"
