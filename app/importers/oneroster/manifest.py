"""The manifest of a OneRoster archive: its version, and which files are whole, changes only, or absent.

Spec: OneRoster 1.2 CSV Binding §4.1, OneRoster 1.1 §13.
"""

from typing import Literal, get_args

from app.importers.oneroster.rows import rows
from app.importers.sink import Sink
from app.importers.source import File, RosterError, Source

Mode = Literal["bulk", "delta", "absent"]

READ = (
    "orgs",
    "academicSessions",
    "courses",
    "classes",
    "roles",
    "users",
    "demographics",
    "enrollments",
    "categories",
    "lineItems",
    "results",
)
"""The files that hold a roster and its grades, in the order in which they need each other."""


class Manifest:
    """What an archive says that it holds."""

    def __init__(self, version: str, files: dict[str, File], modes: dict[str, Mode]) -> None:
        self.version = version
        self.files = files
        self._modes = modes

    def mode(self, name: str) -> Mode:
        """Whether a file is the full state of its type, only what changed, or not there."""
        return self._modes.get(name, "absent")

    def has(self, name: str) -> bool:
        """Whether a file is to be read."""
        return self.mode(name) != "absent"

    def whole(self, name: str) -> bool:
        """Whether what a file does not mention is to go."""
        return self.mode(name) == "bulk"


def read_manifest(source: Source, sink: Sink) -> Manifest:
    """Read `manifest.csv`, and check that the files it names are there.

    Raises: HomeroomError when it is missing, names another version, or promises a file that is not there.
    """
    files: dict[str, File] = {}
    for file in source.files:
        name = file.name.lower()
        if name.endswith(".csv") and name in files:
            raise RosterError(f"There are two files named {file.name}. Send one district's files, in one folder.")
        files[name] = file
    if "manifest.csv" not in files:
        raise RosterError(
            "There is no manifest.csv, so nobody can tell a full roster from a list of changes. "
            "Export it with its manifest."
        )
    said: dict[str, str] = {}
    for row in rows(source, files["manifest.csv"], sink.report, ("propertyName", "value")):
        if row.bad is None:
            said[(row.cell("propertyName") or "").strip()] = (row.cell("value") or "").strip()
    version = said.get("oneroster.version", "")
    if version not in {"1.1", "1.2"}:
        raise RosterError("manifest.csv: oneroster.version: Homeroom reads OneRoster 1.1 and 1.2. Export one of them.")
    modes: dict[str, Mode] = {}
    for name in READ:
        mode = said.get(f"file.{name}", "absent").lower()
        if mode not in get_args(Mode):
            raise RosterError(f"manifest.csv: file.{name}: a file is bulk, delta or absent. Write one of them.")
        there = f"{name}.csv".lower() in files
        if mode != "absent" and not there:
            raise RosterError(
                f"manifest.csv: file.{name}: {name}.csv is promised but not there. Send it, or write absent."
            )
        if mode == "absent" and there:
            sink.report.note(f"{name}.csv", 0, None, "The manifest says that this file is absent; it was not read.")
        modes[name] = mode  # type: ignore[assignment]
    if version == "1.2" and modes["users"] == "bulk" and modes["roles"] == "absent":
        raise RosterError(
            "manifest.csv: file.roles: a full list of users needs roles.csv to tell students from staff. Send it."
        )
    return Manifest(version, {name: files[f"{name}.csv".lower()] for name in READ if modes[name] != "absent"}, modes)
