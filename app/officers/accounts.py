"""Accounts with a password: who looks and decides for one space. They live in the control database.

Units: times are seconds since 1970.
"""

import re
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import UsageError
from app.names import SpaceId
from app.officers.passwords import hashed
from app.officers.sessions import forget
from app.signing_in import ROLES, Role
from app.storage import control as tables

EMAIL = re.compile(r"[^\s@,;:<>\"]{1,64}@[^\s@,;:<>\"]{1,190}")


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who may look, or decide, for one space."""

    number: int
    space: SpaceId
    email: str
    role: Role
    created: int


async def add_officer(control: AsyncEngine, space: str, email: str, role: str, password: str, *, now: float) -> None:
    """Make an account. Raises: UsageError, if there is one, or the address, the role or the password cannot be one."""
    if not EMAIL.fullmatch(email):
        raise UsageError("That is no e-mail address. Write one such as a.ramos@gbisd.example.")
    if role not in ROLES:
        raise UsageError(f"There is no such role. An officer is one of: {', '.join(ROLES)}.")
    row = {"space": space, "email": email.lower(), "role": role, "created": int(now)}
    kept = await hashed(password)
    try:
        async with control.begin() as connection:
            await connection.execute(insert(tables.officer).values(**row, password=kept))
    except IntegrityError:
        raise UsageError("There is such an officer already. `homeroom officer list` names them.") from None


async def list_officers(control: AsyncEngine, space: str) -> tuple[Officer, ...]:
    """A space's accounts, by address."""
    wanted = select(tables.officer).where(tables.officer.c.space == space).order_by(tables.officer.c.email)
    async with control.connect() as connection:
        return tuple(_officer(row) for row in await connection.execute(wanted))


async def remove_officer(control: AsyncEngine, space: str, email: str) -> None:
    """Take an account away, and end whatever it is signed in with. Raises: UsageError, if there is none."""
    async with control.begin() as connection:
        await forget(connection, space, email.lower())
        done = await connection.execute(delete(tables.officer).where(*_is(space, email)))
    if not done.rowcount:
        raise UsageError("There is no such officer. `homeroom officer list` names them.")


async def set_password(control: AsyncEngine, space: str, email: str, password: str) -> None:
    """Give an account another password, and end whatever it is signed in with. Raises: UsageError."""
    kept = await hashed(password)
    async with control.begin() as connection:
        await forget(connection, space, email.lower())
        done = await connection.execute(update(tables.officer).where(*_is(space, email)).values(password=kept))
    if not done.rowcount:
        raise UsageError("There is no such officer. `homeroom officer list` names them.")


async def find_officer(control: AsyncEngine, space: str, email: str) -> tuple[Officer, str] | None:
    """An account with the hash of its password; None if there is none."""
    async with control.connect() as connection:
        row = (await connection.execute(select(tables.officer).where(*_is(space, email)))).first()
    return None if row is None else (_officer(row), row.password)


def _is(space: str, email: str) -> tuple[Any, Any]:
    return tables.officer.c.space == space, tables.officer.c.email == email.lower()


def _officer(row: Any) -> Officer:
    return Officer(row.number, SpaceId(row.space), row.email, cast("Role", row.role), row.created)
