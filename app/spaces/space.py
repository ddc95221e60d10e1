"""A space: the protected data store of one education agency, as a source of records.

INVARIANT: a space reads its own database and no other; a request is handed the one space that its token names.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any, cast
from weakref import WeakKeyDictionary

import msgspec
from aiodataloader import DataLoader
from pyroaring import BitMap

from app.errors import RequestError
from app.ledger.entry import Whose
from app.names import SpaceId
from app.operation.decided import ROOT_TYPES, Decided, Frame, Root, walk
from app.operation.model import holds
from app.sources.fetch import Asking, Chunk, Fetch, Page
from app.spaces.admission import Admission
from app.spaces.driver import Reader, Readers, Record
from app.spaces.identifiers import Identifiers, identifiers
from app.spaces.levels import AFTER, KEYS, LIMIT, Compiler, Level, Reach, depth
from app.spaces.where import Where, read

Key = tuple[str, str, frozenset[str], Where]
FLAT = 4
"""How many times more records a chunk has where nothing hangs below them."""

VARIANTS = 64
"""How many shapes of filter and directive one plan keeps compiled."""


@dataclass(frozen=True, slots=True)
class Space:
    """One space's reading side."""

    id: SpaceId
    readers: Readers
    secret: bytes = field(repr=False)
    _compiled: WeakKeyDictionary[Fetch, dict[Key, tuple[Level, ...]]] = field(
        default_factory=WeakKeyDictionary, repr=False
    )
    _lookups: WeakKeyDictionary[Level, DataLoader[int, tuple[Any, int | None]]] = field(
        default_factory=WeakKeyDictionary, repr=False
    )

    async def fetch(self, fetch: Fetch, asking: Asking) -> AsyncGenerator[Chunk]:
        """The records of every root, in order, all from one moment. See `app.sources.fetch.Source`."""
        roots = [root for root in fetch.roots if holds(root.when, asking.true)]
        names = identifiers(self.secret, self.id, asking.authority.client)
        asked = [_Asked.of(self, fetch, root, asking, names) for root in roots]
        if len(asked) == 1 and asked[0].alone:
            yield await self._looked_up(asked[0])
            return
        statements = sum(depth(level) for one in asked for level in one.levels)
        async with self.readers.lend(one_moment=statements > 1 or any(one.paged for one in asked)) as reader:
            for one in asked:
                async for chunk in one.chunks(reader):
                    yield chunk

    async def _looked_up(self, asked: "_Asked") -> Chunk:
        """A single record. Concurrent requests of one plan, and so of one authority, share a statement."""
        level, (row,) = asked.levels[0], cast(list[int], asked.values[KEYS])
        if level not in self._lookups:
            self._lookups[level] = DataLoader(partial(self._batch, level, asked.names), cache=False)
        record, owner = await self._lookups[level].load(row)
        if record is None:
            return Chunk(asked.root.response_key, None, (), last=True)
        students = BitMap([owner]) if owner is not None else None
        return Chunk(asked.root.response_key, record, (Whose(level.coordinates, students, 1),), last=True)

    async def _batch(self, level: Level, names: Identifiers, keys: list[int]) -> list[tuple[Any, int | None]]:
        async with self.readers.lend(one_moment=False) as reader:
            rows = await reader.rows(level.statement, {KEYS: list(set(keys))})
        ids = names.column(level.type, [row[level.row] for row in rows]) if level.identified else ()
        records = level.make(rows, ids)
        owners = {row[level.row]: row[level.owner] for row in rows} if level.owner is not None else {}
        # INVARIANT: one result for each key. A loader that got another number would put records into its error.
        return [(records.get(key), owners.get(key)) for key in keys]

    def levels(self, fetch: Fetch, root: Root, type_name: str, asking: Asking, where: Where) -> tuple[Level, ...]:
        """The compiled levels of a root: the one that finds its records, then one for each further list of them."""
        variants = self._compiled.setdefault(fetch, {})
        key = (root.response_key, type_name, asking.true, where)
        if key not in variants:
            if len(variants) >= VARIANTS:
                variants.clear()
            variants[key] = tuple(self._compile(root, type_name, asking, where))
        return variants[key]

    def _compile(self, root: Root, type_name: str, asking: Asking, where: Where) -> list[Level]:
        authority = asking.authority
        if authority.grant is None:
            raise AssertionError("Nothing is read without a grant")
        compiler = Compiler(self.readers, Admission(authority.grant.rows, authority.today), asking.true)
        if root.field in {"student", "section", "node"}:
            return [compiler.root(type_name, root.children[type_name], Reach.ROWS)]
        if root.field == "district":
            return [compiler.root(type_name, root.children[type_name], Reach.PAGE)]
        lists = record_lists(root, asking.true) or [()]
        first = compiler.root(type_name, lists[0], Reach.PAGE, where)
        return [first, *(compiler.root(type_name, more, Reach.ROWS) for more in lists[1:])]

    async def close(self) -> None:
        """Close the connections that are idle."""
        await self.readers.close()


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


@dataclass(slots=True)
class _Asked:
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
    seen: dict[Level, dict[int, Any]] = field(default_factory=dict)  # shared parents, by row number
    fresh: dict[Level, list[int]] = field(default_factory=dict)  # ... those that are not encoded yet
    whose: dict[tuple[str, ...], tuple[BitMap | None, int]] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether this is one record with nothing below it."""
        return bool(self.levels) and self.levels[0].reach is Reach.ROWS and not self.levels[0].children

    @property
    def paged(self) -> bool:
        return bool(self.levels) and self.levels[0].reach is Reach.PAGE

    @classmethod
    def of(cls, space: Space, fetch: Fetch, root: Root, asking: Asking, names: Identifiers) -> "_Asked":
        arguments = asking.arguments.get(root.response_key, {})
        type_name: str | None = ROOT_TYPES.get(root.field)
        where: Where = ()
        values: dict[str, object] = {}
        first, query, sealed = 1, b"", False
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
            values[AFTER] = _after(arguments.get("after"), names, query)
            sealed = any(
                isinstance(one, Frame) and one.field == "cursor"
                for below in root.children.values()
                for one in walk(below)
            )
        levels = space.levels(fetch, root, type_name, asking, where) if type_name is not None else ()
        return cls(root, type_name, levels, names, values, asking.chunk, first, query, sealed)

    async def chunks(self, reader: Reader) -> AsyncIterator[Chunk]:
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
        left, start = self.first, None
        size = self.chunk if self.levels[0].children else self.chunk * FLAT
        while True:
            rows, more = await self.page(reader, min(left, size))
            left -= len(rows)
            last = not more or left <= 0
            at = self.levels[0].row
            numbers = [row[at] for row in rows]
            lists = [await self.made(reader, self.levels[0], rows)]
            for level in self.levels[1:]:
                found = await self.gather(reader, level, {KEYS: numbers})
                lists.append([found[number] for number in numbers])
            if numbers:
                self.values[AFTER] = numbers[-1]
            start = start or (self.names.seal(numbers[0], self.query) if numbers else None)
            page = Page(
                lists=lists,
                cursors=[self.names.seal(number, self.query) for number in numbers] if self.sealed else None,
                has_next=more,
                start_cursor=start,
                end_cursor=self.names.seal(numbers[-1], self.query) if numbers else None,
            )
            yield Chunk(self.root.response_key, page, self.take(), last=last)
            if last:
                return

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
        below = [await self.below(reader, child, list(map(itemgetter(child.key), rows))) for child in level.children]
        ids = self.names.column(level.type, list(map(itemgetter(level.row), rows))) if level.identified else ()
        self.note(level, rows)
        return level.make(rows, ids, *below)

    async def below(self, reader: Reader, level: Level, keys: list[int | None]) -> dict[int, Any]:
        if level.reach is Reach.CHILDREN:
            return await self.gather(reader, level, {KEYS: keys})
        wanted = {key for key in keys if key is not None}
        if not level.shared:
            return await self.gather(reader, level, {KEYS: list(wanted)}) if wanted else {}
        seen = self.seen.setdefault(level, {})
        # What comes up again in a later chunk is encoded once for all of them.
        for key in self.fresh.pop(level, ()):
            seen[key] = msgspec.Raw(_encode(seen[key]))
        missing = list(wanted.difference(seen))
        if missing:
            found = await self.gather(reader, level, {KEYS: missing})
            seen.update((key, found.get(key)) for key in missing)
            self.fresh[level] = missing
        return seen

    def note(self, level: Level, rows: Sequence[Record]) -> None:
        """Keep for the ledger whose records a level holds."""
        students, count = self.whose.get(level.coordinates, (None, 0))
        if level.owner is not None:
            students = (students or BitMap()) | BitMap(list(map(itemgetter(level.owner), rows)))
        self.whose[level.coordinates] = (students, count + len(rows))

    def take(self) -> tuple[Whose, ...]:
        """What was noted since the last chunk."""
        taken = tuple(Whose(coordinates, students, count) for coordinates, (students, count) in self.whose.items())
        self.whose = {}
        return taken


_encode = msgspec.json.Encoder().encode


def _after(cursor: object, names: Identifiers, query: bytes) -> int:
    if cursor is None:
        return 0
    row = names.unseal(str(cursor), query)
    if row is None:
        # An empty page would pass for the list's end: a vendor would take a shortened list for the whole.
        raise RequestError(
            "This cursor was not made for this client, space, list and filter. Begin again without `after`.",
            code="CURSOR_UNKNOWN",
        )
    return row
