"""Accounts with a password: who looks and decides for one space. They live in the control database.

Units: times are seconds since 1970.
Raises: Unavailable, whatever is asked, if the control database does not answer.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Delete, Update, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import UsageError
from app.names import SpaceId
from app.officers.passwords import hashed
from app.officers.sessions import forget
from app.signing_in import ROLES, Role
from app.storage import control as tables
from app.storage.reached import reached

EMAIL = re.compile(r"[^\s@,;:<>\"]{1,64}@[^\s@,;:<>\"]{1,190}")


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who may look, or decide, for one space."""

    number: int
    space: SpaceId
    email: str
    role: Role
    created: int
    version: str  # another one as soon as the password is


async def add_officer(control: AsyncEngine, space: str, email: str, role: str, password: str, *, now: float) -> None:
    """Make an account. Raises: UsageError, if there is one, or the address, the role or the password cannot be one."""
    if not EMAIL.fullmatch(email):
        raise UsageError("That is no e-mail address. Write one such as a.ramos@gbisd.example.")
    if role not in ROLES:
        raise UsageError(f"There is no such role. An officer is one of: {', '.join(ROLES)}.")
    row = {"space": space, "email": email.lower(), "role": role, "created": int(now)}
    kept = await hashed(password)
    try:
        async with reached(control) as connection:
            await connection.execute(insert(tables.officer).values(**row, password=kept))
    except IntegrityError:
        raise UsageError("There is such an officer already. `homeroom officer list` names them.") from None


async def list_officers(control: AsyncEngine, space: str) -> tuple[Officer, ...]:
    """A space's accounts, by address."""
    wanted = select(tables.officer).where(tables.officer.c.space == space).order_by(tables.officer.c.email)
    async with reached(control) as connection:
        return tuple(_officer(row) for row in await connection.execute(wanted))


async def remove_officer(control: AsyncEngine, space: str, email: str) -> None:
    """Take an account away, and end whatever it is signed in with. Raises: UsageError, if there is none."""
    async with reached(control) as connection:
        await _change(connection, delete(tables.officer).where(*_is(space, email)))
        await forget(connection, space, email)


async def set_password(control: AsyncEngine, space: str, email: str, password: str) -> Officer:
    """Give an account another password, and end whatever it is signed in with. Raises: UsageError."""
    kept = await hashed(password)
    async with reached(control) as connection:
        await _change(connection, update(tables.officer).where(*_is(space, email)).values(password=kept))
        await forget(connection, space, email)
        return _officer((await connection.execute(select(tables.officer).where(*_is(space, email)))).one())


async def find_officer(control: AsyncEngine, space: str, email: str) -> tuple[Officer, str] | None:
    """An account with the hash of its password; None if there is none."""
    async with reached(control) as connection:
        row = (await connection.execute(select(tables.officer).where(*_is(space, email)))).first()
    return None if row is None else (_officer(row), row.password)


async def _change(connection: AsyncConnection, statement: Delete | Update) -> None:
    """Change one account. Raises: UsageError, if there is none; then nothing is changed, and no session ends."""
    if not (await connection.execute(statement)).rowcount:
        raise UsageError(
            "There is no such officer with a password. `homeroom officer list` names them. Whoever came from the "
            "district's own sign-in is signed out by `homeroom officer sign-out`."
        )


def _is(space: str, email: str) -> tuple[Any, Any]:
    return tables.officer.c.space == space, tables.officer.c.email == email.lower()


def _version(kept: str) -> str:
    return hashlib.sha256(kept.encode()).hexdigest()


def _officer(row: Any) -> Officer:
    return Officer(
        row.number, SpaceId(row.space), row.email, cast("Role", row.role), row.created, _version(row.password)
    )
