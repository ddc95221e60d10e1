"""Processes of the command line that do not begin with reading a thousand modules: forks of one that has read them.

Shape: `Process` is used as `subprocess.Popen` is. One process of each test run imports what servers import and then
does nothing but fork; its children run the command line from its arguments to its exit status. They are processes of
their own, which can be asked, told to stop and killed. A second of CPU is saved with each.
"""

import multiprocessing
import os
import signal
import sys
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from subprocess import TimeoutExpired

MODULES = (
    "app.cli.serve",
    "app.cli.subgraph",
    "app.federate",
    "app.main",
    "app.opening",
    "app.premises_site",
    "uvloop",
)


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *MODULES])
    return context


class Process:
    """A running command."""

    def __init__(self, arguments: list[str], folder: Path, log: Path) -> None:
        self._process = _server().Process(target=_run, args=(arguments, str(folder), str(log)))
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        self._process.join(0)
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """Its exit status, once it has ended. Raises: TimeoutExpired."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutExpired("homeroom", seconds)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to stop."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power failure would."""
        self.send_signal(signal.SIGKILL)


def _run(arguments: list[str], folder: str, log: str) -> None:
    from app.cli.main import main

    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(written, standard)
    os.chdir(folder)
    sys.argv = ["homeroom", *arguments]
    main()
