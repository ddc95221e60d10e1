"""Watch the policy folder of this machine, and publish what changed in it to the control database.

One process of a machine watches: the one that holds the lock on `.watching`, in which it remembers how the folder was
when it last looked. Several machines may share one control database, each with a folder of its own.

INVARIANT: only a change of the folder is published, never its mere content. Else a machine whose copy of the folder
is behind would put back what another one has just narrowed.
"""

import fcntl
import hashlib
import logging
import os
from asyncio import to_thread
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from app.policy.model import PolicySet
from app.policy.reading import read_folder, read_policies
from app.settings import Settings
from app.storage.published import Published, current, publish, was_in_force

logger = logging.getLogger("homeroom.policy")

REREAD = 20
"""How many looks pass before the folder is read again even if no file's time moved."""


class Memory(msgspec.Struct, frozen=True):
    """How the folder was at the last look, and the number of the set that was in force after it."""

    folder: str
    number: int


class Watch:
    """One process's eye on the folder."""

    def __init__(self, settings: Settings, control: AsyncEngine) -> None:
        self._folder = settings.policies_folder
        self._file = settings.home / ".watching"
        self._control = control
        self._lock: IO[bytes] | None = None
        self._memory: Memory | None = None
        self._seen: tuple[object, ...] | None = None
        self._lay: tuple[object, ...] | None = None
        self._looks = 0

    async def look(self) -> None:
        """One look, by the one process that watches. Raises: SQLAlchemyError, OSError, PolicyError."""
        # A folder that is gone is not a district that takes everything back: the last set stands.
        if not self._folder.is_dir() or not self._watches():
            return
        self._looks += 1
        seen = await to_thread(_stamps, self._folder)
        # INVARIANT: a file that is still being written is not read: cut off before its rows, a grant would be wider.
        settled = self._lay in (None, seen)
        self._lay = seen
        if not settled or (seen == self._seen and self._looks % REREAD):
            return
        published = await current(self._control)
        files = await to_thread(read_folder, self._folder)
        if await to_thread(_stamps, self._folder) != seen:
            return
        read = read_policies(files, published.files)
        if seen != self._seen:
            for finding in read.findings:
                logger.warning("policy file not in force", extra={"finding": str(finding)})
        number, folder = published.number, _digest(files)
        if await self._changed(folder, read, published):
            number = await publish(self._control, read.files)
        self._remember(Memory(folder, number))
        self._seen = seen

    def close(self) -> None:
        """Let another process watch."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _watches(self) -> bool:
        """Whether this process is the one of this machine that watches the folder."""
        if self._lock is None:
            file = os.fdopen(os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            self._lock = file  # held as long as the process lives
            with suppress(msgspec.DecodeError):  # nobody has looked yet, or the machine stopped while it was written
                self._memory = msgspec.json.decode(file.read(), type=Memory)
        return True

    async def _changed(self, folder: str, read: PolicySet, published: Published) -> bool:
        """Whether somebody changed the folder since the last look, so that it is to be in force."""
        memory = self._memory
        if memory is not None:
            # A number that went back is a control database that was put back from an older copy.
            return folder != memory.folder or published.number < memory.number
        if read.files == published.files or not await was_in_force(self._control, read.files):
            return True
        logger.warning(
            "the policy folder is an earlier state of what is in force, and is not published; "
            "bring it up to date, or save a file in it"
        )
        return False

    def _remember(self, memory: Memory) -> None:
        if memory != self._memory and self._lock is not None:
            self._lock.seek(0)
            self._lock.truncate()
            self._lock.write(msgspec.json.encode(memory))
            self._lock.flush()
            os.fsync(self._lock.fileno())
        self._memory = memory


def _digest(files: Mapping[str, bytes]) -> str:
    """What changes when any file of the folder does, and on every machine alike."""
    parts = sorted((path, hashlib.sha256(content).hexdigest()) for path, content in files.items())
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _stamps(folder: Path) -> tuple[object, ...]:
    """What changes when a policy file does: every name, time and size, cheaply."""
    stamps = []
    for file in sorted(folder.rglob("*.toml")):
        with suppress(OSError):
            stat = file.stat()
            stamps.append((str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(stamps)
