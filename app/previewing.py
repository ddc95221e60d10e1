"""What a vendor would see, for an officer who decides: the stages of a vendor's request under an authority of choice.

INVARIANT: an entry that names the officer stands in the ledger before a value is shown. It is no disclosure to the
vendor, to whom nothing leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec

from app.errors import RequestError, Unavailable
from app.installation import Installation
from app.ledger.entry import Entry, Kind, Whose
from app.names import Coordinate
from app.operation.bind import bind
from app.policy.authority import Authority
from app.sources.fetch import Asking


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer would hold, and why some of it would not."""

    data: Mapping[str, Any]
    denied: Mapping[Coordinate, tuple[str, str]]  # code, sentence


async def preview(rooms: Installation, document: str, authority: Authority, officer: str) -> Seen:
    """Operation, authorize, plan, execute, record: as `gateway.answer` does, with nobody to answer.

    `document` asks for what the space itself tells. Raises: Unavailable.
    """
    ledger = rooms.ledgers[authority.space]
    try:
        operation = rooms.operation(document, None)
        bound = bind(operation, rooms.schema, {}, rooms.settings.limits)
        authorized = rooms.authorized(operation, authority)
        plan = rooms.plan(authorized)
        asking = Asking(authority, bound.true, bound.arguments, rooms.settings.limits.chunk, ledger.holdings)
        data = bytearray()
        disclosed: list[Whose] = []
        async for part in rooms.run(plan, asking, bound, {}, _nothing_is_sent):
            data += part.data
            disclosed += part.whose
    except RequestError as error:
        raise Unavailable(f"The preview cannot be made: {error.message}") from None
    denials = [*authorized.denials, *plan.denials]
    grant = authority.grant
    await ledger.record(
        Entry(
            kind=Kind.PREVIEW,
            at=rooms.clock(),
            request=uuid4().hex,
            client=authority.client,
            purpose=authority.purpose,
            basis=grant.basis.value if grant else None,
            revision=authority.revision,
            district_revision=authority.district.revision if authority.district else None,
            state_revision=authority.state.revision if authority.state else None,
            digest=operation.digest,
            disclosed=tuple(disclosed),
            denied=tuple((str(one.coordinate), one.reason.value) for one in denials),
            officer=officer,
        )
    )
    return Seen(
        msgspec.json.decode(bytes(data)),
        {one.coordinate: (one.reason.value, one.message) for one in denials},
    )


async def _nothing_is_sent(_subgraph: str, _told: Sequence[Whose]) -> None:
    raise AssertionError("A preview asks the space alone")
