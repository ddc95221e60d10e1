"""Every decision is a commit of its officer's own, in real checkouts, however many decide at once."""

import asyncio
import logging
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.requests import committing
from app.requests.committing import commit
from app.requests.filing import Change, alone, read_grant
from tests.requests.asking import checkout, git

AT = datetime(2026, 10, 15, 12, tzinfo=UTC)
EACH = 6
LOG = "--format=%an|%s"


def path_of(name: str) -> str:
    return f"tx/larkspur/grants/{name}.toml"


async def decide(folder: Path, by: str, names: Sequence[str], line: str) -> bool:
    """Add a line to each of some files, as an officer's decision does."""
    async with alone(folder) as turn:
        filed = [read_grant(folder, path_of(name)) for name in names]
        changes = [Change(one, f"{one.text or ''}# {line} by {by}\n") for one in filed]
        await asyncio.to_thread(turn.write, changes)
        return await asyncio.to_thread(commit, folder, changes, by=by, at=AT, message=line)


def officer(folder: Path, by: str, names: Sequence[str]) -> None:
    """An officer who decides again and again: of a file of their own, and of one that is everybody's."""
    for n in range(EACH):
        asyncio.run(decide(folder, by, [names[n % len(names)]], f"{by}-{n}"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tx" / "larkspur" / "grants").mkdir(parents=True)
    (tmp_path / path_of("shared")).write_text("# shared\n")
    (tmp_path / "README").write_text("Ours.\n")
    checkout(tmp_path)
    return tmp_path


def commits(folder: Path) -> list[str]:
    """Every commit, the oldest first."""
    return git(folder, "log", "--reverse", LOG).splitlines()[1:]


def test_of_decisions_at_once_in_threads_and_processes_each_is_a_commit_of_its_officers_own(folder: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as processes, ThreadPoolExecutor(2) as threads:
        work = [
            (processes if n < 2 else threads).submit(officer, folder, f"officer{n}@x.example", [f"own{n}", "shared"])
            for n in range(4)
        ]
        for one in work:
            one.result()
    made = commits(folder)
    assert sorted(made) == sorted(
        f"officer{n}@x.example|officer{n}@x.example-{i}" for n in range(4) for i in range(EACH)
    )
    for line in git(folder, "log", "--format=%H", f"-{4 * EACH}").split():
        by, *added = git(folder, "show", "--format=%an", "--unified=0", line).splitlines()
        changed = [one for one in added if one.startswith(("+#", "-#"))]
        assert len(changed) == 1
        assert changed[0].endswith(f"by {by}")
    assert git(folder, "status", "--porcelain") == ""


def test_what_was_changed_by_hand_is_not_committed_in_the_officers_name(folder: Path) -> None:
    (folder / path_of("shared")).write_text("# shared\n# by hand\n")
    (folder / "README").write_text("Ours, still being written.\n")
    (folder / "NOTES").write_text("staged\n")
    git(folder, "add", "NOTES")
    assert asyncio.run(decide(folder, "o@x.example", ["shared", "new"], "one"))
    assert commits(folder) == [f"Homeroom|{committing.BETWEEN}", "o@x.example|one"]
    assert git(folder, "show", "--format=", "--name-only").split() == [path_of("new"), path_of("shared")]
    assert "by hand" not in git(folder, "show", "--format=", "--unified=0")
    assert git(folder, "status", "--porcelain").splitlines() == ["A  NOTES", " M README"]
    (folder / path_of("new")).unlink()
    assert asyncio.run(decide(folder, "p@x.example", ["new"], "two"))
    assert commits(folder)[2:] == [f"Homeroom|{committing.BETWEEN}", "p@x.example|two"]


def test_a_checkout_without_any_commit_gets_its_first(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert asyncio.run(decide(tmp_path, "o@x.example", ["one"], "first"))
    assert git(tmp_path, "log", LOG).splitlines() == ["o@x.example|first"]
    assert git(tmp_path, "status", "--porcelain") == "?? .deciding\n"


@pytest.mark.parametrize("lock", ["index.lock", "refs/heads/main.lock"])
def test_a_lock_that_somebody_left_keeps_nobody_from_deciding(
    folder: Path, lock: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committing, "PATIENCE", 0.3)
    (folder / ".git" / lock).touch()
    with caplog.at_level(logging.WARNING):
        assert not asyncio.run(decide(folder, "o@x.example", ["shared"], "one"))
    (record,) = caplog.records
    assert record.__dict__["file"] == path_of("shared")
    assert lock in record.__dict__["reason"]
    assert "one by o@x.example" in (folder / path_of("shared")).read_text()
    (folder / ".git" / lock).unlink()
    # The next decision is the next officer's, and no more than that.
    assert asyncio.run(decide(folder, "p@x.example", ["shared"], "two"))
    assert commits(folder) == [f"Homeroom|{committing.BETWEEN}", "p@x.example|two"]
    assert git(folder, "status", "--porcelain") == ""


def test_a_git_that_is_at_work_is_waited_for(folder: Path) -> None:
    lock = folder / ".git" / "index.lock"
    lock.touch()
    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(lambda: asyncio.run(decide(folder, "o@x.example", ["shared"], "one")))
        time.sleep(0.3)
        lock.unlink()
        assert done.result()
    assert commits(folder) == ["o@x.example|one"]


def test_a_folder_that_is_no_checkout_gets_no_commit(tmp_path: Path) -> None:
    assert not asyncio.run(decide(tmp_path, "o@x.example", ["one"], "first"))
    assert (tmp_path / path_of("one")).is_file()
