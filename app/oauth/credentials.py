"""What a client proves itself by: a secret that Homeroom made, or public keys that the vendor registered.

Shape: several may hold at once, for a while: the newest, and those that it takes over from, each with its end. A client
may go from a secret to keys, or back, in the same way.
Units: times are seconds since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from sqlalchemy import Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import UsageError
from app.names import ClientId
from app.oauth.secret import hashed, new_secret
from app.storage import control as tables

DAY = 86_400
SHORTEST_RSA = 2048
MOST_KEYS = 8
LONGEST_KID = 128

TABLES: tuple[Table, Table] = (tables.client_secret, tables.client_key)


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret or one set of keys (by their names), from when it holds and until when, if it ends."""

    kind: Literal["secret", "keys"]
    created: int
    expires: int | None
    kids: tuple[str, ...] = ()


async def keep(connection: AsyncConnection, client: str, jwks: Mapping[str, Any] | None, now: float) -> str | None:
    """Give a client one more credential: the keys, or else a new secret, which is told here and never again."""
    if jwks is not None:
        await connection.execute(insert(tables.client_key).values(client=client, jwks=jwks, created=int(now)))
        return None
    secret = new_secret()
    row = {"client": client, "hash": hashed(secret), "created": int(now)}
    await connection.execute(insert(tables.client_secret).values(**row))
    return secret


async def end_earlier(connection: AsyncConnection, client: str, ends: int, now: float) -> None:
    """Let all that a client has end, at the latest then: an end that was set is never put off. Forget what is over."""
    for table in TABLES:
        held = table.c.expires.is_(None) | (table.c.expires > ends)
        await connection.execute(update(table).where(table.c.client == client, held).values(expires=ends))
        await connection.execute(table.delete().where(table.c.client == client, table.c.expires <= int(now)))


async def read_credentials(control: AsyncEngine, now: float) -> dict[ClientId, tuple[Credential, ...]]:
    """What every client can prove itself by now, the newest last."""
    held: dict[ClientId, list[Credential]] = {}
    async with control.connect() as connection:
        for table in TABLES:
            good = table.c.expires.is_(None) | (table.c.expires > int(now))
            for row in await connection.execute(select(table).where(good).order_by(table.c.number)):
                held.setdefault(ClientId(row.client), []).append(_credential(row))
    return {client: tuple(sorted(each, key=lambda one: one.created)) for client, each in held.items()}


def public_keys(jwks: object) -> dict[str, Any]:
    """The public halves of a client's keys, checked and named: P-256, or RSA of 2048 bits and more. Raises: UsageError.

    A key without a name is given its thumbprint. Spec: RFC 7517 §5, RFC 7638.
    """
    members = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(members, list) or not members:
        raise UsageError('A JWKS is a JSON object with a member "keys", a list of public keys. Write one.')
    if len(members) > MOST_KEYS:
        raise UsageError(f"A client has at most {MOST_KEYS} keys at once. Leave out those that it signs by no more.")
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
        if key.kid is not None and not (1 <= len(key.kid) <= LONGEST_KID and key.kid.isprintable()):
            raise UsageError(f"A key's kid has 1 to {LONGEST_KID} printable characters. Give it such a name, or none.")
    return {"keys": [{**key.as_dict(private=False), "kid": key.kid or key.thumbprint()} for key in keys]}


def _credential(row: Any) -> Credential:
    if hasattr(row, "hash"):
        return Credential("secret", row.created, row.expires)
    return Credential("keys", row.created, row.expires, tuple(str(key.get("kid", "")) for key in row.jwks["keys"]))
