"""Run a plan: ask its sources, and write the answer in pieces as the records come.

Shape: an answer's `data` in one part or many; each part says whose records it holds, so that it can be recorded
before it leaves.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from app.federation.plan import Plan
from app.federation.projection import Connection, encode, key, streams
from app.ledger.entry import Whose
from app.ledger.holding import Keeping
from app.operation.decided import Root, Typename, Withheld
from app.operation.model import holds
from app.sources.fetch import Asking, Chunk, Page, Source


class Part(Struct, frozen=True):
    """A piece of `data`, and whose records are in it."""

    data: bytearray
    whose: tuple[Whose, ...]
    last: bool
    removed: tuple[Whose, ...] = ()  # what the vendor is told to remove
    keeping: tuple[Keeping, ...] = ()  # what is to be kept of what it then holds
    errors: tuple[Mapping[str, object], ...] = ()  # what subgraphs did not give

    def with_(self, other: "Part | Chunk") -> "Part":
        """This piece, with what is to be recorded for another one too."""
        return replace(
            self,
            whose=self.whose + other.whose,
            removed=self.removed + other.removed,
            keeping=self.keeping + other.keeping,
        )


async def execute(
    plan: Plan, asking: Asking, sources: Mapping[str, Source], local: Mapping[str, object]
) -> AsyncGenerator[Part]:
    """The records of a plan. `local` has the values of root fields that no source answers, by response key."""
    chunks = {
        root.response_key: records
        for fetch in plan.fetches
        for records in (sources[fetch.source].fetch(fetch, asking),)
        for root in fetch.roots
    }
    out, comma = bytearray(b"{"), b""
    waiting = Part(out, (), last=False)  # what is to be recorded with the next part that leaves
    try:
        for root in plan.roots:
            if not holds(root.when, asking.true):
                continue
            out += comma + key(root.response_key)
            comma = b","
            match root:
                case Typename():
                    out += b'"Query"'
                case Withheld():
                    out += b"null"
                case Root() if root.response_key in local:
                    out += encode(local[root.response_key])
                case Root():
                    async for part in _field(root, chunks[root.response_key], asking, out):
                        out, waiting = part.data, waiting.with_(part)
                        if not part.last:
                            yield replace(waiting, data=out)
                            waiting = Part(out, (), last=False)
        for records in chunks.values():
            async for _ in records:
                raise AssertionError("A source went on after the last chunk")
        out += b"}"
        yield replace(waiting, data=out, last=True)
    finally:
        for records in chunks.values():
            await records.aclose()


async def _field(root: Root, chunks: AsyncGenerator[Chunk], asking: Asking, out: bytearray) -> AsyncIterator[Part]:
    """One root field, page by page where its selection allows. The first part goes on in `out`."""
    first = await anext(chunks)
    if not isinstance(first.records, Page):
        out += encode(first.records)
        yield Part(out, (), last=True).with_(first)
        return
    connection = Connection(root, asking.true)
    if first.last:
        out += connection.whole(first.records)
        yield Part(out, (), last=True).with_(first)
    elif streams(root, asking.true):
        connection.begin(out, first.records)
        yield Part(out, (), last=False).with_(first)
        async for chunk in chunks:
            out, page = bytearray(), _page(chunk)
            connection.go_on(out, page)
            if chunk.last:
                connection.end(out, page)
            yield Part(out, (), last=chunk.last).with_(chunk)
            if chunk.last:
                return
    else:
        page, part = first.records, Part(out, (), last=True).with_(first)
        async for chunk in chunks:
            page, part = _joined(page, _page(chunk)), part.with_(chunk)
            if chunk.last:
                out += connection.whole(page)
                yield part
                return


def _page(chunk: Chunk) -> Page:
    if not isinstance(chunk.records, Page):
        raise AssertionError("A list goes on in pages")
    return chunk.records


def _joined(page: Page, following: Page) -> Page:
    return Page(
        lists=[[*one, *more] for one, more in zip(page.lists, following.lists, strict=True)],
        cursors=[*page.cursors, *following.cursors]
        if page.cursors is not None and following.cursors is not None
        else None,
        has_next=following.has_next,
        start_cursor=page.start_cursor,
        end_cursor=following.end_cursor or page.end_cursor,
        change_cursor=following.change_cursor,
        removed=following.removed,
    )
