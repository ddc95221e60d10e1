"""Answer what a query asks of the schema itself: the public schema, the same for every client. Spec: GraphQL §4."""

from collections.abc import Mapping

from graphql import ExecutionResult, GraphQLSchema, execute_sync

from app.operation.model import Operation, holds

TYPENAME = "__typename"


def introspect(operation: Operation, schema: GraphQLSchema, variables: Mapping[str, object]) -> dict[str, object]:
    """The values of `__schema`, `__type` and `__typename` at the root, by response key; nothing else is run."""
    true = {name for name in operation.conditions if variables.get(name) is True}
    asked = {
        root.response_key: root.field
        for root in operation.roots
        if root.field.startswith("__") and holds(root.when, true)
    }
    if all(field == TYPENAME for field in asked.values()):
        return {root.response_key: root.parent for root in operation.roots if root.response_key in asked}
    # Fields of the graph itself resolve to null here: only introspection brings resolvers of its own.
    result = execute_sync(
        schema,
        operation.document,
        variable_values=dict(variables),
        operation_name=operation.name,
        field_resolver=lambda *_, **__: None,
    )
    assert isinstance(result, ExecutionResult)  # noqa: S101 - there is no incremental delivery in this schema
    data = result.data or {}
    return {key: data[key] for key in asked}
