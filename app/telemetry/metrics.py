"""What is counted, for Prometheus.

Shape: labels are routes, statuses, codes, stages and registered clients: sets that no caller can make grow. Several
workers count in files of one folder, which `PROMETHEUS_MULTIPROC_DIR` names before this module is read; each can then
tell the sum of all.
"""

import os
import re
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder in which workers count together."""

CODE = re.compile(r"[A-Z][A-Z_]{1,39}")
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)

registry = CollectorRegistry()
if FOLDER not in os.environ:
    ProcessCollector(registry=registry)
_requests = Counter("homeroom_requests", "Requests, by route and status.", ["route", "status"], registry=registry)
_seconds = Histogram(
    "homeroom_request_seconds",
    "Time from a request to the end of its answer.",
    ["route"],
    buckets=_BUCKETS,
    registry=registry,
)
_answers = Counter(
    "homeroom_graph_requests", "Requests of the graph, by client and outcome.", ["client", "code"], registry=registry
)
_stages = Counter("homeroom_stages", "How many requests passed a stage.", ["stage"], registry=registry)
_stage_seconds = Counter("homeroom_stage_seconds", "Time that requests spent in a stage.", ["stage"], registry=registry)
turns = Gauge(
    "homeroom_turns",
    "Requests of the graph that are being worked on, or wait for their turn.",
    ["state"],
    multiprocess_mode="livesum",
    registry=registry,
)
store_up = Gauge(
    "homeroom_rate_store_up",
    "1 while requests are counted where the configuration says, 0 while each process counts for itself instead.",
    multiprocess_mode="livemin",
    registry=registry,
)
_of_request: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
_of_answer: dict[tuple[str, str], Counter] = {}


def count_request(route: str | None, status: int, seconds: float) -> None:
    """One request has ended. `route` is the template that it met, never its address."""
    known = _of_request.get((route or "", status))
    if known is None:
        where = route or "none"
        known = _requests.labels(where, str(status)), _seconds.labels(where)
        _of_request[route or "", status] = known
    known[0].inc()
    known[1].observe(seconds)


def count_answer(client: str | None, code: str | None) -> None:
    """One request of the graph has ended: what it was told, `OK` if it was answered."""
    key = client or "", code or "OK"
    known = _of_answer.get(key)
    if known is None:
        known = _answers.labels(key[0], key[1] if CODE.fullmatch(key[1]) else "OTHER")
        _of_answer[key] = known
    known.inc()


class Stages:
    """How long stages take, added up here, and told to Prometheus from time to time: a request has many."""

    def __init__(self) -> None:
        self._times: defaultdict[str, int] = defaultdict(int)
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def add(self, stage: str, seconds: float) -> None:
        """One request has passed a stage."""
        self._times[stage] += 1
        self._seconds[stage] += seconds

    def tell(self) -> None:
        """Count what was added up since the last time."""
        for stage, times in self._times.items():
            _stages.labels(stage).inc(times)
            _stage_seconds.labels(stage).inc(self._seconds[stage])
        self._times.clear()
        self._seconds.clear()


STAGES = Stages()


def exposition(accept: str) -> tuple[bytes, str]:
    """All that was counted, by every worker, with its media type."""
    STAGES.tell()
    encode, media = choose_encoder(accept)
    folder = os.environ.get(FOLDER)
    if folder is None:
        return encode(registry), media
    _forget_the_dead(Path(folder))
    every = CollectorRegistry()
    MultiProcessCollector(every, folder)  # type: ignore[no-untyped-call]
    return encode(every), media


def _forget_the_dead(folder: Path) -> None:
    """Take out what workers that are gone said of themselves; what they counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            with suppress(OSError):
                file.unlink()
