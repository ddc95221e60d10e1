"""Read the folder of policies into one immutable set; a broken file is reported, and its last good revision stands in.

Shape: `STATE/state.toml`, `STATE/DISTRICT/district.toml`, `STATE/DISTRICT/grants/NAME.toml`, relative to the folder.
Cases to try the grants with lie beside these, in `STATE/DISTRICT/tests/NAME.toml`, and are no part of the set.
INVARIANT: a state or district policy that cannot be read, and has no last good revision, withholds the grants under it:
what it would have denied is not known.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from app.errors import PolicyError
from app.names import SpaceId
from app.policy.cases import CASES_FILE
from app.policy.model import DistrictPolicy, Finding, Grant, PolicySet, SpacePolicy, StatePolicy
from app.policy.parse import LARGEST, REFUSED, BrokenError, parse_district, parse_grant, parse_state

STATE_FILE = re.compile(r"([a-z]{2})/state\.toml")
DISTRICT_FILE = re.compile(r"([a-z]{2}/[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)/district\.toml")
GRANT_FILE = re.compile(
    r"([a-z]{2}/[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)/grants/[A-Za-z0-9][A-Za-z0-9._~-]{0,99}\.toml"
)

DEEPEST = 4
"""`STATE/DISTRICT/grants/NAME.toml`, `STATE/DISTRICT/tests/NAME.toml`."""

MOST_FILES = 20_000

P = TypeVar("P", StatePolicy, DistrictPolicy, Grant)


class _Reading:
    """One reading of a folder: what was found wrong, and which bytes are good."""

    def __init__(self, files: Mapping[str, bytes], last_good: Mapping[str, bytes]) -> None:
        self.files = files
        self.last_good = last_good
        self.findings: list[Finding] = []
        self.good: dict[str, bytes] = {}

    def read(self, file: str, parse: Callable[[str, bytes], P]) -> P | None:
        """The policy in a file, else its last good revision, else None."""
        data = self.files[file]
        try:
            policy = parse(file, data)
        except BrokenError as broken:
            self.findings += broken.findings
        else:
            self.good[file] = data
            return policy
        former = self.last_good.get(file)
        if former is not None and former != data:
            try:
                policy = parse(file, former)
            except BrokenError:
                return None
            self.good[file] = former
            return policy
        return None


def read_policies(files: Mapping[str, bytes], last_good: Mapping[str, bytes] | None = None) -> PolicySet:
    """The whole installation's policy. Total: any bytes under any names give a set with findings."""
    reading = _Reading(files, last_good or {})
    states: dict[str, StatePolicy | None] = {}
    districts: dict[str, DistrictPolicy | None] = {}
    grants: dict[str, list[Grant]] = {}
    for file in sorted(files, key=lambda name: (name.removesuffix(".toml"), name)):
        if match := STATE_FILE.fullmatch(file):
            states[match[1]] = reading.read(file, parse_state)
        elif match := DISTRICT_FILE.fullmatch(file):
            districts[match[1]] = reading.read(file, parse_district)
        elif match := GRANT_FILE.fullmatch(file):
            grant = reading.read(file, parse_grant)
            grants.setdefault(match[1], []).extend([grant] if grant else [])
        elif not CASES_FILE.fullmatch(file):
            reading.findings.append(Finding(file, 1, "", misplaced(files[file])))
    spaces: dict[SpaceId, SpacePolicy] = {}
    for space in sorted({*districts, *grants}):
        code = space.partition("/")[0]
        district = districts.get(space)
        # INVARIANT: an absent state.toml is no ceiling; an unreadable one is a ceiling of unknown height.
        ceiling_known = code not in states or states[code] is not None
        if space not in districts:
            message = "The district has no district.toml, and so none of its grants is in force. Add one."
            reading.findings.append(Finding(f"{space}/district.toml", 1, "", message))
        spaces[SpaceId(space)] = SpacePolicy(
            state=states.get(code),
            district=district,
            grants=tuple(grants.get(space, ())) if district and ceiling_known else (),
        )
    return PolicySet(spaces=spaces, findings=tuple(reading.findings), files=reading.good)


def misplaced(data: bytes) -> str:
    """What to say of a file that is not where a policy lies."""
    if data.startswith(REFUSED):
        return data[1:].decode("utf-8", "replace")
    return (
        "No policy lies here: they are STATE/state.toml, STATE/DISTRICT/district.toml, "
        "STATE/DISTRICT/grants/NAME.toml, and cases in STATE/DISTRICT/tests/NAME.toml, "
        "states and districts in lower case. Move or remove the file."
    )


def read_folder(folder: Path) -> Mapping[str, bytes]:
    """Every `*.toml` under the folder, by its path within it. Hidden files and folders are passed over.

    A file that must not be read (a link out of the folder, no regular file, too large) is given as `REFUSED` and the
    reason, so that it is reported as broken and never taken for absent. Raises: PolicyError if there is no folder.
    """
    root = folder.resolve()
    if not root.is_dir():
        raise PolicyError("There is no such folder. Make it, or name another under `policies`.", file=str(folder))
    files: dict[str, bytes] = {}
    for name, data in entries(root, root, "", 1):
        files[name] = data
        if len(files) > MOST_FILES:
            raise PolicyError(
                f"There are more than {MOST_FILES:,} files. Take out what is no policy.", file=str(folder)
            )
    return files


def entries(root: Path, folder: Path, prefix: str, depth: int) -> Iterator[tuple[str, bytes]]:
    """The files of one folder and of those within, each with its bytes."""
    try:
        listed = sorted(os.listdir(folder))
    except OSError:
        yield prefix.rstrip("/"), REFUSED + b"The folder cannot be read. Let the server's account read it."
        return
    for entry in listed:
        if entry.startswith("."):
            continue
        name = prefix + os.fsencode(entry).decode("utf-8", "backslashreplace")
        try:
            target = (folder / entry).resolve(strict=True)
        except (OSError, RuntimeError):
            if entry.endswith(".toml"):
                yield name, REFUSED + b"The link leads nowhere. Put the file itself here."
            continue
        if target.is_dir() and depth < DEEPEST:
            if target.is_relative_to(root):
                yield from entries(root, target, f"{name}/", depth + 1)
            else:
                yield name, REFUSED + b"The folder is a link out of the folder of policies. Put the folder itself here."
        elif entry.endswith(".toml"):
            yield name, contents(root, target)


def contents(root: Path, target: Path) -> bytes:
    """The bytes of one file, no more than one past the limit, or `REFUSED` and the reason."""
    if not target.is_relative_to(root):
        return REFUSED + b"The file is a link out of the folder of policies. Put the file itself here."
    try:
        number = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return REFUSED + b"The file cannot be read. Let the server's account read it."
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return REFUSED + b"This is no file. Put a file here."
        return file.read(LARGEST + 1)
