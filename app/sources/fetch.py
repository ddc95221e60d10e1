"""The one interface of everything that holds records: a space's database, later a subgraph over HTTP.

A source is asked for root fields of an authorized operation and answers with chunks of records in response order.
It gets nothing that was denied, so it cannot disclose it.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from app.ledger.entry import Whose
from app.ledger.holding import Keeping
from app.ledger.holdings import Holdings
from app.operation.decided import Decided, Root
from app.policy.authority import Authority


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Fetch:
    """One step of a plan: the root fields that one source is asked for, whatever the variables."""

    source: str
    roots: tuple[Root, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """What one request adds to a plan."""

    authority: Authority
    true: frozenset[str]  # the directive variables that are true
    arguments: Mapping[str, Mapping[str, object]]  # by response key of the root field
    chunk: int  # records of a root list in one chunk
    holdings: Holdings | None = None  # what the space's vendors hold, for those that ask what changed


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive records of a root list."""

    lists: list[list[object]]  # the same records once for each place that lists them: `nodes`, `edges { node }`
    cursors: list[str] | None  # sealed, one for each record, if the operation asks for them
    has_next: bool  # whether records follow this page
    start_cursor: str | None
    end_cursor: str | None
    change_cursor: str | None = None  # stands for what the vendor holds once it has this answer; with the last page
    removed: Sequence[str] = ()  # the ids of what it holds and may not keep


class Chunk(Struct, frozen=True):
    """Records of one root field. A list comes in one chunk or many; `last` ends the field."""

    response_key: str
    records: object | Page | None  # a record as the client asked for it, or a page of them; None: unknown or absent
    whose: tuple[Whose, ...]
    last: bool
    removed: tuple[Whose, ...] = ()
    keeping: tuple[Keeping, ...] = ()  # to be kept before the chunk leaves


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Keyed:
    """Records that are asked for by a key of the district's own, as subgraphs name them."""

    type: str
    key: str  # the key's field
    children: tuple[Decided, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Those of them that the caller may see, by key."""

    records: Mapping[str, object]
    whose: tuple[Whose, ...]


class Source(Protocol):
    """Where records come from."""

    def fetch(self, fetch: Fetch, asking: Asking) -> AsyncGenerator[Chunk]:
        """The records of every root of `fetch`, in order, all from one moment.

        Raises: RequestError for a cursor that is not the caller's own, Unavailable if the source does not answer.
        """
        ...

    async def find(self, keyed: Keyed, keys: Sequence[str], asking: Asking) -> Found:
        """The records that these keys name, of those that the grant admits. Raises: Unavailable."""
        ...
