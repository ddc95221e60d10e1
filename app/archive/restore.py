"""Make an installation from an archive, in a place where there is none.

INVARIANT: nothing that is there is overwritten; every file is what the manifest says; `homeroom.toml` comes last, so
that what was restored half is no installation.
"""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import msgspec

from app.archive.manifest import CONFIG, FORMAT, MANIFEST, Kept, Manifest, kept
from app.archive.moving import moved
from app.errors import HomeroomError, Unavailable, UsageError
from app.settings import Settings, parse_settings
from app.spaces.returned import pass_over
from app.storage.copies import copy_in, is_empty
from app.storage.engines import open_engine
from app.storage.migrate import Kind, migrate

BLOCK = 1 << 20
DAMAGED = "{file} is damaged, or no archive of Homeroom's ({why}). Take another."


@dataclass(frozen=True, slots=True)
class Restored:
    """An installation that came out of an archive."""

    settings: Settings
    manifest: Manifest


async def restore(file: Path, folder: Path, databases: Mapping[str, str]) -> Restored:
    """Put everything that an archive holds into a folder that is empty or not there, and into empty databases.

    `databases` has PostgreSQL addresses by space, or by `control`, that take the place of those in the archive.
    Raises: UsageError, ConfigurationError, Unavailable.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(entry.name != "lost+found" for entry in folder.iterdir())):
        raise UsageError(f"{folder} is not empty. Nothing is overwritten: name a new folder.")
    try:
        with tarfile.open(file, mode="r:") as tar:
            archive = _Archive(file, tar)
            config = moved(archive.config, folder / CONFIG, databases)
            settings = msgspec.structs.replace(parse_settings(config, folder / CONFIG), home=folder)
            await _refuse_full(settings, archive.manifest)
            try:
                await _Restoring(settings, archive).run(config)
            except BaseException:
                _clear(folder)
                raise
            return Restored(settings, archive.manifest)
    except tarfile.TarError as error:
        raise UsageError(DAMAGED.format(file=file, why=type(error).__name__)) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Unavailable(f"{file} cannot be restored to {folder} ({why}). Check both.") from None


class _Archive:
    """An archive that was looked through. Raises: UsageError."""

    def __init__(self, file: Path, tar: tarfile.TarFile) -> None:
        self.file = file
        self.tar = tar
        self.members = {member.name: member for member in tar.getmembers()}
        if MANIFEST not in self.members:
            raise self.damaged("it has no manifest")
        try:
            self.manifest = msgspec.json.decode(self.read(MANIFEST), type=Manifest)
        except msgspec.MsgspecError:
            raise self.damaged("its manifest cannot be read") from None
        if self.manifest.format != FORMAT:
            raise UsageError(
                f"{file} was made by Homeroom {self.manifest.homeroom}. Restore it with that, or a newer one."
            )
        if set(self.members) - {MANIFEST} != set(self.manifest.files) or CONFIG not in self.members:
            raise self.damaged("it does not hold what its manifest lists")
        for name, member in self.members.items():
            if not member.isreg() or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise self.damaged("it holds something else than files of its own")
        data = self.read(CONFIG)
        if hashlib.sha256(data).hexdigest() != self.manifest.files[CONFIG]:
            raise self.damaged(f"{CONFIG} is not what was backed up")
        self.config = data.decode("utf-8")

    def damaged(self, why: str) -> UsageError:
        return UsageError(DAMAGED.format(file=self.file, why=why))

    def read(self, name: str) -> bytes:
        source = self.tar.extractfile(self.members[name])
        return source.read() if source is not None else b""

    def extract(self, name: str, target: Path) -> None:
        """Write a file where there is none. Raises: UsageError, OSError."""
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        digest, source = hashlib.sha256(), self.tar.extractfile(self.members[name])
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            while source is not None and (block := source.read(BLOCK)):
                digest.update(block)
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != self.manifest.files[name]:
            raise self.damaged(f"{name} is not what was backed up")


@dataclass(slots=True)
class _Restoring:
    settings: Settings
    archive: _Archive
    made: list[str] = field(default_factory=list)  # PostgreSQL databases that are there now

    async def run(self, config: str) -> None:
        home = self.settings.home
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in self.archive.manifest.files:
            if name != CONFIG:
                self.archive.extract(name, self._target(name))
        try:
            for one in kept(self.settings):
                await self._database(one)
        except HomeroomError as error:
            if self.made:
                error.message += f" These are there already, drop them before you try again: {', '.join(self.made)}."
            raise
        shutil.rmtree(self._copies)
        with open(os.open(home / CONFIG, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(config)

    @property
    def _copies(self) -> Path:
        return self.settings.home / ".restoring"

    def _target(self, name: str) -> Path:
        first, _, rest = name.partition("/")
        folders = {
            "keys": self.settings.keys_folder,
            "policies": self.settings.policies_folder,
            "checkpoints": self.settings.home / "checkpoints",
            "databases": self._copies,
        }
        if first not in folders or not rest:
            raise self.archive.damaged(f"nobody knows what {name} is")
        return folders[first] / rest

    async def _database(self, one: Kept) -> None:
        """Make one database from its copy, bring it up to date, and pass over the row numbers that may be in use."""
        url, copy = self.settings.database_url(one.url), self.archive.manifest.databases[one.name]
        if copy is not None and await is_empty(url):  # else another name for the same one came first
            await copy_in(self._target(copy), url)
            if one.url.startswith("postgresql://"):
                self.made.append(one.name)
        kind: Kind = "control" if one.space is None else "space" if one.key[-1] == "database" else "ledger"
        engine = open_engine(url, pool_size=1)
        try:
            await migrate(engine, kind)
            if kind == "space":
                await pass_over(engine)
        finally:
            await engine.dispose()


async def _refuse_full(settings: Settings, manifest: Manifest) -> None:
    """PostgreSQL's databases are empty, or restored already where they have back-ups of their own."""
    for one in kept(settings):
        if not one.url.startswith("postgresql://"):
            continue
        empty = await is_empty(settings.database_url(one.url))
        if manifest.databases.get(one.name) is None and empty:
            raise UsageError(f"The archive holds no copy of {one.name}: restore that first, by its own back-up.")
        if manifest.databases.get(one.name) is not None and not empty:
            raise UsageError(
                f"There are tables already where {one.name} was. Nothing is overwritten: name an empty database, "
                f"--database {one.space or 'control'}=postgresql://…"
            )


def _clear(folder: Path) -> None:
    """Leave nothing of what failed. The folder was empty."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.name == "lost+found":
            continue
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
