"""Which of some coordinates a client has received of late, without reading every entry.

The database looks for a coordinate's bytes in the entries' bodies; only entries that have them are read, newest first,
until each coordinate was found. What is in use is found at once; for what is not, the whole time is looked through.
"""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, LargeBinary, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger.entry import EPOCH, MICROSECOND, Kind, microseconds
from app.ledger.reading import fetch
from app.ledger.store import entry

PAGE = 100


class _Left(msgspec.Struct, frozen=True):
    """What `Whose` says of coordinates."""

    coordinates: tuple[str, ...]


class _Told(msgspec.Struct, frozen=True):
    """As much of an entry as usage needs: bitmaps are passed over."""

    kind: str
    purpose: str
    disclosed: tuple[_Left, ...] = ()


_decoder = msgspec.msgpack.Decoder(_Told)


async def begun(engine: AsyncEngine) -> datetime | None:
    """When the ledger's oldest entry was made; None if it has none. Raises: Unavailable."""
    rows = await fetch(engine, select(entry.c.at).order_by(entry.c.at, entry.c.sequence).limit(1))
    return EPOCH + rows[0].at * MICROSECOND if rows else None


async def used(
    engine: AsyncEngine, client: str, purpose: str, coordinates: Collection[str], *, since: datetime
) -> frozenset[str]:
    """Those of the coordinates that left to the client for the purpose since a moment. Raises: Unavailable."""
    missing, found = set(coordinates), set[str]()
    before: tuple[int, int] | None = None
    while missing:
        query = (
            select(entry.c.sequence, entry.c.at, entry.c.body)
            .where(entry.c.client == client, entry.c.at >= microseconds(since))
            .where(or_(*(_holds(coordinate, engine.dialect.name) for coordinate in sorted(missing))))
            .order_by(entry.c.at.desc(), entry.c.sequence.desc())
        )
        if before is not None:
            query = query.where(tuple_(entry.c.at, entry.c.sequence) < before)
        rows = await fetch(engine, query.limit(PAGE))
        for row in rows:
            found |= missing & _left(row.sequence, row.body, purpose)
        missing -= found
        if len(rows) < PAGE:
            break
        before = rows[-1].at, rows[-1].sequence
    return frozenset(found)


def _holds(coordinate: str, dialect: str) -> ColumnElement[bool]:
    """Whether an entry's body has the coordinate, with the bytes that say how long it is."""
    packed = literal(msgspec.msgpack.encode(coordinate), LargeBinary)
    if dialect == "postgresql":
        return func.position(packed.op("IN")(entry.c.body)) > 0
    return func.instr(entry.c.body, packed) > 0


def _left(sequence: int, body: bytes, purpose: str) -> set[str]:
    """The coordinates that left with an entry for the purpose. Raises: Unavailable, if someone has spoilt it."""
    try:
        told = _decoder.decode(body)
    except msgspec.DecodeError:
        raise Unavailable(
            f"Entry {sequence} of the ledger cannot be read. Run `homeroom disclosures verify`."
        ) from None
    if told.kind not in {Kind.ANSWER, Kind.CHUNK} or told.purpose != purpose:
        return set()
    return {coordinate for left in told.disclosed for coordinate in left.coordinates}
