"""What premises may answer a gateway, and nothing else. What is of another shape is as if they had not answered.

An answer to an operation is looked at as far as to know that it is one: what its data hold is the district's own.
"""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from app.errors import HomeroomError, RequestError, TooMany, Unavailable

OPENINGS = (b'{"data":', b'{"errors":')
"""What every answer of the graph begins with."""

LONGEST_OPENING = max(map(len, OPENINGS))

LONGEST_WAIT = 3_600
"""Units: seconds that a vendor can be told to wait."""

REFUSALS = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    }
)
"""The statuses of what the premises refuse to a vendor, which goes on to it as it is; and 429, with its wait."""

Known = TypeVar("Known")


class Answered(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to an operation."""

    data: msgspec.Raw = msgspec.Raw()
    errors: msgspec.Raw = msgspec.Raw()
    extensions: msgspec.Raw = msgspec.Raw()


class Checked(msgspec.Struct, forbid_unknown_fields=True):
    """That a statement is believed, and what is served: the version, and the SHA-256 of the schema."""

    version: str
    schema: str


class Purposes(msgspec.Struct, forbid_unknown_fields=True):
    """For what a client has grants."""

    purposes: Annotated[list[Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]], Meta(max_length=100)]


class AskedCoordinate(msgspec.Struct, forbid_unknown_fields=True):
    """One field that a client asked for."""

    coordinate: str
    transform: str | None
    reason: str
    approved: bool | None


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What became of a client's request for access."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    purpose: str
    state: Literal["OPEN", "WAITING", "APPROVED", "NARROWED", "REFUSED"]
    askedAt: str  # noqa: N815 - its name in the answer
    decidedAt: str | None  # noqa: N815
    reason: str | None
    coordinates: list[AskedCoordinate]
    address: str


class Refusal(msgspec.Struct):
    """The first of the `errors` of a request that was refused."""

    message: str
    extensions: dict[str, Any]


class Refusals(msgspec.Struct):
    """The answer to a request that was refused."""

    errors: Annotated[list[Refusal], Meta(min_length=1)]


class RefusedThere(RequestError):  # noqa: N818 - it says what became of the request
    """What the premises refused, as they put it."""

    def __init__(self, first: Refusal, code: str, errors: list[dict[str, Any]], status: int) -> None:
        super().__init__(first.message, code=code, status=HTTPStatus(status), extensions=first.extensions)
        self.errors = errors


def parsed(body: bytes, kind: type[Known]) -> Known:
    """An answer, if it is of that shape. Raises: Unavailable."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body, type=kind)
    raise Unavailable("The premises answered, and not with what they were asked for.")


def checked(body: bytes) -> bytes:
    """A whole answer to an operation, if it is one. Raises: Unavailable."""
    parsed(body, Answered)
    with suppress(UnicodeDecodeError):
        if body.isascii() or body.decode():
            return opened(body)
    raise Unavailable("The premises answered, and not in UTF-8.")


def opened(begun: bytes) -> bytes:
    """The beginning of an answer to an operation, if it is one. Raises: Unavailable."""
    if not begun.startswith(OPENINGS):
        raise Unavailable("The premises answered, and not with GraphQL.")
    return begun


def refusal(status: int, body: bytes) -> HomeroomError:
    """What premises say by another status than that of success, as the vendor is told."""
    with suppress(Unavailable):
        first = parsed(body, Refusals).errors[0]
        code, wait = first.extensions.get("code"), first.extensions.get("retryAfter", 1)
        if status == HTTPStatus.TOO_MANY_REQUESTS and isinstance(code, str) and isinstance(wait, int):
            return TooMany(first.message, code=code, wait=min(max(wait, 1), LONGEST_WAIT))
        if status in REFUSALS and isinstance(code, str):
            errors: Mapping[str, list[dict[str, Any]]] = msgspec.json.decode(body)
            return RefusedThere(first, code, errors["errors"], status)
    return Unavailable(f"The premises answered with status {status}.")
