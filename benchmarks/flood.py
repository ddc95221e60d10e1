"""`./run bench --flood`: what one client's flood costs another client, on one server process.

One client looks up students, one request after another on a few connections. Its answers per second are counted
beside another client's flood and alone, a second each, again and again: the flood comes from a process of its own,
which is halted meanwhile, so that a busy moment of the machine meets both. The flood is bounded: so many connections,
for so long. It takes no notice of refusals, but asks again at once.
"""

import multiprocessing
import os
import selectors
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.answers import ids
from benchmarks.installation import CLIENT, OTHER, Installation
from benchmarks.queries import DOCUMENTS
from benchmarks.servers import running
from benchmarks.wire import BIGGEST, Line, Reading, WrongAnswerError, graphql, line, throughput

SECONDS = 1.0
SETTLE = 0.7
"""Units: seconds after the flood went on, or was halted, before anything is counted."""

TIMES = 4
"""How often both are counted in one round."""

CONNECTIONS = (1, 4)
"""On how many connections the other client asks."""


@dataclass(frozen=True, slots=True)
class Flood:
    """What one client sends, on how many connections at once."""

    title: str
    query: str
    connections: int


FLOODS = (Flood("64 connections of look-ups", "Q1", 64), Flood("16 connections of the whole roster", "Q4", 16))


def measure(installation: Installation, folder: Path, console: Console, rounds: int) -> None:
    """Print what each flood costs."""
    shown = Table(title="Answers per second of one client, alone and beside another's flood", title_justify="left")
    for heading in ("flood", "connections of the other", "alone", "beside it", "kept"):
        shown.add_column(heading, justify="left" if heading == "flood" else "right")
    with running("flooded", installation.serve(), installation.port, folder), console.status("flooding"):
        other = _lookups(installation, installation.token(OTHER))  # good for five minutes
        throughput(installation.port, other, at_once=4, seconds=1.0)
        for flood in FLOODS:
            for at_once in CONNECTIONS:
                beside, alone = _counted(installation, flood, other, at_once, rounds * TIMES)
                kept = sum(beside) / sum(alone)
                shown.add_row(
                    flood.title, f"{at_once}", f"{median(alone):,.0f}", f"{median(beside):,.0f}", f"{kept:.0%}"
                )
    console.print(shown)


def _lookups(installation: Installation, token: str) -> Sequence[bytes]:
    some = graphql("/graphql", "{ students(first: 100) { nodes { id studentUniqueId } } }", None, token)
    with line(installation.port) as connection:
        found = ids(connection.ask(some).body()).values()
    return [graphql("/graphql", DOCUMENTS["Q1"], {"id": name}, token) for name in found]


def _counted(
    installation: Installation, flood: Flood, other: Sequence[bytes], at_once: int, times: int
) -> tuple[list[float], list[float]]:
    token = installation.token(CLIENT)
    one = _lookups(installation, token) if flood.query == "Q1" else [graphql("/graphql", DOCUMENTS["Q4"], None, token)]
    flooding = multiprocessing.get_context("spawn").Process(
        target=pour, args=(installation.port, one[0], flood.connections, 4 * times * (SETTLE + SECONDS)), daemon=True
    )
    flooding.start()
    beside, alone = [], []
    try:
        time.sleep(1)  # it starts
        for _ in range(times):
            for signalled, counted in ((signal.SIGCONT, beside), (signal.SIGSTOP, alone)):
                os.kill(flooding.pid or 0, signalled)
                time.sleep(SETTLE)
                counted.append(throughput(installation.port, other, at_once=at_once, seconds=SECONDS))
    finally:
        flooding.kill()
        flooding.join()
    return beside, alone


def pour(port: int, request: bytes, connections: int, seconds: float) -> None:
    """Ask on so many connections, each again as soon as it is answered, whatever the answer; for so long."""
    lines = [Line(port) for _ in range(connections)]
    readings = {one.socket.fileno(): Reading([], any_status=True) for one in lines}
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for one in lines:
            selector.register(one.socket, selectors.EVENT_READ, one)
            one.socket.sendall(request)
        while time.monotonic() < until:
            for key, _ in selector.select(timeout=0.1):
                part = key.data.socket.recv(BIGGEST)
                if not part:
                    raise WrongAnswerError("The server hung up under the flood.")
                if readings[key.fd].add(part):
                    readings[key.fd] = Reading([], any_status=True)
                    key.data.socket.sendall(request)
    for one in lines:
        one.close()
