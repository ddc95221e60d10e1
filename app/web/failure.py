"""What a caller is told when something fails that is not the caller's doing: an id to quote, and nothing else."""

import logging
import secrets
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from app.errors import Unavailable
from app.web.log import note, where


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as it leaves. Nothing of the exception is in it but whether trying again may help."""

    status: HTTPStatus
    id: str
    code: str
    message: str

    def body(self, request: str) -> bytes:
        """The failure as a GraphQL answer without data. Spec: GraphQL §7.1, GraphQL over HTTP §6."""
        error = {"message": self.message, "extensions": {"code": self.code, "id": self.id}}
        return msgspec.json.encode({"errors": [error], "extensions": {"request": request}})

    def headers(self) -> list[tuple[bytes, bytes]]:
        """When to come back."""
        return [(b"retry-after", b"5")] if self.status is HTTPStatus.SERVICE_UNAVAILABLE else []


def fail(error: Exception, request: str) -> Failure:
    """Give a failure an id, and write it to the log under that id with its kind and place, without its text."""
    failure = _unavailable() if isinstance(error, Unavailable) else _internal()
    cause = error.__cause__
    note(
        "failure",
        level=logging.ERROR,
        error=failure.id,
        request=request,
        status=int(failure.status),
        kind=type(error).__name__,
        cause=type(cause).__name__ if cause else None,
        where=where(error.__traceback__),
    )
    return failure


def _unavailable() -> Failure:
    name = secrets.token_hex(8)
    return Failure(
        HTTPStatus.SERVICE_UNAVAILABLE,
        name,
        "UNAVAILABLE",
        f"Something that the answer needs does not answer, and nothing was disclosed. Try again later; "
        f"if it lasts, tell the operator this error id: {name}.",
    )


def _internal() -> Failure:
    name = secrets.token_hex(8)
    return Failure(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        name,
        "INTERNAL",
        f"Something failed here, and it is not your request's doing. Tell the operator this error id: {name}.",
    )
