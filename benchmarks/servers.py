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

    def cpu_seconds(self) -> float:
        """The processor time that it and the processes under it have taken so far. Linux alone says it."""
        ticks, family = 0, {self.process.pid}
        found = {int(place.parent.name): _stat(place) for place in Path("/proc").glob("[0-9]*/stat")}
        for pid, (parent, spent) in sorted(found.items()):
            if pid in family or parent in family:
                family.add(pid)
                ticks += spent
        return ticks / os.sysconf("SC_CLK_TCK")

    def peak_megabytes(self) -> float:
        """The most memory that it has held so far; 0 where the system does not say."""
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
            return int(found[1]) / 1024 if found else 0.0
        return 0.0


def _stat(place: Path) -> tuple[int, int]:
    """A process's parent and the ticks that it has taken."""
    with contextlib.suppress(OSError):
        parts = place.read_text().rpartition(") ")[2].split()
        return int(parts[1]), int(parts[11]) + int(parts[12])
    return 0, 0


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
    name: str,
    arguments: Sequence[str],
    port: int,
    folder: Path,
    ending: int = signal.SIGTERM,
    program: Sequence[str] = (sys.executable,),
) -> Iterator[Running]:
    """Run `python ARGUMENTS`, or another program, until the block ends.

    Raises: DidNotStartError with what the server said.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*program, *arguments],
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
