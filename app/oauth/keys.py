"""The keys that access tokens are signed by: files that their owner alone can read.

Shape: `KEYS/oauth/*.json`, one private JWK (ES256) in each, with the time at which it was made. To rotate, add a key;
the one before it goes on verifying until its file is taken away, no sooner than a token's lifetime later.
Spec: RFC 7517.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from app.errors import ConfigurationError

OVERLAP = 60
"""Seconds for which a new key is published before it signs, so that every server knows it by then."""


class _File(msgspec.Struct):
    made: int
    jwk: dict[str, str | list[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """The signing keys as they lay in their folder at one moment."""

    folder: Path
    stamp: frozenset[tuple[str, int]]
    by_kid: Mapping[str, ECKey]
    made: Mapping[str, int]

    def signing(self, now: float) -> ECKey:
        """The newest key that every server has had time to learn of; the oldest, if all are new."""
        settled = [kid for kid, made in self.made.items() if made + OVERLAP <= now]
        chosen = max(settled, key=self.made.__getitem__) if settled else min(self.made, key=self.made.__getitem__)
        return self.by_kid[chosen]

    def document(self) -> dict[str, list[dict[str, object]]]:
        """The public keys as `/oauth/jwks` publishes them."""
        return {"keys": [dict(key.as_dict(private=False)) for key in self.by_kid.values()]}

    def refreshed(self) -> "Keys":
        """The same keys, or those that lie in the folder now, if a file came or went. Raises: ConfigurationError."""
        return self if _stamp(self.folder) == self.stamp else _read(self.folder)


def create_keys(keys_folder: Path) -> None:
    """Make the first signing key of an installation, where there is none."""
    folder = keys_folder / "oauth"
    if not list(folder.glob("*.json")):
        add_key(keys_folder, now=0)  # long settled: there is no server that must learn of it first


def add_key(keys_folder: Path, *, now: float) -> str:
    """Make one more signing key, which takes over within a minute; give its `kid`."""
    folder = keys_folder / "oauth"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
    kid = key.thumbprint()
    jwk = {**key.as_dict(private=True), "kid": kid}
    draft = folder / f".{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(_File(int(now), jwk)), indent=2))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / f"{kid}.json")  # whole or not at all
    return kid


def read_keys(keys_folder: Path) -> Keys:
    """Read the signing keys of an installation. Raises: ConfigurationError."""
    return _read(keys_folder / "oauth")


def _stamp(folder: Path) -> frozenset[tuple[str, int]]:
    return frozenset((file.name, file.stat().st_mtime_ns) for file in folder.glob("*.json"))


def _read(folder: Path) -> Keys:
    try:
        stamp = _stamp(folder)
        files = [(folder / name, (folder / name).read_bytes()) for name, _ in sorted(stamp)]
    except OSError as error:
        raise ConfigurationError(
            f"The signing keys cannot be read ({type(error).__name__}).", file=str(folder)
        ) from None
    if not files:
        raise ConfigurationError("There is no signing key. Make one with `homeroom init`.", file=str(folder))
    found = sorted((_read_key(file, content) for file, content in files), key=lambda pair: pair[0])
    by_kid = {str(key.kid): key for _, key in found}
    made = {str(key.kid): made for made, key in found}
    return Keys(folder, stamp, MappingProxyType(by_kid), MappingProxyType(made))


def _read_key(file: Path, content: bytes) -> tuple[int, ECKey]:
    if file.stat().st_mode & 0o077:
        raise ConfigurationError("Others can read this private key. Set its mode to 600.", file=str(file))
    try:
        stored = msgspec.json.decode(content, type=_File)
        key = ECKey.import_key(stored.jwk)
    except (msgspec.DecodeError, JoseError, ValueError, KeyError):
        raise ConfigurationError(
            "This is no private key of Homeroom's. Restore it or take it away.", file=str(file)
        ) from None
    if not key.is_private or key.curve_name != "P-256" or key.kid != key.thumbprint():
        raise ConfigurationError("This key cannot sign by ES256. Restore it or take it away.", file=str(file))
    return stored.made, key
