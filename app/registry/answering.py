"""Answer a query of the registry's own graph, as a subgraph is asked.

INVARIANT: what a failure says is not told; whoever asked hears of its own mistakes alone.
"""

from collections.abc import Iterable
from functools import lru_cache

import strawberry
from graphql import GraphQLError
from sqlalchemy.ext.asyncio import AsyncEngine
from strawberry.exceptions import UnallowedReturnTypeForUnion, WrongReturnTypeForUnion
from strawberry.extensions import MaxTokensLimiter, ParserCache, ValidationCache
from strawberry.types import ExecutionResult

from app.errors import Unavailable
from app.operation.invalid import InvalidOperation, located
from app.operation.limits import check
from app.operation.parse import choose, read
from app.registry.graph import Course, LearningResource, Query, Rooms
from app.registry.store import FAILURES
from app.settings import Limits

LIMITS = Limits(tokens=20_000, depth=20, aliases=1_000, cost=1_000_000, page=2**31 - 1)
"""A gateway asks for much at once. The size of a page is the field's own to check."""

KEPT = 500
"""Queries that are kept parsed."""


NAMED = "A representation names a Course by its scedCode, or a LearningResource by its id."


class _Schema(strawberry.federation.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:
        """Strawberry would log the text of every error."""


SCHEMA = _Schema(
    query=Query,
    types=[Course, LearningResource],
    federation_version="2.5",  # as the core's
    extensions=[
        lambda: MaxTokensLimiter(max_token_count=LIMITS.tokens),
        lambda: ParserCache(maxsize=KEPT),
        lambda: ValidationCache(maxsize=KEPT),
    ],
)


def sdl() -> str:
    """The registry's schema as a composer takes it."""
    return SCHEMA.as_str()


async def answer(
    engine: AsyncEngine, document: str, name: str | None, variables: dict[str, object] | None
) -> dict[str, object]:
    """The answer as GraphQL has it. Raises: InvalidOperation, Unavailable."""
    if past := beyond(document, name):
        raise InvalidOperation(past)
    result = await SCHEMA.execute(document, variable_values=variables, operation_name=name, context_value=Rooms(engine))
    assert isinstance(result, ExecutionResult)  # noqa: S101 - there are no deferred fields here
    errors = result.errors or []
    if result.data is None and errors and all(error.path is None for error in errors):
        raise InvalidOperation(located("GRAPHQL_VALIDATION_FAILED", error) for error in errors)
    if not errors:
        return {"data": result.data}
    return {"errors": list(_told(errors)), "data": result.data}


@lru_cache(KEPT)
def beyond(document: str, name: str | None) -> tuple[dict[str, object], ...]:
    """Why a query is past the limits, if it is. Fragments that double each other are measured once."""
    try:
        read_document, _ = read(document, LIMITS)
        check(read_document, choose(read_document, name), SCHEMA._schema, LIMITS)
    except InvalidOperation as error:
        return error.errors
    return ()


def _told(errors: Iterable[GraphQLError]) -> Iterable[dict[str, object]]:
    for error in errors:
        said = located("BAD_USER_INPUT", error)
        match error.original_error:
            case None | GraphQLError():
                pass
            case cause if isinstance(cause, FAILURES):
                raise Unavailable("The registry's database does not answer.") from cause
            case WrongReturnTypeForUnion() | UnallowedReturnTypeForUnion():
                said["message"] = NAMED
            case TypeError() | KeyError() | AttributeError() if error.path and error.path[0] and len(error.path) <= 2:
                # Strawberry builds entities of whatever a representation holds.
                said["message"] = NAMED
            case cause:
                raise cause
        yield {**said, "path": error.path}
