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


@pytest.fixture
def sources(clone: Path) -> Path:
    """Sources of GraphiQL's page in the clone, and beside it a node and an npm that say what they were told."""
    folder = clone / "app" / "web" / "graphiql"
    (folder / "src").mkdir(parents=True)
    for name in ("index.html", "nodejs.lock", "package-lock.json", "package.json", "tsconfig.json", "vite.config.js"):
        (folder / name).write_text(name)
    (folder / "src" / "main.tsx").write_text("1")
    tools = clone.parent / "tools"
    tools.mkdir()
    (tools / "node").write_text("#!/bin/sh\n")
    (tools / "npm").write_text('#!/bin/sh\necho "$*" >>"${0%/*}/npm.log"\nmkdir -p dist && cp index.html dist\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    return folder


def served(clone: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run it with the tools of `sources`."""
    tools = clone.parent / "tools"
    (tools / "npm.log").unlink(missing_ok=True)
    # The environment's python is one that only talks, and here the lock is held by a real one.
    python = shutil.which("python3")
    assert python
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "PYTHON": python}
    return subprocess.run(
        [str(clone / "run"), *args], cwd=clone.parent, env=env, capture_output=True, text=True, check=False
    )


def asked_of_npm(clone: Path) -> list[str]:
    log = clone.parent / "tools" / "npm.log"
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize("args", [(), ("demo", "--port", "0"), ("--config", "x.toml", "serve")])
def test_the_page_is_built_before_a_server_starts_and_once(clone: Path, sources: Path, args: tuple[str, ...]) -> None:
    done = served(clone, *args)
    assert done.returncode == 0, done.stderr
    assert asked_of_npm(clone) == ["ci", "run build"]
    assert (sources / "dist" / "index.html").read_text() == "index.html"
    assert "building" in done.stderr
    assert served(clone, *args).stderr == ""
    assert asked_of_npm(clone) == []
    (sources / "src" / "main.tsx").write_text("2")
    served(clone, *args)
    assert asked_of_npm(clone) == ["ci", "run build"]


@pytest.mark.parametrize("args", [("check",), ("test", "-q"), ("policy", "lint")])
def test_what_serves_nothing_builds_no_page(clone: Path, sources: Path, args: tuple[str, ...]) -> None:
    assert served(clone, *args).returncode == 0
    assert asked_of_npm(clone) == []
    assert not (sources / "dist").exists()


def test_a_page_that_cannot_be_built_is_said_so_once_and_the_server_starts(clone: Path, sources: Path) -> None:
    npm = clone.parent / "tools" / "npm"
    good = npm.read_text()
    npm.write_text('#!/bin/sh\necho "$*" >>"${0%/*}/npm.log"\necho "no registry"\nexit 1\n')
    done = served(clone)
    assert done.returncode == 0
    assert done.stdout.endswith("-m app demo\n")
    assert "could not be built" in done.stderr
    assert "./run graphiql" in done.stderr
    assert (clone / ".venv" / "graphiql.log").read_text() == "no registry\n"
    assert served(clone).stderr == ""
    assert asked_of_npm(clone) == []
    assert served(clone, "graphiql").returncode == 3
    assert asked_of_npm(clone) == ["ci"]
    npm.write_text(good)
    assert served(clone, "graphiql").returncode == 0
    assert (sources / "dist" / "index.html").exists()
