"""The catalogue says what the schema says, what the data dictionary says, and what the spaces store."""

import csv
from pathlib import Path

import pytest
import strawberry
from graphql import GraphQLObjectType, is_object_type

from app.names import Coordinate
from app.operation.vocabulary import FRAMES
from app.schema import ndpa, scopes
from app.schema.build import graphql_schema
from app.schema.catalogue import CATALOGUE, SCOPES, TYPES, read_facts
from app.schema.facts import Fact, Sensitivity
from app.schema.guard import guarded
from app.schema.types.node import Node
from app.spaces.tables import BY_TYPE

DOMAIN = Path(__file__).resolve().parents[3] / "shared" / "domain"

NOT_IN_THE_GRAPH = {"Student.directoryInformationBlock"}
"""The district's own record: policy reads it, and no one is granted it."""

dictionary = pytest.mark.skipif(not DOMAIN.is_dir(), reason=f"the data dictionary is not on this machine ({DOMAIN})")


def guarded_type(name: str) -> GraphQLObjectType:
    found = graphql_schema().type_map[name]
    assert is_object_type(found)
    return found


def rows(file: str) -> list[dict[str, str]]:
    with (DOMAIN / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("name", TYPES)
def test_every_field_of_a_guarded_type_but_its_id_is_guarded(name: str) -> None:
    fields = set(guarded_type(name).fields) - {"id"}
    assert {fact.field for fact in CATALOGUE.values() if fact.type == name} == fields


def test_every_type_that_has_an_id_is_guarded() -> None:
    schema = graphql_schema()
    interface = schema.type_map["Node"]
    assert {of.name for of in schema.get_possible_types(interface)} == set(TYPES)  # type: ignore[arg-type]
    known = {of.name for of in schema.type_map.values() if is_object_type(of) and "id" in of.fields}
    assert known - FRAMES == set(TYPES)  # a request of the caller's own is no record of anybody


@pytest.mark.parametrize("name", TYPES)
def test_only_the_id_of_a_guarded_type_is_never_null(name: str) -> None:
    assert [field for field, of in guarded_type(name).fields.items() if str(of.type).endswith("!")] == ["id"]


def test_a_field_without_a_scope_stops_start_up() -> None:
    @strawberry.federation.type
    class Locker(Node):
        number: int | None = guarded(scopes.SCHOOL_DIRECTORY, ndpa.NOT_STUDENT_DATA, Sensitivity.LOW, "Its number.")
        combination: str | None = None

    @strawberry.type
    class Query:
        locker: Locker | None = None

    graph = strawberry.federation.Schema(query=Query)._schema.type_map["Locker"]
    assert is_object_type(graph)
    with pytest.raises(TypeError, match=r"Locker\.combination has no scope"):
        list(read_facts(Locker, graph))


def test_every_scope_has_a_sentence_and_gives_something() -> None:
    assert {fact.scope for fact in CATALOGUE.values()} == set(SCOPES)
    assert all(scope.description.endswith(".") for scope in SCOPES.values())


def test_a_scope_that_gives_anything_restricted_is_restricted() -> None:
    assert {scope for scope, fact in SCOPES.items() if fact.restricted} == {
        "student/ssn.read",
        "student/special-indicators.read",
        "staff/sensitive.read",
        "contact/relationship.read",
        "discipline/records.read",
    }


@pytest.mark.parametrize("fact", CATALOGUE.values(), ids=lambda fact: fact.coordinate)
def test_every_description_tells_scope_standard_category_and_sensitivity(fact: Fact) -> None:
    description = guarded_type(fact.type).fields[fact.field].description or ""
    sentence, _, standing = description.partition("\n\n")
    category = "not student data" if fact.category == ndpa.NOT_STUDENT_DATA else f"NDPA {fact.category}"
    assert sentence.endswith(".")
    assert [part for part in standing.split(" · ") if part] == [
        f"Scope `{fact.scope}`",
        *([f"CEDS {fact.ceds}"] if fact.ceds else []),
        category,
        f"sensitivity {fact.sensitivity}",
    ]


def test_every_column_that_is_granted_is_stored() -> None:
    derived = {"Student.birthYear"}
    for fact in CATALOGUE.values():
        if fact.leads_to is None and fact.coordinate not in derived:
            assert snake(fact.field) in BY_TYPE[fact.type].columns, fact.coordinate


def test_every_column_that_is_stored_can_be_granted_or_is_the_districts_own() -> None:
    structure = {"row", "source_key", "directory_information_block", *(snake(name) for name in BY_TYPE)}
    for name, table in BY_TYPE.items():
        granted = {snake(fact.field) for fact in CATALOGUE.values() if fact.type == name}
        assert set(table.columns.keys()) - structure <= granted, name


def test_an_edge_leads_to_a_guarded_type_and_a_column_leads_nowhere() -> None:
    leads = {str(fact.leads_to) for fact in CATALOGUE.values() if fact.leads_to is not None}
    assert leads <= set(TYPES)
    assert CATALOGUE[Coordinate("Student.grades")].is_list
    assert CATALOGUE[Coordinate("Student.races")].leads_to is None
    assert CATALOGUE[Coordinate("Session.type")].leads_to is None


def test_only_text_can_be_transformed() -> None:
    assert CATALOGUE[Coordinate("Student.lastSurname")].is_text
    assert not CATALOGUE[Coordinate("Student.birthDate")].is_text
    assert not CATALOGUE[Coordinate("Student.races")].is_text


@dictionary
def test_the_catalogue_is_the_data_dictionary() -> None:
    told = {
        f"{row['type']}.{row['field']}": row
        for row in rows("fields.csv")
        if row["type"] in TYPES and row["field"] != "id"
    }
    assert set(told) - {str(coordinate) for coordinate in CATALOGUE} == NOT_IN_THE_GRAPH
    for coordinate, row in told.items():
        if coordinate not in NOT_IN_THE_GRAPH:
            fact = CATALOGUE[Coordinate(coordinate)]
            assert (fact.scope, fact.category, fact.sensitivity) == (
                row["scope"],
                row["ndpa_category"],
                row["sensitivity"],
            ), coordinate
            assert (fact.ceds or "", fact.edfi or "", fact.oneroster or "") == (
                row["ceds_global_id"],
                row["edfi_ds5_path"],
                row["oneroster_1p2"],
            ), coordinate
            assert fact.graphql_type == row["graphql_type"].removesuffix("!"), coordinate


@dictionary
def test_every_ceds_element_exists_under_that_name() -> None:
    elements = {row["global_id"]: row["element_name"] for row in rows("ceds-v12-elements.csv")}
    names = {row["ceds_global_id"]: row["ceds_element_name"] for row in rows("fields.csv")}
    used = {fact.ceds for fact in CATALOGUE.values() if fact.ceds is not None}
    assert len(used) > 50
    for ceds in used:
        assert elements[ceds] == names[ceds]


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
