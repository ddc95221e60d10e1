"""The `where` of a root list, as conditions of one statement.

Shape: a filter's skeleton (coordinates and operators) is part of the statement and so of its cache key; its values
are parameters. Ids of parents become row numbers here; an id that means nothing to this client finds nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, bindparam, exists, select

from app.names import Coordinate
from app.schema.catalogue import CATALOGUE
from app.spaces import tables as t
from app.spaces.admission import Admission
from app.spaces.among import among
from app.spaces.edges import IMPLIED, expression, snake
from app.spaces.identifiers import Identifiers
from app.spaces.veil import Veil


@dataclass(frozen=True, slots=True)
class Term:
    """`birthDate: {gte: …}`: one comparison, without its value."""

    field: str
    operator: str  # "eq", "in", "gte", "lte"


Where = tuple[Term, ...]


def read(type_name: str, where: object, identifiers: Identifiers) -> tuple[Where, dict[str, object]]:
    """The skeleton of a filter and its values, named as `conditions` names them. Nothing in it is null."""
    terms: list[Term] = []
    values: dict[str, object] = {}
    for field, operator, value in _comparisons(type_name, where):
        target = _target(type_name, field)
        values[f"w{len(terms)}"] = _rows(target, value, identifiers) if target is not None else value
        terms.append(Term(field, operator))
    return tuple(terms), values


def _comparisons(type_name: str, where: object) -> Iterator[tuple[str, str, object]]:
    if where is None:
        return
    if not isinstance(where, Mapping):
        raise AssertionError("`where` was not coerced")
    for field, filters in where.items():
        for operator, value in filters.items():
            yield field, operator, value


def _target(type_name: str, field: str) -> str | None:
    """The type whose ids a filter compares; None if it compares values."""
    if field == "id":
        return type_name
    fact = CATALOGUE.get(Coordinate(f"{type_name}.{field}"))
    return fact.leads_to if fact is not None else None


def _rows(target: str, value: object, identifiers: Identifiers) -> object:
    """Row numbers for ids. What is no id of this client is 0, which no record has."""
    if isinstance(value, list):
        return [identifiers.row(target, one) or 0 for one in value]
    return identifiers.row(target, value) or 0


def conditions(
    type_name: str, table: FromClause, where: Where, admission: Admission, over: Veil
) -> Iterator[ColumnElement[bool]]:
    """The conditions of a filter; values come as parameters w0, w1, …"""
    for n, term in enumerate(where):
        column = _column(type_name, table, term.field)
        # INVARIANT: what is withheld of a record does not match, whatever it is: a filter is no oracle.
        yield over.matchable(CATALOGUE.get(Coordinate(f"{type_name}.{term.field}")))
        target = _target(type_name, term.field)
        if target is not None and f"{type_name}.{term.field}" not in IMPLIED:
            # INVARIANT: the id of a parent outside the rows finds nothing, like one that does not exist.
            parent = t.BY_TYPE[target].alias()
            yield exists(select(1).where(parent.c.row == column, admission.of(target, parent)))
        parameter = bindparam(f"w{n}", type_=column.type)
        match term.operator:
            case "eq":
                yield column == parameter
            case "in":
                yield among(column, bindparam(f"w{n}", []))
            case "gte":
                yield column >= parameter
            case "lte":
                yield column <= parameter
            case other:
                raise AssertionError(f"{other} is no comparison")


def _column(type_name: str, table: FromClause, field: str) -> ColumnElement[Any]:
    if field == "id":
        return table.c.row
    target = _target(type_name, field)
    if target is not None:
        return table.c[snake(target)]
    return expression(table, type_name, field)
