"""A client as it stands before the token endpoint, or somebody who says to be one.

INVARIANT: an unknown client, a revoked one and one without a secret or a key walk the very path of a known one, with a
hash and a key that nobody has, so that neither the answer nor its time tells them apart.
"""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import Connection, Table, select

from app.names import ClientId, Scope, is_client_id
from app.oauth.clients import State
from app.oauth.secret import hashed, matches, new_secret
from app.storage import control as tables

_NOBODYS_HASH = hashed(new_secret())
_NOBODYS_KEYS = KeySet([ECKey.generate_key("P-256", {"alg": "ES256"}, private=False)]).as_dict(private=False)


@dataclass(frozen=True, slots=True, eq=False)
class Registrant(ClientMixin):  # type: ignore[misc] # Authlib has no types
    """What the token endpoint must know of a client."""

    id: ClientId
    known: bool
    suspended: bool
    scopes: frozenset[Scope]
    hashes: tuple[str, ...]
    jwks: Any

    def get_client_id(self) -> str:
        """The client_id."""
        return self.id

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether the secret is one that holds now. Every hash is compared, whichever matches."""
        return sum(matches(client_secret, kept) for kept in self.hashes) > 0 and self.known

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whatever the client has, a secret or a key, it may use."""
        return True

    def check_grant_type(self, grant_type: str) -> bool:
        """There is one grant type, and every client may use it."""
        return True

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scopes asked for, all or none; all that the client has, if it asks for none in particular.

        Each must be written exactly as it is registered, once. None is Authlib's word for `invalid_scope`.
        """
        asked = scope.split(" ") if scope else sorted(self.scopes)
        if not asked or len(set(asked)) < len(asked) or not self.scopes.issuperset(asked):
            return None
        return " ".join(asked)


def find_registrant(connection: Connection, client: str, *, now: float) -> Registrant:
    """The client of that id, or a decoy in its place."""
    if not is_client_id(client):
        client = "-"  # no client's id: looked for all the same
    row = connection.execute(select(tables.client).where(tables.client.c.id == client)).first()
    hashes = _held(connection, tables.client_secret, "hash", client, now)
    keys = [key for jwks in _held(connection, tables.client_key, "jwks", client, now) for key in jwks["keys"]]
    known = row is not None and row.standing != State.REVOKED
    return Registrant(
        id=ClientId(client),
        known=known,
        suspended=row is not None and row.standing == State.SUSPENDED,
        scopes=frozenset(map(Scope, row.scopes)) if row is not None else frozenset(),
        # Two at least, so that a client with two secrets costs what one with none does.
        hashes=tuple(hashes) + (_NOBODYS_HASH,) * (2 - len(hashes)),
        jwks={"keys": keys} if known and keys else _NOBODYS_KEYS,
    )


def _held(connection: Connection, table: Table, column: str, client: str, now: float) -> list[Any]:
    """What a client can prove itself by now, the newest first."""
    good = (table.c.expires > int(now)) | table.c.expires.is_(None)
    mine = select(table.c[column]).where(table.c.client == client, good)
    return list(connection.scalars(mine.order_by(table.c.number.desc())))
