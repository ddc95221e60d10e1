"""Keep a vendor in step with a list: what of it differs from what the vendor holds, and what it must remove.

Every record of the list is read as always and made into the very bytes that would leave; a keyed digest of them says
whether the vendor has them already. So whatever sways an answer counts as a change: the record, what is nested in it,
the grant, a transform, an opt-out, the day. Nothing has to be stamped for it.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import msgspec

from app import __version__
from app.errors import RequestError
from app.ledger.holding import BITS, Holding, Keeping, drawn
from app.ledger.holdings import Holdings
from app.operation.decided import Frame, Root
from app.operation.model import Selection, holds
from app.policy.authority import Authority
from app.sources.fetch import Asking
from app.spaces.identifiers import Identifiers

encode = msgspec.json.Encoder().encode


def asks(root: Root, field_name: str, true: frozenset[str]) -> bool:
    """Whether a connection is asked for one of its own fields."""
    return any(
        isinstance(one, Frame) and one.field == field_name and holds(one.when, true)
        for children in root.children.values()
        for one in children
    )


@lru_cache(maxsize=256)
def asked_of_records(connection: Selection, true: frozenset[str]) -> bytes:
    """What a query asks of each record of a list, whatever else it asks of the list. Two that ask alike are one."""
    places = [
        _asked(place, true)
        for one in _standing(connection, true)
        for place in ([one] if one.field == "nodes" else _standing(one, true) if one.field == "edges" else ())
        if place.field in {"nodes", "node"}
    ]
    return msgspec.json.encode(places)


def _standing(selection: Selection, true: frozenset[str]) -> list[Selection]:
    return [one for below in selection.children.values() for one in below if holds(one.when, true)]


def _asked(selection: Selection, true: frozenset[str]) -> list[object]:
    return [[one.response_key, one.parent, one.field, _asked(one, true)] for one in _standing(selection, true)]


def state(mark: str, authority: Authority) -> bytes:
    """What an answer is read under: while it is the same, so is every answer to one query."""
    return hashlib.sha256(f"{__version__}\n{mark}\n".encode() + authority.fingerprint).digest()


@dataclass(slots=True)
class Sync:
    """One list of one request with which a vendor keeps in step."""

    names: Identifiers
    holdings: Holdings
    since: str | None  # the cursor of what the vendor holds, if it asks for changes
    keeps: bool  # whether it asks for the next one
    former: Holding  # what it holds so far
    id: bytes = field(default_factory=drawn)  # of what it will hold
    state: bytes = b""
    steady: bool = True  # whether all that it holds was read under one state
    position: int | None = 0  # the row up to which it is up to date; None: to the end, and nothing need be read
    places: list[int] = field(default_factory=list)
    sent: dict[int, bytes] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, root: Root, asking: Asking, names: Identifiers, query: bytes, page: bytes | None) -> "Sync | None":
        """How a request keeps in step with a list; None if it does not. `page` is what its `after` goes on from.

        Raises: RequestError for a cursor that is not the caller's own, and for what cannot be asked together.
        """
        arguments = asking.arguments.get(root.response_key, {})
        since, keeps = arguments.get("changedSince"), asks(root, "changeCursor", asking.true)
        if since is None and not keeps:
            return None
        if asking.holdings is None:
            raise AssertionError("Nobody keeps what this vendor holds")
        if since is not None and page is not None:
            raise _refused("`after` and `changedSince` exclude each other. Go on with the last `changeCursor` alone.")
        if since is not None and not asks(root, "removed", asking.true):
            raise _refused("With `changedSince` ask for `removed` too: what it names may not be kept any longer.")
        if page == b"":
            raise _refused("A `changeCursor` covers pages that all asked for it. Ask for it from the first page on.")
        bound = [asking.authority.purpose, root.field, asked_of_records(root.selection, asking.true)]
        query = hashlib.sha256(query + msgspec.json.encode(bound)).digest()
        held = page or b""
        if since is not None:
            found = names.unseal_holding(str(since), query)
            if found is None:
                raise RequestError(
                    "This cursor was not made for this client, space, purpose and query. Sync from the beginning, "
                    "without `changedSince`.",
                    code="CURSOR_UNKNOWN",
                )
            held = found
        given = str(since) if since is not None else None
        return cls(names, asking.holdings, given, keeps, Holding(asking.authority.client, query, held))

    async def find(self) -> None:
        """Find what the vendor holds so far. Raises: RequestError (CHANGES_EXPIRED), Unavailable."""
        if self.former.id:
            self.former = await self.holdings.find(self.former.id, self.former.client, self.former.query)

    def begin(self, now: bytes) -> None:
        """Begin to read the list, or to go on in it, under a state."""
        self.state = now
        if self.since is not None:
            in_step = self.former.through is None and self.former.state == now
            self.position = None if in_step else self.former.through or 0
        if self.former.id:
            afresh = self.since is not None and self.former.through is None
            self.steady = afresh or self.former.state == now
        self.places = sorted(self.former.places)

    @property
    def beyond(self) -> bool:
        """Whether whatever follows is new to the vendor."""
        return self.position is not None and self.position >= self.former.last

    @property
    def left_over(self) -> bool:
        """Whether a vendor that has come to the list's end must ask again: some of it was read before a change."""
        return self.since is not None and self.position is None and not self.steady

    def written(self, lists: Sequence[Sequence[Any]]) -> tuple[list[list[msgspec.Raw]], list[bytes]]:
        """Records as the bytes that would leave, and for each record the digest of its bytes in every list of it."""
        raw = [[msgspec.Raw(encode(record)) for record in records] for records in lists]
        return raw, [self.names.digest(places) for places in zip(*raw, strict=True)]

    async def differing(self, rows: Sequence[int], digests: Sequence[bytes], *, last: bool, room: int) -> list[int]:
        """Which of the next rows of the list, by their places among `rows`, the vendor does not hold as they are.

        What is gone between them is noted. Where more than `room` differ, the position stays before the first that
        finds none.
        """
        held = await self._held(None if last else rows[-1])
        differ = [n for n, row in enumerate(rows) if held.get(row) != digests[n]]
        end = None if last else rows[-1]
        if len(differ) > room:
            end = rows[differ[room]] - 1
            del differ[room:]
        self.gone += sorted(row for row in held.keys() - set(rows) if end is None or row <= end)
        self.sent.update((rows[n], digests[n]) for n in differ)
        self.position = end
        return differ

    async def _held(self, end: int | None) -> dict[int, bytes]:
        """The digests that the vendor holds behind the position, up to the row `end`."""
        begin = self.position or 0
        low = bisect_left(self.places, begin >> BITS)
        high = len(self.places) if end is None else bisect_right(self.places, end >> BITS)
        digests = await self.holdings.digests(self.former, self.places[low:high])
        return {row: one for row, one in digests.items() if row > begin and (end is None or row <= end)}

    def sent_whole(self, rows: Sequence[int], digests: Sequence[bytes], *, last: bool) -> None:
        """All of the next rows of the list leave."""
        self.sent.update(zip(rows, digests, strict=True))
        self.position = None if last else rows[-1] if rows else self.position

    async def end(self) -> tuple[str | None, tuple[Keeping, ...]]:
        """The cursor of what the vendor holds once it has taken in the answer, and what is to be kept for it.

        Raises: RequestError (CHANGES_EXPIRED, CHANGES_TOO_LARGE), Unavailable.
        """
        if not self.keeps:
            return None, ()
        whole = self.former.through is None and self.position is None
        if self.since is not None and whole and not self.sent and not self.gone:
            return self.since, (Keeping(replace(self.former, state=self.state), stands=True),)
        state = self.state if self.steady else None
        keeping = await self.holdings.grown(
            self.former, self.sent, self.gone, id=self.id, through=self.position, state=state
        )
        return self.names.seal_holding(self.id, self.former.query), (keeping,)


def _refused(message: str) -> RequestError:
    return RequestError(message, code="BAD_USER_INPUT")
