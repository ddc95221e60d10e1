"""Checkpoints: what the ledger stood at, signed and kept outside its database.

Shape: a file of JSON lines, `{"space", "sequence", "hash", "at", "signature"}`; the signature is a JWS (ES256) over
the line without it, detached. A checkpoint vouches for every entry up to its own. Copy the file to another machine
now and then: who can write to the ledger *and* to this file can take away the end of both.
Spec: RFC 7515 appendix F.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from app.errors import ConfigurationError
from app.ledger.entry import Receipt
from app.names import SpaceId
from app.settings import Settings

ALGORITHM = "ES256"

TAIL = 8_192
"""Units: bytes. More than two lines of the file take."""


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That the entry of this number had this hash at this time."""

    space: str
    sequence: int
    hash: str
    at: datetime

    @property
    def receipt(self) -> Receipt:
        """The place in the chain that it vouches for. Raises: ValueError."""
        return Receipt(self.sequence, bytes.fromhex(self.hash))


class Signed(Checkpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A checkpoint with its signature, as it stands in the file."""

    signature: str


def create_key(file: Path) -> None:
    """Make the key that checkpoints are signed with, readable by its owner alone. A key that is there stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    key = ECKey.generate_key("P-256", private=True, auto_kid=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as out:
        out.write(msgspec.json.encode(key.as_dict(private=True)))


def read_key(file: Path) -> ECKey:
    """The key that checkpoints are signed with. Raises: ConfigurationError."""
    try:
        key = ECKey.import_key(msgspec.json.decode(file.read_bytes(), type=dict[str, str | list[str]]))
    except FileNotFoundError:
        raise ConfigurationError(
            "The ledger's key is missing. Put it back from a copy; without it no checkpoint can be checked.",
            file=str(file),
        ) from None
    except (OSError, ValueError, JoseError) as error:
        raise ConfigurationError(
            f"The ledger's key cannot be read ({type(error).__name__}). Put it back from a copy.", file=str(file)
        ) from None
    if not key.is_private or key.curve_name != "P-256":
        raise ConfigurationError(
            "The ledger's key is no private key on P-256. Put it back from a copy.", file=str(file)
        )
    return key


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


class Checkpoints:
    """The checkpoints of one space's ledger."""

    def __init__(self, file: Path, space: SpaceId, key: ECKey, clock: Callable[[], datetime] = now) -> None:
        self.file = file
        self.space = space
        self._key = key
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings, space: SpaceId) -> "Checkpoints":
        """The checkpoints of a space of this installation. Raises: ConfigurationError."""
        file = settings.home / "checkpoints" / f"{space.replace('/', '-')}.jsonl"
        return cls(file, space, read_key(settings.keys_folder / "ledger.json"))

    def begun(self) -> bool:
        """Whether the file has any line yet."""
        return next(self.read(), None) is not None

    def append(self, receipt: Receipt) -> None:
        """Vouch for the ledger up to an entry; it is on the disk when this returns. Raises: OSError."""
        checkpoint = Checkpoint(self.space, receipt.sequence, receipt.hash.hex(), self._clock())
        payload = msgspec.json.encode(checkpoint)
        signature = jws.detach_content(jws.serialize_compact({"alg": ALGORITHM}, payload, self._key, [ALGORITHM]))
        line = msgspec.json.encode(Signed(**msgspec.structs.asdict(checkpoint), signature=signature)) + b"\n"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with open(self.file, "a+b") as out:
            fcntl.flock(out, fcntl.LOCK_EX)  # released with the file
            first = drop_torn_line(out.fileno()) == 0
            out.write(line)
            out.flush()
            os.fsync(out.fileno())
        if first:
            folder = os.open(self.file.parent, os.O_RDONLY)  # so that the file's name survives a power cut too
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def read(self) -> Iterator[Checkpoint | int]:
        """Every checkpoint, in the order of the file; for a line that is none of ours, its number.

        A last line without its end was being written when the machine stopped: it is passed over.
        """
        if not self.file.exists():
            return
        with open(self.file, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.endswith(b"\n"):
                    yield self._check(line) or number

    def last(self) -> Checkpoint | None:
        """The last checkpoint, without reading those before it; None if there is none, or it is none of ours."""
        if not self.file.exists():
            return None
        with open(self.file, "rb") as lines:
            lines.seek(max(0, os.fstat(lines.fileno()).st_size - TAIL))
            whole = [line for line in lines.read().splitlines(keepends=True) if line.endswith(b"\n")]
        return self._check(whole[-1]) if whole else None

    def _check(self, line: bytes) -> Checkpoint | None:
        try:
            signed = msgspec.json.decode(line, type=Signed)
            checkpoint = Checkpoint(signed.space, signed.sequence, signed.hash, signed.at)
            payload = msgspec.json.encode(checkpoint)
            jws.deserialize_compact(signed.signature, self._key, [ALGORITHM], payload=payload)
        except (ValueError, JoseError):
            return None
        return checkpoint if checkpoint.space == self.space else None


def drop_torn_line(handle: int) -> int:
    """Cut off what follows the last line's end: a line that was being written when the machine stopped.

    Returns: the size of what is left.
    """
    end = size = os.fstat(handle).st_size
    while end and os.pread(handle, 1, end - 1) != b"\n":
        end -= 1
    if end < size:
        os.ftruncate(handle, end)
    return end
