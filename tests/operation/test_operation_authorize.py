"""Every selection of an operation bears a decision; what is not permitted is in no plan."""

from dataclasses import replace
from typing import Any

import pytest

from app.errors import RequestError
from app.names import ClientId, Coordinate, Scope
from app.operation.authorize import authorize
from app.operation.bind import Bound, bind
from app.operation.decided import (
    ROOT_TYPES,
    Authorized,
    Column,
    Decided,
    Edge,
    Frame,
    Identifier,
    Root,
    Typename,
    Withheld,
    walk,
)
from app.operation.filtering import check_filters
from app.operation.parse import parse_operation
from app.operation.vocabulary import FRAMES, Vocabulary
from app.policy.authority import Authority, authority
from app.policy.decide import Deny, Permit, Reason
from app.policy.model import Transform
from app.policy.reading import read_policies
from app.schema.build import graphql_schema
from app.schema.catalogue import CATALOGUE, SCOPES, TYPES
from app.settings import Limits
from tests import worlds

SCHEMA, LIMITS = graphql_schema(), Limits()
DISTRICT = b'name = "Larkspur ISD"\ntime_zone = "America/Chicago"\npurposes = { instruction = "Instruction" }\n'
GRANT = """
client = "readwell"
purpose = "instruction"
statement = "Read."
basis = "school-official"
not_before = 2026-07-01
not_after = 2027-06-30
[agreement]
title = "NDPA v1"
signed = 2026-07-01
schedule = []
[fields]
"""
FIELDS = """
Student = ["firstName", { field = "lastSurname", as = "initial" }, "sectionEnrollments", "grades", "schoolEnrollments"]
SectionEnrollment = ["section", "student"]
Section = ["title", "course"]
Grade = ["student"]
SchoolEnrollment = [{ field = "exitType", as = "masked" }]
"""


def made(fields: str = FIELDS, scopes: frozenset[Scope] = frozenset(SCOPES)) -> Authority:
    files = {"tx/larkspur/district.toml": DISTRICT, "tx/larkspur/grants/readwell.toml": (GRANT + fields).encode()}
    return authority(
        read_policies(files),
        client=ClientId("readwell"),
        space=worlds.SPACE,
        purpose="instruction",
        scopes=scopes,
        registered=scopes,
        suspended=False,
        now=worlds.NOW,
    )


def authorized(text: str, by: Authority | None = None) -> Authorized:
    return authorize(parse_operation(text, None, SCHEMA, LIMITS), by or made())


def bound(text: str, variables: dict[str, Any] | None = None) -> Bound:
    return bind(parse_operation(text, None, SCHEMA, LIMITS), SCHEMA, variables, LIMITS)


def drawn(one: Root | Decided) -> object:
    """A decision as a line, with those below it."""
    match one:
        case Typename(key):
            return f"{key}: typename"
        case Identifier(key):
            return f"{key}: id"
        case Column(key, _, fact, permit):
            return f"{key}: {fact.coordinate}{f' as {permit.transform}' if permit.transform else ''}"
        case Withheld(key, _, denial):
            return f"{key}: withheld {denial.coordinate} {denial.reason}"
        case Edge(key, _, fact, _, children):
            return {f"{key}: {fact.coordinate}": [drawn(child) for child in children]}
        case Frame(key, _, _, _, children):
            return {key: [drawn(child) for child in children]} if children else key
        case Root(key):
            return {key: {name: [drawn(child) for child in below] for name, below in one.children.items()}}


def tree(it: Authorized) -> list[object]:
    return [drawn(root) for root in it.roots]


def denied(it: Authorized, *true: str) -> list[tuple[tuple[str, ...], str, str]]:
    return [(one.path, one.selection, one.reason.value) for one in it.denials if one.asked(frozenset(true))]


def test_columns_edges_ids_and_type_names_are_told_apart() -> None:
    it = authorized(
        "{ __typename students { nodes { id __typename firstName lastSurname sectionEnrollments { id } } } }"
    )
    assert tree(it) == [
        "__typename: typename",
        {
            "students": {
                "StudentConnection": [
                    {
                        "nodes": [
                            "id: id",
                            "__typename: typename",
                            "firstName: Student.firstName",
                            "lastSurname: Student.lastSurname as initial",
                            {"sectionEnrollments: Student.sectionEnrollments": ["id: id"]},
                        ]
                    }
                ]
            }
        },
    ]
    assert it.denials == ()


def test_what_stands_below_a_denied_edge_is_in_no_plan_and_has_no_error_of_its_own() -> None:
    it = authorized("{ students { nodes { sectionEnrollments { section { course { title subject } } } } } }")
    assert [drawn(one) for root in it.roots for one in walk(root.children["StudentConnection"])][-1] == (
        "course: withheld Section.course NOT_GRANTED"
    )
    assert denied(it) == [(("students", "nodes"), "students.nodes.sectionEnrollments.section.course", "NOT_GRANTED")]


def test_aliases_are_selections_and_one_key_is_one_selection_however_often_it_is_spread() -> None:
    it = authorized(
        """{ students { edges { node { ...A ...A a: birthDate ... on Node { id } b: birthDate } } } }
        fragment A on Student { a: birthDate }"""
    )
    assert denied(it) == [
        (("students", "edges"), "students.edges.node.a", "NOT_GRANTED"),
        (("students", "edges"), "students.edges.node.b", "NOT_GRANTED"),
    ]


@pytest.mark.parametrize(
    ("condition", "true", "asked"),
    [
        ("@include(if: $p)", ["p"], True),
        ("@include(if: $p)", [], False),
        ("@skip(if: $p)", ["p"], False),
        ("@skip(if: $p)", [], True),
    ],
)
def test_threat_12_a_branch_is_decided_always_and_its_denial_told_when_it_is_asked(
    condition: str, true: list[str], asked: bool
) -> None:
    for text in (
        f"query($p: Boolean!) {{ students {{ nodes {{ id birthDate {condition} }} }} }}",
        f"query($p: Boolean!) {{ students {{ nodes {{ id ... {condition} {{ birthDate }} }} }} }}",
        f"query($p: Boolean!) {{ students {{ pageInfo {{ hasNextPage }} nodes {condition} {{ birthDate }} }} }}",
        f"query($p: Boolean!) {{ grant {{ client }} students {condition} {{ nodes {{ birthDate }} }} }}",
    ):
        it = authorized(text)
        assert len(it.denials) == 1
        assert bool(denied(it, *true)) == asked


def test_paths_end_at_the_first_list() -> None:
    it = authorized(
        """query($id: ID!) { one: student(id: $id) { birthDate sectionEnrollments { beginDate section { room } } }
        section(id: $id) { room } students { pageInfo { hasNextPage } edges { cursor node { sex } } } }"""
    )
    assert denied(it) == [
        (("one", "birthDate"), "one.birthDate", "NOT_GRANTED"),
        (("one", "sectionEnrollments"), "one.sectionEnrollments.beginDate", "NOT_GRANTED"),
        (("one", "sectionEnrollments"), "one.sectionEnrollments.section.room", "NOT_GRANTED"),
        (("section", "room"), "section.room", "NOT_GRANTED"),
        (("students", "edges"), "students.edges.node.sex", "NOT_GRANTED"),
    ]


@pytest.mark.parametrize("root", ["schools", "courses", "sessions"])
def test_the_root_of_a_type_of_which_nothing_is_granted_is_withheld(root: str) -> None:
    it = authorized(f"{{ {root} {{ nodes {{ id }} }} }}")
    assert tree(it) == [f"{root}: withheld Query.{root} NOT_GRANTED"]
    [denial] = it.denials
    assert denial.error()["path"] == [root]
    assert denial.scope is None
    assert "Ask the district" in denial.message


def test_a_type_is_shut_for_the_reason_that_came_closest_to_a_permit() -> None:
    names = frozenset({Scope("grade/marks.read")})
    assert denied(authorized("{ grades { nodes { id } } }", made(scopes=names))) == []
    none = authorized("{ grades { nodes { id } } }", made(scopes=frozenset()))
    assert denied(none) == [(("grades",), "grades", "SCOPE_MISSING")]
    nothing = authorized("{ grades { nodes { id } } }", replace(made(), grant=None))
    assert denied(nothing) == [(("grades",), "grades", "NO_GRANT")]
    assert nothing.denials[0].revision is None


def test_a_granted_edge_to_a_shut_type_is_withheld() -> None:
    it = authorized("{ sections { nodes { title course { id } } } }")
    assert denied(it) == [(("sections", "nodes"), "sections.nodes.course", "NOT_GRANTED")]


def test_node_enters_open_types_only() -> None:
    it = authorized(
        """query($id: ID!) { node(id: $id) { id __typename ... on Student { firstName birthDate }
        ... on Course { title levelCharacteristic id } } }"""
    )
    [root] = it.roots
    assert isinstance(root, Root)
    # SchoolEnrollment.exitType waits for approval, and nothing else of it is granted
    assert set(root.children) == {"Student", "SectionEnrollment", "Section", "Grade"}
    assert [drawn(one) for one in root.children["Student"]] == [
        "id: id",
        "__typename: typename",
        "firstName: Student.firstName",
        "birthDate: withheld Student.birthDate NOT_GRANTED",
    ]
    assert sorted(denied(it)) == [
        (("node", "birthDate"), "node.birthDate", "NOT_GRANTED"),
        (("node", "levelCharacteristic"), "node.levelCharacteristic", "NOT_GRANTED"),
        (("node", "title"), "node.title", "NOT_GRANTED"),
    ]


def test_a_grant_and_introspection_need_no_grant_of_anything() -> None:
    it = authorized(
        """{ __schema { types { name } } __type(name: "Student") { name }
        grant { client __typename coordinates { coordinate state } rows { schools } } }""",
        replace(made(), grant=None),
    )
    assert it.denials == ()
    assert tree(it) == [
        {"__schema": {}},
        {"__type": {}},
        {
            "grant": {
                "Grant": [
                    "client",
                    "__typename: typename",
                    {"coordinates": ["coordinate", "state"]},
                    {"rows": ["schools"]},
                ]
            }
        },
    ]


def test_frames_hold_no_type_of_records_and_every_connection() -> None:
    assert not FRAMES & set(TYPES)
    names = {name for name in SCHEMA.type_map if name.endswith(("Connection", "Edge"))}
    assert names <= FRAMES
    assert {f"{name}Connection" for name in ROOT_TYPES.values()} >= {
        name for name in names if name.endswith("Connection")
    }


def test_a_type_that_nobody_classified_is_denied() -> None:
    vocabulary = Vocabulary(CATALOGUE, frames=FRAMES - {"PageInfo"})
    it = authorize(
        parse_operation("{ students { pageInfo { hasNextPage } } }", None, SCHEMA, LIMITS), made(), vocabulary
    )
    assert [(denial.coordinate, denial.reason) for denial in it.denials] == [
        ("StudentConnection.pageInfo", Reason.NOT_GRANTED)
    ]


def test_threat_7_a_filter_may_name_only_what_is_granted_as_it_is() -> None:
    it = authorized("{ students { nodes { id } } }")
    assert it.filters(Coordinate("Student.firstName")) == Permit(None)
    assert it.filters(Coordinate("Student.lastSurname")) == Deny(Reason.NOT_GRANTED)  # shortened
    assert it.filters(Coordinate("Student.birthDate")) == Deny(Reason.NOT_GRANTED)
    assert it.filters(Coordinate("Student.noSuchField")) == Deny(Reason.NOT_GRANTED)
    assert it.filters(Coordinate("Section.course")) == Deny(Reason.NOT_GRANTED)  # granted, but to a shut type
    assert it.filters(Coordinate("Grade.student")) == Permit(None)
    assert made().grant is not None
    assert Transform.INITIAL in made().grant.fields.values()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("where", "coordinate"),
    [
        ("{birthDate: {}}", "Student.birthDate"),
        ('{firstName: {eq: "Ana"}, sex: {eq: "F"}}', "Student.sex"),
        ('{lastSurname: {in: ["G."]}}', "Student.lastSurname"),
    ],
)
def test_threat_7_a_filter_on_what_is_withheld_refuses_the_request(where: str, coordinate: str) -> None:
    text = f"{{ grant {{ client }} grades {{ nodes {{ id }} }} students(where: {where}) {{ nodes {{ id }} }} }}"
    with pytest.raises(RequestError) as refusal:
        check_filters(authorized(text), bound(text).arguments)
    assert refusal.value.extensions == {
        "code": "FILTER_NOT_GRANTED",
        "coordinate": coordinate,
        "reason": "NOT_GRANTED",
    }


@pytest.mark.parametrize(
    "arguments",
    ["", "(first: 1)", "(where: {})", "(where: null)", '(where: {firstName: {eq: "Ana"}})'],
)
def test_other_filters_pass(arguments: str) -> None:
    text = f"{{ courses(where: {{title: {{}}}}) {{ nodes {{ id }} }} students{arguments} {{ nodes {{ id }} }} }}"
    check_filters(authorized(text), bound(text).arguments)  # `courses` is withheld altogether, and never run


def test_a_filter_that_a_directive_takes_out_is_not_looked_at() -> None:
    text = 'query($p: Boolean!) { __typename students(where: {sex: {eq: "F"}}) @include(if: $p) { nodes { id } } }'
    check_filters(authorized(text), bound(text, {"p": False}).arguments)
    with pytest.raises(RequestError):
        check_filters(authorized(text), bound(text, {"p": True}).arguments)


def test_binding_gathers_variables_conditions_and_the_arguments_of_what_is_asked() -> None:
    text = """query($p: Boolean!, $q: Boolean = true, $id: ID!, $n: Int) { __typename __type(name: "Student") { name }
    a: student(id: $id) @include(if: $p) { id } b: student(id: "x") @skip(if: $q) { id }
    students(first: $n) { nodes { id } } district { id } }"""
    it = bound(text, {"p": True, "id": "7"})
    assert it.true == {"p", "q"}
    assert it.arguments == {"a": {"id": "7"}, "students": {"first": 100}, "district": {}}
    assert it.variables["id"] == "7"
    assert bound(text, {"p": False, "q": False, "id": "7", "n": 3}).arguments == {
        "b": {"id": "x"},
        "students": {"first": 3},
        "district": {},
    }
