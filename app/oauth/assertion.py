"""Who asks, as a gateway tells the premises that keep a space: one signed statement for one request.

Shape: a JWT by the key that the gateway's tokens are signed with, of a type of its own, so that a token is no statement
and a statement is no token. It names the premises and the space that it is for, the client with its scopes and its
registration there, the purpose, and the request: its id, the path that it is posted to and the SHA-256 of its body, so
that it speaks for no other.
Units: times are seconds since 1970.
Spec: RFC 7519, RFC 8725.
"""

import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from app.names import ClientId, Scope, SpaceId, is_client_id
from app.oauth.caller import Caller, Standing
from app.oauth.keys import Keys
from app.oauth.terms import PURPOSE

LIFE = 60
"""Units: seconds that a statement is good."""

EARLY = 30
"""Units: seconds by which the gateway's clock may be ahead."""

LONGEST = 32_768
"""No statement is longer, in characters."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The only header that there is. INVARIANT: no other algorithm, no other type, no key brought along, no `crit`."""

    alg: Literal["ES256"]
    typ: Literal["homeroom-caller+jwt"]
    kid: str


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a gateway says of one request."""

    iss: str
    aud: str
    sub: str
    jti: str
    iat: int
    exp: int
    purpose: str
    scope: str
    registered: str
    suspended: bool
    request: str
    path: str
    body: str


KeyOf = Callable[[str], Awaitable[ECKey | None]]
"""The key of a name, among those that the gateway publishes."""

_header = msgspec.json.Decoder(Header)


def audience(at: str, space: SpaceId) -> str:
    """Whom a statement is for: a space on its premises."""
    return f"{at}/spaces/{space}"


@dataclass(frozen=True, slots=True)
class Posted:
    """What is posted to premises: where, under which id, and what."""

    path: str
    body: bytes
    request: str = ""


def state(
    caller: Caller, standing: Standing, posted: Posted, *, issuer: str, audience: str, keys: Keys, now: float
) -> str:
    """Sign a statement."""
    key = keys.signing(now)
    said = Statement(
        iss=issuer,
        aud=audience,
        sub=caller.client,
        jti=secrets.token_urlsafe(16),
        iat=int(now),
        exp=int(now) + LIFE,
        purpose=caller.purpose,
        scope=" ".join(sorted(caller.scopes)),
        registered=" ".join(sorted(standing.registered)),
        suspended=standing.suspended,
        request=posted.request,
        path=posted.path,
        body=digest(posted.body),
    )
    header = {"alg": "ES256", "typ": "homeroom-caller+jwt", "kid": key.kid}
    return jwt.encode(header, msgspec.to_builtins(said), key, algorithms=["ES256"])


async def read(token: str, key_of: KeyOf) -> Statement | None:
    """What a key of the gateway's signed; None for anything else, whatever is wrong."""
    head, dot, _ = token.partition(".")
    if not dot or len(token) > LONGEST or not token.isascii():
        return None
    try:
        header = _header.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        key = await key_of(header.kid)
        if key is None:
            return None
        return msgspec.convert(jwt.decode(token, key, algorithms=["ES256"]).claims, Statement)
    except (JoseError, ValueError, RecursionError):  # msgspec's and base64's errors are ValueErrors
        return None


def caller_of(
    said: Statement, posted: Posted, *, issuer: str, spaces: Mapping[str, SpaceId], now: float
) -> Caller | None:
    """Whom a statement speaks for, in one of these spaces, now, for what was posted; None if for nobody."""
    space = spaces.get(said.aud)
    timely = said.iat - EARLY <= now < said.exp <= said.iat + LIFE
    if space is None or said.iss != issuer or not timely or not said.jti:
        return None
    if (said.path, said.body) != (posted.path, digest(posted.body)):
        return None
    if not is_client_id(said.sub) or not (said.purpose == "" or PURPOSE.fullmatch(said.purpose)):
        return None
    return Caller(
        client=ClientId(said.sub),
        space=space,
        purpose=said.purpose,
        scopes=frozenset(map(Scope, said.scope.split())),
        jti=said.jti,
        expires_at=float(said.exp),
        presented=Standing(frozenset(map(Scope, said.registered.split())), suspended=said.suspended),
    )


def digest(body: bytes) -> str:
    """What binds a statement to a request's body."""
    return hashlib.sha256(body).hexdigest()
