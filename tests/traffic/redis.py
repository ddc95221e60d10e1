"""A real Redis for tests: a server of their own, on a port that the system gives, keeping nothing."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

BINARIES = ("valkey-server", "redis-server")


class Store:
    """A server that can be stopped and started again at the same address."""

    def __init__(self, folder: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        binary = next(filter(None, map(shutil.which, BINARIES)), None)
        if binary is None:
            pytest.skip(f"None of {', '.join(BINARIES)} is installed (on Debian: apt-get install redis-server).")
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [binary, *options, "--dir", self._folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.02)
        raise AssertionError("The store did not start.")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None


@contextmanager
def store() -> Iterator[Store]:
    """A server that runs."""
    with tempfile.TemporaryDirectory(prefix="homeroom-store-") as folder:
        made = Store(folder)
        made.start()
        try:
            yield made
        finally:
            made.stop()
