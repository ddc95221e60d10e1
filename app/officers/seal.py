"""The key that the console's cookies and forms are sealed with: one for an installation, in its folder of keys."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.errors import ConfigurationError
from app.settings import Settings

NAME = "console.key"


class Seal:
    """Seals what a browser is given to keep, and tells its own seal from another's."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, what: str, value: object) -> str:
        """A value as text, good for cookies; `what` says what it is for, so that one is not taken for another."""
        return self._serializer(what).dumps(value)

    def open(self, what: str, sealed: str, *, seconds: int | None = None) -> object | None:
        """The value that was sealed; None if it is not as it was, or older than so many seconds."""
        try:
            value: object = self._serializer(what).loads(sealed, max_age=seconds)
        except BadSignature:
            return None
        return value

    def mark(self, what: str, value: str) -> str:
        """What only the holder of the key can say of a value: a form bears it for its session."""
        return hmac.new(self._key, f"{what}\0{value}".encode(), hashlib.sha256).hexdigest()

    def _serializer(self, what: str) -> URLSafeTimedSerializer:
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeTimedSerializer(self._key, salt=f"homeroom console {what}", signer_kwargs=options)


def read_seal(settings: Settings) -> Seal:
    """The installation's seal, made at its first use. Raises: ConfigurationError."""
    file = settings.keys_folder / NAME
    try:
        _make(file)
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The console's key cannot be read or made ({type(error).__name__}). Let the server write there once, or "
            "put 64 random hexadecimal digits there.",
            file=str(file),
        ) from None
    if len(key) < 32:
        raise ConfigurationError(
            "The console's key has fewer than 32 bytes. Remove it: the next start makes another, and officers sign in "
            "again.",
            file=str(file),
        )
    return Seal(key)


def _make(file: Path) -> None:
    """Make the key, whole or not at all: another process that starts at once finds it finished."""
    if file.exists():
        return
    draft = file.with_name(f".{NAME}.{secrets.token_hex(8)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(secrets.token_hex(32) + "\n")
    try:
        os.link(draft, file)
    except FileExistsError:
        pass  # another was quicker
    finally:
        draft.unlink()
