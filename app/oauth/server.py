"""The token and revocation endpoints: Authlib's authorization server, held to what Homeroom promises.

Shape: one `Server` for each request, on one database transaction; `Reply` is what leaves.
INVARIANT: whoever is not authenticated gets one and the same answer, whatever was wrong.
Spec: RFC 6749, RFC 7009, RFC 7523, RFC 8707.
"""

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.base import invalid_error_characters
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Request,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from sqlalchemy import Connection

from app.names import ClientId, SpaceId
from app.oauth.keys import Keys
from app.oauth.proof import METHODS, BySignature, by_secret, read_basic
from app.oauth.registrant import Registrant, find_registrant
from app.oauth.tokens import Claims, mint, read
from app.storage import control as tables
from app.storage.upsert import upsert

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_SENTENCES = {
    "invalid_client": "The client is unknown, or did not prove who it is. Check its id and its secret or assertion.",
    "invalid_grant": "This token was given to another client. A client may revoke its own alone.",
    "unsupported_grant_type": "The only grant_type here is client_credentials. Ask for that.",
}


@dataclass(frozen=True, slots=True)
class FormRequest:
    """A form that was posted: each parameter once, and what the transport says of its sender."""

    form: Mapping[str, str]
    authorization: str | None
    address: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON answer."""

    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Terms:
    """What tokens are given by: the same for every request until something changes."""

    issuer: str
    keys: Keys
    seconds: int
    resources: Mapping[str, SpaceId]
    purposes: Callable[[SpaceId, ClientId], Collection[str]]

    def audiences(self) -> list[str]:
        """Whom a client's assertion may be meant for: the issuer, or the endpoint that it is posted to."""
        return [self.issuer, f"{self.issuer}/oauth/token", f"{self.issuer}/oauth/revoke"]


class InvalidTargetError(OAuth2Error):  # type: ignore[misc] # Authlib has no types
    """The space that a token is asked for cannot be had. Spec: RFC 8707 §2."""

    error = "invalid_target"


def claims_for(terms: Terms, client: ClientId, scope: str, *, resource: str, purpose: str | None, now: float) -> Claims:
    """What a token says for one client, one space and one purpose. Raises: OAuth2Error."""
    space = terms.resources.get(resource)
    if space is None:
        raise InvalidTargetError(f"There is no such space. A resource is written {terms.issuer}/spaces/STATE/DISTRICT.")
    return Claims(
        iss=terms.issuer,
        aud=resource,
        sub=client,
        client_id=client,
        jti=secrets.token_urlsafe(16),
        iat=int(now),
        exp=int(now) + terms.seconds,
        scope=scope,
        purpose=choose_purpose(purpose, terms.purposes(space, client)),
    )


def choose_purpose(asked: str | None, granted: Collection[str]) -> str:
    """The purpose asked for, or the only one that there is a grant for. Raises: OAuth2Error."""
    if asked is not None:
        if PURPOSE.fullmatch(asked) is None:
            raise InvalidRequestError("A purpose is one word, as the district writes it. Write it so.")
        return asked
    known = sorted(set(granted))
    if not known:
        raise InvalidRequestError(
            "The client has no grant in this space, so name the purpose by the parameter `purpose`."
        )
    if len(known) > 1:
        words = ", ".join(word for word in known if not invalid_error_characters(word))
        raise InvalidRequestError(f"The client has grants for several purposes here. Name one by `purpose`: {words}.")
    return known[0]


class Server(AuthorizationServer):  # type: ignore[misc] # Authlib has no types
    """Authlib's server for one request."""

    def __init__(self, connection: Connection, terms: Terms, now: float) -> None:
        super().__init__()
        self.connection = connection
        self.terms = terms
        self.now = now
        self.register_client_auth_method("client_secret_basic", by_secret)
        self.register_client_auth_method("private_key_jwt", BySignature(connection, terms.audiences(), now))
        self.register_grant(ClientCredentials)
        self.register_endpoint(Revocation)

    def query_client(self, client_id: str) -> Registrant:
        """A client, or a decoy."""
        return find_registrant(self.connection, client_id, now=self.now)

    def authenticate_client(self, request: Any, methods: list[str], endpoint: str = "token") -> Registrant:
        """Who it is that asks, by one proof. Raises: OAuth2Error."""
        form, basic = request.form, read_basic(request.headers.get("Authorization"))
        if basic and ("client_assertion" in form or "client_secret" in form):
            raise InvalidRequestError("There is more than one proof of who the client is. Send one alone.")
        client = super().authenticate_client(request, methods, endpoint)
        if form.get("client_id") not in {None, client.id} or not client.known:
            raise InvalidClientError
        assert isinstance(client, Registrant)  # noqa: S101
        return client

    def create_oauth2_request(self, request: FormRequest) -> "_Request":
        """The request as Authlib reads it."""
        return _Request(request, self.terms.issuer)

    def handle_response(self, status: int, body: Any, headers: Any) -> Reply:
        """The answer as the web sends it."""
        return Reply(status, dict(body), NO_STORE)

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Reply:
        """An error in Homeroom's words. Authlib's own tell an unknown client from a wrong secret."""
        code = error.error
        if isinstance(error, UnsupportedGrantTypeError) and error.grant_type is None:
            code = "invalid_request"  # the parameter is missing altogether
        body = {"error": code, "error_description": _SENTENCES.get(error.error) or error.description}
        if isinstance(error, InvalidClientError):
            return Reply(401, body, NO_STORE | {"WWW-Authenticate": 'Basic realm="homeroom"'})
        return Reply(400, body, NO_STORE)

    def save_token(self, token: Any, request: Any) -> None:
        """Tokens are not stored: they carry all that they say."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


class _Request(OAuth2Request):  # type: ignore[misc] # Authlib has no types
    def __init__(self, request: FormRequest, issuer: str) -> None:
        # The settings insist on TLS, but for loopback; behind a proxy the address that arrives says nothing of it.
        super().__init__("POST", issuer, headers={"Authorization": request.authorization})
        # INVARIANT: an empty parameter counts as left out. Spec: RFC 6749 §3.2.
        self.payload = BasicOAuth2Payload({name: value for name, value in request.form.items() if value})

    @property
    def form(self) -> Mapping[str, str]:
        form: Mapping[str, str] = self.payload.data
        return form


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc] # Authlib has no types
    """The one grant type: a client asks for itself, for one space and one purpose."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_token_request(self) -> None:
        """Authenticate first; only a known client is told what else is wrong. Raises: OAuth2Error."""
        super().validate_token_request()
        client: Registrant = self.request.client
        form = self.request.payload.data
        if client.suspended:
            raise UnauthorizedClientError("This client is suspended. Ask the operator of this installation why.")
        if client.get_allowed_scope(form.get("scope")) is None:
            raise InvalidScopeError(
                "A scope asked for is not one that the client is registered for, or is written twice. "
                "Write each once, exactly as it is registered, with one space between; or none, for all of them."
            )
        if "resource" not in form:
            raise InvalidTargetError(
                "Name the space by the parameter `resource`, as its protected-resource metadata does."
            )
        self.claims = claims_for(
            self.server.terms,
            client.id,
            client.get_allowed_scope(form.get("scope")) or "",
            resource=form["resource"],
            purpose=form.get("purpose"),
            now=self.server.now,
        )

    def create_token_response(self) -> tuple[int, dict[str, object], object]:
        """The token, with what it is for, as much of it as was left to us to choose."""
        terms: Terms = self.server.terms
        generate = BearerTokenGenerator(lambda **_: mint(self.claims, terms.keys), expires_generator=terms.seconds)
        token = generate(self.GRANT_TYPE, self.client, scope=self.claims.scope, include_refresh_token=False)
        return 200, token | {"purpose": self.claims.purpose}, self.TOKEN_RESPONSE_HEADER


@dataclass(frozen=True, slots=True)
class _Token:
    claims: Claims

    def check_client(self, client: Registrant) -> bool:
        return self.claims.client_id == client.id


class Revocation(RevocationEndpoint):  # type: ignore[misc] # Authlib has no types
    """A client takes back a token of its own. One that is not good any more needs no taking back."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: Any, client: Registrant) -> None:
        """There must be a token. A hint at its type is not needed, as there is one type. Raises: OAuth2Error."""
        if "token" not in request.form:
            raise InvalidRequestError("Name the token that is to be revoked by the parameter `token`.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> _Token | None:
        """The token, if it is one of ours and not over."""
        claims = read(token_string, self.server.terms.keys)
        return None if claims is None or claims.exp <= self.server.now else _Token(claims)

    def revoke_token(self, token: _Token, request: Any) -> None:
        """Keep its `jti` until it would have ended."""
        connection, revoked = self.server.connection, tables.revoked_jti
        connection.execute(tables.CHANGED)
        connection.execute(revoked.delete().where(revoked.c.expires < int(self.server.now)))
        row = {"jti": token.claims.jti, "expires": token.claims.exp}
        connection.execute(upsert(connection, revoked).values(row).on_conflict_do_nothing())
