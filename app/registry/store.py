"""Take resources into the index: all of an import or nothing of it, and a second time nothing at all."""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import msgspec
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import Unavailable
from app.registry import text
from app.registry.resource import Resource, folded
from app.registry.tables import resource, resource_term

FAILURES = (SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
BATCH = 500

encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Stored:
    """What became of the resources of one import."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0


@asynccontextmanager
async def writing(engine: AsyncEngine, *, dry_run: bool = False) -> AsyncIterator[AsyncConnection]:
    """A transaction, one at a time; rolled back on any failure and on a dry run. Searches go on meanwhile.

    Raises: Unavailable, and then nothing was stored.
    """
    try:
        async with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.exec_driver_sql("LOCK TABLE resource IN SHARE ROW EXCLUSIVE MODE")
            try:
                yield connection
            except BaseException:
                await connection.rollback()
                raise
            await (connection.rollback() if dry_run else connection.commit())
    except FAILURES as error:
        raise Unavailable(
            f"The registry's database failed ({type(error).__name__}). Nothing was stored; run the command again when "
            "it answers."
        ) from None


async def store(connection: AsyncConnection, resources: Mapping[str, Resource], into: Stored) -> None:
    """Take in resources by their ids."""
    for ids in batches(list(resources)):
        found = await connection.execute(
            select(resource.c.id, resource.c.number, resource.c.body).where(resource.c.id.in_(ids))
        )
        known = {row.id: (row.number, row.body) for row in found}
        new = [resources[id_] for id_ in ids if id_ not in known]
        changed = {
            known[id_][0]: resources[id_] for id_ in ids if id_ in known and known[id_][1] != encode(resources[id_])
        }
        into.created += len(new)
        into.updated += len(changed)
        into.unchanged += len(ids) - len(new) - len(changed)
        if changed:
            await _update(connection, changed)
        if new:
            await _insert(connection, new)


async def remove_others(connection: AsyncConnection, kept: Mapping[str, object], into: Stored) -> None:
    """Take out every resource whose id is not among those."""
    rows = await connection.execute(select(resource.c.number, resource.c.id))
    gone = [row.number for row in rows if row.id not in kept]
    for numbers in batches(gone):
        await _unfile(connection, numbers)
        await connection.execute(delete(resource).where(resource.c.number.in_(numbers)))
    into.removed += len(gone)


async def _insert(connection: AsyncConnection, new: Sequence[Resource]) -> None:
    await connection.execute(insert(resource), [{"id": one.id, **_kept(one)} for one in new])
    ids = {one.id: one for one in new}
    rows = await connection.execute(select(resource.c.number, resource.c.id).where(resource.c.id.in_(ids)))
    await _file(connection, [(row.number, ids[row.id]) for row in rows])


async def _update(connection: AsyncConnection, changed: Mapping[int, Resource]) -> None:
    await _unfile(connection, list(changed))
    await connection.execute(
        update(resource).where(resource.c.number == bindparam("which")),
        [{"which": number, **_kept(one)} for number, one in changed.items()],
    )
    await _file(connection, list(changed.items()))


async def _file(connection: AsyncConnection, resources: Sequence[tuple[int, Resource]]) -> None:
    """Make resources found by what they are about."""
    terms = [
        {"resource": number, "kind": kind, "value": value} for number, one in resources for kind, value in _terms(one)
    ]
    if terms:
        await connection.execute(insert(resource_term), terms)
    await text.add(connection, resources)


async def _unfile(connection: AsyncConnection, numbers: Sequence[int]) -> None:
    await connection.execute(delete(resource_term).where(resource_term.c.resource.in_(numbers)))
    await text.remove(connection, numbers)


def _kept(one: Resource) -> dict[str, object]:
    return {"uses": one.uses, "body": encode(one)}


def _terms(one: Resource) -> set[tuple[str, str]]:
    listed = {
        "subject": one.subject,
        "grade": one.grade_levels,
        "standard": one.standards,
        "course": one.courses,
    }
    return {(kind, folded(value)) for kind, values in listed.items() for value in values}


def batches(values: Sequence[str] | Sequence[int]) -> Iterator[list]:  # type: ignore[type-arg]
    """Values in as many as one statement takes."""
    for start in range(0, len(values), BATCH):
        yield list(values[start : start + BATCH])
