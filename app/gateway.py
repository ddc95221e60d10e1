"""One vendor request, top to bottom."""

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """A GraphQL request as HTTP brought it. Nothing of it has been looked at."""

    authorization: str | None
    document: str
    operation_name: str | None
    variables: object
    id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What leaves: one object, or a stream of chunks of one object."""

    body: bytes | AsyncIterator[bytes]
