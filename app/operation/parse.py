"""Make an `Operation` of a query's text: parsed, held to the limits, validated, its fragments written out.

Nothing of it depends on who asks or on variables, so that it is done once for a text and a name.
"""

import hashlib
import re

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged

from app.operation import limits as limiting
from app.operation.collect import collect
from app.operation.invalid import InvalidOperation, error, located
from app.operation.model import Operation
from app.settings import Limits

__all__ = ["InvalidOperation", "parse_operation"]

ERRORS = 20
"""How many validation errors are told at once."""

TOO_MANY = re.compile(r"contains more than \d+ (tokens|comments)\.")
TOO_DEEP = re.compile(r"nested too deeply")
GIVEN_UP = "Validation aborted."
PARSER_DEPTH = 200
"""How deep graphql-core reads at all."""

# What comparing equal fields may take: a fifth of graphql-core's own bound, still far above any real query.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 100_000


def parse_operation(text: str, name: str | None, schema: GraphQLSchema, limits: Limits) -> Operation:
    """The operation of that name in the text, or its only one.

    Raises: InvalidOperation with every error that was found.
    """
    document, digest = read(text, limits)
    definition = choose(document, name or None)
    limiting.check(document, definition, schema, limits)
    errors = validate(schema, document, max_errors=ERRORS, hide_suggestions=True)
    if errors:
        raise InvalidOperation(invalid(cause) for cause in errors)
    roots, conditions = collect(document, definition, schema)
    limiting.check_edges(roots, limits)
    return Operation(
        digest=digest,
        name=definition.name.value if definition.name else None,
        document=document,
        definition=definition,
        roots=roots,
        conditions=conditions,
    )


def read(text: str, limits: Limits) -> tuple[DocumentNode, str]:
    """The document with the SHA-256 of its text. Raises: InvalidOperation."""
    try:
        digest = hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        message = "The query holds half a character (a lone surrogate). Send Unicode text."
        raise InvalidOperation([error("GRAPHQL_PARSE_FAILED", message)]) from None
    try:
        document = parse(
            text,
            max_lexical_tokens=limits.tokens,
            max_comments=limits.tokens,
            allow_empty_selection_sets=False,
        )
    except GraphQLError as cause:
        raise unreadable(cause, limits) from None
    return document, digest


def unreadable(cause: GraphQLError, limits: Limits) -> InvalidOperation:
    """Why a text could not be read: a limit, or its syntax."""
    if TOO_MANY.search(cause.message):
        message = f"The query has more than {limits.tokens} tokens; that is the limit. Send a shorter query."
        return InvalidOperation([error("LIMIT_TOKENS", message, limit=limits.tokens, figure=limits.tokens + 1)])
    if TOO_DEEP.search(cause.message):
        message = (
            f"The query is more than {PARSER_DEPTH} levels deep; the limit is {limits.depth}. Ask for less nested data."
        )
        return InvalidOperation([error("LIMIT_DEPTH", message, limit=limits.depth, figure=PARSER_DEPTH + 1)])
    return InvalidOperation([located("GRAPHQL_PARSE_FAILED", cause)])


def invalid(cause: GraphQLError) -> dict[str, object]:
    """What validation found, or that it gave up."""
    if cause.message == GIVEN_UP:
        message = "The query repeats or nests its fields too often to be checked. Ask for each field once."
        return error("LIMIT_SELECTIONS", message)
    return located("GRAPHQL_VALIDATION_FAILED", cause)


def choose(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run. Spec: GraphQL §6.1, GetOperation. Raises: InvalidOperation."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None:
        match operations:
            case [only]:
                return only
            case []:
                raise InvalidOperation([error("OPERATION_NOT_FOUND", "The text holds no operation. Write a query.")])
            case _:
                message = "The text holds several operations. Name the one to run as `operationName`."
                raise InvalidOperation([error("OPERATION_NAME_REQUIRED", message)])
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    message = "The text holds no operation of that name. Mend `operationName`, or leave it out."
    raise InvalidOperation([error("OPERATION_NOT_FOUND", message)])
