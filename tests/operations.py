"""Random queries and random grants over the schema, for properties that hold of all of them."""

import json
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from app.schema.build import graphql_schema
from app.schema.catalogue import CATALOGUE, SCOPES
from app.spaces.identifiers import TYPE_NUMBERS, Identifiers

SCHEMA = graphql_schema()
LISTS = {
    "students": "Student",
    "sections": "Section",
    "schoolEnrollments": "SchoolEnrollment",
    "sectionEnrollments": "SectionEnrollment",
    "grades": "Grade",
    "schools": "School",
    "courses": "Course",
    "sessions": "Session",
}
VALUES = {
    "String": ["elm", "05", "Ana", "Mathematics", "Gomez", "No such thing"],
    "ID": ["1", "900001", "elm"],
    "GradeLevel": ["04", "05", "06"],
    "Date": ["2026-08-17", "2026-10-01", "2027-06-04"],
    "Int": [2013, 2026, 2027],
    "Float": [60.0, 88.0, 91.5],
    "Boolean": [True, False],
}


@st.composite
def queries(draw: st.DrawFn, names: Identifiers) -> tuple[str, dict[str, Any]]:
    """A valid query with the values of its variables."""
    roots = draw(st.lists(st.sampled_from([*LISTS, "student", "section", "district", "node"]), min_size=1, max_size=2))
    fields = [_root(draw, root, f"r{n}", names) for n, root in enumerate(roots)]
    variables = {"yes": True, "no": False}
    return (
        "query($yes: Boolean!, $no: Boolean!) { a: __typename @include(if: $yes) b: __typename @skip(if: $no) "
        + " ".join(fields)
        + " }",
        variables,
    )


def _root(draw: st.DrawFn, name: str, alias: str, names: Identifiers) -> str:
    match name:
        case "district":
            return f"{alias}: district {_selections(draw, 'District', 3)}"
        case "student" | "section":
            of = name.capitalize()
            return f'{alias}: {name}(id: "{_id(draw, of, names)}") {_selections(draw, of, 3)}'
        case "node":
            of = draw(st.sampled_from(sorted(TYPE_NUMBERS)))
            inner = " ".join(
                f"... on {one} {_selections(draw, one, 2)}"
                for one in [*draw(st.lists(st.sampled_from(sorted(TYPE_NUMBERS)), max_size=2)), of]
            )
            return f'{alias}: node(id: "{_id(draw, of, names)}") {{ __typename id {inner} }}'
        case _:
            of = LISTS[name]
            first = draw(st.sampled_from([0, 1, 2, 5, 100]))
            records = _selections(draw, of, 3)
            body = draw(
                st.sampled_from(
                    [
                        f"{{ nodes {records} }}",
                        f"{{ nodes {records} pageInfo {{ hasNextPage }} __typename }}",
                        f"{{ edges {{ node {records} __typename }} }}",
                        f"{{ pageInfo {{ hasNextPage }} nodes {records} edges {{ n: node {{ id }} }} }}",
                    ]
                )
            )
            return f"{alias}: {name}(first: {first}{_where(draw, of, names)}) {body}"


def _id(draw: st.DrawFn, of: str, names: Identifiers) -> str:
    return names.one(of, draw(st.integers(0, 16)))


def _where(draw: st.DrawFn, of: str, names: Identifiers) -> str:
    if not draw(st.booleans()):
        return ""
    inputs = SCHEMA.type_map[f"{of}Where"].fields  # type: ignore[union-attr,attr-defined]
    name = draw(st.sampled_from(sorted(inputs)))
    filters = get_named_type(inputs[name].type)
    operator = draw(st.sampled_from(sorted(filters.fields)))
    kind = get_named_type(filters.fields[operator].type)
    fact = CATALOGUE.get(f"{of}.{name}")  # type: ignore[call-overload]
    target = of if name == "id" else fact.leads_to if fact else None
    if target is not None:
        values = [names.one(target, row) for row in range(5)]
    elif isinstance(kind, GraphQLEnumType):
        chosen = draw(st.sampled_from(sorted(kind.values)))
        return f", where: {{{name}: {{{operator}: {chosen if operator == 'eq' else f'[{chosen}]'}}}}}"
    else:
        values = VALUES[kind.name]
    value = draw(st.sampled_from(values))
    return f", where: {{{name}: {{{operator}: {json.dumps([value] if operator == 'in' else value)}}}}}"


def _selections(draw: st.DrawFn, of: str, depth: int) -> str:
    kind = SCHEMA.type_map[of]
    assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
    leaves = sorted(name for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type)))
    edges = sorted(set(kind.fields) - set(leaves))
    chosen = draw(st.lists(st.sampled_from([*leaves, "__typename"]), min_size=1, max_size=4, unique=True))
    parts = [_decorated(draw, name) for name in chosen]
    if depth and edges:
        for name in draw(st.lists(st.sampled_from(edges), max_size=2)):
            target = get_named_type(kind.fields[name].type).name
            parts.append(f"e_{name}: {name}{_directive(draw)} {_selections(draw, target, depth - 1)}")
    if draw(st.booleans()):
        parts = [f"... on {of}{_directive(draw)} {{ {' '.join(parts)} }}", "id"]
    return "{ " + " ".join(parts) + " }"


def _decorated(draw: st.DrawFn, name: str) -> str:
    return f"{f'f_{name}: ' if draw(st.booleans()) else ''}{name}{_directive(draw)}"


def _directive(draw: st.DrawFn) -> str:
    return draw(
        st.sampled_from(
            ["", "", "", " @include(if: $yes)", " @skip(if: $yes)", " @include(if: $no)", " @skip(if: $no)"]
        )
    )


@st.composite
def grants(draw: st.DrawFn) -> str:
    """The text of a grant in force on 15 October 2026, with whatever fields and rows."""
    coordinates = sorted(CATALOGUE)
    withheld = (
        draw(st.sets(st.sampled_from(coordinates), max_size=30))
        if draw(st.integers(0, 3))
        else set(coordinates) - draw(st.sets(st.sampled_from(coordinates), min_size=1, max_size=20))
    )
    fields: dict[str, list[str]] = {}
    for coordinate in coordinates:
        if coordinate not in withheld:
            of, _, name = coordinate.partition(".")
            transform = (
                draw(st.sampled_from([None] * 6 + ["initial", "masked"])) if CATALOGUE[coordinate].is_text else None
            )
            fields.setdefault(of, []).append(
                f'{{ field = "{name}", as = "{transform}" }}' if transform else f'"{name}"'
            )
    rows = {
        "schools": draw(st.sampled_from([None, None, ["elm"], ["oak", "middle"], []])),
        "grade_levels": draw(st.sampled_from([None, None, ["05"], ["04", "06"]])),
        "subjects": draw(st.sampled_from([None, None, ["Mathematics"], ["English Language Arts"]])),
        "enrollment": draw(st.sampled_from([None, "active", "any"])),
        "history_years": draw(st.sampled_from([None, 0, 1])),
    }
    lines = [f"{of} = [{', '.join(names)}]" for of, names in fields.items()]
    conditions = [f"{key} = {json.dumps(value)}" for key, value in rows.items() if value is not None]
    covers = json.dumps(coordinates)
    approvals = "".join(
        f'[[approval]]\nby = "x@larkspur.example"\nrole = "{role}"\nat = 2026-07-20T15:00:00Z\ncovers = {covers}\n'
        for role in draw(st.sampled_from([(), ("steward", "privacy-officer")]))
    )
    return (
        'client = "readwell"\npurpose = "instruction"\nstatement = "Random."\nbasis = "school-official"\n'
        "not_before = 2026-08-15\nnot_after = 2027-06-30\n\n[fields]\n"
        + "\n".join(lines)
        + "\n\n[rows]\n"
        + "\n".join(conditions)
        + "\n\n"
        + approvals
    )


@st.composite
def scopes(draw: st.DrawFn) -> frozenset[str]:
    """What a token carries: mostly all, sometimes less."""
    return frozenset(SCOPES) - draw(st.sets(st.sampled_from(sorted(SCOPES)), max_size=3))
