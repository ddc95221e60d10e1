"""What an archive holds, and where.

Shape: a tar of plain files. `manifest.json` stands last, so that an archive that was cut off has none. The rest is
`homeroom.toml`, `keys/`, `checkpoints/`, `policies/` and `databases/`, wherever the installation had them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from app.settings import Settings

FORMAT = 1
MANIFEST = "manifest.json"
CONFIG = "homeroom.toml"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The archive's own account of itself."""

    format: int
    homeroom: str  # the version that made it
    at: datetime
    databases: dict[str, str | None]  # by name, the file with its copy; None: it is backed up by other means
    files: dict[str, str]  # by path, the SHA-256 of every other file in the archive


@dataclass(frozen=True, slots=True)
class Kept:
    """One database of an installation. `space` is absent for the control database."""

    name: str
    space: str | None
    key: tuple[str, ...]  # where homeroom.toml names it
    url: str  # as homeroom.toml has it


def kept(settings: Settings) -> Iterator[Kept]:
    """Every database of an installation, in the order in which they are copied.

    INVARIANT: a ledger comes before its space: every row number that the copied ledger names is in the copied space.
    """
    for space, place in settings.spaces.items():
        yield Kept(f"{space} ledger", space, ("spaces", space, "ledger"), place.ledger)
        yield Kept(space, space, ("spaces", space, "database"), place.database)
    yield Kept("control", None, ("control",), settings.control)
