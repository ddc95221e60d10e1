"""A vendor that keeps in step with a list, as the documentation tells it to; and edits of the space that it lives with.

Shape: `Vendor.step` is one request; what the vendor holds is `held`, by id. A removal of something that it does not
hold is an error: an answer that tells of one would have lost count of what the vendor was given.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.ledger.entry import Entry
from app.ledger.reading import fetch, read
from app.ledger.store import entry
from app.names import SpaceId
from app.policy.reading import read_policies
from app.spaces.belonging import REQUIRED
from app.spaces.opt_outs import OptOut, opt_students_in, opt_students_out
from app.spaces.state import set_mark
from app.spaces.tables import BY_TYPE, opt_out
from app.spaces.writing import writing
from app.storage.engines import open_engine
from tests import worlds
from tests.journeys.world import DISTRICT, STATE, Asked

NAMES = {table.name: type_name for type_name, table in BY_TYPE.items()}


@dataclass
class Vendor:
    """`query` asks for `list` under the alias `list`, with `$first`, `$after` and `$since`."""

    asked: Asked
    client: str
    query: str
    pages: bool = False  # whether its first sync goes page by page with `after`, else by `changedSince` alone
    held: dict[str, Any] = field(default_factory=dict)
    cursor: str | None = None
    after: str | None = None
    sent: list[str] = field(default_factory=list)  # the ids that came with the last answer
    removed: list[str] = field(default_factory=list)

    async def step(self, first: int, *, lost: bool = False) -> bool:
        """One request, whose answer may be lost on the way. Whether there is more."""
        paging = self.after is not None
        since = None if paging else self.cursor
        variables = {"first": first, "after": self.after, "since": since}
        answered = await self.asked.ask(self.client, self.query, variables)
        listed = answered["data"]["list"]
        self.sent, self.removed = [], []
        if lost:
            return True
        if listed is None:
            # The list is not granted at all: nothing of it may be kept, and there is nothing to go on from.
            self.held, self.cursor, self.after = {}, None, None
            return False
        if self.cursor is None:
            self.held = {}
        nodes = [*listed.get("nodes", ()), *(edge["node"] for edge in listed.get("edges", ()))]
        if "edges" in listed and "nodes" in listed:
            nodes = [[one, edge] for one, edge in zip(listed["nodes"], listed["edges"], strict=True)]
        self.sent = [_id(node) for node in nodes]
        self.removed = listed["removed"]
        for node in nodes:
            self.held[_id(node)] = _without_cursor(node)
        for gone in self.removed:
            del self.held[gone]
        more: bool = listed["pageInfo"]["hasNextPage"]
        going_on = since is None and self.pages and more and nodes
        self.after = listed["pageInfo"]["endCursor"] if going_on else None
        self.cursor = listed["changeCursor"]
        # Pages by `after` come from a moment each: what changed between them is told by the first `changedSince`.
        return more or paging

    async def sync(self, first: int = 100) -> None:
        """Ask until there is no more."""
        for _ in range(1000):
            if not await self.step(first):
                return
        raise AssertionError("It never ends")


def _id(node: Any) -> str:
    return str(node[0]["id"] if isinstance(node, list) else node["id"])


def _without_cursor(node: Any) -> Any:
    """A record as it is held: where it stood in its page is no part of it."""
    return [node[0], node[1]["node"]] if isinstance(node, list) else node


async def full(asked: Asked, client: str, query: str) -> dict[str, Any]:
    """What a full sync gives, by id."""
    vendor = Vendor(asked, client, query)
    await vendor.step(1_000)
    return vendor.held


def in_force(asked: Asked, grants: Mapping[str, str], rule: str = "") -> None:
    """Let these grants, by client, be all that there are; `rule` is what the district's policy says besides."""
    files = {f"{worlds.SPACE}/district.toml": DISTRICT + rule, "tx/state.toml": STATE}
    files |= {f"{worlds.SPACE}/grants/{client}.toml": text for client, text in grants.items()}
    policies = read_policies({name: text.encode() for name, text in files.items()})
    assert not policies.findings, policies.findings
    asked.rooms.put_in_force(policies)


async def last_entry(asked: Asked) -> Entry:
    """What the ledger was told last."""
    newest = select(entry).order_by(entry.c.sequence.desc()).limit(1)
    (row,) = await fetch(asked.rooms.ledgers[worlds.SPACE].holdings.engine, newest)
    return read(row).entry


@asynccontextmanager
async def space_of(asked: Asked, space: SpaceId = worlds.SPACE) -> AsyncIterator[AsyncEngine]:
    """The space's database, to write in."""
    settings = asked.rooms.settings
    engine = open_engine(settings.database_url(settings.spaces[space].database), durable=False)
    try:
        yield engine
    finally:
        await engine.dispose()


async def change(engine: AsyncEngine, type_name: str, row: int, **values: object) -> None:
    """Change one record."""
    async with engine.begin() as connection:
        table = BY_TYPE[type_name]
        await connection.execute(update(table).where(table.c.row == row).values(**values))
        await set_mark(connection)


async def remove(engine: AsyncEngine, type_name: str, row: int) -> None:
    """Delete one record, with those that cannot be without it."""
    async with engine.begin() as connection:
        await _remove(connection, type_name, [row])
        await set_mark(connection)


async def _remove(connection: AsyncConnection, type_name: str, rows: Sequence[int]) -> None:
    table = BY_TYPE[type_name]
    for other_name, other in BY_TYPE.items():
        if table.name in other.c and other.name != table.name:
            hanging = other.c[table.name].in_(rows)
            if table.name in REQUIRED.get(other_name, ()):
                below = (await connection.execute(select(other.c.row).where(hanging))).scalars().all()
                if below:
                    await _remove(connection, other_name, below)
            else:
                await connection.execute(update(other).where(hanging).values({table.name: None}))
    await connection.execute(delete(table).where(table.c.row.in_(rows)))


async def add(engine: AsyncEngine, type_name: str, values: Mapping[str, object]) -> None:
    """Store one more record."""
    async with engine.begin() as connection:
        await connection.execute(BY_TYPE[type_name].insert().values(**values))
        await set_mark(connection)


async def decide(engine: AsyncEngine, row: int, client: str, *, out: bool) -> None:
    """A family of the world opts out of a client, or of every vendor, or takes that back."""
    if row > len(worlds.STUDENTS):
        return
    one = OptOut(str(worlds.STUDENTS[row - 1]["source_key"]), client)
    async with writing(engine) as connection:
        if out:
            await opt_students_out(connection, [one], worlds.TODAY.isoformat())
        else:
            await opt_students_in(connection, [one])


async def reset(engine: AsyncEngine) -> None:
    """The world as it was written."""
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text(f"TRUNCATE {', '.join(NAMES)} CASCADE"))
        else:
            for table in reversed(BY_TYPE.values()):
                await connection.execute(delete(table))
        for name, table in BY_TYPE.items():
            empty = dict.fromkeys(table.columns.keys())
            await connection.execute(table.insert(), [empty | dict(row) for row in worlds.WORLD[name]])
        await connection.execute(delete(opt_out))
        await set_mark(connection)
