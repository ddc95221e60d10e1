"""A real installation and a real `homeroom serve`, in processes of their own."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import commandline
from tests.conftest import ROOT

SPACE = "tx/larkspur"
CLIENT = "readwell"
GRANT = """\
client     = "readwell"
purpose    = "instruction"
statement  = "Assign reading."
basis      = "school-official"
not_before = 2020-01-01
not_after  = 2099-12-31

[agreement]
title    = "NDPA v1"
signed   = 2020-01-01
schedule = ["Student Name"]

[fields]
Student = ["firstName"]
"""


def homeroom(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command of the command line to its end."""
    return commandline.run(home / "homeroom.toml", *arguments)


def installed(home: Path) -> Path:
    """An installation with one space, one client and one grant."""
    for arguments in (
        ("init", str(home)),
        ("space", "add", SPACE, "--name", "Larkspur ISD", "--timezone", "America/Chicago"),
        ("client", "add", CLIENT),
    ):
        done = homeroom(home, *arguments)
        assert done.returncode == 0, done.stderr
    grant = home / "policies" / SPACE / "grants" / f"{CLIENT}.toml"
    grant.parent.mkdir()
    grant.write_text(GRANT)
    return home


def token(home: Path) -> str:
    """An access token for the client in the space."""
    done = homeroom(home, "token", CLIENT, "--space", SPACE, "--purpose", "instruction")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that listens."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; gives its exit status."""
        self.process.send_signal(by)
        return self.process.wait(60)


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[Serving]:
    """`homeroom serve` on a free port."""
    log = home / "serve.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            commandline.process(home / "homeroom.toml", "serve", "--port", "0", *arguments),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            stdout=out,
        )
        assert process.stderr is not None
        with process.stderr as told:
            said = told.readline()
            found = re.search(r"http://\S+", said)
            assert found, said + told.read()
            drain = subprocess.Popen(["cat"], stdin=told, stdout=out)
            try:
                yield Serving(found[0], process, log)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(60)
                drain.wait(10)
