"""Three processes answer one question under a grant: a gateway, a learning registry, and a school's gradebook.

Each runs as an operator would run it: `homeroom serve`, `homeroom registry serve`, and an ASGI server for the
gradebook, composed by `homeroom compose`. The registry is reached over a wire that keeps every byte.
"""

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import update

from app.cli.composing import installed
from app.errors import Unavailable
from app.names import Scope
from app.schema.catalogue import SCOPES
from app.spaces.tables import BY_TYPE
from app.storage.engines import open_engine
from tests import worlds
from tests.conftest import ROOT
from tests.federation.lms.composed import GRADEBOOK
from tests.journeys.served import Home, Server, granting, served, until, world_installed
from tests.postgres import Server as Postgres

SPACE = str(worlds.SPACE)
REMOTE = frozenset(map(Scope, ("lms/submissions.read", "lms/profile.read", "lms/marks.read", "resource/catalog.read")))
SCED = "02005"
CATALOGUE = f"""\
url,name,gradeLevels,scedCodes,paradata.view
https://learn.example/fractions,Fractions on a line,5,{SCED},12
https://learn.example/ratios,Ratios at the market,5|6,{SCED},
https://learn.example/poems,"Poems to act, line by line",5,01005,7
"""
FIELDS = {
    "Student": "firstName homepage submissions sectionEnrollments",
    "Submission": "title points student",
    "SectionEnrollment": "section",
    "Section": "title course",
    "Course": "title learningResources",
    "LearningResource": "name url gradeLevels",
}
SEARCH = {"Query": "learningResources", "ResourceParadata": "action count"}
FEWER = {
    **FIELDS,
    "Student": "firstName submissions sectionEnrollments",
    "Submission": "title",
    "LearningResource": "name",
}
FOUND = FIELDS | SEARCH | {"LearningResource": f"{FIELDS['LearningResource']} paradata"}
ELM = 'schools = ["elm"]'
AT_ELM = {"Ana", "Leo", "Tess", "Max", "Nia"}
MAY = """
[subgraphs.lms]
may_receive = ["Student.sourceKey"]

[subgraphs.registry]
may_receive = ["Course.scedCode"]
"""
WHOLE = """query Whole { students { nodes {
  id firstName homepage
  submissions { id title points }
  sectionEnrollments { section { id title course { id title learningResources { id name url gradeLevels } } } }
} } }"""


LINES = """query Lines($after: String) { learningResources(search: "Lin", gradeLevel: "5", first: 1, after: $after) {
  nodes { name paradata { action count } } pageInfo { hasNextPage endCursor }
} }"""


@dataclass
class Gradebook:
    """The gradebook's process, which is killed and started again; and what each of its lives was asked."""

    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, str(GRADEBOOK), str(self.port)])
        until(self.listens, self.process)

    def listens(self) -> bool:
        try:
            return requests.get(self.url, timeout=5).status_code == 405
        except requests.RequestException:
            return False

    def asked(self) -> list[dict[str, Any]]:
        """What it was sent since it was started: headers, query and variables."""
        found: list[dict[str, Any]] = requests.get(self.url.replace("/graphql", "/asked"), timeout=20).json()
        return found

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)


@dataclass
class Wire:
    """What lies between the gateway and the registry; `sent` is every byte that went to the registry."""

    target: tuple[str, int]
    port: int = 0
    sent: bytearray = field(default_factory=bytearray)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @contextmanager
    def laid(self) -> Iterator["Wire"]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
            yield self

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:  # the wire is taken down
                return
            registry = socket.create_connection(self.target)
            for job in ((caller, registry, self.sent), (registry, caller, bytearray())):
                threading.Thread(target=self._carry, args=job, daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        with source, target:
            try:
                while piece := source.recv(65536):
                    kept += piece
                    target.sendall(piece)
            except OSError:  # one of the two hung up
                return


@pytest.fixture(scope="module")
def gradebook() -> Iterator[Gradebook]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        it = Gradebook(probe.getsockname()[1])
    it.start()
    try:
        yield it
    finally:
        it.kill()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """The registry's process with a small catalogue in it, and the wire to it."""
    home = Home(tmp_path_factory.mktemp("registry"))
    (home.folder / "catalogue.csv").write_text(CATALOGUE)
    assert "3 created" in home.ok("registry", "import", str(home.folder / "catalogue.csv"))
    log = home.folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(home.command("registry", "serve", "--port", "0"), cwd=ROOT, stderr=out)
    try:
        port = int(until(lambda: re.search(r"http://127\.0\.0\.1:(\d+)/", log.read_text()), process)[1])
        with Wire(("127.0.0.1", port)).laid() as wire:
            yield wire
    finally:
        process.terminate()
        assert process.wait(60) == 0, log.read_text()


@pytest.fixture(scope="module")
def supergraph(tmp_path_factory: pytest.TempPathFactory, gradebook: Gradebook, registry: Wire) -> Path:
    """What `homeroom compose` makes of the schemas that both tell of themselves."""
    try:
        installed()
    except Unavailable as error:
        pytest.skip(error.message)
    home = Home(tmp_path_factory.mktemp("composed"))
    home.ok("compose", f"lms={gradebook.url}", f"registry={registry.url}")
    return home.folder / "supergraph.graphql"


@dataclass(frozen=True)
class Three:
    """All three, running; and the tokens of two vendors, of whom one was granted less."""

    gateway: Server
    gradebook: Gradebook
    registry: Wire
    readwell: str
    shelfie: str


@pytest.fixture(scope="module")
def three(
    tmp_path_factory: pytest.TempPathFactory,
    store: Postgres | None,
    gradebook: Gradebook,
    registry: Wire,
    supergraph: Path,
) -> Iterator[Three]:
    home = Home(tmp_path_factory.mktemp("three") / "home", store)
    readwell = world_installed(home, scopes=frozenset(SCOPES) | REMOTE)
    asyncio.run(give_codes_to_courses(home))
    shutil.copy(supergraph, home.folder)
    config = home.config.read_text().replace("\nissuer ", '\nsupergraph = "supergraph.graphql"\nissuer ', 1)
    config += f'\n[spaces."{SPACE}".subgraphs]\nlms = {{ url = "{gradebook.url}" }}\n'
    config += f'registry = {{ url = "{registry.url}" }}\n'
    home.config.write_text(config)
    shelfie = home.vendor("shelfie", *sorted(REMOTE), *sorted(SCOPES))
    policy = home.folder / "policies" / SPACE / "district.toml"
    policy.write_text(policy.read_text() + MAY)
    home.grant(SPACE, "readwell", granting("readwell", FOUND, ELM))
    home.grant(SPACE, "shelfie", granting("shelfie", FEWER, ELM))
    with served(home, fresh=True) as gateway:
        yield Three(gateway, gradebook, registry, *(gateway.token(one, SPACE) for one in (readwell, shelfie)))
        gateway.stop()


async def give_codes_to_courses(home: Home) -> None:
    """Say of the courses in mathematics which they are in the catalogue of all courses."""
    engine = open_engine(home.settings.database_url(home.settings.spaces[SPACE].database))
    course = BY_TYPE["Course"]
    try:
        async with engine.begin() as connection:
            await connection.execute(update(course).where(course.c.subject == "Mathematics").values(sced_code=SCED))
    finally:
        await engine.dispose()


def students(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The students of an answer by their first names."""
    return {one["firstName"]: one for one in answer["data"]["students"]["nodes"]}


def test_fields_of_all_three_arrive_in_one_answer(three: Three) -> None:
    answer = three.gateway.ask(three.readwell, WHOLE)
    assert "errors" not in answer, answer["errors"]
    found = students(answer)
    assert set(found) == AT_ELM
    ana = found["Ana"]
    assert ana["homepage"] == "https://lms.example/ana"
    assert [(one["title"], one["points"]) for one in ana["submissions"]] == [("Essay 1", 4.0), ("Essay 2", 5.0)]
    resources = {
        one["section"]["title"]: one["section"]["course"]["learningResources"] for one in ana["sectionEnrollments"]
    }
    assert [(one["name"], one["url"], one["gradeLevels"]) for one in resources["Mathematics, morning group"]] == [
        ("Fractions on a line", "https://learn.example/fractions", ["05"]),
        ("Ratios at the market", "https://learn.example/ratios", ["05", "06"]),
    ]
    assert resources["English 5"] is None  # a course without a code is nothing that the registry could know


def test_resources_are_searched_and_paged_through_the_gateway(three: Three) -> None:
    def found(after: str | None) -> dict[str, Any]:
        answer = three.gateway.ask(three.readwell, LINES, after=after)
        assert "errors" not in answer, answer["errors"]
        page: dict[str, Any] = answer["data"]["learningResources"]
        return page

    first = found(None)
    second = found(first["pageInfo"]["endCursor"])
    assert [page["pageInfo"]["hasNextPage"] for page in (first, second)] == [True, False]
    told = {one["name"]: one["paradata"] for page in (first, second) for one in page["nodes"]}
    assert told == {
        "Fractions on a line": [{"action": "view", "count": 12}],
        "Poems to act, line by line": [{"action": "view", "count": 7}],
    }


def test_what_was_not_granted_is_neither_fetched_nor_told(three: Three) -> None:
    asked, sent = len(three.gradebook.asked()), len(three.registry.sent)
    answer = three.gateway.ask(three.shelfie, WHOLE)
    denied = {one["extensions"]["coordinate"] for one in answer["errors"]}
    assert denied == {"Student.homepage", "Submission.points", "LearningResource.url", "LearningResource.gradeLevels"}
    ana = students(answer)["Ana"]
    assert (ana["homepage"], ana["submissions"][0]["title"], ana["submissions"][0]["points"]) == (None, "Essay 1", None)
    assert b"example/" not in json.dumps(answer).encode()
    (told,) = three.gradebook.asked()[asked:]
    assert not re.search("homepage|points", told["query"])
    assert not re.search(rb"url|gradeLevels", body_of(three.registry.sent[sent:]))


def test_each_is_told_what_it_needs_and_never_whose_question_it_is(three: Three) -> None:
    asked, sent = len(three.gradebook.asked()), len(three.registry.sent)
    three.gateway.ask(three.readwell, WHOLE)
    (told,) = three.gradebook.asked()[asked:]
    keys = {one["sourceKey"] for one in told["variables"]["representations"]}
    assert keys == {name.lower() for name in AT_ELM}
    assert told["variables"] == {"representations": told["variables"]["representations"]}
    assert not {"authorization", "cookie", "x-request-id", "traceparent"} & set(told["headers"])
    wire = bytes(three.registry.sent[sent:])
    assert json.loads(body_of(wire))["variables"] == {"representations": [{"__typename": "Course", "scedCode": SCED}]}
    assert b"authorization" not in wire.lower()
    for token in (three.readwell, three.shelfie):
        assert token not in json.dumps(three.gradebook.asked())
        assert token.encode() not in three.registry.sent


def body_of(wire: bytes | bytearray) -> bytes:
    """The body of the one request that went over a wire."""
    head, _, body = bytes(wire).partition(b"\r\n\r\n")
    assert head.count(b"POST /graphql") == 1
    assert b"POST /graphql" not in body
    return body


def test_two_vendors_share_no_id_of_anything(three: Three) -> None:
    one, other = (ids(three.gateway.ask(token, WHOLE)["data"]) for token in (three.readwell, three.shelfie))
    assert {kind: len(found) for kind, found in one.items()} == {kind: len(found) for kind, found in other.items()}
    assert set(one) == {"nodes", "submissions", "section", "course", "learningResources"}
    assert not set().union(*one.values()) & set().union(*other.values())
    outside = json.dumps([three.gateway.ask(token, WHOLE) for token in (three.readwell, three.shelfie)])
    assert not re.search(r"sub-(ana|leo|tess|max|nia)", outside)  # the gradebook's own keys
    resource = requests.post(three.registry.url, json={"query": "{ learningResources { nodes { id } } }"}, timeout=20)
    for node in resource.json()["data"]["learningResources"]["nodes"]:
        assert node["id"] not in outside


def ids(tree: Any, kind: str = "") -> dict[str, set[str]]:
    """Every id of an answer, by the field that it stands in."""
    found: dict[str, set[str]] = {}
    if isinstance(tree, list):
        parts = [ids(one, kind) for one in tree]
    elif isinstance(tree, dict):
        parts = [ids(value, name) for name, value in tree.items()]
        if "id" in tree:
            found[kind] = {tree["id"]}
    else:
        return {}
    for part in parts:
        for name, several in part.items():
            found.setdefault(name, set()).update(several)
    return found


def test_a_gradebook_that_is_killed_takes_its_own_fields_along_and_brings_them_back(three: Three) -> None:
    whole = three.gateway.ask(three.readwell, WHOLE)
    without = json.loads(json.dumps(whole))
    for one in without["data"]["students"]["nodes"]:
        one |= {"homepage": None, "submissions": None}
    with Run(three.gateway, three.readwell) as run:
        run.until(5, lambda answer: answer == whole)
        known = three.gradebook.asked()
        three.gradebook.kill()
        run.until(1, lambda answer: "left alone" in json.dumps(answer))  # it has failed too often to be asked
        three.gradebook.start()
        run.until(5, lambda answer: answer == whole)
        known += three.gradebook.asked()
    failed = [answer for answer in run.answers if answer != whole]
    for answer in failed:
        assert answer["data"] == without["data"]
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "SUBGRAPH_FAILED", "subgraph": "lms"}
        assert error["path"] == ["students", "nodes"]
        assert error["message"].startswith("lms ")
    told = {key["sourceKey"] for one in known for key in (one["variables"] or {}).get("representations", ())}
    assert told == {name.lower() for name in AT_ELM}


@dataclass
class Run:
    """A vendor that asks again and again, on three connections, until it is told to stop."""

    gateway: Server
    token: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Run":
        self._threads = [threading.Thread(target=self._ask) for _ in range(3)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def until(self, many: int, condition: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until so many answers more are as said."""
        start = len(self.answers)
        until(lambda: sum(map(condition, self.answers[start:])) >= many, self.gateway.process)

    def _ask(self) -> None:
        with requests.Session() as session:
            session.headers["authorization"] = f"Bearer {self.token}"
            while not self._over.is_set():
                answer = session.post(f"{self.gateway.url}/graphql", json={"query": WHOLE}, timeout=60)
                self.answers.append(answer.json())
                self._over.wait(0.1)


def test_the_ledger_verifies_and_says_what_each_was_told(three: Three) -> None:
    three.gateway.ask(three.readwell, WHOLE.replace("Whole", "Recorded"))
    home = three.gateway.home
    told = [one for one in home.json("disclosures", "list", SPACE) if one["operation"] == "Recorded"]
    sent = {one["subgraph"]: one["disclosed"] for one in told if one["kind"] == "sent"}
    assert sent == {
        "lms": [{"coordinates": ["Student.sourceKey"], "students": len(AT_ELM), "records": len(AT_ELM)}],
        "registry": [{"coordinates": ["Course.scedCode"], "students": None, "records": 1}],
    }
    (answer,) = (one for one in told if one["kind"] == "answer")
    assert answer["sequence"] > max(one["sequence"] for one in told if one["kind"] == "sent")
    left = {coordinate for whose in answer["disclosed"] for coordinate in whose["coordinates"]}
    named = {f"{kind}.id" for kind in ("Student", "Submission", "Section", "Course", "LearningResource")}
    granted = {f"{kind}.{name}" for kind, names in FIELDS.items() for name in names.split()}
    assert left == granted - {"Submission.student"} | named, left ^ granted
    listed = home.ok("disclosures", "list", SPACE, "--limit", "4")
    assert f"{len(AT_ELM)} students  to lms:  Student.sourceKey" in listed
    assert "0 students  to registry:  Course.scedCode" in listed
    assert "is as it was recorded" in home.ok("disclosures", "verify", SPACE)
