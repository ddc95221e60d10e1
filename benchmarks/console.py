"""`./run bench --console`: how long the console's pages take, with 60 vendors and a ledger of a million entries.

One district of 1,200 students; each vendor has a grant to 100 fields. The entries lie over the last 300 days: most are
of one class, each twentieth of all students. They are linked into a chain as a server links them, the summary is made
as a server makes it, and then each page is asked for in this process, without a network.
"""

import asyncio
import random
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
from pyroaring import BitMap
from rich.console import Console
from rich.table import Table

from app.console.desk import Desk, open_desk
from app.console.door import SESSION, cookie
from app.console.routes import routes
from app.importers.roster import import_roster
from app.importers.sandbox.generate import generate_district
from app.importers.sandbox.profile import PROFILES
from app.installing import add_space, create
from app.ledger.checkpoints import Checkpoints
from app.ledger.earlier import lay_out
from app.ledger.entry import Entry, Kind, Receipt, Whose, beginning, chain, prepare
from app.ledger.sqlite import INSERT
from app.ledger.summary import fold
from app.names import ClientId, Scope, SpaceId
from app.oauth.clients import add_client
from app.officers.accounts import add_officer, list_officers
from app.officers.sessions import begin
from app.opening import open_installation, space_secret
from app.requests.form import Form
from app.requests.store import ask
from app.schema.catalogue import CATALOGUE, SCOPES
from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.web.site import site

SPACE = SpaceId("tx/bench")
VENDORS, FIELDS, STUDENTS, DAYS = 60, 100, 1_200, 300
ZONE = "America/Chicago"
SEED = 20261124
REPEATS = 9
BATCH = 10_000

GRANT = """\
client     = "{client}"
purpose    = "instruction"
statement  = "A product of the bench."
basis      = "school-official"
not_before = {first}
not_after  = {last}
review_by  = {last}

[agreement]
title    = "NDPA v1"
signed   = 2026-01-01
schedule = {schedule}

[fields]
{fields}

[[approval]]
by     = "a@bench.example"
role   = "steward"
at     = {first}T00:00:00Z
covers = {covers}

[[approval]]
by     = "b@bench.example"
role   = "privacy-officer"
at     = {first}T00:00:00Z
covers = {covers}
"""


def measure(console: Console, entries: int) -> None:
    """Make the district, and time the pages."""
    with tempfile.TemporaryDirectory(prefix="homeroom-bench-") as temporary:
        asyncio.run(_measure(console, Path(temporary), entries))


async def _measure(console: Console, folder: Path, entries: int) -> None:
    settings = await made(folder)
    began = time.monotonic()
    recorded(settings, entries)
    console.print(f"{entries:,} entries linked in {time.monotonic() - began:.0f} s")
    engine = open_engine(settings.database_url(settings.spaces[SPACE].ledger), durable=False)
    began = time.monotonic()
    while await fold(engine, ZoneInfo(ZONE)) or await lay_out(engine):
        pass
    console.print(f"summed up in {time.monotonic() - began:.0f} s")
    await engine.dispose()
    async with open_installation(settings) as rooms, open_desk(rooms) as desk:
        await timed(console, desk, student_of(settings))


async def made(folder: Path) -> Settings:
    """An installation with one district, its roster, its vendors and their grants."""
    settings = await add_space(create(folder / "home"), SPACE, "Bench ISD", ZONE)
    today = datetime.now(UTC).date()
    roster = generate_district(
        folder / "roster", profile=PROFILES[0], form="oneroster", students=STUDENTS, seed=SEED, today=today
    )
    records = open_engine(settings.database_url(settings.spaces[SPACE].database), durable=False)
    await import_roster(records, roster.path, today=today, secret=space_secret(settings, SPACE))
    await records.dispose()
    control = open_engine(settings.database_url(settings.control))
    await migrate(control, "control")
    grants = settings.policies_folder / SPACE / "grants"
    grants.mkdir()
    granted = [*CATALOGUE][:FIELDS]
    types: dict[str, list[str]] = {}
    for coordinate in granted:
        types.setdefault(coordinate.partition(".")[0], []).append(f'"{coordinate.partition(".")[2]}"')
    fields = "\n".join(f"{name} = [{', '.join(names)}]" for name, names in types.items())
    schedule = str(sorted({fact.category for fact in CATALOGUE.values()}))
    first, last = today - timedelta(days=DAYS), today + timedelta(days=60)
    for client in vendors():
        await add_client(control, client, scopes=map(Scope, SCOPES), now=0)
        covers = str([str(coordinate) for coordinate in granted])
        text = GRANT.format(client=client, first=first, last=last, fields=fields, covers=covers, schedule=schedule)
        (grants / f"{client}.toml").write_text(text, encoding="utf-8")
    await control.dispose()
    return settings


def vendors() -> list[str]:
    """The vendors' ids."""
    return [f"vendor-{number:02}" for number in range(VENDORS)]


def recorded(settings: Settings, entries: int) -> None:
    """Fill the ledger, entry by entry in the order of their days."""
    file = settings.home / settings.spaces[SPACE].ledger.removeprefix("sqlite:///")
    head = beginning(SPACE)
    checkpoints = Checkpoints.of(settings, SPACE)
    checkpoints.append(head)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous=OFF")
        batch: list[Entry] = []
        for entry in invented(entries):
            batch.append(entry)
            if len(batch) == BATCH:
                head = _insert(database, head, batch)
                batch.clear()
        if batch:
            head = _insert(database, head, batch)
    checkpoints.append(head)


def _insert(database: sqlite3.Connection, head: Receipt, batch: list[Entry]) -> Receipt:
    receipts, rows = chain(head, map(prepare, batch))
    database.execute("BEGIN")
    database.executemany(INSERT, rows)
    database.execute("COMMIT")
    return receipts[-1]


def invented(entries: int) -> Iterator[Entry]:
    """Entries over the last days, in their order."""
    drawn = random.Random(SEED)
    now = datetime.now(UTC)
    granted = [*CATALOGUE][:FIELDS]
    sets = {client: [tuple(drawn.sample(granted, 12)) for _ in range(3)] for client in vendors()}
    classes = [drawn.sample(range(1, STUDENTS + 1), 25) for _ in range(60)]
    everybody = BitMap(range(1, STUDENTS + 1))
    for number in range(entries):
        client = drawn.choice(vendors())
        students = everybody if number % 20 == 0 else BitMap(drawn.choice(classes))
        whose = Whose(drawn.choice(sets[client]), students, len(students))
        yield Entry(
            kind=Kind.ANSWER,
            at=now - timedelta(seconds=DAYS * 86_400 * (1 - number / entries)),
            request=uuid4().hex,
            client=client,
            purpose="instruction",
            basis="school-official",
            revision="a" * 64,
            operation="Roster",
            digest="d" * 64,
            disclosed=(whose,),
        )


def student_of(settings: Settings) -> str:
    """One student's key."""
    file = settings.home / settings.spaces[SPACE].database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as database:
        return str(database.execute("SELECT source_key FROM student WHERE row = 600").fetchone()[0])


async def timed(console: Console, desk: Desk, student: str) -> None:
    """Ask for each page several times; the first time is told apart."""
    now = time.time()
    limits = desk.rooms.settings.console
    control, email = desk.rooms.control, "o@bench.example"
    await add_officer(control, SPACE, email, "steward", secrets.token_hex(), now=now)
    (officer,) = await list_officers(control, SPACE)
    token = await begin(control, SPACE, email, officer.role, officer=officer.number, now=now, limits=limits)
    cookies = {cookie(desk, SESSION): desk.seal.seal(SESSION, token)}
    asked = Form(purpose="instruction", remove=tuple(sorted([*CATALOGUE][:3])), statement="A request of the bench.")
    request = await ask(control, SPACE, ClientId("vendor-07"), asked, now=desk.now())
    pages = (
        "/console",
        "/console/matrix",
        "/console/matrix.csv",
        "/console/matrix/vendor-07/instruction/Student.firstName",
        "/console/vendors/vendor-07",
        "/console/requests",
        f"/console/requests/{request.number}",
        "/console/preview?vendor=vendor-07&purpose=instruction",
        "/console/disclosures",
        "/console/disclosures?vendor=vendor-07&field=Student.firstName",
        f"/console/disclosures?student={student}",
        f"/console/students/{student}",
        "/console/opt-outs",
        "/console/policy",
    )
    table = Table("page", "first, ms", "median, ms", "CPU, ms", "bytes")
    transport = httpx.ASGITransport(site(routes(desk)))
    async with httpx.AsyncClient(transport=transport, base_url=desk.rooms.settings.issuer, cookies=cookies) as browser:
        for page in pages:
            took, worked = [], []
            for _ in range(REPEATS):
                began, busy = time.perf_counter(), time.process_time()
                answer = await browser.get(page)
                took.append((time.perf_counter() - began) * 1_000)
                worked.append((time.process_time() - busy) * 1_000)
                answer.raise_for_status()
            times = (took[0], median(took[1:]), median(worked[1:]))
            table.add_row(page, *(f"{one:.0f}" for one in times), f"{len(answer.content):,}")
    console.print(table)
