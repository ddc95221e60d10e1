"""A filter may name only what the caller may read as it is: else it would be an oracle."""

from collections.abc import Mapping

from app.errors import RequestError
from app.names import Coordinate
from app.operation.decided import ROOT_TYPES, Authorized, Root
from app.policy.decide import Deny

Arguments = Mapping[str, Mapping[str, object]]


def check_filters(authorized: Authorized, arguments: Arguments) -> None:
    """Refuse the whole request if a `where` names a coordinate that is withheld or transformed: nothing is run.

    Raises: RequestError.
    """
    for root in authorized.roots:
        if isinstance(root, Root) and root.field in ROOT_TYPES:
            where = arguments.get(root.response_key, {}).get("where")
            for field in where if isinstance(where, Mapping) else ():
                if field != "id":
                    _check(authorized, Coordinate(f"{ROOT_TYPES[root.field]}.{field}"))


def _check(authorized: Authorized, coordinate: Coordinate) -> None:
    match authorized.filters(coordinate):
        case Deny(reason):
            raise RequestError(
                f"`where` names {coordinate}, which is not granted to this client as it is. Take it out of the filter.",
                code="FILTER_NOT_GRANTED",
                extensions={"coordinate": coordinate, "reason": reason.value},
            )
        case _:
            return
