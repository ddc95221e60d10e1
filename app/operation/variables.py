"""Check what a caller sends beside the query, against the types that the query declares for it.

INVARIANT: no error quotes a value: variables are where a vendor's own records stand.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

from graphql import GraphQLInputType, GraphQLSchema, Undefined, get_argument_values, is_composite_type, is_non_null_type
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues
from graphql.utilities import validate_input_value
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value

from app.errors import RequestError
from app.operation import limits as limiting
from app.operation.model import Operation, Selection
from app.settings import Limits

VALUES = 50_000
"""How many values the variables of one request may hold."""

INTEGER = 2**63
"""Whole numbers lie below this, on both sides of zero."""


def coerce_variables(operation: Operation, schema: GraphQLSchema, raw: object, limits: Limits) -> dict[str, object]:
    """The values of the operation's variables, of their declared types. Spec: GraphQL §6.1.2.

    Raises: RequestError (BAD_USER_INPUT) naming the variable; InvalidOperation when pages become too large or costly.
    """
    given = _object(raw, limits)
    values: dict[str, object] = {}
    for signature in _signatures(operation, schema):
        name = signature.name
        if name in given:
            values[name] = _coerced(name, given[name], signature.type)
        else:
            value = coerce_default_value(signature)
            if value is not Undefined:
                values[name] = value
            elif is_non_null_type(signature.type):
                raise _refused(name, f"It is a {signature.type} and was left out. Send it.")
    for name in operation.conditions:
        if values.get(name) is None:
            raise _refused(name, "@skip and @include need true or false. Send one of them.")
    limiting.check_request(operation, schema, values, limits)
    return values


@lru_cache(maxsize=256)
def _signatures(operation: Operation, schema: GraphQLSchema) -> tuple[GraphQLVariableSignature, ...]:
    """The variables that an operation declares, read once. A valid operation's all have input types."""
    read = (get_variable_signature(schema, declared) for declared in operation.definition.variable_definitions or ())
    return tuple(signature for signature in read if isinstance(signature, GraphQLVariableSignature))


def arguments(selection: Selection, schema: GraphQLSchema, variables: Mapping[str, object]) -> dict[str, object]:
    """The arguments of one field, coerced; those that are null or left out have their default or are absent.

    Raises: RequestError (BAD_USER_INPUT) where a filter compares with null: it would say nothing, or too much.
    """
    of = schema.type_map[selection.parent]
    known = schema.get_field(of, selection.field) if is_composite_type(of) else None
    assert known is not None  # noqa: S101 - the operation is valid
    values = get_argument_values(known, selection.node, VariableValues({}, dict(variables)))
    for name, value in list(values.items()):
        if value is None:
            default = coerce_default_value(known.args[name])
            del values[name]
            if default is not Undefined:
                values[name] = default
        elif isinstance(value, dict):
            _no_null(name, value)
    return values


def _no_null(path: str, value: Mapping[str, object]) -> None:
    for key, inner in value.items():
        if inner is None:
            raise RequestError(
                f"`{path}.{key}` is null. Leave it out to have no such condition, or compare with a value.",
                code="BAD_USER_INPUT",
            )
        if isinstance(inner, dict):
            _no_null(f"{path}.{key}", inner)


def _object(raw: object, limits: Limits) -> Mapping[str, object]:
    """The variables as they came, shallow and small enough to look at further. Raises: RequestError."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise RequestError("The variables are an object. Send one, or leave them out.", code="BAD_USER_INPUT")
    rest: list[tuple[object, int]] = [(raw, 1)]
    seen = 0
    while rest:
        value, depth = rest.pop()
        seen += 1
        _sane(value)
        if not isinstance(value, dict | list):
            continue
        if depth > limits.variables_depth:
            raise _too_much(f"nested more than {limits.variables_depth} levels deep", limits.variables_depth)
        if seen + len(rest) + len(value) > VALUES:
            raise _too_much(f"more than {VALUES} values", VALUES)
        inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        rest.extend((item, depth + 1) for item in inner)
    return raw


def _sane(value: object) -> None:
    """Refuse what no field can hold. Raises: RequestError."""
    match value:
        case str() if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise RequestError(
                    "The variables hold half a character (a lone surrogate). Send Unicode text.", code="BAD_USER_INPUT"
                ) from None
        case bool():
            pass
        case int() if not -INTEGER < value < INTEGER:
            raise RequestError(
                "The variables hold a number of more than 64 bits. Send a smaller one.", code="BAD_USER_INPUT"
            )
        case float() if not math.isfinite(value):
            raise RequestError(
                "The variables hold a number that is not finite. Send a finite one.", code="BAD_USER_INPUT"
            )


def _too_much(what: str, limit: int) -> RequestError:
    return RequestError(f"The variables are {what}. Send less.", code="BAD_USER_INPUT", extensions={"limit": limit})


def _coerced(name: str, value: object, of: GraphQLInputType) -> object:
    coerced = coerce_input_value(value, of)
    if coerced is not Undefined:
        return coerced
    places: list[list[str | int]] = []
    validate_input_value(value, of, lambda _error, path: places.append(path), hide_suggestions=True)
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in places[0]) if places else ""
    raise _refused(name, f"It is a {of}, and `${name}{place}` does not fit. Mend it.")


def _refused(name: str, why: str) -> RequestError:
    return RequestError(
        f"The variable `${name}` cannot be used. {why}", code="BAD_USER_INPUT", extensions={"variable": name}
    )
