"""Whether servers gave the same answer, and how much is in it."""

from typing import Any

import msgspec

WITHOUT = "id"  # every server names records in its own way


class UnexpectedAnswerError(Exception):
    """A server answered with errors, or otherwise than the others."""


def content(body: bytes) -> Any:
    """An answer's data in one canonical form: ids taken out, lists in an order that does not depend on the server.

    Raises: UnexpectedAnswerError if the answer has errors, as it should have none.
    """
    answer = msgspec.json.decode(body)
    if answer.get("errors"):
        raise UnexpectedAnswerError(f"An answer has errors: {str(answer['errors'])[:1000]}")
    return _canonical(answer["data"])


def _canonical(value: Any) -> Any:
    match value:
        case dict():
            return {key: _canonical(part) for key, part in sorted(value.items()) if key != WITHOUT}
        case list():
            return sorted((_canonical(part) for part in value), key=msgspec.json.encode)
        case bool() | str() | None:
            return value
        case _:
            return float(value)


def difference(ours: Any, theirs: Any, path: str = "data") -> str | None:
    """The first place at which two answers differ, or None."""
    match ours, theirs:
        case dict(), dict():
            if ours.keys() != theirs.keys():
                return f"{path} has {sorted(ours)} and {sorted(theirs)}"
            found = (difference(ours[key], theirs[key], f"{path}.{key}") for key in ours)
            return next((where for where in found if where), None)
        case list(), list():
            if len(ours) != len(theirs):
                return f"{path} has {len(ours)} and {len(theirs)} entries"
            found = (
                difference(one, other, f"{path}[{at}]")
                for at, (one, other) in enumerate(zip(ours, theirs, strict=True))
            )
            return next((where for where in found if where), None)
        case _:
            return None if ours == theirs else f"{path} is {ours!r} and {theirs!r}"


def fields(body: bytes) -> int:
    """How many fields an answer has, ids and edges too."""

    def count(value: Any) -> int:
        match value:
            case dict():
                return len(value) + sum(map(count, value.values()))
            case list():
                return sum(map(count, value))
            case _:
                return 0

    return count(msgspec.json.decode(body)["data"])


def ids(body: bytes) -> dict[str, str]:
    """A roster's ids by the state's identifier, which every server gives alike."""
    nodes = msgspec.json.decode(body)["data"]["students"]["nodes"]
    return {node["studentUniqueId"]: node["id"] for node in nodes}
