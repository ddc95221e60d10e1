"""`./run`: the command line from any folder, in an environment that is made once."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Says what it was asked to run, where, and with what on its path.
PYTHON = '#!/bin/sh\necho "$PWD | $PYTHONPATH | $PYTHONSAFEPATH | $*"\n'


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose environment is ready, with a python that only says what it was told."""
    folder = tmp_path / "a clone"
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "run", folder / "run")
    python = folder / ".venv" / "bin" / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (folder / lock).write_text(f"# {lock}\n")
        summed = subprocess.run(["cksum"], stdin=(folder / lock).open(), capture_output=True, check=True)
        (folder / ".venv" / f".{lock}").write_bytes(summed.stdout)
    return folder


def ran(run: Path, *args: str, cwd: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key not in {"HOMEROOM_SANDBOX", "PYTHON"}}
    return subprocess.run(
        [str(run), *args],
        cwd=cwd,
        env={**env, "PATH": path or env["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_alone_it_serves_the_sandbox(clone: Path, tmp_path: Path) -> None:
    assert ran(clone / "run", cwd=tmp_path).stdout == f"{tmp_path} | {clone} | 1 | -m app demo\n"


def test_arguments_reach_the_command_line_as_they_are_in_the_callers_folder(clone: Path, tmp_path: Path) -> None:
    done = ran(clone / "run", "import", "tx/grand-bend", "my roster.zip", cwd=tmp_path)
    assert done.stdout == f"{tmp_path} | {clone} | 1 | -m app import tx/grand-bend my roster.zip\n"


def test_tests_run_in_the_clone(clone: Path, tmp_path: Path) -> None:
    assert ran(clone / "run", "test", "-q", cwd=tmp_path).stdout == f"{clone} | {clone} | 1 | -m pytest -q\n"


def test_benchmarks_run_with_their_arguments(clone: Path, tmp_path: Path) -> None:
    done = ran(clone / "run", "bench", "--students", "100", cwd=tmp_path)
    assert done.stdout == f"{tmp_path} | {clone} | 1 | -m benchmarks --students 100\n"


def test_it_can_be_reached_by_a_link(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "homeroom").symlink_to("../a clone/run")
    done = ran(tmp_path / "bin" / "homeroom", "check", cwd=tmp_path)
    assert done.stdout == f"{tmp_path} | {clone} | 1 | -m app check\n"


def test_the_exit_status_is_the_commands(clone: Path, tmp_path: Path) -> None:
    (clone / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 5\n")
    assert ran(clone / "run", "import", cwd=tmp_path).returncode == 5


def test_without_python_it_says_what_to_install(clone: Path, tmp_path: Path) -> None:
    shutil.rmtree(clone / ".venv")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "dirname", "readlink", "cat", "cksum"):
        found = shutil.which(tool)
        assert found
        (tools / tool).symlink_to(found)
    done = ran(clone / "run", cwd=tmp_path, path=str(tools))
    assert done.returncode == 3
    assert "Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lock_that_changed_is_installed_again(clone: Path, tmp_path: Path) -> None:
    python = clone / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *pip*) echo "$*" >>"$0.log" ;; esac\n')
    (clone / "requirements.lock").write_text("# another\n")
    assert ran(clone / "run", "check", cwd=tmp_path).returncode == 0
    asked = (clone / ".venv" / "bin" / "python.log").read_text()
    assert "--require-hashes" in asked
    (clone / ".venv" / "bin" / "python.log").unlink()
    assert ran(clone / "run", "check", cwd=tmp_path).returncode == 0
    assert not (clone / ".venv" / "bin" / "python.log").exists()
