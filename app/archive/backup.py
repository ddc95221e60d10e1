"""Make a back-up while serving goes on.

INVARIANT: the order of copying. Checkpoints come before the ledgers: whatever they vouch for is in the copy. Ledgers
come before their spaces: every row number that they name is taken there. Policies come last: what is in force by the
control database's copy is never newer than they are.
"""

import hashlib
import io
import os
import tarfile
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from app import __version__
from app.archive.manifest import CONFIG, FORMAT, MANIFEST, Kept, Manifest, kept
from app.errors import Unavailable, UsageError
from app.settings import Settings
from app.storage.copies import copy_out, is_postgresql


async def back_up(settings: Settings, config: Path, file: Path, *, skip_postgresql: bool = False) -> Manifest:
    """Write the whole installation to a new file. Nothing is left of one that fails.

    Raises: UsageError, ConfigurationError, Unavailable.
    """
    if file.exists():
        raise UsageError(f"{file} is there already. Name a new file.")
    draft = file.with_name(f".{file.name}.partial")
    try:
        with (
            open(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
            tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder,
        ):
            with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
                manifest = await _Archive(tar, Path(folder)).fill(settings, config, skip_postgresql=skip_postgresql)
            out.flush()
            os.fsync(out.fileno())
        os.link(draft, file)  # unlike a renaming, it fails where somebody else made the file meanwhile
    except FileExistsError:
        raise UsageError(f"{file} is there already. Name a new file.") from None
    except OSError as error:
        raise Unavailable(
            f"{file} cannot be written ({error.strerror or type(error).__name__}). Name a place that has room."
        ) from None
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
    return manifest


class _Archive:
    def __init__(self, tar: tarfile.TarFile, folder: Path) -> None:
        self._tar = tar
        self._folder = folder  # for copies on their way
        self._files: dict[str, str] = {}
        self._databases: dict[str, str | None] = {}
        self._copied: dict[str, str] = {}  # by URL: databases that share one are copied once

    async def fill(self, settings: Settings, config: Path, *, skip_postgresql: bool) -> Manifest:
        at = datetime.now(UTC)
        self._add_bytes(CONFIG, config.read_bytes())
        self._add_folder("keys", settings.keys_folder)
        self._add_folder("checkpoints", settings.home / "checkpoints")
        for one in kept(settings):
            await self._add_database(one, settings.database_url(one.url), skip_postgresql=skip_postgresql)
        self._add_folder("policies", settings.policies_folder)
        manifest = Manifest(FORMAT, __version__, at, self._databases, self._files)
        self._add_bytes(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        return manifest

    async def _add_database(self, one: Kept, url: str, *, skip_postgresql: bool) -> None:
        if is_postgresql(url) and skip_postgresql:
            self._databases[one.name] = None
            return
        if url not in self._copied:
            ending = ".dump" if is_postgresql(url) else ".db"
            name = f"databases/{one.name.replace(' ', '-')}{ending}"
            copy = self._folder / "copy"
            await copy_out(url, copy)
            self._add_copy(name, copy)
            copy.unlink()
            self._copied[url] = name
        self._databases[one.name] = self._copied[url]

    def _add_folder(self, name: str, folder: Path) -> None:
        for path in sorted(folder.rglob("*")):
            within = path.relative_to(folder)
            # What is hidden is no part of the installation: a policy folder may be a clone.
            if path.is_file() and not any(part.startswith(".") for part in within.parts):
                self._add_bytes(f"{name}/{within.as_posix()}", path.read_bytes())

    def _add_copy(self, name: str, file: Path) -> None:
        with file.open("rb") as source:
            self._files[name] = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
            self._tar.addfile(_entry(name, file.stat().st_size), source)

    def _add_bytes(self, name: str, data: bytes) -> None:
        self._files[name] = hashlib.sha256(data).hexdigest()
        self._tar.addfile(_entry(name, len(data)), io.BytesIO(data))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
    return entry
