"""Of a list's records those that differ from what the vendor holds, and at the end what it must remove.

The list is read as always, with the same statements under the same admission, from one moment; what does not differ
stays. Where nothing can have changed it is not read at all.
"""

from collections.abc import AsyncIterator
from typing import Any

from app.sources.fetch import Chunk
from app.spaces.asked import Asked
from app.spaces.driver import Reader
from app.spaces.levels import AFTER
from app.spaces.sync import Sync


async def changes(asked: Asked, sync: Sync, reader: Reader) -> AsyncIterator[Chunk]:
    """At most `first` records, in the order of the list, in one chunk or many."""
    left, row = asked.first, asked.levels[0].row
    lists: list[list[Any]] = [[] for _ in asked.levels]
    numbers: list[int] = []
    start: list[int] = []
    more = sync.position is not None
    while more:
        asked.values[AFTER] = sync.position
        rows, more = await asked.page(reader, min(left, asked.chunk) if sync.beyond else asked.chunk)
        read = [each[row] for each in rows]
        if more and not read:
            break  # no room is left, and whatever follows is new
        noted = dict(asked.whose)
        written, digests = sync.written(await asked.listed(reader, rows))
        differ = await sync.differing(read, digests, last=not more, room=left)
        if len(differ) < len(read):
            # INVARIANT: the ledger has what leaves, not what was read to find it. Nor is a shared parent taken for
            # recorded that was read for a record that stays.
            asked.whose = noted
            asked.seen.clear()
            asked.fresh.clear()
            await asked.listed(reader, [rows[n] for n in differ])
        for records, new in zip(lists, written, strict=True):
            records.extend(new[n] for n in differ)
        numbers += [read[n] for n in differ]
        start = start or numbers[:1]
        left -= len(differ)
        more = sync.position is not None
        if more and sync.position != read[-1]:
            break  # the rest of what differs finds no room
        if more and len(numbers) >= asked.chunk:
            yield await asked.chunk_of(lists, numbers, start, has_next=True, last=False)
            lists, numbers = [[] for _ in asked.levels], []
    yield await asked.chunk_of(lists, numbers, start, has_next=more or sync.left_over, last=True)
