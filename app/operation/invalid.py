"""A query that cannot be run, with every error that says why."""

from collections.abc import Iterable, Mapping

from graphql import GraphQLError

from app.errors import RequestError


class InvalidOperation(RequestError):  # noqa: N818 - named as one says it
    """The caller's query cannot be run. `errors` are GraphQL's error objects; nothing was fetched."""

    def __init__(self, errors: Iterable[Mapping[str, object]]) -> None:
        self.errors = tuple(dict(error) for error in errors)
        first = self.errors[0]
        extensions = first["extensions"]
        assert isinstance(extensions, dict)  # noqa: S101 - every error here is made by `error`
        super().__init__(str(first["message"]), code=str(extensions["code"]), extensions=extensions)


def error(code: str, message: str, **extensions: object) -> dict[str, object]:
    """One error object. Spec: GraphQL §7.1.2."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def located(code: str, cause: GraphQLError) -> dict[str, object]:
    """An error of graphql-core's with where it stands in the text, and our code."""
    said: dict[str, object] = {"message": cause.message, "extensions": {"code": code}}
    if cause.locations:
        said["locations"] = [{"line": place.line, "column": place.column} for place in cause.locations]
    return said
