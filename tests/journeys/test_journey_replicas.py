"""Two replicas on one PostgreSQL: what one takes back the other refuses; an abrupt end gives no wrong answer.

Each replica has a home of its own: the same configuration and keys, its own copy of the policies and its own
checkpoints. The PostgreSQL server is the module's alone, for it is restarted.
"""

import asyncio
import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
import requests
from requests.auth import HTTPBasicAuth

from app.ledger.entry import Entry, Kind
from app.ledger.reading import Filters, entries
from app.names import SpaceId
from app.schema.catalogue import SCOPES
from app.storage.engines import open_engine
from tests import postgres as postgresql
from tests import worlds
from tests.journeys.served import Home, Server, Vendor, granting, ready, served, until, verdict, world_installed
from tests.traffic.redis import BINARIES, Store, store

SPACE = str(worlds.SPACE)
ONE = "query One { schools { nodes { nameOfInstitution } } }"
ALL = "query All { students(first: 100) { nodes { id firstName lastSurname sectionEnrollments { beginDate } } } }"
FIELDS = {
    "School": "nameOfInstitution",
    "Student": "firstName lastSurname sectionEnrollments",
    "SectionEnrollment": "beginDate",
}


@pytest.fixture(scope="module")
def database() -> Iterator[postgresql.Server]:
    """A PostgreSQL server of the module's own."""
    try:
        postgresql.binaries()
    except postgresql.NotInstalledError as error:
        pytest.skip(f"{error} Install it (on Debian: apt-get install postgresql) to run these tests.")
    with postgresql.server(durable=True) as server:
        yield server


@pytest.fixture(scope="module")
def counted() -> Iterator[Store | None]:
    """The store in which both count requests, if there is one here."""
    if not any(map(shutil.which, BINARIES)):
        yield None
        return
    with store() as made:
        yield made


@pytest.fixture(scope="module")
def homes(
    tmp_path_factory: pytest.TempPathFactory, database: postgresql.Server, counted: Store | None
) -> tuple[Home, Home, Vendor]:
    """Two homes over one control database, one space, one ledger, one store; and a vendor."""
    folder = tmp_path_factory.mktemp("replicas")
    first = Home(folder / "first", database)
    vendor = world_installed(first, chunk=2, store=counted.url if counted else "memory")
    first.grant(SPACE, "readwell", granting("readwell", FIELDS))
    shutil.copytree(first.folder, folder / "second")
    return first, Home(folder / "second", database), vendor


@pytest.fixture(scope="module")
def replicas(homes: tuple[Home, Home, Vendor]) -> Iterator[list[Server]]:
    """Both, serving. A test that ends one puts another in its place."""
    with ExitStack() as running:
        yield [running.enter_context(served(home)) for home in homes[:2]]


@pytest.fixture(scope="module")
def vendor(homes: tuple[Home, Home, Vendor]) -> Vendor:
    return homes[2]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one question: no status if it broke off, or nobody listened."""

    replica: int
    document: str
    status: int | None
    body: bytes = b""
    request: str = ""


@dataclass
class Load:
    """Vendors that ask both replicas without a pause, until they are told to stop."""

    replicas: list[Server]
    token: str
    vendor: Vendor
    asked: list[Asked] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        jobs = [(self._ask, number, text) for number in range(2) for text in (ONE, ALL)]
        self._threads = [threading.Thread(target=job, args=(number, text)) for job, number, text in jobs]
        self._threads.append(threading.Thread(target=self._fetch_tokens))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, more: int, *replicas: int) -> None:
        """Wait until these replicas have each given so many good answers more."""
        start = len(self.asked)
        for replica in replicas:
            until(lambda one=replica: sum(it.replica == one and it.status == 200 for it in self.asked[start:]) >= more)

    def _ask(self, number: int, document: str) -> None:
        with requests.Session() as session:
            session.headers["authorization"] = f"Bearer {self.token}"
            while not self._over.is_set():
                try:
                    url = f"{self.replicas[number].url}/graphql"
                    answer = session.post(url, json={"query": document}, timeout=60)
                    name = answer.headers["x-request-id"]
                    self.asked.append(Asked(number, document, answer.status_code, answer.content, name))
                except requests.RequestException:
                    self.asked.append(Asked(number, document, None))
                    time.sleep(0.02)

    def _fetch_tokens(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "resource": self.replicas[0].home.settings.resource(SpaceId(SPACE)),
            "scope": "school/read" if "school/read" in SCOPES else sorted(SCOPES)[0],
        }
        proof = HTTPBasicAuth(self.vendor.id, self.vendor.secret)
        while not self._over.is_set():
            answer = requests.post(f"{self.replicas[0].url}/oauth/token", data=form, auth=proof, timeout=60)
            self.tokens.append(answer.status_code)
            time.sleep(0.02)


def expected(server: Server, token: str) -> dict[str, bytes]:
    """The whole answers, before anything happens."""
    answers = {document: server.post(token, document).content for document in (ONE, ALL)}
    assert len(json.loads(answers[ALL])["data"]["students"]["nodes"]) == len(worlds.STUDENTS)
    return answers


def recorded(home: Home) -> list[Entry]:
    """Every entry of the ledger, oldest first."""

    async def read() -> list[Entry]:
        engine = open_engine(home.settings.database_url(home.settings.spaces[SPACE].ledger))
        try:
            return [it.entry async for it in entries(engine, Filters())][::-1]
        finally:
            await engine.dispose()

    return asyncio.run(read())


def check_whole_answers(load: Load, whole: dict[str, bytes], home: Home) -> None:
    """Every complete answer is the right one, and has its entry: whatever it names was recorded."""
    kinds: dict[str, list[Entry]] = {}
    for entry in recorded(home):
        kinds.setdefault(entry.request, []).append(entry)
    for asked in load.asked:
        if asked.status != 200:
            continue
        assert asked.body == whole[asked.document]
        entries_of = kinds[asked.request]
        if asked.document == ONE:
            assert [entry.kind for entry in entries_of] == [Kind.ANSWER]
        else:
            names = [entry.kind for entry in entries_of]
            assert sorted(names) == sorted([Kind.OPENING, *[Kind.CHUNK] * (len(names) - 2), Kind.CLOSING])
            students = set().union(*(set(it.students or ()) for entry in entries_of for it in entry.disclosed))
            assert len(students) == len(worlds.STUDENTS)


def verified(*homes: Home) -> None:
    """The chain is sound by the checkpoints of each machine."""
    for home in homes:
        found = verdict(home, SPACE)
        assert found.sound, found.findings
        assert found.checkpoints > 0


def test_a_token_that_one_replica_revoked_is_refused_by_the_other_within_a_second(
    replicas: list[Server], vendor: Vendor
) -> None:
    first, second = replicas
    waits = []
    for one, other in ((first, second), (second, first)):
        token = one.token(vendor, SPACE)
        assert other.post(token, ONE).status_code == 200
        revoked = requests.post(
            f"{one.url}/oauth/revoke",
            data={"token": token},
            auth=HTTPBasicAuth(vendor.id, vendor.secret),
            timeout=60,
        )
        assert revoked.status_code == 200
        began = time.monotonic()
        until(lambda at=other, by=token: at.post(by, ONE).status_code == 401)
        waits.append(time.monotonic() - began)
    assert min(waits) < 1, waits


def test_requests_are_counted_together_and_a_store_that_is_down_refuses_nobody(
    replicas: list[Server], vendor: Vendor, counted: Store | None
) -> None:
    if counted is None:
        pytest.skip(f"None of {', '.join(BINARIES)} is installed (on Debian: apt-get install redis-server).")
    token = replicas[0].token(vendor, SPACE)

    def left(server: Server) -> int:
        answer = server.post(token, ONE)
        assert answer.status_code == 200
        return int(re.findall(r"r=(\d+)", answer.headers["ratelimit"])[0])

    rounds = [[left(server) for server in (*replicas, *replicas)] for _ in range(2)]
    # Each sees what was asked of the other; a minute may end in one of the rounds.
    assert any(told == sorted(set(told), reverse=True) for told in rounds), rounds
    counted.stop()
    assert all(left(server) for server in replicas)
    counted.start()


def test_a_replica_that_is_killed_loses_no_entry_and_gives_no_wrong_answer(
    replicas: list[Server], vendor: Vendor
) -> None:
    first, second = replicas
    token = first.token(vendor, SPACE)
    whole = expected(first, token)
    with Load(replicas, token, vendor) as load:
        load.wait_for(5, 0, 1)
        second.kill()
        load.wait_for(5, 0)
    assert all(it.status == 200 for it in load.asked if it.replica == 0)
    assert {it.status for it in load.asked if it.replica == 1} == {200, None}
    check_whole_answers(load, whole, first.home)
    verified(first.home, second.home)
    with served(second.home) as again:
        assert again.post(token, ALL).content == whole[ALL]
        again.stop()
    verified(first.home, second.home)


def test_a_restart_of_the_database_under_load_gives_only_503_meanwhile(
    homes: tuple[Home, Home, Vendor], replicas: list[Server], vendor: Vendor, database: postgresql.Server
) -> None:
    first = replicas[0]
    with served(homes[1]) as second:
        token = first.token(vendor, SPACE)
        whole = expected(first, token)
        pair = [first, second]
        with Load(pair, token, vendor) as load:
            load.wait_for(5, 0, 1)
            database.restart()
            for server in pair:
                until(lambda at=server: ready(at.url))
            settled = len(load.asked)
            load.wait_for(5, 0, 1)
        assert {it.status for it in load.asked if it.document == ONE} <= {200, 503}
        # A long answer that was under way breaks off; nobody can take it for the whole.
        assert {it.status for it in load.asked if it.document == ALL} <= {200, 503, None}
        assert 503 in {it.status for it in load.asked}
        assert set(load.tokens) <= {200, 503}
        assert {it.status for it in load.asked[settled + 4 :]} == {200}
        check_whole_answers(load, whole, first.home)
        second.stop()
    verified(*homes[:2])
