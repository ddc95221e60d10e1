"""`./run bench`: the limit, Homeroom and an ordinary server, side by side on the same data, as ratios in one run.

One district is generated and imported. Then three servers, each a process of its own on loopback, answer the same
four queries from the same database. Their answers are compared before anything is timed. Rounds are interleaved, so
that a busy moment of the machine meets all three; medians are printed. Homeroom is the real `serve` with everything
on: tokens, a grant, the ledger.
"""

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import click
from rich.console import Console
from rich.table import Table

from app.importers.sandbox.generate import generate_district
from app.importers.sandbox.profile import PROFILES
from benchmarks import answers
from benchmarks import console as pages
from benchmarks import federation as federating
from benchmarks import flood as flooding
from benchmarks.installation import SPACE, CommandFailedError, Installation, install
from benchmarks.profile import profile
from benchmarks.queries import DOCUMENTS, TITLES
from benchmarks.servers import DidNotStartError, Running, free_port, running
from benchmarks.wire import Line, WrongAnswerError, get, graphql, line, throughput
from tests.postgres import NotInstalledError, Server, server

SEED = 20261015
AT_ONCE = 32
SECONDS_OF_LOAD = 4.0
REPEATS = {"Q1": 60, "Q2": 12, "Q3": 6, "Q4": 2}
PLAIN_REPEATS = {"Q1": 20, "Q2": 2, "Q3": 1, "Q4": 1}
PLAIN_SECONDS = 90.0  # an ordinary server gets no further rounds of one query after this many seconds
WARM_UPS = {"Q1": 50, "Q2": 5, "Q3": 3, "Q4": 1}

FAILURES = (
    *(CommandFailedError, DidNotStartError, NotInstalledError, WrongAnswerError, answers.UnexpectedAnswerError),
    *(flooding.FloodEndedError, subprocess.TimeoutExpired),
)
LIMIT, HOMEROOM, PLAIN = "limit", "Homeroom", "plain"

Ask = Callable[[str], Sequence[bytes]]
"""The requests of one query, ready to send: more than one where they differ by the id that they ask for."""


@dataclass(slots=True)
class Contestant:
    """One of the three servers, and what was measured of it."""

    server: Running
    ask: Ask
    repeats: Mapping[str, int]
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    per_second: float = 0.0

    @property
    def name(self) -> str:
        return self.server.name

    def milliseconds(self, query: str) -> float:
        """The median of one query."""
        return median(self.seconds[query]) * 1000

    def body(self, query: str) -> bytes:
        with line(self.server.port) as connection:
            return connection.ask(self.ask(query)[0]).body()


@contextlib.contextmanager
def contestants(installation: Installation, folder: Path) -> Iterator[list[Contestant]]:
    """The three servers over one database, each ready to be asked."""
    database = installation.database
    with contextlib.ExitStack() as stack:

        def start(name: str, module: str) -> Running:
            port = free_port()
            return stack.enter_context(running(name, ["-m", f"benchmarks.{module}", database, str(port)], port, folder))

        limit, plain = start(LIMIT, "limit"), start(PLAIN, "plain")
        homeroom = stack.enter_context(running(HOMEROOM, installation.serve(), installation.port, folder))
        rows, own = known(limit.port, get("/Q3")), known(homeroom.port, _asked(installation, "Q3"))
        keys = sorted(rows)[:1000]

        def ask_limit(query: str) -> list[bytes]:
            return [get(f"/Q1/{rows[key]}") for key in keys] if query == "Q1" else [get(f"/{query}")]

        def ask_plain(query: str) -> list[bytes]:
            ids: list[str | None] = [rows[key] for key in keys] if query == "Q1" else [None]
            return [graphql("/graphql/", DOCUMENTS[query], {"id": it} if it else None) for it in ids]

        def ask_homeroom(query: str) -> list[bytes]:
            token = installation.token()
            ids: list[str | None] = [own[key] for key in keys] if query == "Q1" else [None]
            return [graphql("/graphql", DOCUMENTS[query], {"id": it} if it else None, token) for it in ids]

        yield [
            Contestant(limit, ask_limit, REPEATS),
            Contestant(homeroom, ask_homeroom, REPEATS),
            Contestant(plain, ask_plain, PLAIN_REPEATS),
        ]


def _asked(installation: Installation, query: str) -> bytes:
    return graphql("/graphql", DOCUMENTS[query], None, installation.token())


def known(port: int, request: bytes) -> dict[str, str]:
    """What one server calls each student, by the state's identifier, which all servers share."""
    with line(port) as connection:
        return answers.ids(connection.ask(request).body())


def compare(three: Sequence[Contestant]) -> dict[str, tuple[int, int]]:
    """The fields and bytes of Homeroom's answer to each query. Raises: UnexpectedAnswerError if two answers differ."""
    sizes = {}
    for query in DOCUMENTS:
        bodies = {one.name: one.body(query) for one in three}
        wanted = answers.content(bodies[LIMIT])
        for name, body in bodies.items():
            where = answers.difference(wanted, answers.content(body))
            if where:
                raise answers.UnexpectedAnswerError(f"{query}: {LIMIT} and {name} answer differently: {where}.")
        sizes[query] = answers.fields(bodies[HOMEROOM]), len(bodies[HOMEROOM])
    return sizes


def measure(three: Sequence[Contestant], rounds: int, say: Callable[[str], None]) -> None:
    """Interleaved rounds of every query on every server, then one look-up after another on many connections."""
    for one in three:
        for query, times in WARM_UPS.items():
            if one.name != PLAIN or query != "Q4":  # the comparison has asked it already
                _ask(one, query, times)
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for query in DOCUMENTS:
            for one in three:
                if one.name != PLAIN or sum(one.seconds[query]) < PLAIN_SECONDS:
                    one.seconds[query] += _ask(one, query, one.repeats[query])
    say(f"{AT_ONCE} connections")
    for one in three:
        one.per_second = throughput(one.server.port, one.ask("Q1"), at_once=AT_ONCE, seconds=SECONDS_OF_LOAD)


def _ask(one: Contestant, query: str, times: int) -> list[float]:
    requests = one.ask(query)
    connection = Line(one.server.port)
    try:
        return [connection.timed(requests[number % len(requests)]) for number in range(times)]
    finally:
        connection.close()


def table(database: str, three: Sequence[Contestant], sizes: Mapping[str, tuple[int, int]]) -> Table:
    """What was measured on one database."""
    limit, homeroom, plain = three
    shown = Table(title=f"{database}: medians in milliseconds, one server process each", title_justify="left")
    for heading in ("query", "fields", "MB"):
        shown.add_column(heading, justify="left" if heading == "query" else "right")
    for heading in (LIMIT, HOMEROOM, PLAIN, "Homeroom / limit", "plain / Homeroom"):
        shown.add_column(heading, justify="right")
    for query, title in TITLES.items():
        low, ours, high = (one.milliseconds(query) for one in three)
        count, size = sizes[query]
        shown.add_row(
            f"{query} {title}",
            f"{count:,}",
            f"{size / 1e6:.2f}",
            *(f"{value:,.2f}" if value < 100 else f"{value:,.0f}" for value in (low, ours, high)),
            f"{ours / low:.2f} ×",
            f"{high / ours:.1f} ×",
        )
    shown.add_section()
    shown.add_row(
        f"Q1 answers per second, {AT_ONCE} connections",
        "",
        "",
        *(f"{one.per_second:,.0f}" for one in three),
        f"{limit.per_second / homeroom.per_second:.2f} ×",
        f"{homeroom.per_second / plain.per_second:.1f} ×",
    )
    shown.add_row("peak memory, MB", "", "", *(f"{one.server.peak_megabytes():,.0f}" for one in three), "", "")
    return shown


@contextlib.contextmanager
def database_url(kind: str) -> Iterator[str | None]:
    """Where the space shall be kept: None for a file of the installation's own, else a fresh PostgreSQL database."""
    if kind == "sqlite":
        yield None
        return
    started: contextlib.AbstractContextManager[Server] = server(durable=True, settings={"shared_buffers": "512MB"})
    with started as postgres:
        yield postgres.fresh()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--students", type=click.IntRange(100, 10_000), default=10_000, show_default=True, help="How many students."
)
@click.option("--rounds", type=click.IntRange(1, 50), default=5, show_default=True, help="How many interleaved rounds.")
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql", "both"]),
    default="both",
    show_default=True,
    help="Which databases.",
)
@click.option(
    "--profile",
    "profiled",
    type=click.Choice(list(DOCUMENTS)),
    help="Instead of timing, say where Homeroom's time goes in one query.",
)
@click.option("--flood", is_flag=True, help="Instead of timing queries, measure what one client's flood costs another.")
@click.option(
    "--federation", is_flag=True, help="Instead, measure `federate` beside other gateways of federated graphs."
)
@click.option(
    "--console",
    "console_entries",
    is_flag=False,
    flag_value=1_000_000,
    type=click.IntRange(0),
    default=0,
    help="Instead, time the console's pages, with a ledger of so many entries; a million if no number is given.",
)
def main(
    students: int,
    rounds: int,
    database: str,
    profiled: str | None,
    flood: bool,
    federation: bool,
    console_entries: int,
) -> None:
    """Time Homeroom beside hand-written SQL and beside an ordinary GraphQL server, on a generated district."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end with us
    console = Console(width=None if Console().is_terminal else 160)
    if console_entries:
        pages.measure(console, console_entries)
        return
    try:
        if federation:
            with tempfile.TemporaryDirectory(prefix="homeroom-bench-") as temporary:
                federating.measure(Path(temporary), console, rounds)
            return
        _run(
            console,
            students,
            rounds,
            ("sqlite", "postgresql") if database == "both" else (database,),
            profiled,
            flood=flood,
        )
    except FAILURES as error:
        raise click.ClickException(str(error)) from None


def _run(
    console: Console, students: int, rounds: int, kinds: Sequence[str], profiled: str | None, *, flood: bool
) -> None:
    with tempfile.TemporaryDirectory(prefix="homeroom-bench-") as temporary:
        folder = Path(temporary)
        begin = time.monotonic()
        roster = generate_district(
            folder / "roster",
            profile=PROFILES[0],
            form="oneroster",
            students=students,
            seed=SEED,
            today=datetime.now(UTC).date(),
            years=1,
            sections=max(students // 20, 100),
            enrollments=6,
            grades=2,
            complete=True,
        )
        console.print(f"Generated {students:,} students in {time.monotonic() - begin:.0f} s.")
        for kind in kinds:
            with database_url(kind) as url:
                begin = time.monotonic()
                home = folder / kind
                installation = install(home, roster.path, url)
                console.print(f"{kind}: imported in {time.monotonic() - begin:.0f} s.")
                if profiled:
                    profile(installation, profiled, home, console)
                    continue
                if flood:
                    flooding.measure(installation, home, console, rounds)
                    continue
                with contestants(installation, home) as three, console.status("comparing the answers") as status:
                    sizes = compare(three)
                    measure(three, rounds, status.update)
                    shown = table(kind, three, sizes)
                console.print(shown)
                console.print(installation.run("disclosures", "verify", SPACE).strip())
