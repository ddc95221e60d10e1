"""What a request asks for: query, operation name, variables, out of an HTTP body or address.

Spec: GraphQL over HTTP §5. Everything is bounded and strict: one spelling for each thing, UTF-8 or nothing. Messages
quote nothing that was sent.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from app.errors import RequestError
from app.gateway import Request
from app.telemetry.trail import Trail
from app.web.media import is_json


class Refused(RequestError):  # noqa: N818 - it says what became of the request
    """A request that HTTP's own rules stop, before GraphQL is looked at."""

    def __init__(
        self, status: HTTPStatus, code: str, message: str, headers: Mapping[str, str] | None = None, **facts: object
    ) -> None:
        super().__init__(message, code=code, status=status, extensions=facts)
        self.headers = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]


class Parameters(msgspec.Struct):
    """Spec: GraphQL over HTTP §5.1. Other keys may come and are passed over."""

    query: str
    operationName: str | None = None  # noqa: N815 - the specification's name
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


_BODY = msgspec.json.Decoder(Parameters)
_MAP: msgspec.json.Decoder[dict[str, Any] | None] = msgspec.json.Decoder(dict[str, Any] | None)
_CLOSE = {"connection": "close"}  # the rest of the body is not read


class Headers:
    """The headers that decide how a request is read. Each may stand once; `accept` is a list and may be spread."""

    __slots__ = ("_found",)

    _READ = frozenset({b"accept", b"authorization", b"content-type", b"content-length", b"content-encoding"})

    def __init__(self, scope: Scope) -> None:
        found: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name in self._READ:
                text = value.decode("latin-1")
                if name not in found:
                    found[name] = text
                elif name == b"accept":
                    found[name] += f", {text}"
                else:
                    raise Refused(
                        HTTPStatus.BAD_REQUEST, "BAD_REQUEST", f"The header {name.decode()} stands twice. Send it once."
                    )
        self._found = found

    def get(self, name: bytes) -> str | None:
        """A header's value."""
        return self._found.get(name)


async def read_request(scope: Scope, receive: Receive, headers: Headers, limit: int, trail: Trail) -> Request:
    """Read a request's parameters. `limit` is for the body, in bytes. Raises: Refused, ClientDisconnect."""
    match scope["method"]:
        case "POST":
            _check_body(headers, limit)
            body = await _body(receive, limit)
            parameters = _from_json(body)
        case "GET":
            body = b""
            parameters = _from_address(scope["query_string"])
        case _:
            raise Refused(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "The graph answers to POST and GET. Use one of them.",
                {"allow": "GET, POST"} | _CLOSE,
            )
    return Request(
        authorization=headers.get(b"authorization"),
        document=parameters.query,
        operation_name=parameters.operationName or None,
        variables=parameters.variables,
        trail=trail,
        body=body,
    )


def _check_body(headers: Headers, limit: int) -> None:
    if (headers.get(b"content-encoding") or "identity").strip().lower() != "identity":
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "Bodies are taken as they are. Send the body without a Content-Encoding.",
            {"accept-encoding": "identity"} | _CLOSE,
        )
    if not is_json(headers.get(b"content-type")):
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "A query is sent as JSON in UTF-8. Send it with Content-Type: application/json.",
            {"accept-post": "application/json"} | _CLOSE,
        )
    length = headers.get(b"content-length") or "0"
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise Refused(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "Content-Length is a whole number.", _CLOSE)
    if int(length) > limit:
        raise _too_large(limit, int(length))


async def _body(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        whole: bytes = message.get("body", b"")
        if len(whole) > limit:
            raise _too_large(limit, len(whole))
        return whole
    parts = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise _too_large(limit, len(parts))
        if not message.get("more_body", False):
            return bytes(parts)
        message = await receive()


def _too_large(limit: int, size: int) -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "LIMIT_BODY",
        f"The body has at least {size} bytes and may have {limit}. Send a shorter query, or fewer variables.",
        _CLOSE,
        limit=limit,
        figure=size,
    )


def _from_json(body: bytes) -> Parameters:
    try:
        return _BODY.decode(body)
    except msgspec.ValidationError as error:
        raise _malformed(_sentence(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _malformed('The body is not JSON in UTF-8. Send {"query": "…"}.') from None
    except RecursionError:
        raise _malformed("The body is nested too deeply. Send flatter variables.") from None


def _from_address(query_string: bytes) -> Parameters:
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16)
    except ValueError:  # UnicodeDecodeError is one
        raise _malformed("The address is not form-encoded UTF-8. Encode its parameters.") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise _malformed("A parameter of the address stands twice. Send each once.")
        found[name] = value
    if "query" not in found:
        raise _malformed(_sentence("Object missing required field `query`"))
    return Parameters(
        query=found["query"],
        operationName=found.get("operationName"),
        variables=_map(found.get("variables"), "variables"),
        extensions=_map(found.get("extensions"), "extensions"),
    )


def _map(text: str | None, name: str) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        return _MAP.decode(text.encode())
    except (ValueError, RecursionError):  # what msgspec and UTF-8 raise are ValueErrors
        raise _malformed(f"`{name}` is a JSON object. Send one, or leave it out.") from None


_KINDS = {"query": "a string", "operationName": "a string", "variables": "a JSON object", "extensions": "a JSON object"}


def _sentence(message: str) -> str:
    """Say in a sentence what msgspec found, naming our own keys and nothing that was sent."""
    place = re.search(r"at `\$\.([A-Za-z]+)(\S*)`$", message)
    if place and place[1] in _KINDS:
        if place[2]:
            return f"A number within `{place[1]}` is out of range. Send a smaller one."
        return f"`{place[1]}` is {_KINDS[place[1]]}. Send one" + (
            "." if place[1] == "query" else ", null, or leave it out."
        )
    if "`query`" in message:
        return 'There is no `query`. Send {"query": "…"}.'
    return 'A request is one JSON object; lists of them are not taken. Send {"query": "…"}.'


def _malformed(message: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", message)
