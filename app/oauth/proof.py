"""How a client proves who it is: by its secret (RFC 6749 §2.3.1) or by a signed assertion (RFC 7523), never both."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import msgspec
from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection

from app.oauth.registrant import Registrant
from app.storage import control as tables
from app.storage.upsert import upsert

METHODS = ["client_secret_basic", "private_key_jwt"]
ALGORITHMS = ["ES256", "RS256", "PS256"]
LEEWAY = 60
LONGEST_LIFE = 3600
"""Seconds: an assertion's `jti` is kept for as long as the assertion could be used."""

_BASIC = re.compile(r"basic +([A-Za-z0-9+/]+={0,2})", re.IGNORECASE)

QueryClient = Callable[[str], Registrant]


def read_basic(authorization: str | None) -> tuple[str, str] | None:
    """The client_id and secret of an Authorization header, or None."""
    found = _BASIC.fullmatch(authorization.strip()) if authorization else None
    if found is None:
        return None
    try:
        text = base64.b64decode(found[1], validate=True).decode("ascii")
    except ValueError:
        return None
    client, colon, secret = text.partition(":")
    return (unquote(client), unquote(secret)) if colon else None


def claimed_client(authorization: str | None, form: Mapping[str, str]) -> str:
    """Who the request says to be, unproven: only to count its failures by."""
    if basic := read_basic(authorization):
        return basic[0]
    try:
        payload = form.get("client_assertion", "").split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (ValueError, IndexError, KeyError, TypeError, RecursionError):
        return form.get("client_id", "")


def by_secret(query_client: QueryClient, request: Any) -> Registrant | None:
    """Authlib's hook for `client_secret_basic`. Its own tells an unknown client from a wrong secret."""
    basic = read_basic(request.headers.get("Authorization"))
    if basic is None:
        return None
    client = query_client(basic[0])
    return client if client.check_client_secret(basic[1]) else None


class BySignature(JWTBearerClientAssertion):  # type: ignore[misc] # Authlib has no types
    """`private_key_jwt`: an assertion that the client's own key signed, for us alone, used once."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, connection: Connection, audiences: list[str], now: float) -> None:
        super().__init__(leeway=LEEWAY)
        self._connection = connection
        self._audiences = audiences
        self._now = int(now)

    def __call__(self, query_client: QueryClient, request: Any) -> Registrant | None:
        """The client that signed, or None if the request holds no assertion. Raises: InvalidClientError."""
        try:
            client = super().__call__(query_client, request)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise InvalidClientError from error  # what a stranger's bytes may do to a parser
        assert client is None or isinstance(client, Registrant)  # noqa: S101
        return client

    def get_audiences(self) -> list[str]:
        """Whom an assertion must be meant for."""
        return self._audiences

    def resolve_client_public_key(self, client: Registrant) -> KeySet:
        """The client's keys, as it registered them."""
        return KeySet.import_key_set(client.jwks)

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        """Verify signature and claims. INVARIANT: the algorithms are ours to name, never the assertion's."""
        try:
            claims = self._signed(assertion, resolve_key)
            jwt.JWTClaimsRegistry(
                now=self._now,
                leeway=LEEWAY,
                iss={"essential": True},
                sub={"essential": True},
                aud={"essential": True},
                exp={"essential": True},
                jti={"essential": True},
            ).validate(claims)
        except JoseError as error:
            raise InvalidClientError from error
        audience = claims["aud"][0] if isinstance(claims["aud"], list) and len(claims["aud"]) == 1 else claims["aud"]
        if audience not in self._audiences or claims["iss"] != claims["sub"]:
            raise InvalidClientError
        if claims["exp"] > self._now + LONGEST_LIFE + LEEWAY:
            raise InvalidClientError
        if not self.validate_jti(claims, claims["jti"]):
            raise InvalidClientError
        return claims

    def _signed(self, assertion: str, keys: KeySet) -> dict[str, Any]:
        """What one of the client's keys signed. A `kid` names the key; without one, each is tried.

        Raises: InvalidClientError.
        """
        kid = self.extract_assertion(assertion)[0].get("kid")
        for key in keys.keys:
            if kid is not None and key.kid != kid:
                continue
            with suppress(JoseError):
                return jwt.decode(assertion, key, algorithms=ALGORITHMS).claims
        raise InvalidClientError

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        """Use an assertion up. The row decides, so that of two servers at once one alone succeeds."""
        used = tables.used_jti
        self._connection.execute(used.delete().where(used.c.expires < self._now))
        digest = hashlib.sha256(jti.encode("utf-8", "surrogatepass")).hexdigest()
        row = {"client": claims["sub"], "jti": digest, "expires": int(claims["exp"]) + 2 * LEEWAY}
        inserted = self._connection.execute(
            upsert(self._connection, used).values(row).on_conflict_do_nothing().returning(used.c.jti)
        )
        return inserted.first() is not None
