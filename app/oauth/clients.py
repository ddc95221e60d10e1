"""The vendors' clients: registering them, and taking their rights away, in the control database.

Shape: a client is `active`, `suspended` (its tokens are good, every field is denied, no new tokens) or `revoked` (it is
unknown from now on). Every write moves the change number, so that running servers follow it at once.
Units: times are seconds since 1970.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import UsageError
from app.names import ClientId, Scope, is_client_id
from app.oauth.secret import hashed, new_secret
from app.storage import control as tables

DAY = 86_400
SHORTEST_RSA = 2048


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

    Raises: UsageError, when the id is taken or cannot be one, or the JWKS cannot be used.
    """
    if not is_client_id(client):
        raise UsageError(
            "A client_id has 1 to 64 letters, digits, dots, `_`, `~` or `-`, and begins with a letter or digit."
        )
    keys = None if jwks is None else public_keys(jwks)
    secret = new_secret() if keys is None else None
    try:
        async with control.begin() as connection:
            row = {"id": client, "name": name or client, "standing": State.ACTIVE, "created": int(now)}
            await connection.execute(insert(tables.client).values(**row, scopes=sorted(set(scopes))))
            if secret is not None:
                await _keep(connection, client, secret, now)
            else:
                await connection.execute(insert(tables.client_key).values(client=client, jwks=keys))
            await connection.execute(tables.CHANGED)
    except IntegrityError:
        raise UsageError(f"There is a client {client} already. Choose another id, or `homeroom client list`.") from None
    return secret


async def rotate_secret(control: AsyncEngine, client: str, *, now: float, overlap: float = DAY) -> str:
    """A new secret; the ones before it hold for `overlap` more seconds. Raises: UsageError."""
    found = await find_client(control, client)
    if found.state is State.REVOKED:
        raise UsageError(f"Client {client} is revoked for good. Add a new one.")
    secret, ends, kept = new_secret(), int(now + overlap), tables.client_secret.c
    async with control.begin() as connection:
        earlier = update(tables.client_secret).where(kept.client == client)
        await connection.execute(earlier.where((kept.expires > ends) | kept.expires.is_(None)).values(expires=ends))
        await _keep(connection, client, secret, now)
        await connection.execute(tables.CHANGED)
    return secret


async def set_state(control: AsyncEngine, client: str, state: State) -> None:
    """Suspend, resume or revoke a client: in force in every server within a second. Raises: UsageError."""
    async with control.begin() as connection:
        await connection.execute(tables.CHANGED)
        found = await connection.scalar(select(tables.client.c.standing).where(tables.client.c.id == client))
        if found is None:
            raise UsageError(f"There is no client {client!a}. `homeroom client list` names them.")
        if found == State.REVOKED and state is not State.REVOKED:
            raise UsageError(f"Client {client} is revoked for good. Add a new one.")
        await connection.execute(update(tables.client).where(tables.client.c.id == client).values(standing=state))


async def list_clients(control: AsyncEngine) -> tuple[Client, ...]:
    """Every client, by id."""
    async with control.connect() as connection:
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


def public_keys(jwks: object) -> dict[str, Any]:
    """The public halves of a client's keys, checked: P-256, or RSA of 2048 bits and more. Raises: UsageError."""
    members = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(members, list) or not members:
        raise UsageError('A JWKS is a JSON object with a member "keys", a list of public keys. Write one.')
    try:
        keys = KeySet.import_key_set({"keys": members}).keys
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise UsageError("A key of the JWKS cannot be read. Export the public key again.") from None
    for key in keys:
        good = (isinstance(key, ECKey) and key.curve_name == "P-256") or (
            isinstance(key, RSAKey) and key.raw_value.key_size >= SHORTEST_RSA
        )
        if not good:
            raise UsageError("A client signs by P-256 (ES256) or RSA of at least 2048 bits. Make such a key.")
        if key.is_private:
            raise UsageError("The JWKS holds a private key. Keep it to yourself, and give the public half alone.")
    return {"keys": [dict(key.as_dict(private=False)) for key in keys]}


async def _keep(connection: AsyncConnection, client: str, secret: str, now: float) -> None:
    row = {"client": client, "hash": hashed(secret), "created": int(now)}
    await connection.execute(insert(tables.client_secret).values(**row))


def _client(row: Any) -> Client:
    return Client(ClientId(row.id), row.name, State(row.standing), frozenset(map(Scope, row.scopes)), row.created)
