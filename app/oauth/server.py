"""The token, introspection and revocation endpoints: Authlib's authorization server, held to what Homeroom promises.

Shape: one `Server` for each request, on one database transaction; `Reply` is what leaves.
INVARIANT: whoever is not authenticated gets one and the same answer, whatever was wrong.
Spec: RFC 6749, RFC 7009, RFC 7523, RFC 7662, RFC 8707.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
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
from sqlalchemy import Connection

from app.oauth.endpoints import Introspection, Revocation
from app.oauth.proof import METHODS, BySignature, by_secret, read_basic
from app.oauth.registrant import Registrant, find_registrant
from app.oauth.terms import InvalidTargetError, Terms, claims_for
from app.oauth.tokens import mint

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_OTHER_PROOFS = frozenset({"client_assertion", "client_assertion_type", "client_secret"})

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
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)

    def query_client(self, client_id: str) -> Registrant:
        """A client, or a decoy."""
        return find_registrant(self.connection, client_id, now=self.now)

    def authenticate_client(self, request: Any, methods: list[str], endpoint: str = "token") -> Registrant:
        """Who it is that asks, by one proof. Raises: OAuth2Error."""
        form, basic = request.form, read_basic(request.headers.get("Authorization"))
        if basic and not _OTHER_PROOFS.isdisjoint(form):
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
