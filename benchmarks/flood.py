"""`./run bench --flood`: what one client's flood costs another client, on one server process.

One client looks up students, one request after another on a few connections. How long its answers take is measured
beside another client's flood and alone, a second each, in as many rounds as asked for: the flood comes from a process
of its own, which is halted meanwhile, so that a busy moment of the machine meets both. The flood is bounded: so many
connections, for so long. It takes no notice of refusals, but asks again at once.
"""

import multiprocessing
import os
import selectors
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.answers import ids
from benchmarks.installation import CLIENT, OTHER, Installation
from benchmarks.queries import DOCUMENTS
from benchmarks.servers import running
from benchmarks.wire import BIGGEST, Line, Reading, WrongAnswerError, graphql, latencies, line, throughput

SECONDS = 1.0
SETTLE = 0.7
"""Units: seconds after the flood went on, or was halted, before anything is counted."""

CONNECTIONS = (1, 4)
"""On how many connections the other client asks."""


@dataclass(frozen=True, slots=True)
class Flood:
    """What one client sends, on how many connections at once."""

    title: str
    query: str
    connections: int


FLOODS = (Flood("64 connections of look-ups", "Q1", 64), Flood("16 connections of the whole roster", "Q4", 16))


class FloodEndedError(Exception):
    """The flood did not last: nothing was measured beside it."""


@dataclass(slots=True)
class Felt:
    """What the other client felt in its seconds, with or without the flood. Units: seconds."""

    took: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)

    def add(self, port: int, requests: Sequence[bytes], at_once: int) -> None:
        """One more second."""
        took, waiting = latencies(port, requests, at_once=at_once, seconds=SECONDS)
        self.took += took
        # Who still waits has waited so long at least: an answer that never comes must not go uncounted.
        self.waiting += [one for one in waiting if one > max(took, default=0.0)]

    def slow(self) -> float:
        """What 95 of 100 answers take at most."""
        every = sorted(self.took + self.waiting)
        return every[min(len(every) * 95 // 100, len(every) - 1)]


def measure(installation: Installation, folder: Path, console: Console, rounds: int) -> None:
    """Print what each flood costs. Raises: FloodEndedError."""
    shown = Table(title="One client's look-ups, alone and beside another client's flood", title_justify="left")
    headings = ("flood", "its answers a second", "connections of the other", "95 of 100 alone, ms", "beside it, ms")
    for heading in (*headings, "times as long", "answers kept"):
        shown.add_column(heading, justify="left" if heading == "flood" else "right")
    with running("flooded", installation.serve(), installation.port, folder), console.status("flooding"):
        throughput(installation.port, _lookups(installation, installation.token(OTHER)), at_once=4, seconds=1.0)
        for flood in FLOODS:
            for at_once in CONNECTIONS:
                beside, alone, poured = _felt(installation, flood, at_once, rounds)
                shown.add_row(
                    *(flood.title, f"{poured:,.0f}", f"{at_once}"),
                    *(f"{alone.slow() * 1000:,.1f}", f"{beside.slow() * 1000:,.1f}"),
                    *(f"{beside.slow() / alone.slow():.2f} ×", f"{len(beside.took) / len(alone.took):.0%}"),
                )
    console.print(shown)


def _lookups(installation: Installation, token: str) -> Sequence[bytes]:
    some = graphql("/graphql", "{ students(first: 100) { nodes { id studentUniqueId } } }", None, token)
    with line(installation.port) as connection:
        found = ids(connection.ask(some).body()).values()
    return [graphql("/graphql", DOCUMENTS["Q1"], {"id": name}, token) for name in found]


def _felt(installation: Installation, flood: Flood, at_once: int, rounds: int) -> tuple[Felt, Felt, float]:
    """What the other client felt beside the flood and alone, and how many answers a second the flood got meanwhile."""
    other, token = _lookups(installation, installation.token(OTHER)), installation.token(CLIENT)  # for five minutes
    one = _lookups(installation, token) if flood.query == "Q1" else [graphql("/graphql", DOCUMENTS["Q4"], None, token)]
    spawning = multiprocessing.get_context("spawn")
    answered = spawning.Value("q", 0)
    lasting = 60 + 4 * rounds * (SETTLE + SECONDS)
    flooding = spawning.Process(
        target=pour, args=(installation.port, one[0], flood.connections, lasting, answered), daemon=True
    )
    flooding.start()
    beside, alone, poured = Felt(), Felt(), 0
    try:
        time.sleep(1)  # it starts
        for _ in range(rounds):
            for signalled, felt in ((signal.SIGCONT, beside), (signal.SIGSTOP, alone)):
                os.kill(flooding.pid or 0, signalled)
                time.sleep(SETTLE)
                before = answered.value
                felt.add(installation.port, other, at_once)
                poured += answered.value - before
            if not flooding.is_alive():
                raise FloodEndedError(f"The flood of {flood.title} ended before the measurement did.")
    finally:
        flooding.kill()
        flooding.join()
    return beside, alone, poured / (rounds * SECONDS)


def pour(port: int, request: bytes, connections: int, seconds: float, answered: "Synchronized[int]") -> None:
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
                    answered.get_obj().value += 1
                    readings[key.fd] = Reading([], any_status=True)
                    key.data.socket.sendall(request)
    for one in lines:
        one.close()
