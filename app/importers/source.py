"""Open what a district sends: a folder or a zip archive, read as streams, never unpacked.

An archive may lie about itself, so everything is counted while it is read: entries, bytes, and how far a byte
unfolds. Nothing is written to a disk, so an entry's path leads nowhere; one that points outside is refused all the
same, since an honest archive has none.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from app.errors import HomeroomError, UsageError
from app.importers.report import Report

MAX_ENTRIES = 10_000
MAX_BYTES = 8 * 1024**3
"""All that one import reads, unfolded."""
MAX_RATIO = 500
"""How many bytes one byte of an archive may unfold to, once a file is larger than `RATIO_FROM`."""
RATIO_FROM = 10 * 1024**2
MAX_INNER = 32 * 1024**2
"""All bytes of archives inside an archive: they are held in memory."""

UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
INNER = "An archive inside an archive is not read. Put its files beside the others."

Progress = Callable[[str, int, int], None]
"""Told while a file is read: its name, the bytes read so far of the whole import, and all of its bytes."""


class RosterError(HomeroomError):
    """A source that cannot be read as a roster. Nothing was stored."""

    exit_status = 1


@dataclass(frozen=True, slots=True)
class File:
    """One file of a source: its path inside it, its last name, and its size unfolded."""

    path: str
    name: str
    size: int
    inside: str | None = None  # the path of the archive that holds it, inside the source's own


class Source:
    """A district's files, each opened by name."""

    def __init__(
        self, root: Path, archive: zipfile.ZipFile | None, files: list[File], progress: Progress | None
    ) -> None:
        self._root = root
        self._archive = archive
        self._progress = progress
        self.files = files
        self.archives: list[File] = []  # archives inside the source, until `unfold` looks into them
        self.others: list[str] = []  # names of files that are of neither form
        self.total = 0
        self._read = 0
        self._inner: dict[str, zipfile.ZipFile] = {}

    def expect(self, files: list[File]) -> None:
        """Say which files will be read, so that progress has an end."""
        self.total = sum(file.size for file in files)

    @contextmanager
    def open(self, file: File) -> Iterator[io.BufferedReader]:
        """Open one file. Raises: HomeroomError, naming the file, when it cannot be read."""
        try:
            with self._raw(file) as stream:
                yield io.BufferedReader(_Counted(stream, file, self), 1 << 16)
        except UNREADABLE as error:
            raise RosterError(
                f"{file.name} is damaged inside its archive ({type(error).__name__}). "
                "Nothing was stored; send the archive again."
            ) from None
        except OSError as error:
            raise RosterError(f"{file.name} cannot be read ({type(error).__name__}). Nothing was stored.") from None

    def unfold(self, report: Report) -> None:
        """Look into the archives inside the archive: their XML files are files of the source like the others."""
        held = 0
        for archive in self.archives:
            held += archive.size
            if self._archive is None or held > MAX_INNER:
                report.note(archive.name, 0, None, INNER)
                continue
            try:
                with self._archive.open(archive.path) as stream:
                    inner = zipfile.ZipFile(io.BytesIO(stream.read(MAX_INNER)))
                found = _entries(inner, report)
            except UNREADABLE as error:
                reason = f"The archive inside the archive cannot be read ({type(error).__name__}); it was left out."
                report.note(archive.name, 0, None, reason)
                continue
            self._inner[archive.path] = inner
            for file in found.files:
                name = f"{archive.name}/{file.name}"
                if file.name.lower().endswith(".xml"):
                    self.files.append(File(file.path, name, file.size, archive.path))
                else:
                    self.others.append(name)
            self.others += (f"{archive.name}/{name}" for name in found.others)
            for deeper in found.archives:
                report.note(f"{archive.name}/{deeper.name}", 0, None, INNER)
        self.archives.clear()

    def _raw(self, file: File) -> "io.BufferedReader | zipfile.ZipExtFile":
        if file.inside is not None:
            return self._inner[file.inside].open(file.path)  # type: ignore[return-value]
        if self._archive is not None:
            return self._archive.open(file.path)  # type: ignore[return-value]
        return (self._root / file.path).open("rb")

    def told(self, file: File, count: int) -> None:
        """Count bytes that were read. Raises: HomeroomError past the cap."""
        self._read += count
        if self._read > 2 * MAX_BYTES:
            raise RosterError(
                f"The source unfolds to more than {2 * MAX_BYTES:,} bytes. Nothing was stored; send it in parts."
            )
        if self._progress is not None:
            self._progress(file.name, min(self._read, self.total), self.total)


class _Counted(io.RawIOBase):
    """A stream whose bytes are counted against the caps while they are read."""

    def __init__(self, stream: "io.BufferedReader | zipfile.ZipExtFile", file: File, source: Source) -> None:
        super().__init__()
        self._stream = stream
        self._file = file
        self._source = source
        self._seen = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._seen += len(data)
        if self._seen > self._file.size:
            raise RosterError(f"{self._file.name} is longer than its archive says. Nothing was stored.")
        self._source.told(self._file, len(data))
        return len(data)


@contextmanager
def opened(root: Path, report: Report, progress: Progress | None) -> Iterator[Source]:
    """Open a folder or a zip archive. Raises: HomeroomError when it is neither, or when it is a bomb."""
    if root.is_dir():
        yield Source(root, None, _listed(root, report), progress)
        return
    if not root.exists():
        raise UsageError("There is no such file or folder. Name a folder or a zip archive of the district's files.")
    try:
        archive = zipfile.ZipFile(root)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError):
        raise RosterError(
            "The source is neither a folder nor a zip archive that can be read. "
            "Name a folder, or send the archive again."
        ) from None
    with archive:
        found = _entries(archive, report)
        source = Source(root, archive, found.files, progress)
        source.archives, source.others = found.archives, found.others
        yield source


def shown(name: str) -> str:
    """A file's name as a report may print it."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:120]


def _skipped(path: PurePosixPath) -> bool:
    """Files that operating systems add by themselves."""
    return path.name.startswith(".") or "__MACOSX" in path.parts


@dataclass(slots=True)
class _Entries:
    """What an archive holds."""

    files: list[File] = field(default_factory=list)
    archives: list[File] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def _entries(archive: zipfile.ZipFile, report: Report) -> _Entries:
    found = _Entries()
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise RosterError(f"The archive holds more than {MAX_ENTRIES:,} files. Send only the roster's.")
    if sum(info.file_size for info in infos) > MAX_BYTES:
        raise RosterError(f"The archive unfolds to more than {MAX_BYTES:,} bytes. Send it in parts.")
    for info in infos:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if info.is_dir() or _skipped(path):
            continue
        name = shown(path.name)
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            report.reject(name, 0, None, "The archive's entry points outside the archive; it was not read.")
        elif stat.S_ISLNK(info.external_attr >> 16):
            report.reject(name, 0, None, "The archive's entry is a link, not a file; it was not read.")
        elif path.suffix.lower() == ".zip":
            found.archives.append(File(info.filename, name, info.file_size))
        elif path.suffix.lower() in {".csv", ".xml"}:
            _refuse_bombs(info, name)
            found.files.append(File(info.filename, name, info.file_size))
        else:
            found.others.append(name)
    return found


def _refuse_bombs(info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & 1:
        raise RosterError(f"{name} is encrypted. Send the archive without a password.")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise RosterError(f"{name} is compressed in an unusual way. Make the archive with plain zip (deflate).")
    if info.file_size > RATIO_FROM and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        raise RosterError(
            f"{name} unfolds to more than {MAX_RATIO} times its size, as no roster does. Nothing was read."
        )


def _listed(root: Path, report: Report) -> list[File]:
    files: list[File] = []
    for path in sorted(root.rglob("*")):
        inside = PurePosixPath(path.relative_to(root).as_posix())
        if _skipped(inside) or path.is_dir():
            continue
        name = shown(path.name)
        suffix = path.suffix.lower()
        if suffix in {".csv", ".xml"} and (path.is_symlink() or not path.is_file()):
            report.reject(name, 0, None, "This is a link or a device, not a file; it was not read.")
        elif suffix == ".zip":
            report.note(name, 0, None, "An archive inside the folder is not read. Unpack it, or import it by itself.")
        elif suffix in {".csv", ".xml"}:
            files.append(File(str(inside), name, path.stat().st_size))
        if len(files) > MAX_ENTRIES:
            raise RosterError(f"The folder holds more than {MAX_ENTRIES:,} files. Name the roster's own.")
    if sum(file.size for file in files) > MAX_BYTES:
        raise RosterError(f"The folder holds more than {MAX_BYTES:,} bytes. Send it in parts.")
    return files
