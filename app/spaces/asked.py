"""One root field of one request: what it is asked for, and how its records are gathered, level by level."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, cast

import msgspec
from graphql import FieldNode, NameNode
from pyroaring import BitMap

from app.errors import RequestError
from app.ledger.entry import Whose
from app.operation.decided import ROOT_TYPES, Decided, Frame, Root, walk
from app.operation.model import ALWAYS, Selection, holds
from app.sources.fetch import Asking, Chunk, Page
from app.spaces.disclosed import disclosed
from app.spaces.driver import Reader, Record
from app.spaces.identifiers import Identifiers
from app.spaces.levels import AFTER, KEYS, LIMIT, Level, Reach
from app.spaces.sync import Sync
from app.spaces.where import Where, read

Compiled = Callable[[Root, str, Where], tuple[Level, ...]]
"""The compiled levels of a root field, by its type and filter."""

FLAT = 4
"""How many times more records a chunk has where nothing hangs below them."""


def record_lists(root: Root, true: frozenset[str]) -> list[tuple[Decided, ...]]:
    """What was decided of the records of a connection, once for each place that lists them."""
    found: list[tuple[Decided, ...]] = []
    for children in root.children.values():
        for one in children:
            if isinstance(one, Frame) and holds(one.when, true):
                if one.field == "nodes":
                    found.append(one.children)
                elif one.field == "edges":
                    found.extend(
                        below.children
                        for below in one.children
                        if isinstance(below, Frame) and below.field == "node" and holds(below.when, true)
                    )
    return found


NOWHERE = Root("", ALWAYS, "", Selection("", "Query", "", None, FieldNode(name=NameNode(value="")), ALWAYS, {}), {})
"""What records hang on that are found by key."""


@dataclass(slots=True)
class Asked:
    """One root field of one request."""

    root: Root
    type: str | None
    levels: tuple[Level, ...]
    names: Identifiers
    values: dict[str, object]
    chunk: int
    first: int
    query: bytes  # what a cursor of this list is bound to
    sealed: bool
    sync: Sync | None = None
    seen: dict[Level, dict[int, Any]] = field(default_factory=dict)  # shared parents, by row number
    fresh: dict[Level, list[int]] = field(default_factory=dict)  # ... those that are not encoded yet
    whose: dict[tuple[str, ...], tuple[BitMap | None, int]] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether this is one record with nothing below it."""
        return bool(self.levels) and self.levels[0].reach is Reach.ROWS and not self.levels[0].children

    @property
    def paged(self) -> bool:
        """Whether this is a list, read keyset by keyset."""
        return bool(self.levels) and self.levels[0].reach is Reach.PAGE

    @classmethod
    def of(cls, compiled: Compiled, root: Root, asking: Asking, names: Identifiers) -> "Asked":
        """What a request asks of a root. Raises: RequestError for a cursor that is not the caller's own."""
        arguments = asking.arguments.get(root.response_key, {})
        type_name: str | None = ROOT_TYPES.get(root.field)
        where: Where = ()
        values: dict[str, object] = {}
        first, query, sealed, sync = 1, b"", False, None
        if root.field in {"student", "section", "node"}:
            found = names.record(arguments["id"])
            type_name = found[0] if found and found[0] in root.children and type_name in {None, found[0]} else None
            values[KEYS] = [found[1]] if found else []
        elif root.field == "district":
            values[AFTER] = 0
        else:
            filters = arguments.get("where")
            where, values = read(str(type_name), filters, names)
            query = hashlib.sha256(msgspec.json.encode([root.field, filters], order="deterministic")).digest()
            first = cast(int, arguments["first"])
            values[AFTER], page = _after(arguments.get("after"), names, query)
            sync = Sync.of(root, asking, names, query, page)
            sealed = any(
                isinstance(one, Frame) and one.field == "cursor"
                for below in root.children.values()
                for one in walk(below)
            )
        levels = compiled(root, type_name, where) if type_name is not None else ()
        return cls(root, type_name, levels, names, values, asking.chunk, first, query, sealed, sync)

    async def chunks(self, reader: Reader) -> AsyncIterator[Chunk]:
        """The records of the root, in one chunk or many."""
        if not self.levels:
            yield Chunk(self.root.response_key, None, (), last=True)
        elif self.levels[0].reach is Reach.ROWS:
            found = await self.gather(reader, self.levels[0], self.values)
            records = next(iter(found.values()), None)
            yield Chunk(self.root.response_key, records, self.take(), last=True)
        elif self.root.field == "district":
            rows, _ = await self.page(reader, 1)
            records = await self.made(reader, self.levels[0], rows)
            yield Chunk(self.root.response_key, records[0] if records else None, self.take(), last=True)
        else:
            async for chunk in self.pages(reader):
                yield chunk

    async def pages(self, reader: Reader) -> AsyncIterator[Chunk]:
        """A list's records, a chunk at a time, until the page or the list ends."""
        left, start = self.first, list[int]()
        flat = len(self.levels) == 1 and not self.levels[0].children
        size = self.chunk * FLAT if flat else self.chunk
        following: asyncio.Task[tuple[Sequence[Record], bool]] | None = None
        try:
            while True:
                rows, more = await (following or self.page(reader, min(left, size)))
                left -= len(rows)
                last = not more or left <= 0
                at = self.levels[0].row
                numbers = [row[at] for row in rows]
                if numbers:
                    self.values[AFTER] = numbers[-1]
                if flat and not last:
                    # Nothing else is read of a flat list: its next rows come while these are made and written.
                    following = asyncio.create_task(self.page(reader, min(left, size)))
                lists = await self.listed(reader, rows)
                if self.sync is not None:
                    lists, digests = self.sync.written(lists)
                    self.sync.sent_whole(numbers, digests, last=not more)
                start = start or numbers[:1]
                yield await self.chunk_of(lists, numbers, start, has_next=more, last=last)
                if last:
                    return
        finally:
            if following is not None:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    async def chunk_of(
        self, lists: list[list[Any]], numbers: Sequence[int], start: Sequence[int], *, has_next: bool, last: bool
    ) -> Chunk:
        """The next chunk of a list; with its last one, what the vendor holds then."""
        sync = self.sync
        page = Page(
            lists=lists,
            cursors=[self.cursor(number) for number in numbers] if self.sealed else None,
            has_next=has_next,
            start_cursor=self.cursor(start[0]) if start else None,
            end_cursor=self.cursor(numbers[-1]) if numbers else None,
        )
        if sync is None or not last:
            return Chunk(self.root.response_key, page, self.take(), last=last)
        cursor, keeping = await sync.end()
        page = replace(page, change_cursor=cursor, removed=self.names.column(self.levels[0].type, sync.gone))
        return Chunk(self.root.response_key, page, self.take(), last, self.removed(sync.gone), keeping)

    def removed(self, gone: Sequence[int]) -> tuple[Whose, ...]:
        """What the ledger keeps of records that the vendor is told to remove."""
        top = self.levels[0]
        students = BitMap(gone) if top.owner == top.row else None
        return (Whose((top.type,), students, len(gone)),) if gone else ()

    def cursor(self, number: int) -> str:
        """The cursor of a record of a list."""
        return self.names.seal(number, self.query, self.sync.id if self.sync is not None else b"")

    async def listed(self, reader: Reader, rows: Sequence[Record]) -> list[list[Any]]:
        """The records of a list's rows, once for each place that lists them."""
        lists = [await self.made(reader, self.levels[0], rows)]
        numbers = [row[self.levels[0].row] for row in rows]
        for level in self.levels[1:] if rows else ():
            found = await self.gather(reader, level, {KEYS: numbers})
            lists.append([found[number] for number in numbers])
        return [*lists, *([] for _ in self.levels[len(lists) :])]

    async def page(self, reader: Reader, size: int) -> tuple[Sequence[Record], bool]:
        """The next rows of the list, and whether others follow."""
        rows = await reader.rows(self.levels[0].statement, {**self.values, LIMIT: size + 1})
        return (rows[:size], True) if len(rows) > size else (rows, False)

    async def gather(self, reader: Reader, level: Level, values: dict[str, object]) -> dict[int, Any]:
        """Run a level over a set of keys."""
        return cast(dict[int, Any], await self.made(reader, level, await reader.rows(level.statement, values)))

    async def made(self, reader: Reader, level: Level, rows: Sequence[Record]) -> Any:
        """The records of a level, with those below it: each level below runs once over all of them."""
        if not rows:
            return level.make((), (), *({} for _ in level.children))
        keys = [self.keys(child, rows) for child in level.children]
        asked = [(child.statement, {KEYS: wanted}) for child, wanted in zip(level.children, keys, strict=True)]
        found = await reader.each(asked) if asked else ()
        below = [
            await self.below(reader, child, wanted, come)
            for child, wanted, come in zip(level.children, keys, found, strict=True)
        ]
        ids = self.names.column(level.type, list(map(itemgetter(level.row), rows))) if level.identified else ()
        self.note(level, rows)
        return level.make(rows, ids, *below)

    def keys(self, level: Level, rows: Sequence[Record]) -> list[int]:
        """What a level is asked for, below these rows."""
        column = list(map(itemgetter(level.key), rows))
        if level.reach is Reach.CHILDREN:
            return column
        wanted = set(column)
        wanted.discard(None)
        if level.shared:
            seen = self.seen.setdefault(level, {})
            # What comes up again in a later chunk is encoded once for all of them.
            for key in self.fresh.pop(level, ()):
                seen[key] = msgspec.Raw(_encode(seen[key]))
            wanted.difference_update(seen)
        return list(wanted)

    async def below(self, reader: Reader, level: Level, keys: list[int], rows: Sequence[Record]) -> dict[int, Any]:
        """The records of a level below, by the key that they hang on."""
        records = cast(dict[int, Any], await self.made(reader, level, rows))
        if not level.shared:
            return records
        seen = self.seen[level]
        seen.update((key, records.get(key)) for key in keys)
        self.fresh[level] = keys
        return seen

    def note(self, level: Level, rows: Sequence[Record]) -> None:
        """Keep for the ledger whose records a level holds."""
        for new in disclosed(level, rows):
            students, count = self.whose.get(new.coordinates, (None, 0))
            if new.students is not None:
                students = (students or BitMap()) | new.students
            self.whose[new.coordinates] = (students, count + new.records)

    def take(self) -> tuple[Whose, ...]:
        """What was noted since the last chunk."""
        taken = tuple(Whose(coordinates, students, count) for coordinates, (students, count) in self.whose.items())
        self.whose = {}
        return taken


_encode = msgspec.json.Encoder().encode


def _after(cursor: object, names: Identifiers, query: bytes) -> tuple[int, bytes | None]:
    """The row that a page goes on after, and the holding of the page before it; None if there is none before it."""
    if cursor is None:
        return 0, None
    found = names.unseal(str(cursor), query)
    if found is None:
        # An empty page would pass for the list's end: a vendor would take a shortened list for the whole.
        raise RequestError(
            "This cursor was not made for this client, space, list and filter. Begin again without `after`.",
            code="CURSOR_UNKNOWN",
        )
    return found
