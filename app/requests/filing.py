"""Put a grant's file where it belongs: whole or not at all, over what the officer saw, or not at all.

INVARIANT: nothing but `STATE/DISTRICT/grants/NAME.toml` is ever written, and no link is followed.
"""

import fcntl
import hashlib
import logging
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.errors import Unavailable
from app.names import ClientId, SpaceId, is_client_id, is_space_id
from app.policy.parse import LARGEST
from app.policy.reading import GRANT_FILE

logger = logging.getLogger("homeroom.policy")

SECONDS = 20
"""How long git may take."""


class Stale(Exception):  # noqa: N818 - it reads as what is the case
    """Somebody has changed the file since the officer looked."""


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
        raise _unwritten(error) from None
    try:
        return Filed(path, content.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unavailable("The grant's file is not text in UTF-8. Ask the operator to mend it.") from None


def write_grant(folder: Path, path: str, text: str, *, seen: str) -> Filed:
    """Put a grant's text in the place of what the officer saw, at once. Raises: Stale, ValueError, Unavailable."""
    target = place(folder, path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            if read_grant(folder, path).revision != seen:
                raise Stale
            _replace(target, text)
    except OSError as error:
        raise _unwritten(error) from None
    return Filed(path, text)


def take_back(folder: Path, written: Filed, before: str | None) -> None:
    """Put back what a grant's file held before it was written, unless somebody has changed it since."""
    target = place(folder, written.path)
    try:
        with _alone(folder):
            if read_grant(folder, written.path).revision != written.revision:
                return
            if before is None:
                target.unlink()
                _sync(target.parent)
            else:
                _replace(target, before)
    except OSError as error:
        raise _unwritten(error) from None


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


def commit(folder: Path, path: str, *, by: str, at: datetime, message: str) -> bool:
    """Commit one file in the officer's name, if the policy folder is a git checkout of its own.

    A commit that fails undoes nothing: the decision stands in the file, and the log says so.
    """
    root = folder.resolve()
    if not (root / ".git").exists():
        return False
    who = {"NAME": by, "EMAIL": by, "DATE": at.isoformat()}
    named = {f"GIT_{part}_{key}": value for part in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.fspath(root), "LC_ALL": "C.UTF-8", **named}
    git = ["git", "-C", os.fspath(root), "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false"]
    git += ["-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c", "safe.directory=*"]
    try:
        for command in (["add", "--", path], ["commit", "--quiet", "-m", message, "--", path]):
            subprocess.run(  # noqa: S603 - arguments of our own, no shell
                [*git, *command], env=environment, check=True, capture_output=True, timeout=SECONDS
            )
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("a decision was not committed to git", extra={"reason": type(error).__name__, "file": path})
        return False
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer of the folder at a time, on this machine."""
    with os.fdopen(os.open(folder / ".deciding", os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _unwritten(error: OSError) -> Unavailable:
    return Unavailable(
        f"The policy folder cannot be written ({type(error).__name__}), and nothing was changed. "
        "Ask the operator to let the server's account write there."
    )
