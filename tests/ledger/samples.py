"""Entries and ledgers to test with."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyroaring import BitMap
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger import Checkpoints, Entry, Kind, Whose
from app.ledger.checkpoints import create_key, read_key
from app.names import SpaceId

SPACE = SpaceId("tx/grand-bend")
NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


def disclosed(*students: int, coordinates: tuple[str, ...] = ("Student.firstName",)) -> tuple[Whose, ...]:
    return (Whose(coordinates, BitMap(students), len(students)),)


def an_entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {
        "kind": Kind.ANSWER,
        "at": NOON,
        "request": "r1",
        "client": "readwell",
        "purpose": "instruction",
        "basis": "school-official",
        "revision": "a" * 64,
        "district_revision": "b" * 64,
        "state_revision": "c" * 64,
        "operation": "Roster",
        "digest": "d" * 64,
        "disclosed": disclosed(1, 2, 3),
        "denied": (("Student.birthDate", "NOT_GRANTED"),),
    }
    return Entry(**(values | changes))


def checkpoints_in(folder: Path, space: SpaceId = SPACE, **options: Any) -> Checkpoints:
    create_key(folder / "keys" / "ledger.json")
    return Checkpoints(
        folder / "checkpoints" / "tx-grand-bend.jsonl", space, read_key(folder / "keys" / "ledger.json"), **options
    )


async def tamper(engine: AsyncEngine, *statements: str, **values: object) -> None:
    """What someone with the database's password does."""
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), values)
