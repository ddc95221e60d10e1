"""Access tokens: JWTs that Homeroom signs for itself and reads back by one narrow door.

Spec: RFC 9068, RFC 8725.
"""

import base64
from typing import Literal

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from app.oauth.keys import Keys

LONGEST = 8_192
"""No token of Homeroom's is longer, in characters."""


class Header(msgspec.Struct, forbid_unknown_fields=True):
    """The only header that there is. INVARIANT: no other algorithm, no other type, no key brought along, no `crit`."""

    alg: Literal["ES256"]
    typ: Literal["at+jwt"]
    kid: str


class Claims(msgspec.Struct):
    """What a token says."""

    iss: str
    aud: str
    sub: str
    client_id: str
    jti: str
    iat: int
    exp: int
    scope: str
    purpose: str


_header = msgspec.json.Decoder(Header)


def mint(claims: Claims, keys: Keys) -> str:
    """Sign a token."""
    key = keys.signing(claims.iat)
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    return jwt.encode(header, msgspec.to_builtins(claims), key, algorithms=["ES256"])


def read(token: str, keys: Keys, now: float) -> Claims | None:
    """The claims of a token that a key of ours signed that verifies now; None for anything else, whatever is wrong."""
    head, dot, _ = token.partition(".")
    if not dot or len(token) > LONGEST or not token.isascii():
        return None
    try:
        header = _header.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        key = keys.verifying(header.kid, now)
        if key is None:
            return None
        return msgspec.convert(jwt.decode(token, key, algorithms=["ES256"]).claims, Claims)
    except (JoseError, ValueError, RecursionError):  # msgspec's and base64's errors are ValueErrors
        return None
