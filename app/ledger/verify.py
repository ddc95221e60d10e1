"""Verify a ledger: that nobody has edited, removed, reordered or cut off what was recorded.

Each entry's hash covers the one before it, and each checkpoint vouches, from outside the database, for all up to its
own entry. A stream without a closing entry is no tampering: the machine stopped, or the stream still runs.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger.checkpoints import Checkpoint, Checkpoints
from app.ledger.entry import Entry, Kind, Receipt, beginning, columns, link, read_entry
from app.ledger.reading import Stored, stored, stored_at
from app.names import SpaceId

MOST = 100
"""How many findings are told one by one; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A streamed answer without an end: it still runs, or it was broken off after so many records."""

    request: str
    client: str
    at: datetime
    sequence: int  # of its first entry
    chunks: int
    records: int  # the sum over its sets of coordinates
    students: int  # how many different ones

    def __str__(self) -> str:
        return (
            f"{self.at.isoformat(timespec='seconds')} {self.client}, request {self.request}: interrupted after "
            f"{self.records} records of {self.students} students in {self.chunks} chunks (entry {self.sequence})."
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found."""

    entries: int
    head: Receipt  # the last entry
    checkpoints: int
    vouched: int  # the last entry that a checkpoint vouches for
    findings: tuple[str, ...]  # sentences; at most 100
    more: int  # findings beyond those
    interrupted: tuple[Interrupted, ...]

    @property
    def sound(self) -> bool:
        """Whether the ledger is as it was recorded."""
        return not self.findings


async def verify(engine: AsyncEngine, checkpoints: Checkpoints) -> Verdict:
    """Read the whole ledger and say whether it is as it was recorded. Raises: Unavailable."""
    marks = Marks()
    # INVARIANT: checkpoints are read first: whatever they vouch for is in the database by now.
    marks.read(checkpoints.read())
    walk = Walk(beginning(checkpoints.space), marks)
    async for row in stored(engine):
        walk.step(row)
    return walk.verdict()


@dataclass(slots=True)
class Marks:
    """What the checkpoints say, by number of entry."""

    hashes: dict[int, set[bytes]] = field(default_factory=dict)
    count: int = 0
    last: Checkpoint | None = None
    forged: list[int] = field(default_factory=list)  # numbers of lines

    def read(self, lines: Iterable[Checkpoint | int]) -> None:
        """Take in the file of checkpoints."""
        for line in lines:
            if isinstance(line, int):
                self.forged.append(line)
                continue
            self.count += 1
            self.hashes.setdefault(line.sequence, set()).add(line.receipt.hash)
            if self.last is None or line.sequence > self.last.sequence:
                self.last = line

    def contradict(self, receipt: Receipt) -> bool:
        """Whether a checkpoint has another hash for an entry."""
        return bool(self.hashes.get(receipt.sequence, {receipt.hash}) - {receipt.hash})


def examine(before: Receipt, row: Stored) -> tuple[Entry | None, list[str]]:
    """The entry in a row, if it can be read, and what is amiss: with its place, its link to the one before, itself."""
    findings = []
    if row.sequence != before.sequence + 1:
        findings.append(
            f"Entry {row.sequence} stands where entry {before.sequence + 1} should: what belongs between was removed, "
            "or an entry was given another number."
        )
    elif link(before.hash, row.unlinked.body) != row.hash:
        findings.append(
            f"Entry {row.sequence} does not follow from the one before it: one of them was edited, "
            "or entries were removed or reordered there."
        )
    try:
        entry = read_entry(row.unlinked.body)
    except ValueError:
        return None, [*findings, f"Entry {row.sequence} cannot be read: it was edited."]
    if columns(entry, row.unlinked.body) != row.unlinked:
        findings.append(
            f"Entry {row.sequence} is listed under another client, time or students than it says itself: "
            "its columns were edited."
        )
    return entry, findings


async def spot_check(
    engine: AsyncEngine, space: SpaceId, numbers: Collection[int], vouched: Receipt
) -> Mapping[int, Sequence[str]]:
    """What is amiss with some entries, and the one that a checkpoint vouches for, by their numbers.

    Each is held against the one that is stored before it, and no others are read: where a history was linked anew
    between them, that is found by `verify` alone. Raises: Unavailable.
    """
    start = beginning(space)
    wanted = {*numbers, vouched.sequence} - {start.sequence}
    rows = await stored_at(engine, {number - step for number in wanted for step in (0, 1)})
    receipts = {number: Receipt(number, row.hash) for number, row in rows.items()} | {start.sequence: start}
    found: dict[int, list[str]] = {}
    for number in sorted(wanted):
        if number not in rows:
            found[number] = [f"Entry {number} is missing: it was removed."]
        elif number - 1 not in receipts:
            found[number] = [f"The entry before entry {number} is missing: it was removed."]
        else:
            found[number] = examine(receipts[number - 1], rows[number])[1]
    if receipts.get(vouched.sequence, vouched) != vouched:
        other = f"Entry {vouched.sequence} is not the one that the last checkpoint vouches for."
        found.setdefault(vouched.sequence, []).append(other)
    return {number: findings for number, findings in found.items() if findings}


class Walk:
    """One walk along the chain."""

    def __init__(self, start: Receipt, marks: Marks) -> None:
        self._head = start
        self._marks = marks
        self._entries = 0
        self._findings: list[str] = []
        self._more = 0
        self._streams = Streams()
        for line in marks.forged:
            self._find(
                f"Line {line} of the checkpoints is not what was signed: it was edited, or another key signed it."
            )
        self._compare(start)

    def step(self, row: Stored) -> None:
        """Check the next entry against the one before it, against the checkpoints and against itself."""
        self._entries += 1
        entry, findings = examine(self._head, row)
        for finding in findings:
            self._find(finding)
        self._head = Receipt(row.sequence, row.hash)
        self._compare(self._head)
        if entry is not None:
            self._streams.follow(row.sequence, entry)

    def verdict(self) -> Verdict:
        """What was found, now that the chain is at its end."""
        last = self._marks.last
        if last is not None and last.sequence > self._head.sequence:
            self._find(
                f"The ledger ends at entry {self._head.sequence}, but a checkpoint of "
                f"{last.at.isoformat(timespec='seconds')} vouches for entry {last.sequence}: the end was removed."
            )
        if self._entries and not self._marks.count and not self._marks.forged:
            self._find("There are no checkpoints: their file was removed. Put it back from a copy.")
        return Verdict(
            entries=self._entries,
            head=self._head,
            checkpoints=self._marks.count,
            vouched=last.sequence if last else 0,
            findings=tuple(self._findings),
            more=self._more,
            interrupted=tuple(self._streams.open()),
        )

    def _compare(self, receipt: Receipt) -> None:
        if self._marks.contradict(receipt):
            self._find(
                f"A checkpoint vouches for another history up to entry {receipt.sequence} than the ledger tells: "
                "entries up to there were edited, removed or reordered, and linked anew."
            )

    def _find(self, sentence: str) -> None:
        if len(self._findings) < MOST:
            self._findings.append(sentence)
        else:
            self._more += 1


@dataclass(slots=True)
class _Stream:
    sequence: int
    at: datetime
    chunks: int = 0
    records: int = 0
    students: BitMap = field(default_factory=BitMap)


class Streams:
    """Streamed answers whose end has not come by."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], _Stream] = {}

    def follow(self, sequence: int, entry: Entry) -> None:
        """Take in the next entry."""
        key = entry.client, entry.request
        if entry.kind is Kind.OPENING:
            self._open[key] = _Stream(sequence, entry.at)
        elif entry.kind is Kind.CHUNK:
            stream = self._open.setdefault(key, _Stream(sequence, entry.at))
            stream.chunks += 1
            for whose in entry.disclosed:
                stream.records += whose.records
                stream.students |= whose.students or BitMap()
        elif entry.kind in (Kind.CLOSING, Kind.ABORTED):
            self._open.pop(key, None)

    def open(self) -> Iterator[Interrupted]:
        """Those that have no end, in the order in which they began."""
        for (client, request), stream in self._open.items():
            yield Interrupted(
                request=request,
                client=client,
                at=stream.at,
                sequence=stream.sequence,
                chunks=stream.chunks,
                records=stream.records,
                students=len(stream.students),
            )
