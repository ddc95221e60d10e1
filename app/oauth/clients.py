"""The vendors' clients: registering them, and taking their rights away, in the control database.

Shape: a client is `active`, `suspended` (its tokens are good, every field is denied, no new tokens) or `revoked` (it is
unknown from now on). Every write moves the change number, so that running servers follow it at once.
Units: times are seconds since 1970.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import UsageError
from app.names import ClientId, Scope, is_client_id
from app.oauth.credentials import end_earlier, keep, public_keys
from app.storage import control as tables
from app.storage.reached import reached
from app.storage.upsert import upsert


class State(StrEnum):
    """How a client stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client."""

    id: ClientId
    name: str
    state: State
    scopes: frozenset[Scope]
    created: int


async def add_client(
    control: AsyncEngine,
    client: str,
    *,
    scopes: Iterable[Scope],
    now: float,
    name: str | None = None,
    jwks: object = None,
) -> str | None:
    """Register a client. Gives its secret, which nobody can be told again; None if it signs by a key of its own.

    Raises: UsageError, when the id is taken (in whatever case) or cannot be one, or the JWKS cannot be used.
    """
    if not is_client_id(client):
        raise UsageError(
            "A client_id has 1 to 64 letters, digits, dots, `_`, `~` or `-`, and begins with a letter or digit."
        )
    keys = None if jwks is None else public_keys(jwks)
    try:
        async with control.begin() as connection:
            alike = select(tables.client.c.id).where(func.lower(tables.client.c.id) == client.lower())
            if found := await connection.scalar(alike):
                raise UsageError(f"There is a client {found} already. Choose another id, or `homeroom client list`.")
            row = {"id": client, "name": name or client, "standing": State.ACTIVE, "created": int(now)}
            await connection.execute(insert(tables.client).values(**row, scopes=sorted(set(scopes))))
            secret = await keep(connection, client, keys, now)
            await connection.execute(tables.CHANGED)
    except IntegrityError:
        raise UsageError(f"There is a client {client} already. Choose another id, or `homeroom client list`.") from None
    return secret


def introduce(connection: Connection, client: ClientId, *, scopes: Iterable[Scope], now: int) -> None:
    """Keep a client that the trusted gateway presents, as it is registered there, so that officers here can see it.

    INVARIANT: it gets neither secret nor key, and so no token here; and what is registered here itself is not widened.
    """
    row = {"id": client, "name": client, "standing": State.ACTIVE, "created": now, "scopes": sorted(set(scopes))}
    found = connection.scalar(select(tables.client.c.scopes).where(tables.client.c.id == client))
    if found == row["scopes"]:
        return
    connection.execute(tables.CHANGED)
    if found is None:
        connection.execute(upsert(connection, tables.client).values(**row).on_conflict_do_nothing())
        return
    proofs = (exists().where(table.c.client == client) for table in (tables.client_secret, tables.client_key))
    here = tables.client.c.id == client
    connection.execute(update(tables.client).where(here, ~or_(*proofs)).values(scopes=row["scopes"]))


async def rotate(control: AsyncEngine, client: str, *, now: float, overlap: float, jwks: object = None) -> str | None:
    """A new secret, which is given, or the keys of the JWKS. All that the client had holds for `overlap` more seconds.

    Raises: UsageError, when there is no such client, it is revoked, or the JWKS cannot be used.
    """
    keys = None if jwks is None else public_keys(jwks)
    async with control.begin() as connection:
        # INVARIANT: the change number is written first: its row lock lets one rotation through at a time.
        await connection.execute(tables.CHANGED)
        standing = await connection.scalar(select(tables.client.c.standing).where(tables.client.c.id == client))
        _check_not_revoked(client, standing)
        await end_earlier(connection, client, int(now + overlap), now)
        return await keep(connection, client, keys, now)


async def set_state(control: AsyncEngine, client: str, state: State) -> None:
    """Suspend, resume or revoke a client: in force in every server within a second. Raises: UsageError."""
    async with control.begin() as connection:
        await connection.execute(tables.CHANGED)
        found = await connection.scalar(select(tables.client.c.standing).where(tables.client.c.id == client))
        if found is None or state is not State.REVOKED:
            _check_not_revoked(client, found)
        await connection.execute(update(tables.client).where(tables.client.c.id == client).values(standing=state))


async def list_clients(control: AsyncEngine) -> tuple[Client, ...]:
    """Every client, by id. Raises: Unavailable."""
    async with reached(control) as connection:
        return tuple(
            _client(row) for row in await connection.execute(select(tables.client).order_by(tables.client.c.id))
        )


async def find_client(control: AsyncEngine, client: str) -> Client:
    """One client. Raises: UsageError, when there is none of that id."""
    async with control.connect() as connection:
        row = (await connection.execute(select(tables.client).where(tables.client.c.id == client))).first()
    if row is None:
        raise UsageError(f"There is no client {client!a}. `homeroom client list` names them.")
    return _client(row)


def _check_not_revoked(client: str, standing: str | None) -> None:
    if standing is None:
        raise UsageError(f"There is no client {client!a}. `homeroom client list` names them.")
    if standing == State.REVOKED:
        raise UsageError(f"Client {client} is revoked for good. Add a new one.")


def _client(row: Any) -> Client:
    return Client(ClientId(row.id), row.name, State(row.standing), frozenset(map(Scope, row.scopes)), row.created)
