"""Sign in at the district's own OpenID Connect provider: discovery, PKCE, a nonce, and roles as the configuration says.

What Authlib keeps between the two steps lies in a sealed cookie of the browser that began. Whatever goes wrong, whoever
asks is told the same.
Spec: OpenID Connect Core 1.0 §3.1, OpenID Connect Discovery 1.0 §4, RFC 7636.
"""

import logging
import re
import warnings
from collections.abc import Mapping
from http import HTTPStatus
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.base_client.errors import OAuthError
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from app.addresses import is_machinery, written_as
from app.console.desk import Desk
from app.console.door import cookie
from app.console.sign_in import keep, onward, shown, welcome
from app.console.visit import HEADERS
from app.errors import ConfigurationError
from app.names import SpaceId
from app.signing_in import LOOPBACK, Role, SignIn

logger = logging.getLogger("homeroom.console")

BACK = "/console/sign-in/openid/back"
UNDER_WAY = "openid"
"""The cookie of a sign-in that is under way."""

SECONDS = 600
"""How long somebody may be at the provider."""

TIMEOUT = 10.0
"""Units: seconds for each question to the provider."""

KNOWN = 300.0
"""Units: seconds that what a provider says of itself is kept: whoever asks at the door often asks no provider often."""

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What an identity may be signed by: a key that the provider alone has."""

NAME = re.compile(r"[^\s\x00-\x20\x7f-\x9f\u202a-\u202e\u2066-\u2069]{1,200}")
"""A name without anything that cannot be seen."""

NOT_LET_IN = "Your district's sign-in did not let you in. Try again, or ask who keeps the list of officers."


def faults() -> tuple[type[Exception], ...]:
    """What a provider, or somebody who plays one, can bring about."""
    from httpx import HTTPError  # where it is used alone: it takes a while to be read

    ours = (ConfigurationError, ValueError, KeyError, TypeError, RuntimeError, OSError)
    return (OAuthError, HTTPError, JoseError, *ours)


async def start(desk: Desk, request: Request) -> Response:
    """Send somebody to their district's provider."""
    space = request.query_params.get("space", "").strip()
    sign_in = provider_of(desk, space)
    if sign_in is None:
        return refused(desk, request, space)
    request.scope["session"] = {}
    try:
        remote = await provider(desk, sign_in)
        response: Response = await remote.authorize_redirect(request, desk.rooms.settings.console_address + BACK)
    except faults() as error:
        logger.warning("the provider of a district does not answer", extra={"space": space, "kind": kind(error)})
        return refused(desk, request, space)
    for name, value in HEADERS.items():
        response.headers[name] = value
    after = onward(request.query_params.get("next", ""))
    kept = {"space": space, "after": after, "session": request.scope["session"]}
    keep(desk, response, UNDER_WAY, desk.seal.seal(UNDER_WAY, kept))
    return response


async def back(desk: Desk, request: Request) -> Response:
    """Take in what the provider says of somebody who comes back from it."""
    kept = desk.seal.open(UNDER_WAY, request.cookies.get(cookie(desk, UNDER_WAY), ""), seconds=SECONDS)
    if not isinstance(kept, dict):
        return refused(desk, request, "")
    space: str = kept["space"]
    sign_in = provider_of(desk, space)
    if sign_in is None:
        return refused(desk, request, space)
    request.scope["session"] = kept["session"]
    try:
        remote = await provider(desk, sign_in)
        claims = await identity(remote, request, sign_in)
    except faults() as error:
        logger.warning("a sign-in at a provider failed", extra={"space": space, "kind": kind(error)})
        return refused(desk, request, space)
    role = role_of(claims, sign_in)
    if role is None:
        logger.warning("somebody who is no officer signed in at a provider", extra={"space": space})
        return refused(desk, request, space)
    name = name_of(claims)
    if name is None:
        logger.warning("the provider of a district gives a name that nobody can have", extra={"space": space})
        return refused(desk, request, space)
    response = await welcome(desk, request, SpaceId(space), name, role, officer=None, after=kept["after"])
    forget(desk, response)
    return response


async def provider(desk: Desk, sign_in: SignIn) -> Any:
    """Authlib's client of a provider, which says by its metadata that it is the one. Raises: one of `faults`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Authlib remarks on the name of httpx; it is read where it is needed alone
        from authlib.integrations.starlette_client import OAuth
    secret = read_secret(desk, sign_in)
    options = {
        "scope": "openid email profile",
        "code_challenge_method": "S256",
        "timeout": TIMEOUT,
        "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
    }
    remote = OAuth().register(
        "district",
        client_id=sign_in.client_id,
        client_secret=secret,
        server_metadata_url=f"{sign_in.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs=options,
    )
    read, known = desk.providers.get(sign_in.issuer, (float("-inf"), {}))
    if monotonic() - read < KNOWN:
        remote.server_metadata.update(known)
    else:
        read = monotonic()
    metadata = await remote.load_server_metadata()
    if metadata.get("issuer") != sign_in.issuer:
        raise ValueError("the provider's metadata is another's")
    if not all(is_fit(str(metadata[name]), sign_in.issuer) for name in ENDPOINTS if name in metadata):
        raise ValueError("the provider's metadata leads elsewhere")
    desk.providers[sign_in.issuer] = read, {name: value for name, value in metadata.items() if name != "jwks"}
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [name for name in offered if name in ALGORITHMS]
    return remote


def is_fit(endpoint: str, issuer: str) -> bool:
    """Whether a provider may lead there: over TLS, or on loopback with itself, and to no machine's secrets."""
    try:
        parts, own = urlsplit(endpoint), urlsplit(issuer)
        host = parts.hostname or ""
    except ValueError:
        return False
    address = written_as(host)
    if not host or parts.username is not None or (address is not None and is_machinery(address)):
        return False
    return parts.scheme == "https" or (parts.scheme == own.scheme == "http" and host in LOOPBACK)


async def identity(remote: Any, request: Request, sign_in: SignIn) -> Mapping[str, Any]:
    """Who came back, as the provider signed it for us and for this sign-in. Raises: one of `faults`."""
    told = request.query_params.get("iss")
    if told is not None and told != sign_in.issuer:  # RFC 9207: another provider's answer
        raise ValueError("the answer is another provider's")
    expected = {
        "iss": {"essential": True, "values": [sign_in.issuer]},
        "aud": {"essential": True, "values": [sign_in.client_id]},
        "nonce": {"essential": True},
    }
    token = await remote.authorize_access_token(request, claims_options=expected)
    claims: Mapping[str, Any] = token["userinfo"]
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise ValueError("the identity has no subject")
    if sign_in.role_claim in claims or not remote.server_metadata.get("userinfo_endpoint"):
        return claims
    # Spec: OpenID Connect Core 1.0 §5.3.2: what is told of another subject must not be used.
    more: Mapping[str, Any] = await remote.userinfo(token=token)
    return {**more, **claims} if more.get("sub") == claims["sub"] else claims


def role_of(claims: Mapping[str, Any], sign_in: SignIn) -> Role | None:
    """What somebody may do here; None: nothing. By address, if the provider says that it is theirs, else by a claim."""
    email = claims.get("email")
    if isinstance(email, str) and claims.get("email_verified") is True:
        for address, role in sign_in.officers.items():
            if address.lower() == email.lower():
                return role
    told = claims.get(sign_in.role_claim) if sign_in.role_claim else None
    values = {told} if isinstance(told, str) else set(filter(lambda one: isinstance(one, str), told or ()))
    return next((role for value, role in sign_in.roles.items() if value in values), None)


def name_of(claims: Mapping[str, Any]) -> str | None:
    """By what name somebody decides; None if it could not stand in a grant's file.

    An address that the provider itself says is not proven may be a colleague's: then it is the provider's own name.
    """
    email = claims.get("email")
    proven = isinstance(email, str) and email and claims.get("email_verified") is not False
    name = str(email if proven else claims["sub"])
    return name if NAME.fullmatch(name) else None


def provider_of(desk: Desk, space: str) -> SignIn | None:
    """The provider of a space of this installation."""
    named = desk.rooms.settings.spaces.get(space)
    return None if named is None else named.sign_in


def read_secret(desk: Desk, sign_in: SignIn) -> str | None:
    """The client's secret; None if it has none. Raises: OSError, UnicodeDecodeError."""
    if not sign_in.client_secret_file:
        return None
    file = desk.rooms.settings.home / sign_in.client_secret_file
    return file.read_text(encoding="utf-8").split("\n")[0].strip()


def refused(desk: Desk, request: Request, space: str) -> Response:
    """The page for signing in, with the same words whatever was amiss."""
    response = shown(desk, request, said=NOT_LET_IN, space=space, status=HTTPStatus.FORBIDDEN)
    forget(desk, response)
    return response


def forget(desk: Desk, response: Response) -> None:
    """The sign-in that was under way is over."""
    name = cookie(desk, UNDER_WAY)
    response.delete_cookie(name, path="/", secure=desk.secure, httponly=True, samesite="lax")


def kind(error: BaseException) -> str:
    """What failed, without its text: it may quote what the provider said of somebody."""
    return type(error).__name__
