"""Keep a decision in git, where the policy folder is a checkout of its own: a commit in the officer's name.

INVARIANT: a commit holds what its officer decided and nothing else. What lay there uncommitted, because somebody
changed it by hand or an earlier commit failed, is committed before it, in nobody's name; other files are left alone.
"""

import logging
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from app.requests.filing import Change

logger = logging.getLogger("homeroom.policy")

SECONDS = 20
"""How long one call of git may take."""

PATIENCE = 3.0
"""Units: seconds for which git is asked again, where somebody else is at work in the checkout."""

PAUSE = 0.1
NOBODY = ("Homeroom", "homeroom@localhost")
BETWEEN = "Changed outside the console, or not committed when it was decided"


def commit(folder: Path, changes: Sequence[Change], *, by: str, at: datetime, message: str) -> bool:
    """Commit files as they were decided. To be called while no other decision is made in the folder.

    A commit that fails undoes nothing: the decision stands in the files, and the log says so.
    """
    root = folder.resolve()
    if not (root / ".git").exists():
        return False
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with TemporaryDirectory() as scratch:
                _Checkout(root, Path(scratch) / "index", at).keep(changes, by, message)
            return True
        except (OSError, subprocess.SubprocessError) as error:
            # A lock of another git, or a commit that was made in between: both pass. A lock that nobody holds does not.
            if time.monotonic() < until and isinstance(error, subprocess.CalledProcessError):
                time.sleep(PAUSE)
                continue
            files = ", ".join(change.before.path for change in changes)
            logger.warning(
                "a decision was not committed to git: commit the file by hand",
                extra={"file": files, "reason": _reason(error)},
            )
            return False


@dataclass(frozen=True, slots=True)
class _Checkout:
    """A checkout, and an index of our own beside that of whoever works there."""

    root: Path
    index: Path
    at: datetime

    def keep(self, changes: Sequence[Change], by: str, message: str) -> None:
        """Make the commit. Raises: OSError, SubprocessError."""
        head = found = self._git("rev-parse", "--verify", "--quiet", "HEAD^{commit}", fails=True)
        before = {one.before.path: self._blob(one.before.path, one.before.text) for one in changes}
        after = {one.before.path: self._blob(one.before.path, one.text) for one in changes}
        known = {path: self._git("rev-parse", "--verify", "--quiet", f"HEAD:{path}", fails=True) for path in after}
        # First, as it is what another git can keep from us: else what was decided would stand there as taken back.
        self._put(after, ours=False)
        if known == after:
            return
        if head:
            self._git("read-tree", head)
        if known != before:
            head = self._commit(before, head, NOBODY, BETWEEN)
        head = self._commit(after, head, (by, by), message)
        self._git("update-ref", "-m", f"commit: {message}", "HEAD", head, found, who=(by, by))

    def _commit(self, blobs: Mapping[str, str], head: str, who: tuple[str, str], message: str) -> str:
        self._put(blobs)
        parents = ["-p", head] if head else []
        return self._git("commit-tree", self._git("write-tree"), *parents, "-m", message, who=who)

    def _put(self, blobs: Mapping[str, str], *, ours: bool = True) -> None:
        for path, blob in blobs.items():
            what = ["--add", "--cacheinfo", f"100644,{blob},{path}"] if blob else ["--force-remove", path]
            self._git("update-index", *what, ours=ours)

    def _blob(self, path: str, text: str | None) -> str:
        """A text among git's objects; empty where there is no file."""
        return "" if text is None else self._git("hash-object", "-w", "--stdin", f"--path={path}", told=text)

    def _git(
        self, *command: str, told: str = "", who: tuple[str, str] = NOBODY, ours: bool = True, fails: bool = False
    ) -> str:
        """What git says; nothing where it fails and may."""
        named = {
            f"GIT_{part}_{key}": value
            for part in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", who[0]), ("EMAIL", who[1]), ("DATE", self.at.isoformat()))
        }
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.fspath(self.root), "LC_ALL": "C.UTF-8"}
        if ours:
            environment["GIT_INDEX_FILE"] = os.fspath(self.index)
        settings = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "safe.directory=*")
        done = subprocess.run(  # noqa: S603 - arguments of our own, no shell
            ["git", "-C", os.fspath(self.root), *(part for one in settings for part in ("-c", one)), *command],  # noqa: S607
            env=environment | named,
            input=told.encode(),
            check=not fails,
            capture_output=True,
            timeout=SECONDS,
        )
        return done.stdout.decode().strip() if done.returncode == 0 else ""


def _reason(error: Exception) -> str:
    """What git said last, or what went wrong with it."""
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.decode("utf-8", "replace").split("\n") if error.stderr else []
        return next((line for line in lines if line.strip()), type(error).__name__)
    return type(error).__name__
