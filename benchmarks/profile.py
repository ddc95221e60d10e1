"""Where Homeroom's time goes in one query, function by function.

Shape: cProfile around the whole server, with one query asked many times. It makes calls dearer than they are, C code
excepted, so the shares are a direction and not a measurement.
"""

import pstats
import signal
from io import StringIO
from pathlib import Path

from rich.console import Console

from benchmarks.answers import ids
from benchmarks.installation import Installation
from benchmarks.queries import DOCUMENTS
from benchmarks.servers import ROOT, running
from benchmarks.wire import graphql, line

TIMES = {"Q1": 3000, "Q2": 300, "Q3": 60, "Q4": 10}
SHOWN = 30


def profile(installation: Installation, query: str, folder: Path, console: Console) -> None:
    """Ask one query of a profiled server, and print the functions in which the most time was spent."""
    found = folder / "profile"
    arguments = ["-m", "cProfile", "-o", str(found), *installation.serve()]
    with running("profiled", arguments, installation.port, folder, ending=signal.SIGINT) as server:
        request = _request(installation, query)
        with line(server.port) as connection:
            seconds = sorted(connection.timed(request) for _ in range(TIMES[query]))
    text = StringIO()
    pstats.Stats(str(found), stream=text).sort_stats("tottime").print_stats(SHOWN)
    console.print(
        f"{query}, {TIMES[query]} times, median {seconds[len(seconds) // 2] * 1000:.2f} ms under the profiler"
    )
    listed = text.getvalue().replace(f"{ROOT}/", "").partition("ncalls")[2]
    console.print(f"   ncalls{listed.rstrip()}", highlight=False, markup=False)
    console.print("The time of `run` itself is the event loop's: waiting, reading and writing sockets.")


def _request(installation: Installation, query: str) -> bytes:
    token = installation.token()
    variables: dict[str, object] = {}
    if query == "Q1":
        some = graphql("/graphql", "{ students(first: 1) { nodes { id studentUniqueId } } }", None, token)
        with line(installation.port) as connection:
            variables["id"] = next(iter(ids(connection.ask(some).body()).values()))
    return graphql("/graphql", DOCUMENTS[query], variables, token)
