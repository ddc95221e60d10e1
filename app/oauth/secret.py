"""Client secrets: 256 random bits that Homeroom shows once and keeps as a hash.

A secret is random throughout, so that one keyed hash stands against guessing; a slow one would only let strangers
keep the server busy.
"""

import base64
import hashlib
import hmac
import secrets


def new_secret() -> str:
    """A client secret, of letters, digits, `-` and `_` alone: Basic needs no encoding."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """What is kept of a secret: `hmac-sha256$SALT$DIGEST`."""
    salt = secrets.token_bytes(16)
    return f"hmac-sha256${_text(salt)}${_text(_digest(salt, secret))}"


def matches(secret: str, kept: str) -> bool:
    """Whether a secret is the one that was hashed, in a time that says nothing about either."""
    _, salt, digest = kept.split("$")
    return hmac.compare_digest(_digest(base64.b64decode(salt), secret), base64.b64decode(digest))


def _digest(salt: bytes, secret: str) -> bytes:
    return hmac.digest(salt, secret.encode(), hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
