"""`./run bench --federation`: Homeroom beside other gateways of federated graphs, over the same two subgraphs.

Every gateway is a process of its own on loopback, and answers the same two queries: one student, and a hundred with
their enrollments and sections, with fields of both subgraphs in each. The answers are compared before anything is
timed; rounds are interleaved; what a gateway's processes spend is read from the system. Homeroom is `federate`, which
like the others holds no policy; the whole gateway with a grant in force (`granted`) stands beside it.

The other gateways come from npm, by the lock in `gateways/`, when this is run for the first time.
"""

import contextlib
import hashlib
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table

from app.cli.composing import Schema, compose
from benchmarks import answers, granted
from benchmarks.federated import OTHERS, SDL, STUDENTS
from benchmarks.servers import DidNotStartError, Running, free_port, running
from benchmarks.wire import Line, graphql, line

GATEWAYS = Path(__file__).parent / "gateways"
FILES = ("package.json", "package-lock.json", ".npmrc")

ONE = "query One($id: ID!) { student(id: $id) { id firstName lastSurname gradeLevel average missing lastSubmitted } }"
HUNDRED = """\
query Hundred {
  students {
    id firstName lastSurname average missing
    enrollments { beginDate section { id title period room assignments nextDue } }
  }
}"""
TITLES = {"one": "one student", "hundred": "100 students × enrollments × sections"}
REPEATS = {"one": 500, "hundred": 60}
WARM_UPS = {"one": 400, "hundred": 60}
HOMEROOM, GRANTED = "Homeroom", "with a grant in force"


@dataclass(frozen=True, slots=True)
class Gateway:
    """How one gateway is started. `{…}` stand for the supergraph, its folder and the port."""

    name: str
    program: Sequence[str]
    arguments: Sequence[str]


def gateways(installed: Path | None) -> Iterator[Gateway]:
    """Homeroom, and those that could be installed."""
    yield Gateway(
        HOMEROOM,
        (sys.executable,),
        ("-m", "app", "federate", "--supergraph", "{folder}/supergraph.graphql", "--port", "{port}"),
    )
    node = shutil.which("node")
    if installed is None or node is None:
        return
    hive = str(installed / "node_modules" / "@graphql-hive" / "gateway" / "dist" / "bin.js")
    serving = (hive, "supergraph", "{folder}/supergraph.graphql", "--host", "127.0.0.1", "--port", "{port}")
    yield Gateway("Hive", (node,), serving)
    yield Gateway("Hive with its Rust planner", (node,), (*serving, "--hive-router-runtime"))
    grafbase = installed / "node_modules" / "@grafbase" / "cli-x86_64-unknown-linux-musl" / "grafbase"
    if grafbase.exists():
        listening = ("--home", "{folder}", "dev", "--config", "{folder}/grafbase.toml")
        yield Gateway("Grafbase", (str(grafbase),), (*listening, "--listen-address", "127.0.0.1:{port}"))


def installed() -> Path | None:
    """The folder of the other gateways, installed now if they are not yet; None without Node.js."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    of = hashlib.sha256(b"".join((GATEWAYS / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = Path(sys.prefix) / "gateways" / of
    if not folder.exists():
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        for name in FILES:
            shutil.copy(GATEWAYS / name, making / name)
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts"], cwd=making, capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode:
            raise DidNotStartError(f"The other gateways could not be installed. npm said: {done.stderr[-1000:]}")
        making.rename(folder)
    return folder


@dataclass(slots=True)
class Contestant:
    """One gateway, and what was measured of it."""

    server: Running
    requests: Mapping[str, Sequence[bytes]]  # of each query, ready to send
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def name(self) -> str:
        return self.server.name

    def ask(self, query: str, times: int, *, measured: bool) -> None:
        """Ask one request after another on one connection."""
        requests = self.requests[query]
        connection = Line(self.server.port)
        try:
            begin = self.server.cpu_seconds()
            taken = [connection.timed(requests[number % len(requests)]) for number in range(times)]
            spent = self.server.cpu_seconds() - begin
        finally:
            connection.close()
        if measured:
            self.seconds[query] += taken
            self.cpu[query].append(spent / times)

    def milliseconds(self, query: str) -> float:
        """The median of one query."""
        return median(self.seconds[query]) * 1000

    def cpu_milliseconds(self, query: str) -> float:
        """The processor time of one request: the median of the rounds."""
        return median(self.cpu[query]) * 1000


def asked() -> dict[str, list[bytes]]:
    """The requests of each query."""
    one = [graphql("/graphql", ONE, {"id": f"student-{number}"}) for number in range(STUDENTS)]
    return {"one": one, "hundred": [graphql("/graphql", HUNDRED)]}


@contextlib.contextmanager
def contestants(folder: Path, console: Console) -> Iterator[list[Contestant]]:
    """Every gateway, ready to be asked, over the two subgraphs."""
    with contextlib.ExitStack() as stack:
        ports = {name: free_port() for name in SDL}
        for name, port in ports.items():
            stack.enter_context(running(name, ["-m", "benchmarks.federated", name, str(port)], port, folder))
        write(folder, {name: ports[name] for name in OTHERS})
        found: list[Contestant] = []
        for one in gateways(installed()):
            port = free_port()
            given = [part.format(folder=folder, port=port) for part in one.arguments]
            try:
                server = stack.enter_context(running(one.name, given, port, folder, program=one.program))
            except DidNotStartError as error:
                if one.name == HOMEROOM:
                    raise
                console.print(f"{one.name} is left out: {str(error)[-600:]}")
                continue
            found.append(Contestant(server, asked()))
        found.append(Contestant(*stack.enter_context(granted.serving(folder, ports["marks"]))))
        yield found


def write(folder: Path, ports: Mapping[str, int]) -> None:
    """The supergraph, and the same two subgraphs as Grafbase wants them named."""
    urls = {name: f"http://127.0.0.1:{port}/graphql" for name, port in ports.items()}
    of = {name: SDL[name] for name in ports}
    supergraph = compose([Schema(name, urls[name], sdl) for name, sdl in of.items()])
    (folder / "supergraph.graphql").write_text(supergraph, encoding="utf-8")
    lines = ["[graph]", "introspection = false"]
    for name, sdl in of.items():
        (folder / f"{name}.graphql").write_text(sdl, encoding="utf-8")
        lines += [f"[subgraphs.{name}]", f'url = "{urls[name]}"', f'schema_path = "{folder}/{name}.graphql"']
    (folder / "grafbase.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def compare(found: Sequence[Contestant]) -> dict[str, tuple[int, int]]:
    """The fields and bytes of each answer. Raises: UnexpectedAnswerError if two differ."""
    sizes: dict[str, tuple[int, int]] = {}
    for query in TITLES:
        bodies = {}
        for one in found:
            with line(one.server.port) as connection:
                bodies[one.name] = connection.ask(one.requests[query][7 % len(one.requests[query])]).body()
        first = msgspec.json.decode(bodies[HOMEROOM])
        for name, body in bodies.items():
            answer = msgspec.json.decode(body)
            if answer.get("errors") or not answer.get("data"):
                raise answers.UnexpectedAnswerError(f"{query}: {name}: {body[:1000]!r}")
            if name == GRANTED:  # other students, as many fields (and the connection that they stand in)
                missing = answers.fields(body) - answers.fields(bodies[HOMEROOM]) not in {0, 1}
                if missing or b"null" in body.replace(b'"room":null', b""):
                    raise answers.UnexpectedAnswerError(f"{query}: {name} has other fields: {body[:1000]!r}")
            elif answer["data"] != first["data"]:
                raise answers.UnexpectedAnswerError(
                    f"{query}: {HOMEROOM} and {name} answer differently: {body[:500]!r}"
                )
        sizes[query] = answers.fields(bodies[HOMEROOM]), len(bodies[HOMEROOM])
    return sizes


def measure(folder: Path, console: Console, rounds: int) -> None:
    """Time them all, and print it."""
    with contestants(folder, console) as found, console.status("comparing the answers") as status:
        sizes = compare(found)
        for one in found:
            for query, times in WARM_UPS.items():
                one.ask(query, times, measured=False)
        for number in range(rounds):
            status.update(f"round {number + 1} of {rounds}")
            for query, times in REPEATS.items():
                for one in found:
                    one.ask(query, times, measured=True)
        console.print(table(found, sizes))


def table(found: Sequence[Contestant], sizes: Mapping[str, tuple[int, int]]) -> Table:
    """What was measured: medians, and each gateway beside Homeroom."""
    shown = Table(title="One process of each gateway over the same two subgraphs, medians", title_justify="left")
    for heading in ("query", "gateway", "p50, ms", "/ Homeroom", "CPU per request, ms", "/ Homeroom", "peak MB"):
        shown.add_column(heading, justify="left" if heading in {"query", "gateway"} else "right")
    ours = found[0]
    for query, title in TITLES.items():
        shown.add_section()
        fields, size = sizes[query]
        for one in found:
            time, cpu = one.milliseconds(query), one.cpu_milliseconds(query)
            shown.add_row(
                f"{title}: {fields:,} fields, {size:,} bytes" if one is ours else "",
                one.name,
                f"{time:.2f}",
                f"{time / ours.milliseconds(query):.2f} ×",
                f"{cpu:.2f}",
                f"{cpu / ours.cpu_milliseconds(query):.2f} ×",
                f"{one.server.peak_megabytes():.0f}",
            )
    return shown
