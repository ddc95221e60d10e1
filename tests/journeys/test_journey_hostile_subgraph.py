"""A subgraph that means harm: whatever it answers, no student leaves whom the space does not admit, and nothing breaks
but its own fields.
"""

import asyncio
import io
import json
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.cli.composing import Schema, compose
from app.errors import Unavailable
from app.ledger.report import of_student
from app.schema.build import sdl
from app.schema.catalogue import SCOPES
from app.storage.engines import open_engine
from app.telemetry.metrics import exposition
from tests import worlds
from tests.federation.lms.composed import supergraph
from tests.journeys.test_journey_subgraphs import ELM, GRANTS, MAY, REMOTE
from tests.journeys.world import Asked, granting, opened

pytestmark = pytest.mark.anyio

STUDENTS = "{ students { nodes { firstName homepage submissions { title } } } }"
SUBMISSIONS = "{ submissions { title student { firstName } } }"
POINTS = "submissions { title points student { firstName } }"
CANARY = "078-05-1120"


@dataclass
class Hostile:
    """A subgraph that answers what a test says."""

    url: str = ""
    answer: Callable[[Any], bytes] = lambda _asked: b""
    heard: list[Any] = field(default_factory=list)

    def says(self, data: Any, **more: Any) -> None:
        """Answer every request so."""
        body = data if isinstance(data, bytes) else json.dumps({"data": data, **more}).encode()
        self.answer = lambda _asked: body


@asynccontextmanager
async def serving(hostile: Hostile) -> AsyncIterator[None]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                asked = json.loads(await reader.readexactly(length))
                hostile.heard.append(asked)
                body = hostile.answer(asked)
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    hostile.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    yield
    server.close()


@dataclass
class Here:
    asked: Asked
    lms: Hostile


@pytest.fixture(scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    hostile = Hostile()
    async with (
        serving(hostile),
        opened(
            tmp_path_factory.mktemp("hostile") / "home",
            GRANTS,
            databases={worlds.SPACE: None},
            scopes=dict.fromkeys(GRANTS, frozenset(SCOPES) | REMOTE),
            settings={"supergraph": str(supergraph())},
            endpoints={"lms": hostile.url},
            rule=MAY,
        ) as asked,
    ):
        yield Here(asked, hostile)


GUS = {"sourceKey": "gus"}  # of another school: no grant of `elm-only` reaches him


@pytest.mark.parametrize(
    "submission",
    [
        {"title": CANARY, "student": {**GUS, "__row": worlds.ANA}},
        {"title": CANARY, "student": {"__row": worlds.ANA}},
        {"title": CANARY, "student": {**GUS, "__typename": "Nobody"}},
        {"title": CANARY, "student": {**GUS, "__typename": "School"}},
        {"title": CANARY, "student": GUS, "__typename": "Nobody"},
        {"title": CANARY, "student": [{"sourceKey": "ana"}, GUS]},
        {"title": CANARY, "student": {"sourceKey": {"in": ["ana"]}}},
        {"title": CANARY, "student": {"sourceKey": "gus\u0000"}},
        {"title": CANARY, "student": {"sourceKey": 10**30}},
        {"title": CANARY, "student": None},
        {"title": CANARY},
    ],
    ids=str,
)
@pytest.mark.parametrize("query", [SUBMISSIONS, "{ submissions { title } }"])
async def test_threat_35_no_answer_of_a_subgraph_lets_a_student_in(here: Here, query: str, submission: Any) -> None:
    here.lms.says({"submissions": [submission, {"title": "Essay", "student": {"sourceKey": "ana"}}]})
    answer = await here.asked.ask("elm-only", query)
    assert [one["title"] for one in answer["data"]["submissions"]] == ["Essay"]
    assert CANARY not in json.dumps(answer)


async def test_threat_35_a_subgraph_tells_nothing_that_it_was_not_asked_for(here: Here) -> None:
    forged = {"sourceKey": "ana", "firstName": CANARY, "birthDate": CANARY}
    here.lms.says({"submissions": [{"title": "Essay", "student": forged}]})
    assert (await here.asked.data("elm-only", SUBMISSIONS))["submissions"][0]["student"] == {"firstName": "Ana"}
    told = {"homepage": "h", "firstName": CANARY, "__row": worlds.GUS, "submissions": []}
    here.lms.says({"_entities": [told, told]})
    nodes = (await here.asked.data("elm-only", STUDENTS))["students"]["nodes"]
    assert {one["firstName"] for one in nodes} == {"Ana", "Max"}
    settings = here.asked.rooms.settings
    engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].ledger))
    try:
        assert not list(await of_student(engine, worlds.GUS))
    finally:
        await engine.dispose()


def submissions(value: bytes, title: bytes = b'"Essay"') -> bytes:
    """An answer with some JSON as a submission's points, or instead of its title."""
    one = b'{"title":%b,"points":%b,"student":{"sourceKey":"ana"}}' % (title, value)
    return b'{"data":{"submissions":[%b]}}' % one


@pytest.mark.parametrize(
    "body",
    [
        submissions(b"NaN"),
        submissions(b"1e999"),
        submissions(b"9" * 400),
        submissions(b"9" * 5_000),
        submissions(b"1", b'"\xff\xfe"'),
        submissions(b"1", b'"\\ud800"'),
        submissions(b"[" * 900 + b"]" * 900),
        submissions(b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
        b'{"data":{"submissions":' + b"[" * 900 + b"]" * 900 + b"}}",
        b'{"data":{"submissions":' + b'[{"student":' * 900 + b"1" + b"}]" * 900 + b"}}",
        b'{"data":{"submissions":"x"}}',
        b'{"data":[]}',
        b'{"data":{"submissions":[]},"errors":["x"]}',
        b"",
    ],
    ids=lambda body: repr(body[:60]),
)
async def test_threat_35_whatever_a_subgraph_answers_its_own_fields_alone_are_null(here: Here, body: bytes) -> None:
    here.lms.says(body)
    answer = await here.asked.ask("elm-only", f"{{ {POINTS} students {{ nodes {{ firstName }} }} }}")
    assert answer["data"]["students"] == {"nodes": [{"firstName": "Ana"}, {"firstName": "Max"}]}
    assert {one["extensions"]["code"] for one in answer.get("errors", ())} <= {"SUBGRAPH_FAILED"}
    found = answer["data"]["submissions"] or []
    assert all(one["title"] in {"Essay", None} and one["points"] is None for one in found)


async def test_threat_35_of_keys_that_stand_twice_the_last_counts_everywhere(here: Here) -> None:
    here.lms.says(
        b'{"data":{"submissions":[{"title":"a","student":{"sourceKey":"ana"},"student":{"sourceKey":"gus"}}]}}'
    )
    assert (await here.asked.data("elm-only", SUBMISSIONS))["submissions"] == []


async def test_threat_35_a_subgraphs_errors_tell_neither_text_nor_number(here: Here, log: io.StringIO) -> None:
    number = 78051120
    told = [
        {"message": CANARY, "path": ["submissions", number, CANARY], "extensions": {"code": CANARY, CANARY: CANARY}},
        {"message": CANARY, "path": ["submissions", 1, "title"], "locations": [{"line": number, "column": number}]},
        {"message": CANARY, "path": [CANARY, {"x": CANARY}]},
        {"message": CANARY, "path": CANARY},
    ]
    here.lms.says({"submissions": [{"title": None, "student": GUS}]}, errors=told * 500)
    answer = await here.asked.ask("elm-only", SUBMISSIONS)
    assert CANARY not in json.dumps(answer)
    assert str(number) not in json.dumps(answer)
    assert [one.get("path") for one in answer["errors"]] == [["submissions"], None]
    for body in (f'{{"data": "{CANARY}"', f"<p>{CANARY}</p>", f'{{"data": {{"submissions": "{CANARY}"}}}}'):
        here.lms.says(body.encode())
        assert CANARY not in json.dumps(await here.asked.ask("elm-only", SUBMISSIONS))
    for told_of in (log.getvalue(), exposition("")[0].decode()):
        assert CANARY not in told_of
        assert str(number) not in told_of


LMS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@requiresScopes", "@tag"])
type Query { submissions: [Submission!] SAID }
type Student @key(fields: "sourceKey") { sourceKey: String! submissions: [Submission!] SAID }
type Submission @key(fields: "id") @tag(name: "student/student") {
  id: ID!
  student: Student! SAID
  title: String! SAID
  attachments: [Attachment!] SAID
}
type Attachment @key(fields: "id") @tag(name: "student/submission/student") {
  id: ID!
  submission: Submission! SAID
}
"""
FILES = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@requiresScopes", "@tag"])
type Query { files: Int SAID }
type Student @key(fields: "sourceKey") { sourceKey: String! badge: String SAID }
type Submission @key(fields: "id") @tag(name: "student/student") { id: ID! likeness: Float SAID }
type Attachment @key(fields: "id") @tag(name: "student/submission/student") { id: ID! size: Int SAID }
"""
SAID = (
    '@requiresScopes(scopes: [["lms/submissions.read"]]) @tag(name: "category/Student_work") '
    '@tag(name: "sensitivity/pii")'
)
TOLD = {
    "Student": "firstName submissions badge",
    "Submission": "title student attachments likeness",
    "Attachment": "submission size",
    "Query": "submissions",
}


@pytest.fixture(scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Asked, Hostile, Hostile]]:
    """A subgraph that names students of whatever school, and another that is told of what it named."""
    schemas = [Schema("lms", "", LMS.replace("SAID", SAID)), Schema("files", "", FILES.replace("SAID", SAID))]
    try:
        made = compose([Schema("core", "", sdl()), *schemas])
    except Unavailable as error:
        pytest.skip(error.message)
    file = tmp_path_factory.mktemp("composed") / "supergraph.graphql"
    file.write_text(made, encoding="utf-8")
    lms, files = Hostile(), Hostile()
    async with (
        serving(lms),
        serving(files),
        opened(
            tmp_path_factory.mktemp("two") / "home",
            {"elm-only": granting("elm-only", TOLD, ELM)},
            databases={worlds.SPACE: None},
            scopes={"elm-only": frozenset(SCOPES) | REMOTE},
            settings={"supergraph": str(file)},
            endpoints={"lms": lms.url, "files": files.url},
            rule=MAY + MAY.replace("lms", "files"),
        ) as asked,
    ):
        yield asked, lms, files


def submission(key: str) -> dict[str, Any]:
    inner = {"id": f"file-{key}", "submission": {"id": f"sub-{key}", "student": {"sourceKey": key}}}
    return {"id": f"sub-{key}", "title": f"of {key}", "student": {"sourceKey": key}, "attachments": [inner]}


def badged(asked: Any) -> bytes:
    """All that is wanted of whatever is told of."""
    known = {"badge": "b", "likeness": 0.5, "size": 7, **submission("gus"), "submissions": [submission("gus")]}
    found = re.findall(r"(?:(\w+): )?_entities\(\w+: \$(\w+)\)", asked["query"])
    aliases = {name: alias or "_entities" for alias, name in found}
    told = {aliases[name]: [known] * len(told) for name, told in asked["variables"].items()}
    return json.dumps({"data": told}).encode()


@pytest.mark.parametrize(
    "query",
    [
        "{ submissions { title student { firstName badge } } }",
        "{ submissions { likeness } }",
        "{ submissions { title likeness student { badge } attachments { size } } }",
        "{ submissions { attachments { size } } }",
        "{ submissions { attachments { size submission { likeness student { badge } } } } }",
    ],
)
async def test_threat_35_a_subgraph_is_told_of_nobody_whom_another_named_and_the_space_did_not_admit(
    two: tuple[Asked, Hostile, Hostile], query: str
) -> None:
    asked, lms, files = two
    files.heard.clear()
    lms.says({"submissions": [submission(key) for key in ("gus", "ana", "nobody")]})
    files.answer = badged
    answer = await asked.ask("elm-only", query)
    assert len(answer["data"]["submissions"]) == 1
    assert files.heard
    told = json.dumps(files.heard)
    assert "ana" in told
    assert "gus" not in told
    assert "nobody" not in told


@pytest.mark.parametrize("rule", ["", '\n[opt_out]\nvendors = "withhold-fields"\n'], ids=["absent", "emptied"])
async def test_threat_35_of_a_student_who_opted_out_no_subgraph_is_told_and_nothing_it_tells_leaves(
    tmp_path: Path, rule: str
) -> None:
    hostile = Hostile()
    async with (
        serving(hostile),
        opened(
            tmp_path / "home",
            {"elm-only": GRANTS["elm-only"]},
            databases={worlds.SPACE: None},
            scopes={"elm-only": frozenset(SCOPES) | REMOTE},
            settings={"supergraph": str(supergraph())},
            endpoints={"lms": hostile.url},
            rule=MAY + rule,
            opt_outs={worlds.MAX: ""},
        ) as asked,
    ):
        hostile.answer = lambda told: json.dumps(
            {"data": {"_entities": [{"homepage": "h", "submissions": []}] * len(told["variables"]["representations"])}}
        ).encode()
        answer = await asked.ask("elm-only", STUDENTS)
        nodes = [one for one in answer["data"]["students"]["nodes"] if one["firstName"] is not None]
        assert nodes == [{"firstName": "Ana", "homepage": "h", "submissions": []}]
        assert "max" not in json.dumps(hostile.heard)
        assert "Max" not in json.dumps(answer)
        for key in ("max", "ana"):
            hostile.says({"submissions": [{"title": CANARY, "student": {"sourceKey": key}}]})
            told = json.dumps(await asked.ask("elm-only", SUBMISSIONS))
            assert (CANARY in told) == (key == "ana")


def anything(dice: random.Random, depth: int = 0) -> Any:
    """Some JSON, of the words that such an answer is made of."""
    words = (
        "submissions",
        "title",
        "student",
        "sourceKey",
        "__row",
        "__typename",
        "firstName",
        "id",
        "data",
        "_entities",
    )
    values = ("gus", "ana", "max", "Student", "Submission", "", None, True, 0, -1, worlds.ANA, worlds.GUS, 2**63, 1.5)
    kind = dice.random()
    if depth > 6 or kind < 0.3:
        return dice.choice(values)
    if kind < 0.5:
        return [anything(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(words): anything(dice, depth + 1) for _ in range(dice.randrange(5))}


def bent(dice: random.Random) -> Any:
    """A good answer of which one part is something else."""
    good: Any = {"submissions": [{"title": key, "student": {"sourceKey": key}} for key in ("gus", "ana", "max")]}
    at = good
    while True:
        place = dice.choice([*at]) if isinstance(at, dict) else dice.randrange(len(at))
        if not isinstance(at[place], dict | list) or dice.random() < 0.3:
            break
        at = at[place]
    at[place] = anything(dice)
    if dice.random() < 0.5 and isinstance(at, dict):
        at[dice.choice(("__row", "__typename", "firstName"))] = anything(dice)
    return good


@pytest.mark.parametrize("seed", range(8))
async def test_threat_35_whatever_stands_in_an_answer_nobody_is_let_in_by_it(here: Here, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(40):
        here.lms.says(bent(dice) if dice.random() < 0.7 else {"submissions": anything(dice)})
        answer = await here.asked.ask("elm-only", f"{{ {POINTS} students {{ nodes {{ firstName }} }} }}")
        assert [one["firstName"] for one in answer["data"]["students"]["nodes"]] == ["Ana", "Max"]
        assert {one["extensions"]["code"] for one in answer.get("errors", ())} <= {"SUBGRAPH_FAILED"}
        for one in answer["data"]["submissions"] or ():
            assert one["student"]["firstName"] in {"Ana", "Max"}
