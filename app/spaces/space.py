"""A space: the protected data store of one education agency, as a source of records.

INVARIANT: a space reads its own database and no other; a request is handed the one space that its token names.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from weakref import WeakKeyDictionary

from app.ledger.entry import Whose
from app.names import SpaceId
from app.operation.decided import Root
from app.operation.model import holds
from app.sources.fetch import Asking, Chunk, Fetch, Found, Keyed
from app.spaces.admission import Admission
from app.spaces.asked import NOWHERE, Asked, record_lists
from app.spaces.changes import changes
from app.spaces.disclosed import disclosed
from app.spaces.driver import Readers
from app.spaces.edges import snake
from app.spaces.identifiers import Identifiers, identifiers
from app.spaces.levels import KEYS, Compiler, Level, Reach, depth
from app.spaces.shared import Shared
from app.spaces.state import mark
from app.spaces.sync import state
from app.spaces.where import Where

Key = tuple[str, str, frozenset[str], Where]
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
    _keyed: WeakKeyDictionary[Keyed, dict[frozenset[str], Level]] = field(default_factory=WeakKeyDictionary, repr=False)
    _lookups: WeakKeyDictionary[Level, Shared[tuple[Any, tuple[Whose, ...]]]] = field(
        default_factory=WeakKeyDictionary, repr=False
    )

    async def fetch(self, fetch: Fetch, asking: Asking) -> AsyncGenerator[Chunk]:
        """The records of every root, in order, all from one moment. See `app.sources.fetch.Source`."""
        roots = [root for root in fetch.roots if holds(root.when, asking.true)]
        names = identifiers(self.secret, self.id, asking.authority.client)

        def compiled(root: Root, type_name: str, where: Where) -> tuple[Level, ...]:
            return self.levels(fetch, root, type_name, asking, where)

        asked = [Asked.of(compiled, root, asking, names) for root in roots]
        if len(asked) == 1 and asked[0].alone:
            yield await self._looked_up(asked[0], asking)
            return
        synced = [one.sync for one in asked if one.sync is not None]
        for sync in synced:
            await sync.find()
        statements = sum(depth(level) for one in asked for level in one.levels)
        one_moment = statements > 1 or any(one.paged for one in asked)
        async with self.readers.lend(one_moment=one_moment, client=asking.authority.client) as reader:
            if synced:
                now = state(await mark(reader), asking.authority)
                for sync in synced:
                    sync.begin(now)
            for one in asked:
                compared = one.sync if one.sync is not None and one.sync.since is not None else None
                async for chunk in changes(one, compared, reader) if compared else one.chunks(reader):
                    yield chunk

    async def find(self, keyed: Keyed, keys: Sequence[str], asking: Asking) -> Found:
        """The records that a subgraph named, of those that the grant admits. See `app.sources.fetch.Source`."""
        names = identifiers(self.secret, self.id, asking.authority.client)
        variants = self._keyed.setdefault(keyed, {})
        if asking.true not in variants:
            if len(variants) >= VARIANTS:
                variants.clear()
            compiler = Compiler(self.readers, Admission.under(asking.authority), asking.true, names.alias)
            variants[asking.true] = compiler.keyed(keyed.type, snake(keyed.key), keyed.children)
        level = variants[asking.true]
        asked = Asked(NOWHERE, keyed.type, (level,), names, {}, asking.chunk, 1, b"", sealed=False)
        async with self.readers.lend(one_moment=depth(level) > 1, client=asking.authority.client) as reader:
            records = await asked.gather(reader, level, {KEYS: list(dict.fromkeys(keys))})
        return Found(cast(dict[str, object], records), asked.take())

    async def _looked_up(self, asked: Asked, asking: Asking) -> Chunk:
        """A single record. Concurrent requests of one plan, and so of one authority, share a statement."""
        level, (row,) = asked.levels[0], cast(list[int], asked.values[KEYS])
        if level not in self._lookups:
            client = asking.authority.client
            self._lookups[level] = Shared(partial(self._batch, level, asked.names, client))
        record, whose = await self._lookups[level].load(row) or (None, ())
        return Chunk(asked.root.response_key, record, whose, last=True)

    async def _batch(
        self, level: Level, names: Identifiers, client: str, keys: list[int]
    ) -> Mapping[int, tuple[Any, tuple[Whose, ...]]]:
        async with self.readers.lend(one_moment=False, client=client) as reader:
            rows = await reader.rows(level.statement, {KEYS: keys})
        ids = names.column(level.type, [row[level.row] for row in rows]) if level.identified else ()
        records = level.make(rows, ids)
        return {row[level.row]: (records[row[level.row]], tuple(disclosed(level, (row,)))) for row in rows}

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
        names = identifiers(self.secret, self.id, asking.authority.client)
        compiler = Compiler(self.readers, Admission.under(asking.authority), asking.true, names.alias)
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
