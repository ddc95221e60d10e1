"""The policy set that is in force, in the control database, where every worker and replica finds the same one.

The server that watches the policy folder publishes; all follow. The bytes of every revision are kept for ever, so
that a disclosure of last year can be explained by the words that allowed it.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.names import Revision
from app.storage import control as tables


@dataclass(frozen=True, slots=True)
class Published:
    """One whole policy set: its number (0 when none was ever published) and its files, by path under `policies/`."""

    number: int
    files: Mapping[str, bytes]


def revision_of(content: bytes) -> Revision:
    """The revision that a policy file's bytes are known by."""
    return Revision(hashlib.sha256(content).hexdigest())


async def publish(control: AsyncEngine, files: Mapping[str, bytes]) -> int:
    """Put a policy set in force everywhere; give its number. Publishing what is in force already changes nothing."""
    hashes = _hashes(files)
    async with control.connect() as connection:
        number, current = await _newest(connection)
    if current == hashes:
        return number
    async with control.begin() as connection:
        # INVARIANT: the change number is written first: its row lock lets one publisher through at a time.
        await connection.execute(tables.CHANGED)
        number, current = await _newest(connection)
        if current == hashes:
            return number
        contents = {str(revision_of(content)): content for content in files.values()}
        known = set(
            await connection.scalars(
                select(tables.policy_revision.c.hash).where(tables.policy_revision.c.hash.in_(list(contents)))
            )
        )
        rows = [{"hash": digest, "bytes": content} for digest, content in contents.items() if digest not in known]
        if rows:
            await connection.execute(insert(tables.policy_revision), rows)
        inserted = await connection.execute(
            insert(tables.policy_set).values(at=int(time.time()), files=hashes).returning(tables.policy_set.c.number)
        )
        return int(inserted.scalar_one())


async def was_in_force(control: AsyncEngine, files: Mapping[str, bytes]) -> bool:
    """Whether exactly this set is, or ever was, in force."""
    hashes = _hashes(files)
    async with control.connect() as connection:
        sets = await connection.stream_scalars(select(tables.policy_set.c.files))
        return any([found == hashes async for found in sets])


async def current(control: AsyncEngine) -> Published:
    """The policy set in force, read whole from one snapshot."""
    async with control.connect() as connection:
        return await _whole(connection, *await _newest(connection))


async def former(control: AsyncEngine, number: int) -> Published | None:
    """A policy set that was in force at some time, by its number; None if there was none."""
    wanted = select(tables.policy_set.c.files).where(tables.policy_set.c.number == number)
    async with control.connect() as connection:
        files = await connection.scalar(wanted)
        return None if files is None else await _whole(connection, number, dict(files))


async def last_with(control: AsyncEngine, beginning: str) -> Published | None:
    """The newest policy set in which a file's revision begins so; None if there was none."""
    newest_first = select(tables.policy_set.c.number, tables.policy_set.c.files).order_by(
        tables.policy_set.c.number.desc()
    )
    async with control.connect() as connection:
        for row in await connection.execute(newest_first):
            if any(digest.startswith(beginning) for digest in row.files.values()):
                return await _whole(connection, row.number, dict(row.files))
    return None


@dataclass(frozen=True, slots=True)
class Turn:
    """A set with which a file became another: its number, when it was published, and the file's revision then."""

    number: int
    at: int  # seconds since 1970
    revision: str | None  # None: the file was taken out


async def history(control: AsyncEngine, path: str) -> tuple[Turn, ...]:
    """Every turn of one file, the newest first."""
    in_order = select(tables.policy_set).order_by(tables.policy_set.c.number)
    turns: list[Turn] = []
    async with control.connect() as connection:
        async for row in await connection.stream(in_order):
            digest = row.files.get(path)
            if digest != (turns[-1].revision if turns else None):
                turns.append(Turn(row.number, row.at, digest))
    return tuple(reversed(turns))


async def _whole(connection: AsyncConnection, number: int, hashes: Mapping[str, str] | None) -> Published:
    wanted = select(tables.policy_revision.c.hash, tables.policy_revision.c.bytes).where(
        tables.policy_revision.c.hash.in_(sorted(set((hashes or {}).values())))
    )
    contents = {row.hash: bytes(row.bytes) for row in await connection.execute(wanted)}
    return Published(number, MappingProxyType({path: contents[digest] for path, digest in (hashes or {}).items()}))


async def revision(control: AsyncEngine, digest: str) -> bytes | None:
    """The bytes of a revision that was in force at some time, or None."""
    async with control.connect() as connection:
        found = await connection.scalar(
            select(tables.policy_revision.c.bytes).where(tables.policy_revision.c.hash == digest)
        )
    return None if found is None else bytes(found)


async def change_number(control: AsyncEngine) -> int:
    """A number that moves whenever clients, revocations or policies change: cheap to ask for, often."""
    async with control.connect() as connection:
        return int(await connection.scalar(select(tables.change.c.number)) or 0)


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: str(revision_of(content)) for path, content in sorted(files.items())}


async def _newest(connection: AsyncConnection) -> tuple[int, dict[str, str] | None]:
    latest = select(func.max(tables.policy_set.c.number)).scalar_subquery()
    found = (
        await connection.execute(
            select(tables.policy_set.c.number, tables.policy_set.c.files).where(tables.policy_set.c.number == latest)
        )
    ).first()
    return (0, None) if found is None else (int(found.number), dict(found.files))
