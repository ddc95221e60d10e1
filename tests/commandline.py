"""The command line as a test runs it: the whole of it, from its arguments to its exit status.

Shape: `run` gives what `subprocess.run` gives. A command runs in this process, on a thread of its own with an event
loop of its own: a process for each would spend more than a second on importing what is imported here already. A server
is a process all the same: it handles signals, and starts workers.
"""

import io
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from app.cli.main import main
from tests.conftest import ROOT

SECONDS = 300
SERVING = frozenset({"serve", "demo", "federate"})
_TURN = threading.Lock()  # standard output is the process's, and so is what it was started with


def run(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command of the command line to its end."""
    given = ["--config", os.fspath(config), *arguments]
    if SERVING & set(arguments):
        command = process(config, *arguments)
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    with _TURN, ThreadPoolExecutor(1) as pool:
        return pool.submit(_run, given).result(SECONDS)


def process(config: Path, *arguments: str) -> list[str]:
    """How the same command is started as a process."""
    return [sys.executable, "-m", "app", "--config", os.fspath(config), *arguments]


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    said = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    with mock.patch.object(sys, "argv", ["homeroom", *arguments]), redirect_stdout(said[0]), redirect_stderr(said[1]):
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
    out, err = (one.buffer.getvalue().decode() for one in said)
    return subprocess.CompletedProcess(arguments, status, out, err)
