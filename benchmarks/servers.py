"""Servers as processes of their own, on loopback ports, ended when they are no longer needed."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS_TO_START = 60
SECONDS_TO_END = 20


class DidNotStartError(Exception):
    """A server ended, or did not listen in time."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"

    def peak_megabytes(self) -> float:
        """The most memory that it has held so far; 0 where the system does not say."""
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
            return int(found[1]) / 1024 if found else 0.0
        return 0.0


def free_port() -> int:
    """A port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    """What every process of the benchmark is told: the clone's own code, and nothing of another installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOMEROOM_")}
    return kept | {"PYTHONPATH": str(ROOT)}


@contextlib.contextmanager
def running(
    name: str, arguments: Sequence[str], port: int, folder: Path, ending: int = signal.SIGTERM
) -> Iterator[Running]:
    """Run `python ARGUMENTS` until the block ends. Raises: DidNotStartError with what the server said."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            deadline = time.monotonic() + SECONDS_TO_START
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise DidNotStartError(
                        f"{name} does not listen. It said: {log.read_text(errors='replace')[-3000:]}"
                    )
                time.sleep(0.05)
            yield Running(name, port, process)
        finally:
            process.send_signal(ending)
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
