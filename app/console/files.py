"""`/console/policy`: the policy files as they stand, what is amiss in them, their revisions, and the text of each.

INVARIANT: a file is looked up by its name among those of the officer's space, and never by a path on the disk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import Response

from app.console.linting import look
from app.console.visit import Absent, Visit
from app.names import SpaceId
from app.policy.model import Finding
from app.storage.published import history, revision, revision_of


@dataclass(frozen=True, slots=True)
class File:
    """One file of the space."""

    path: str
    name: str
    kind: str
    revision: str | None  # in force; None: none is
    differs: bool  # whether the folder has something else
    findings: Sequence[Finding]


KINDS = ("State", "District", "Grant", "Cases")
"""What files are, in the order in which they decide."""


def is_own(path: str, space: SpaceId) -> bool:
    """Whether a file is the space's, or its state's."""
    return path.startswith(f"{space}/") or path == f"{space.partition('/')[0]}/state.toml"


def in_force(visit: Visit) -> Mapping[str, bytes]:
    """The space's files whose revisions are in force."""
    return {path: text for path, text in visit.desk.rooms.policies.files.items() if is_own(path, visit.space)}


async def show(visit: Visit) -> Response:
    """Every file with its state."""
    looked = await look(visit)
    files, drafts, findings = in_force(visit), looked.drafts, looked.findings
    shown = [
        File(
            path,
            path.removeprefix(f"{visit.space}/"),
            kind_of(path),
            str(revision_of(files[path])) if path in files else None,
            path in drafts and drafts[path] != files.get(path),
            [one for one in findings if one.file == path],
        )
        for path in sorted({*files, *drafts}, key=lambda name: (KINDS.index(kind_of(name)), name))
    ]
    elsewhere = [one for one in findings if not is_own(one.file, visit.space)]
    return visit.page("policy.html", files=shown, elsewhere=elsewhere, place=looked.place)


def kind_of(path: str) -> str:
    """What a file is, in a word."""
    if "/tests/" in path:
        return "Cases"
    if path.endswith("/state.toml"):
        return "State"
    if path.endswith("/district.toml"):
        return "District"
    return "Grant"


def text_lines(text: bytes) -> list[str]:
    """A text line by line, as findings count them."""
    return [line.removesuffix("\r") for line in text.decode("utf-8", "replace").removesuffix("\n").split("\n")]


async def show_file(visit: Visit) -> Response:
    """The text of one file, as it is in force, as it lies in the folder, or as it was."""
    path, wanted = visit.asked("path"), visit.asked("revision")
    looked = await look(visit)
    files, drafts = in_force(visit), looked.drafts
    turns = await history(visit.desk.rooms.control, path) if is_own(path, visit.space) else ()
    if path not in files and path not in drafts and not turns:
        raise Absent("There is no such file in this district's policy.")
    text = files.get(path, drafts.get(path, b""))
    if wanted:
        # INVARIANT: a revision is one of this file's own.
        if wanted not in {turn.revision for turn in turns}:
            raise Absent("This file had no such revision.")
        text = await revision(visit.desk.rooms.control, wanted) or b""
    return visit.page(
        "file.html",
        path=path,
        lines=text_lines(text),
        revision=wanted or (str(revision_of(files[path])) if path in files else ""),
        current=str(revision_of(files[path])) if path in files else "",
        differs=not wanted and path in drafts and drafts[path] != files.get(path),
        lies_broken=not wanted and path in looked.differing and any(one.file == path for one in looked.broken),
        draft=text_lines(drafts.get(path, b"")),
        place=looked.place,
        turns=[(turn, datetime.fromtimestamp(turn.at, UTC)) for turn in turns],
        findings=[one for one in looked.findings if one.file == path and not wanted],
    )
