"""The browsers that officers are signed in with: rows that can be taken away, so that a session ends at once.

Shape: a browser holds a random token, the database its SHA-256. An account's role is read anew each time.
Units: times are seconds since 1970.
Raises: Unavailable, whatever is asked, if the control database does not answer.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import cast

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.names import SpaceId
from app.signing_in import Console, Role
from app.storage import control as tables
from app.storage.reached import reached

MINUTE = 60
"""Units: seconds. A session's last click is known as exactly as this."""


@dataclass(frozen=True, slots=True)
class Session:
    """An officer of one space who is signed in."""

    id: str
    space: SpaceId
    email: str
    role: Role
    by_password: bool  # or else by the district's own provider
    began: int


async def begin(
    control: AsyncEngine,
    space: str,
    email: str,
    role: Role,
    *,
    officer: int | None,
    now: float,
    limits: Console,
    former: str = "",
) -> str:
    """Sign an officer in; gives what the browser is to hold.

    The session that it held before, by its token `former`, ends. Sessions that are over are swept away.
    """
    token = secrets.token_urlsafe(32)
    session = tables.officer_session
    row = {"id": digest(token), "space": space, "email": email.lower(), "role": role, "officer": officer}
    row |= {"began": int(now), "seen": int(now), "ends": int(now) + limits.session_seconds}
    async with reached(control) as connection:
        over = or_(session.c.ends <= now, session.c.seen <= now - limits.idle_seconds, session.c.id == digest(former))
        await connection.execute(delete(session).where(over))
        await connection.execute(insert(session).values(**row))
    return token


async def find(control: AsyncEngine, token: str, *, now: float, limits: Console) -> Session | None:
    """The session that a browser holds; None if it was ended, has ended, or never was."""
    session, officer = tables.officer_session, tables.officer
    wanted = (
        select(session, officer.c.role.label("current"))
        .select_from(session.outerjoin(officer, officer.c.number == session.c.officer))
        .where(
            session.c.id == digest(token),
            session.c.ends > now,
            session.c.seen > now - limits.idle_seconds,
        )
    )
    async with reached(control) as connection:
        row = (await connection.execute(wanted)).first()
    if row is None or (row.officer is not None and row.current is None):
        return None
    if row.seen <= now - MINUTE:
        async with reached(control) as connection:
            seen = update(session).where(session.c.id == row.id, session.c.seen < int(now)).values(seen=int(now))
            await connection.execute(seen)
    role = cast("Role", row.role if row.officer is None else row.current)
    return Session(row.id, SpaceId(row.space), row.email, role, row.officer is not None, row.began)


async def space_of(control: AsyncEngine, token: str) -> SpaceId | None:
    """The space of a session that a browser holds, even if it is over; None once it is swept away, or never was."""
    session = tables.officer_session
    async with reached(control) as connection:
        found = (await connection.execute(select(session.c.space).where(session.c.id == digest(token)))).scalar()
    return None if found is None else SpaceId(found)


async def end(control: AsyncEngine, session: str) -> None:
    """Sign one browser out."""
    async with reached(control) as connection:
        await connection.execute(delete(tables.officer_session).where(tables.officer_session.c.id == session))


async def end_all(control: AsyncEngine, space: str, email: str) -> int:
    """Sign an officer out everywhere, wherever they came from; gives of how many browsers."""
    async with reached(control) as connection:
        return await forget(connection, space, email)


async def forget(connection: AsyncConnection, space: str, email: str) -> int:
    """The same, within a transaction."""
    session = tables.officer_session
    mine = (session.c.space == space) & (session.c.email == email.lower())
    return (await connection.execute(delete(session).where(mine))).rowcount


def digest(token: str) -> str:
    """What the database knows a token by."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
