"""What a vendor holds of a list: for each record a keyed digest of the bytes that left, and no value.

A holding is what one client holds of one list under one query once it has taken in one answer. It never changes: a
further answer makes a further holding, which shares with the former every part in which nothing differs. Holdings are
no part of the chain: they prove nothing, and one that is gone costs a vendor a full sync.

Shape: a part has the records of `SPAN` neighbouring row numbers; of each, in order, the last bits of its row number in
two bytes and its digest in sixteen.
"""

import secrets
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.names import ClientId

BITS = 10
SPAN = 1 << BITS
RECORD = struct.Struct(">H16s")


@dataclass(frozen=True, slots=True)
class Holding:
    """What one client holds of one list, as one answer left it."""

    client: ClientId
    query: bytes  # what is asked of each record of which list, for which purpose
    id: bytes = b""
    through: int | None = 0  # the row up to which it was brought up to date; None: all of it
    state: bytes | None = None  # what all of that was read under; None: not the same throughout
    last: int = 0  # the greatest row in it
    records: int = 0
    places: Mapping[int, bytes] = field(default_factory=dict)  # the ids of its parts, by `row >> BITS`

    @property
    def size(self) -> int:
        """Units: bytes that its parts take."""
        return self.records * RECORD.size


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is to be kept of a holding, in one commit with the entry of the bytes that it stands for."""

    holding: Holding
    parts: Mapping[bytes, bytes] = field(default_factory=dict)  # those that are new, by id
    stands: bool = False  # whether it is kept already, and was only found to be up to date


def drawn() -> bytes:
    """The id of a new holding or part: a ledger that was put back from a copy never gives one out a second time."""
    return secrets.token_bytes(16)


def read_part(place: int, body: bytes) -> dict[int, bytes]:
    """The digests in a part, by row."""
    start = place << BITS
    return {start + offset: digest for offset, digest in RECORD.iter_unpack(body)}


def write_part(digests: Mapping[int, bytes]) -> bytes:
    """The digests of one place as a part."""
    return b"".join(RECORD.pack(row & (SPAN - 1), digests[row]) for row in sorted(digests))


HOLDING = (
    "INSERT INTO holding (id, client, query, entry, used, through, state, last, records)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
PLACE = "INSERT INTO holding_place (holding, place, part) VALUES ($1, $2, $3)"
PART = "INSERT INTO holding_part (id, client, size, body) VALUES ($1, $2, $3, $4)"
STANDS = "UPDATE holding SET entry = $2, used = $3, state = $4 WHERE id = $1"


def writes(keeping: Sequence[Keeping], sequence: int, at: int) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    """The statements that keep holdings with the entry of that number and moment, each with its rows."""
    for each in keeping:
        it = each.holding
        if each.stands:
            yield STANDS, [(it.id, sequence, at, it.state)]
            continue
        header = (it.id, it.client, it.query, sequence, at, it.through, it.state, it.last, it.records)
        yield HOLDING, [header]
        yield PLACE, [(it.id, place, part) for place, part in it.places.items()]
        yield PART, [(id_, it.client, len(body), body) for id_, body in each.parts.items()]
