"""The keys that access tokens are signed by: files that their owner alone can read.

Shape: `KEYS/oauth/*.json`, one private JWK (ES256) in each, with the time at which it was made. To rotate is to add a
key: it is published at once, signs when every server has had time to learn of it, and the one before it verifies until
the last token that it signed has ended. The clock alone decides; nothing is held in memory but what lies in the folder.
INVARIANT: a look-up never reads the folder. However many unknown `kid`s are presented, keys are read when a file came
or went, and else never.
Units: times are seconds since 1970.
Spec: RFC 7517, RFC 8725 §3.
"""

import math
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from app.errors import ConfigurationError

OVERLAP = 60
"""Seconds for which a new key is published before it signs, so that every server knows it by then; and for which the
one before it verifies beyond its last token, for a server whose clock is behind."""


class KeyState(StrEnum):
    """What a key is for at some moment."""

    NEXT = "next"
    SIGNING = "signing"
    FORMER = "former"
    OVER = "over"


class _File(msgspec.Struct):
    made: int
    jwk: dict[str, str | list[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """The signing keys as they lay in their folder at one moment, oldest first. `life` is a token's."""

    folder: Path
    life: int
    stamp: frozenset[tuple[str, int]]
    by_kid: Mapping[str, ECKey]
    made: Mapping[str, int]
    ends: Mapping[str, float]

    def signing(self, now: float) -> ECKey:
        """The newest key that every server has had time to learn of; the oldest, if all are new."""
        kids = list(self.by_kid)
        settled = [kid for kid in kids if self.made[kid] + OVERLAP <= now]
        return self.by_kid[settled[-1] if settled else kids[0]]

    def verifying(self, kid: str, now: float) -> ECKey | None:
        """The key of that name, until the last token that it signed has ended."""
        return self.by_kid.get(kid) if now < self.ends.get(kid, 0) else None

    def state(self, kid: str, now: float) -> KeyState:
        """What a key is for now."""
        if self.by_kid[kid] is self.signing(now):
            return KeyState.SIGNING
        if now < self.made[kid] + OVERLAP:
            return KeyState.NEXT
        return KeyState.FORMER if now < self.ends[kid] else KeyState.OVER

    def document(self, now: float) -> dict[str, list[dict[str, object]]]:
        """The public keys as `/oauth/jwks` publishes them."""
        kept = (key for kid, key in self.by_kid.items() if now < self.ends[kid])
        return {"keys": [dict(key.as_dict(private=False)) for key in kept]}

    def refreshed(self) -> "Keys":
        """The same keys, or those that lie in the folder now, if a file came or went. Raises: ConfigurationError."""
        return self if _stamp(self.folder) == self.stamp else _read(self.folder, self.life)


def create_keys(keys_folder: Path) -> None:
    """Make the first signing key of an installation, where there is none."""
    folder = keys_folder / "oauth"
    if not list(folder.glob("*.json")):
        add_key(keys_folder, now=0)  # long settled: there is no server that must learn of it first


def add_key(keys_folder: Path, *, now: float) -> str:
    """Make one more signing key, which takes over in a minute; give its `kid`."""
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


def drop_over(keys: Keys, now: float) -> list[str]:
    """Take away the files of the keys that are over; give their names."""
    return _drop(keys.folder, [kid for kid in keys.by_kid if keys.state(kid, now) is KeyState.OVER])


def drop_others(keys_folder: Path, kid: str) -> list[str]:
    """Take every key away but one, and with them all tokens that they signed; give their names."""
    folder = keys_folder / "oauth"
    return _drop(folder, sorted(file.stem for file in folder.glob("*.json") if file.stem != kid))


def read_keys(keys_folder: Path, life: int) -> Keys:
    """Read the signing keys of an installation whose tokens live for `life` seconds. Raises: ConfigurationError."""
    return _read(keys_folder / "oauth", life)


def _drop(folder: Path, kids: list[str]) -> list[str]:
    for kid in kids:
        (folder / f"{kid}.json").unlink(missing_ok=True)
    return kids


def _stamp(folder: Path) -> frozenset[tuple[str, int]]:
    return frozenset((file.name, file.stat().st_mtime_ns) for file in folder.glob("*.json"))


def _read(folder: Path, life: int) -> Keys:
    try:
        stamp = _stamp(folder)
        files = [(folder / name, (folder / name).read_bytes()) for name, _ in sorted(stamp)]
    except OSError as error:
        raise ConfigurationError(
            f"The signing keys cannot be read ({type(error).__name__}).", file=str(folder)
        ) from None
    if not files:
        raise ConfigurationError("There is no signing key. Make one with `homeroom init`.", file=str(folder))
    read = (_read_key(file, content) for file, content in files)
    found = sorted(read, key=lambda pair: (pair[0], str(pair[1].kid)))
    by_kid = {str(key.kid): key for _, key in found}
    made = {str(key.kid): made for made, key in found}
    ends = dict(zip(made, _ends(list(made.values()), life), strict=True))
    return Keys(folder, life, stamp, MappingProxyType(by_kid), MappingProxyType(made), MappingProxyType(ends))


def _ends(made: list[int], life: int) -> Iterator[float]:
    """When each key stops verifying: when whatever it signed before the next one took over has ended."""
    for _, after in pairwise(made):
        yield after + OVERLAP + life + OVERLAP
    yield math.inf


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
