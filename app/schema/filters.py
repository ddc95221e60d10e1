"""What a `where` may say: for each field of a type, the comparisons that its kind of value allows.

The inputs follow from the guarded fields, so that a new field can be filtered by as soon as it is declared.
"""

from types import new_class
from typing import Any

import strawberry
from strawberry.types.base import StrawberryOptional, get_object_definition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.lazy_type import LazyType

from app.schema.guard import GUARD
from app.schema.scalars import Date, SessionType

EQ = "The value is this one."
IN = "The value is one of these."
GTE = "The value is this one or after it."
LTE = "The value is this one or before it."


def _comparisons(name: str, of: Any, *, ordered: bool = False, listed: bool = True) -> Any:
    """An input such as `DateFilter`. All comparisons that are given must hold."""
    given = {"eq": (of, EQ)}
    if listed:
        given["in_"] = (list[of], IN)
    if ordered:
        given |= {"gte": (of, GTE), "lte": (of, LTE)}
    return _input(name, "All comparisons that are given must hold.", given)


def _input(name: str, description: str, fields: dict[str, tuple[Any, str]]) -> Any:
    body = {
        field: strawberry.field(
            name=field.removesuffix("_") if field == "in_" else None, description=sentence, default=strawberry.UNSET
        )
        for field, (_, sentence) in fields.items()
    }
    annotations = {field: of | None for field, (of, _) in fields.items()}
    return strawberry.input(
        new_class(name, (), {}, lambda space: space.update(body, __annotations__=annotations)), description=description
    )


BY_KIND: dict[Any, Any] = {
    str: _comparisons("StringFilter", str),
    strawberry.ID: _comparisons("IDFilter", strawberry.ID),
    Date: _comparisons("DateFilter", Date, ordered=True),
    int: _comparisons("IntFilter", int, ordered=True),
    float: _comparisons("FloatFilter", float, ordered=True),
    bool: _comparisons("BooleanFilter", bool, listed=False),
    SessionType: _comparisons("SessionTypeFilter", SessionType),
}


def where(of: type) -> Any:
    """The input that filters one type: its own scalars, and the ids of its parents under the edges' names."""
    fields: dict[str, tuple[Any, str]] = {}
    for field in get_object_definition(of, strict=True).fields:
        guard = field.metadata.get(GUARD)
        if guard is None or not guard.filters or not isinstance(field.type, StrawberryOptional):
            continue
        kind: Any = field.type.of_type
        if isinstance(kind, StrawberryEnumDefinition):
            kind = kind.wrapped_cls
        if isinstance(kind, LazyType) or get_object_definition(kind) is not None:
            fields[field.python_name] = (
                BY_KIND[strawberry.ID],
                f"The id of its {field.python_name.replace('_', ' ')}.",
            )
        elif kind in BY_KIND:
            fields[field.python_name] = (BY_KIND[kind], (field.description or "").partition("\n")[0])
    return _input(f"{of.__name__}Where", "All conditions that are given must hold.", fields)
