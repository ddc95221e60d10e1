"""What a caller sends beside the query fits the types that the query declares, or is refused without being quoted."""

import math

import pytest

from app.errors import RequestError
from app.operation.model import Operation
from app.operation.parse import parse_operation
from app.operation.variables import arguments, coerce_variables
from app.schema.build import graphql_schema
from app.settings import Limits

LIMITS = Limits()
CANARY = "canary-219-09-9999"


def parsed(text: str) -> Operation:
    return parse_operation(text, None, graphql_schema(), LIMITS)


def coerced(text: str, raw: object) -> dict[str, object]:
    return coerce_variables(parsed(text), graphql_schema(), raw, LIMITS)


def refusal(text: str, raw: object) -> RequestError:
    with pytest.raises(RequestError) as refused:
        coerced(text, raw)
    assert refused.value.code == "BAD_USER_INPUT"
    return refused.value


BY_ID = "query ($id: ID!) { student(id: $id) { id } }"
WHERE = "query ($where: StudentWhere) { students(where: $where) { nodes { id } } }"
ANY = "query ($x: Boolean!) { __typename @skip(if: $x) }"


def test_values_of_the_declared_types_pass() -> None:
    assert coerced(BY_ID, {"id": "a"}) == {"id": "a"}
    assert coerced(BY_ID, {"id": 5}) == {"id": "5"}
    where = {"birthDate": {"gte": "2015-01-01"}, "firstName": {"in": ["José", "Zoë"]}, "homelessStatus": {"eq": False}}
    assert coerced(WHERE, {"where": where}) == {"where": where}
    assert coerced(
        "query ($t: SessionType) { sessions(where: {type: {eq: $t}}) { nodes { id } } }", {"t": "SEMESTER"}
    ) == {"t": "SEMESTER"}
    assert coerced(
        "query ($n: Float) { grades(where: {numericGradeEarned: {gte: $n}}) { nodes { id } } }", {"n": 92.5}
    ) == {"n": 92.5}


def test_what_is_left_out_has_its_default_or_is_absent() -> None:
    assert coerced(WHERE, None) == coerced(WHERE, {}) == {}
    assert coerced(WHERE, {"where": None}) == {"where": None}
    assert coerced("query ($n: Int = 3) { students(first: $n) { nodes { id } } }", {}) == {"n": 3}


def test_what_the_query_does_not_declare_is_left_aside() -> None:
    assert coerced("{ __typename }", {"other": CANARY}) == {}


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ({"where": CANARY}, "$where"),
        ({"where": {"birthDate": {"eq": CANARY}}}, "$where.birthDate.eq"),
        ({"where": {"birthDate": {"eq": "2026-02-30"}}}, "$where.birthDate.eq"),
        ({"where": {"firstName": {"in": ["a", 5]}}}, "$where.firstName.in[1]"),
        ({"where": {"firstName": {"in": [None]}}}, "$where.firstName.in[0]"),
        ({"where": {"birthYear": {"eq": 2**40}}}, "$where.birthYear.eq"),
        ({"where": {"homelessStatus": {"eq": "yes"}}}, "$where.homelessStatus.eq"),
        ({"where": {CANARY: {"eq": 1}}}, "$where"),
        ({"where": {"firstNam": {"eq": "a"}}}, "$where"),
        ({"where": {"ssn": {"eq": CANARY}}}, "$where"),
        ({"where": {"firstName": {"like": CANARY}}}, "$where.firstName"),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_place_and_never_quoted(raw: object, place: str) -> None:
    refused = refusal(WHERE, raw)
    assert f"`{place}` does not fit" in refused.message
    assert refused.extensions == {"code": "BAD_USER_INPUT", "variable": "where"}
    assert CANARY not in refused.message
    assert "Did you mean" not in refused.message


@pytest.mark.parametrize("raw", [{}, None, {"id": None}, {"id": True}, {"id": 1.5}, {"id": {}}])
def test_what_is_required_must_be_sent(raw: object) -> None:
    assert "$id" in refusal(BY_ID, raw).message


@pytest.mark.parametrize("raw", [[], [{"id": "a"}], "id", 5, True])
def test_variables_are_an_object(raw: object) -> None:
    assert "The variables are an object" in refusal(BY_ID, raw).message


def test_threat_11_a_number_of_five_thousand_digits_is_refused() -> None:
    assert "more than 64 bits" in refusal(BY_ID, {"id": 10**5000}).message
    assert "more than 64 bits" in refusal(BY_ID, {"id": "a", "other": [-(10**5000)]}).message
    assert coerced(BY_ID, {"id": 2**63 - 1}) == {"id": str(2**63 - 1)}


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    assert "not finite" in refusal(BY_ID, {"id": "a", "other": number}).message


@pytest.mark.parametrize("raw", [{"id": "\ud800"}, {"id": "a", "\udfff": 1}, {"id": "a", "o": ["é", "\ud800"]}])
def test_threat_11_half_a_character_is_refused(raw: object) -> None:
    assert "lone surrogate" in refusal(BY_ID, raw).message


@pytest.mark.parametrize("levels", [17, 100_000])
def test_threat_11_variables_that_are_nested_too_deeply_are_refused(levels: int) -> None:
    deep: object = "a"
    for _ in range(levels):
        deep = [deep]
    assert refusal(BY_ID, {"id": "a", "other": deep}).extensions["limit"] == 16


def test_threat_11_too_many_values_are_refused() -> None:
    assert refusal(WHERE, {"where": {"firstName": {"in": ["a"] * 50_000}}}).extensions["limit"] == 50_000
    assert len(coerced(WHERE, {"where": {"firstName": {"in": ["a"] * 49_000}}})) == 1


def test_a_condition_is_true_or_false() -> None:
    assert coerced(ANY, {"x": False}) == {"x": False}
    text = "query ($x: Boolean = true) { __typename @skip(if: $x) }"
    assert coerced(text, {}) == {"x": True}
    assert "true or false" in refusal(text, {"x": None}).message


def given(text: str, **variables: object) -> dict[str, object]:
    return arguments(parsed(text).roots[0], graphql_schema(), variables)


def test_arguments_are_literals_variables_or_defaults() -> None:
    assert given("{ students { nodes { id } } }") == {"first": 100}
    assert given('{ students(first: 5, after: "c") { nodes { id } } }') == {"first": 5, "after": "c"}
    text = "query ($n: Int, $w: StudentWhere) { students(first: $n, where: $w) { nodes { id } } }"
    assert given(text, n=7, w={"sex": {"eq": "F"}}) == {"first": 7, "where": {"sex": {"eq": "F"}}}
    assert given(text) == {"first": 100}
    assert given("{ district { id } }") == {}
    assert given("{ __typename }") == {}


def test_arguments_of_any_field_can_be_read() -> None:
    text = (
        '{ sessions(where: {type: {eq: SEMESTER, in: [SEMESTER]}, beginDate: {gte: "2026-01-01"}}) { nodes { id } } }'
    )
    assert given(text)["where"] == {
        "type": {"eq": "SEMESTER", "in": ["SEMESTER"]},
        "beginDate": {"gte": "2026-01-01"},
    }


def test_a_variable_inside_a_filter_that_is_left_out_is_no_condition() -> None:
    text = "query ($y: String) { students(where: {sex: {eq: $y}}) { nodes { id } } }"
    assert given(text, y="F") == {"first": 100, "where": {"sex": {"eq": "F"}}}
    assert given(text) == {"first": 100, "where": {"sex": {}}}


def test_null_arguments_are_as_if_left_out() -> None:
    assert given("{ students(first: null, after: null, where: null) { nodes { id } } }") == {"first": 100}


@pytest.mark.parametrize(
    ("where", "place"),
    [("{sex: {eq: null}}", "where.sex.eq"), ("{sex: null}", "where.sex"), ("{sex: {in: null}}", "where.sex.in")],
)
def test_a_filter_that_compares_with_null_is_refused(where: str, place: str) -> None:
    with pytest.raises(RequestError) as refused:
        given(f"{{ students(where: {where}) {{ nodes {{ id }} }} }}")
    assert refused.value.code == "BAD_USER_INPUT"
    assert f"`{place}` is null" in refused.value.message
