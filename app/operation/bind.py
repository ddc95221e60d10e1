"""What one request adds to an operation: variables, arguments of its root fields, and what its directives say."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import GraphQLSchema

from app.operation.model import Operation, holds
from app.operation.variables import arguments, coerce_variables
from app.settings import Limits


@dataclass(frozen=True, slots=True)
class Bound:
    """The values of one request. Only root fields take arguments."""

    variables: dict[str, object]
    true: frozenset[str]  # the variables of @skip and @include that are true
    arguments: Mapping[str, Mapping[str, object]]  # by response key of the root field


def bind(operation: Operation, schema: GraphQLSchema, raw: object, limits: Limits) -> Bound:
    """Coerce what came with an operation. Raises: RequestError."""
    variables = coerce_variables(operation, schema, raw, limits)
    true = frozenset(name for name in operation.conditions if variables[name])
    return Bound(
        variables,
        true,
        {
            root.response_key: arguments(root, schema, variables)
            for root in operation.roots
            if not root.field.startswith("__") and holds(root.when, true)
        },
    )
