"""Put a grant's file where it belongs: whole or not at all, over what the officer saw, or not at all.

INVARIANT: nothing but `STATE/DISTRICT/grants/NAME.toml` is ever written, and no link is followed.
"""

import asyncio
import fcntl
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO

from app.errors import Unavailable
from app.names import ClientId, SpaceId, is_client_id, is_space_id
from app.policy.parse import LARGEST
from app.policy.reading import GRANT_FILE

PATIENCE = 30.0
"""Units: seconds that a decision waits for those before it."""

PACE = 0.01
"""Units: seconds between two looks whether it is its turn."""


class Stale(Exception):  # noqa: N818 - it reads as what is the case
    """Somebody has changed the file since the officer looked. The text is its path."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A grant's file as it lies on this machine. Without text there is none yet."""

    path: str
    text: str | None

    @property
    def revision(self) -> str:
        """What changes when the file does; empty where there is none."""
        return "" if self.text is None else hashlib.sha256(self.text.encode()).hexdigest()


def path_for(space: SpaceId, client: ClientId, purpose: str, taken: frozenset[str]) -> str:
    """Where a client's first grant for a purpose lies. Raises: ValueError for what can be no such path."""
    if not is_space_id(space) or not is_client_id(client):
        raise ValueError("no space or client")
    plain = f"{space}/grants/{client}.toml"
    path = plain if plain not in taken else f"{space}/grants/{client}-{purpose}.toml"
    if GRANT_FILE.fullmatch(path) is None:
        raise ValueError("no path of a grant")
    return path


def place(folder: Path, path: str) -> Path:
    """Where a path lies. Raises: ValueError for a path of anything but a grant, or one that leaves the folder."""
    root = folder.resolve()
    target = root / path
    if GRANT_FILE.fullmatch(path) is None or target.parent.resolve() != target.parent or target.is_symlink():
        raise ValueError("no path of a grant")
    return target


def read_grant(folder: Path, path: str) -> Filed:
    """A grant's file. Raises: ValueError, Unavailable."""
    target = place(folder, path)
    try:
        with target.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return Filed(path, None)
    except OSError as error:
        raise _unwritten(error, path) from None
    try:
        return Filed(path, content.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unavailable(f"{path} is not text in UTF-8. Ask the operator to mend it.") from None


@dataclass(frozen=True, slots=True)
class Change:
    """One file of a decision: as the officer saw it, and what it says afterwards."""

    before: Filed
    text: str

    @property
    def after(self) -> Filed:
        """The file once it is written."""
        return Filed(self.before.path, self.text)


class Turn:
    """The policy folder while one decision is made: no other one is written on this machine, nor committed to git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, changes: Sequence[Change]) -> None:
        """Put texts in the place of what the officer saw: all, or none. Raises: Stale, ValueError, Unavailable."""
        begun: list[Change] = []
        try:
            for change in changes:
                begun.append(change)
                self._put(change.before, change.text)
        except BaseException:
            self.put_back(begun)
            raise

    def put_back(self, changes: Sequence[Change]) -> None:
        """Put back what files held before, unless somebody has changed them since. Raises: Unavailable."""
        left = []
        for change in changes:
            try:
                with suppress(Stale):
                    self._put(change.after, change.before.text)
            except (OSError, ValueError, Unavailable):
                left.append(change.before.path)
        if left:
            raise Unavailable(
                f"{' and '.join(left)} cannot be put back: what was decided stands there, and nowhere else. "
                "Ask the operator to mend the policy folder, then decide again."
            )

    def _put(self, before: Filed, text: str | None) -> None:
        target = place(self.folder, before.path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if read_grant(self.folder, before.path).revision != before.revision:
                raise Stale(before.path)
            if text is None:
                target.unlink(missing_ok=True)
                _sync(target.parent)
            else:
                _replace(target, text)
        except OSError as error:
            raise _unwritten(error, before.path) from None


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[Turn]:
    """Wait until no other decision is being written on this machine, by whatever process. Raises: Unavailable."""
    try:
        lock = os.fdopen(os.open(folder / ".deciding", os.O_RDWR | os.O_CREAT, 0o600), "rb")
    except OSError as error:
        raise _unwritten(error, "The policy folder") from None
    with lock:
        until = monotonic() + PATIENCE
        # No thread waits: those who have their turn need threads to write with.
        while not _locks(lock):
            if monotonic() > until:
                raise Unavailable(
                    "Other decisions are being written at this moment. Nothing was changed: send it again."
                )
            await asyncio.sleep(PACE)
        yield Turn(folder)


def _locks(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _replace(target: Path, text: str) -> None:
    # A hidden name: whoever reads the folder passes it over.
    draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _unwritten(error: OSError, what: str) -> Unavailable:
    return Unavailable(
        f"{what} cannot be written ({type(error).__name__}), and nothing was changed. "
        "Ask the operator to let the server's account write there."
    )
