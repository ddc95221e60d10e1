"""One entry of the ledger: who received which fields, of whom, when, why; or what was refused.

Shape: an entry is kept as msgpack, a map whose keys stand in the order of `Entry`'s fields; those bytes are what the
chain is built over. INVARIANT: of a record, an entry holds nothing but its student's row number, in a bitmap.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
from pyroaring import BitMap

from app.ledger.holding import Keeping
from app.names import SpaceId


class Kind(StrEnum):
    """What an entry tells of."""

    ANSWER = "answer"  # one answer that left whole
    REFUSAL = "refusal"  # a request of a known caller that was answered with nothing
    OPENING = "opening"  # a streamed answer begins
    CHUNK = "chunk"  # ... a part of it is about to leave
    CLOSING = "closing"  # ... all of it has left
    SENT = "sent"  # a subgraph is about to be told something, so that it can answer
    ABORTED = "aborted"  # ... it was broken off; what the chunks say had left
    OPT_OUT = "opt-out"  # the district recorded that these students opted out: of a client, or see app.names
    OPT_IN = "opt-in"  # ... took such opt-outs back
    RETENTION = "retention"  # ... deleted records that it had kept as long as it chose
    ERASURE = "erasure"  # ... took a student and everything of theirs out of the space
    PREVIEW = "preview"  # an officer looked at what a vendor would see: nothing left to the vendor
    READMISSION = "readmission"  # ... lets imports bring an erased student back


DISCLOSING = frozenset({Kind.ANSWER, Kind.CHUNK})
"""The kinds that tell of something that left."""

OWN = frozenset({Kind.OPT_OUT, Kind.OPT_IN, Kind.RETENTION, Kind.ERASURE, Kind.READMISSION})
"""The kinds that tell of what the district did with its own records: nothing left."""


class Whose(msgspec.Struct, frozen=True):
    """Coordinates that left together, and whose they were; of what the district did itself, a type of records."""

    coordinates: tuple[str, ...]
    students: BitMap | None  # row numbers; None: this is no student's data
    records: int


class Entry(msgspec.Struct, frozen=True):
    """What the district keeps of one answer, one refusal, or one part of a streamed answer. Spec: 34 CFR 99.32."""

    kind: Kind
    at: datetime  # with its time zone
    request: str  # the parts of one stream share it
    client: str
    purpose: str
    basis: str | None = None
    revision: str | None = None  # the grant's
    district_revision: str | None = None
    state_revision: str | None = None
    operation: str | None = None  # the operation's name, if it has one
    digest: str = ""  # SHA-256 of the operation's text, in hex
    disclosed: tuple[Whose, ...] = ()
    denied: tuple[tuple[str, str], ...] = ()  # coordinate, reason
    complete: bool = True
    removed: tuple[Whose, ...] = ()  # records of a type that the vendor was told to remove, and whose they are
    concerned: tuple[Whose, ...] = ()  # of what the district did itself: the records, by type, and whose they are
    subgraph: str | None = None  # which one was told, where something was sent
    officer: str | None = None  # who looked, where it was an officer


class Receipt(msgspec.Struct, frozen=True):
    """Proof that an entry stands: its place in the chain, and the chain's hash there."""

    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it stands in the ledger."""

    sequence: int
    hash: bytes
    entry: Entry


class Unlinked(msgspec.Struct, frozen=True):
    """An entry made ready for the chain: its bytes, and the columns that lists are filtered by."""

    at: int
    client: str
    first_student: int | None
    last_student: int | None
    body: bytes
    keeping: tuple[Keeping, ...] = ()  # what stands in one commit with it


Row = tuple[int, bytes, int, str, int | None, int | None, bytes]
"""One row of the table, in the order of its columns."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def _bitmap_to_bytes(value: object) -> bytes:
    if isinstance(value, BitMap):
        return bytes(value.serialize())
    raise TypeError(f"An entry of the ledger cannot hold a {type(value).__name__}")


def _bytes_to_bitmap(_type: type, value: bytes) -> BitMap:
    return BitMap.deserialize(value)


_encoder = msgspec.msgpack.Encoder(enc_hook=_bitmap_to_bytes)
_decoder: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry, dec_hook=_bytes_to_bitmap)


def microseconds(at: datetime) -> int:
    """A moment as the table keeps it. Raises: ValueError for a moment without a time zone."""
    if at.tzinfo is None:
        raise ValueError("An entry's time needs a time zone. Give it one.")
    return (at - EPOCH) // MICROSECOND


def prepare(entry: Entry, keeping: Sequence[Keeping] = ()) -> Unlinked:
    """Make an entry ready for the chain."""
    return columns(entry, _encoder.encode(entry), tuple(keeping))


def columns(entry: Entry, body: bytes, keeping: tuple[Keeping, ...] = ()) -> Unlinked:
    """The columns that go with an entry."""
    first: int | None = None
    last: int | None = None
    for whose in (*entry.disclosed, *entry.removed, *entry.concerned):
        if students := whose.students:
            least, greatest = students.min(), students.max()
            first = least if first is None or least < first else first
            last = greatest if last is None or greatest > last else last
    return Unlinked(microseconds(entry.at), entry.client, first, last, body, keeping)


def read_entry(body: bytes) -> Entry:
    """The entry that the bytes hold. Raises: ValueError if they hold none."""
    return _decoder.decode(body)


def beginning(space: SpaceId) -> Receipt:
    """What the first entry of a space's ledger is linked to: no entry can be carried over from another space's."""
    return Receipt(0, hashlib.sha256(f"homeroom ledger {space}".encode()).digest())


def link(previous: bytes, body: bytes) -> bytes:
    """The chain's hash after an entry: SHA-256 over the hash before it and its bytes."""
    return hashlib.sha256(previous + body).digest()


def chain(head: Receipt, entries: Iterable[Unlinked]) -> tuple[list[Receipt], list[Row]]:
    """Link entries to the head, in their order."""
    receipts: list[Receipt] = []
    rows: list[Row] = []
    for each in entries:
        head = Receipt(head.sequence + 1, link(head.hash, each.body))
        receipts.append(head)
        rows.append((head.sequence, head.hash, each.at, each.client, each.first_student, each.last_student, each.body))
    return receipts, rows


def further(heads: Sequence[Receipt]) -> Receipt:
    """The head that is furthest on.

    A database that has less in it than was committed to it was cut. Going on from where the chain really stood leaves
    a gap there, which `verify` finds.
    """
    return max(heads, key=lambda head: head.sequence)
