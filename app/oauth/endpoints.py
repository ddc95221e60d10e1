"""What a client may do with a token of its own: look at it, and take it back.

INVARIANT: whoever has proved who it is learns about its own tokens alone. Another's, one that is over, one that was
taken back and plain noise have one and the same answer when they are looked at.
Spec: RFC 7009, RFC 7662.
"""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from sqlalchemy import Connection, select

from app.oauth.proof import METHODS
from app.oauth.registrant import Registrant
from app.oauth.tokens import Claims, read
from app.storage import control as tables
from app.storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class _Token:
    claims: Claims

    def check_client(self, client: Registrant) -> bool:
        """Whether it was given to this client."""
        return self.claims.client_id == client.id


def _find(server: Any, text: str) -> _Token | None:
    """A token of ours, whosever it is, that is neither over nor taken back."""
    claims = read(text, server.terms.keys, server.now)
    if claims is None or claims.exp <= server.now or _revoked(server.connection, claims.jti):
        return None
    return _Token(claims)


def _revoked(connection: Connection, jti: str) -> bool:
    found = connection.scalar(select(tables.revoked_jti.c.jti).where(tables.revoked_jti.c.jti == jti))
    return found is not None


def _named(request: Any) -> None:
    """There must be a token. A hint at its type is not needed, as there is one type. Raises: OAuth2Error."""
    if "token" not in request.form:
        raise InvalidRequestError("Name the token by the parameter `token`.")


class Introspection(IntrospectionEndpoint):  # type: ignore[misc] # Authlib has no types
    """A client asks what one of its tokens says, and whether it is still good."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: Any, client: Registrant) -> None:
        """Raises: OAuth2Error."""
        _named(request)

    def query_token(self, token_string: str, token_type_hint: str | None) -> _Token | None:
        """The token, if the graph would take it now."""
        token = _find(self.server, token_string)
        good = token is not None and self.server.terms.space(token.claims, self.server.now) is not None
        return token if good else None

    def check_permission(self, token: _Token, client: Registrant, request: Any) -> bool:
        """Its own alone; and while a client is suspended none of its tokens is good for anything."""
        return token.check_client(client) and not client.suspended

    def create_introspection_payload(self, token: _Token | None) -> dict[str, object]:
        """All that the token says, or that it is not active and nothing else."""
        if token is None:
            return {"active": False}
        claims = token.claims
        return {
            "active": True,
            "token_type": "Bearer",
            "client_id": claims.client_id,
            "sub": claims.sub,
            "iss": claims.iss,
            "aud": claims.aud,
            "scope": claims.scope,
            "purpose": claims.purpose,
            "iat": claims.iat,
            "exp": claims.exp,
            "jti": claims.jti,
        }


class Revocation(RevocationEndpoint):  # type: ignore[misc] # Authlib has no types
    """A client takes back a token of its own. One that is not good any more needs no taking back."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: Any, client: Registrant) -> None:
        """Raises: OAuth2Error."""
        _named(request)

    def query_token(self, token_string: str, token_type_hint: str | None) -> _Token | None:
        """The token, if there is anything to take back. One that is another's is refused. Spec: RFC 7009 §2.1."""
        return _find(self.server, token_string)

    def revoke_token(self, token: _Token, request: Any) -> None:
        """Keep its `jti` until it would have ended."""
        connection, revoked = self.server.connection, tables.revoked_jti
        connection.execute(tables.CHANGED)
        connection.execute(revoked.delete().where(revoked.c.expires < int(self.server.now)))
        row = {"jti": token.claims.jti, "expires": token.claims.exp}
        connection.execute(upsert(connection, revoked).values(row).on_conflict_do_nothing())
