"""Premises that lie or fail: a vendor is told of one error, or an answer breaks off, and nothing else happens."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app import gateway
from app.elsewhere import Premises
from app.errors import ConfigurationError, HomeroomError, RequestError, TooMany, Unauthenticated, Unavailable
from app.gateway import Request
from app.installation import Installation
from app.installing import create
from app.names import ClientId, Scope, SpaceId
from app.oauth.clients import State, add_client, set_state
from app.opening import open_installation
from app.passing_on import Passing
from app.settings import Settings, read_settings
from app.subgraphs.premises import ASK, MEDIA, PURPOSES, open_premises
from app.telemetry.trail import Trails

pytestmark = pytest.mark.anyio

SPACE = SpaceId("tx/grand-bend")
DATA = b'{"data":{"students":{"nodes":[{"firstName":"Ada"}]}}}'
Answers = Sequence[bytes | float]
"""What is sent, piece by piece; a number is a pause in seconds."""


class Liar:
    """What answers at the address of the premises, and what it was sent."""

    def __init__(self) -> None:
        self.answer: Callable[[], Answers] = lambda: [http(DATA)]
        self.heard: list[tuple[str, str, bytes]] = []
        self.at = ""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                self.heard.append((head.split()[1].decode(), head.decode("latin-1"), body))
                for piece in self.answer():
                    if isinstance(piece, bytes):
                        writer.write(piece)
                        await writer.drain()
                    else:
                        await asyncio.sleep(piece)
                if b"connection: close" in head or not self.keeps:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    keeps = True


def http(body: bytes, status: str = "200 OK", *headers: str, media: str = MEDIA, length: int | None = None) -> bytes:
    said = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"content-type: {media}", f"content-length: {said}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*pieces: bytes, end: bool = True) -> list[bytes]:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {MEDIA}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    return [head, *(b"%x\r\n%s\r\n" % (len(it), it) for it in pieces), *([b"0\r\n\r\n"] if end else [])]


def refused(code: str, **more: Any) -> bytes:
    return json.dumps({"errors": [{"message": "No.", "extensions": {"code": code, **more}}]}).encode()


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    liar = Liar()
    server = await asyncio.start_server(liar.connected, "127.0.0.1", 0)
    liar.at = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield liar
    server.close()


@pytest.fixture
async def rooms(liar: Liar, tmp_path: Path) -> AsyncIterator[Installation]:
    settings = create(tmp_path / "home")
    file = settings.home / "homeroom.toml"
    file.write_text(f'{file.read_text()}\n[premises."{SPACE}"]\nat = "{liar.at}"\nseconds = 0.5\nat_once = 4\n')
    async with open_installation(read_settings(file)) as rooms:
        await add_client(rooms.control, "readwell", scopes={Scope("student/name.read")}, now=time.time())
        await rooms.authorization.follow()
        yield rooms


async def ask(rooms: Installation, body: bytes = b'{"query":"{ __typename }"}') -> bytes:
    """The whole of an answer, to the byte."""
    answer = await asking(rooms, body)
    return answer if isinstance(answer, bytes) else b"".join([bytes(piece) async for piece in answer])


async def asking(rooms: Installation, body: bytes = b'{"query":"{ __typename }"}') -> Any:
    token = await rooms.authorization.mint("readwell", SPACE, purpose="instruction")
    request = Request(f"Bearer {token}", "{ __typename }", None, {}, Trails().begin([]), body)
    return (await gateway.answer(request, rooms)).body


async def test_what_premises_say_goes_on_as_it_is_and_of_a_vendor_they_are_told_a_statement_alone(
    liar: Liar, rooms: Installation
) -> None:
    assert await ask(rooms, b'{"query": "{a}" }') == DATA
    ((path, head, body),) = liar.heard
    assert (path, body) == ("/subgraph", b'{"query": "{a}" }')
    names = {line.partition(":")[0].lower() for line in head.split("\r\n")[1:] if line}
    assert names == {"host", "content-type", "accept", "accept-encoding", "authorization", "content-length"}
    token = await rooms.authorization.mint("readwell", SPACE, purpose="instruction")
    assert token.split(".")[0] not in head
    long = b'{"data":' + b'["' + b"x" * 2_000_000 + b'"]}'
    liar.answer = lambda: chunked(long[:3], long[3:9], long[9:])
    assert await ask(rooms) == long


NOT_AN_ANSWER = {
    "nothing": [b""],
    "no HTTP": [b"220 mail.example ESMTP\r\n"],
    "a page": [http(b"<html>", media="text/html")],
    "JSON that is no answer": [http(b'{"hello":1}')],
    "a list": [http(b"[]")],
    "half an object": [http(b'{"data":{"students":')],
    "two objects": [http(b'{"data":{}}{"data":{}}')],
    "levels without end": [http(b'{"data":' + b"[" * 100_000)],
    "no UTF-8": [http(b'{"data":"\xff\xfe"}')],
    "a member of its own": [http(b'{"data":{},"more":1}')],
    "data that begins late": [http(b' {"data":{}}')],
    "another media type": [http(DATA, media="application/json")],
    "compressed": [http(DATA, "200 OK", "content-encoding: gzip")],
    "without a length or an end": [f"HTTP/1.1 200 OK\r\ncontent-type: {MEDIA}\r\n\r\n".encode() + DATA],
    "fewer bytes than it says": [http(DATA[:10], length=len(DATA))],
    "a redirect": [http(b"", "302 Found", "location: http://127.0.0.1:1/")],
    "refused to the gateway": [http(refused("UNAUTHENTICATED"), "401 Unauthorized")],
    "a failure of its own": [http(refused("UNAVAILABLE"), "503 Service Unavailable")],
    "a refusal without a reason": [http(b'{"errors":[]}', "400 Bad Request")],
    "a refusal that is a page": [http(b"<html>", "400 Bad Request", media="text/html")],
    "a refusal without a code": [http(b'{"errors":[{"message":"No."}]}', "400 Bad Request")],
    "a refusal with a number for a code": [http(b'{"errors":[{"message":"","extensions":{"code":1}}]}', "400 x")],
    "a stream of nothing": chunked(),
    "a stream of something else": chunked(b"<html>", b"</html>"),
    "a stream that ends at once": chunked(b'{"da', end=False),
    "silence": [1.0],
    "silence after the head": [http(b"", length=100), 1.0],
}


@pytest.mark.parametrize("name", NOT_AN_ANSWER)
async def test_what_is_no_answer_is_one_error_before_anything_has_left(
    liar: Liar, rooms: Installation, name: str
) -> None:
    liar.keeps = False
    liar.answer = lambda: NOT_AN_ANSWER[name]
    with pytest.raises(Unavailable) as failure:
        await ask(rooms)
    assert "Ada" not in failure.value.message
    liar.answer = lambda: [http(DATA)]
    assert await ask(rooms) == DATA  # and is no reason to leave them alone


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(chunked(DATA[:30], end=False), id="broken off"),
        pytest.param([*chunked(DATA[:30], end=False), 0.1, b"zz\r\n"], id="broken"),
        pytest.param([*chunked(DATA[:30], end=False), 1.0], id="silent in the middle"),
    ],
)
async def test_what_fails_in_the_middle_breaks_off_and_never_looks_whole(
    liar: Liar, rooms: Installation, answer: Answers
) -> None:
    liar.keeps = False
    liar.answer = lambda: answer
    pieces = await asking(rooms)
    received: list[bytes] = []
    with pytest.raises(Unavailable):
        await read_into(received, pieces)
    assert b"".join(received) == DATA[:30]


async def read_into(received: list[bytes], pieces: AsyncIterator[bytes]) -> None:
    async for piece in pieces:
        received.append(piece)


async def test_an_answer_that_never_ends_is_read_no_faster_than_the_vendor_reads(
    liar: Liar, rooms: Installation
) -> None:
    sent = 0

    def without_end() -> Answers:
        class Endless(Sequence[bytes]):
            def __len__(self) -> int:
                return 1_000_000

            def __getitem__(self, number: int) -> bytes:  # type: ignore[override]
                nonlocal sent
                if number == 0:
                    return chunked(b'{"data":[', end=False)[0] + chunked(b'{"data":[', end=False)[1]
                sent += 1
                return b"10000\r\n" + b"1," * 0x8000 + b"\r\n"

        return Endless()

    liar.answer = without_end
    pieces = await asking(rooms)
    assert (await anext(pieces)).startswith(b'{"data":[')
    await asyncio.sleep(0.2)
    before = sent
    await asyncio.sleep(0.2)
    assert sent == before  # nobody reads, so nobody sends
    assert sent < 200
    await pieces.aclose()
    liar.answer = lambda: [http(DATA)]
    assert await ask(rooms) == DATA


async def test_what_premises_refuse_to_a_vendor_goes_on_in_their_words(liar: Liar, rooms: Installation) -> None:
    liar.answer = lambda: [http(refused("LIMIT_COST", limit=1, cost=2), "400 Bad Request")]
    with pytest.raises(RequestError) as told:
        await ask(rooms)
    assert (told.value.code, told.value.message) == ("LIMIT_COST", "No.")
    assert told.value.errors == json.loads(refused("LIMIT_COST", limit=1, cost=2))["errors"]  # type: ignore[attr-defined]
    for said, wait in ((7, 7), (0, 1), (10**9, 3_600), (-5, 1), ("soon", None), (None, None)):
        liar.answer = lambda said=said: [http(refused("RATE_LIMITED", retryAfter=said), "429 x")]  # type: ignore[misc]
        expected: type[HomeroomError] = Unavailable if wait is None else TooMany
        with pytest.raises(expected) as much:
            await ask(rooms)
        if isinstance(much.value, TooMany):
            assert much.value.wait == wait


async def test_a_statement_is_made_anew_where_a_connection_had_gone(liar: Liar, rooms: Installation) -> None:
    liar.answer = lambda: [] if len(liar.heard) == 1 else [http(DATA)]
    liar.keeps = False
    assert await ask(rooms) == DATA
    statements = [re.search(r"authorization: (\S+ \S+)", head, re.IGNORECASE) for _, head, _ in liar.heard]
    assert len({it[1] for it in statements if it}) == 2


async def test_access_that_ends_ends_what_is_under_way_and_no_statement_is_made_after_it(
    liar: Liar, rooms: Installation
) -> None:
    liar.answer = lambda: [*chunked(DATA[:20], end=False), 0.3, b"1\r\nx\r\n"]
    pieces = await asking(rooms)
    assert await anext(pieces) == DATA[:20]
    await set_state(rooms.control, "readwell", State.SUSPENDED)
    await rooms.authorization.follow()
    with pytest.raises(Unauthenticated):
        await anext(pieces)
    heard = len(liar.heard)
    token = await minted(rooms)
    await set_state(rooms.control, "readwell", State.REVOKED)
    await rooms.authorization.follow()
    request = Request(f"Bearer {token}", "{ __typename }", None, {}, Trails().begin([]))
    with pytest.raises(Unauthenticated):
        await gateway.answer(request, rooms)
    assert len(liar.heard) == heard


async def minted(rooms: Installation) -> str:
    """A token from before a suspension."""
    await set_state(rooms.control, "readwell", State.ACTIVE)
    return await rooms.authorization.mint("readwell", SPACE, purpose="instruction")


async def test_one_client_has_at_most_half_of_the_connections(
    liar: Liar, rooms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.subgraphs.premises.CONNECT", 0.2)
    await add_client(rooms.control, "lexia", scopes={Scope("student/name.read")}, now=time.time())
    await rooms.authorization.follow()
    liar.answer = lambda: [*chunked(DATA[:20], end=False), 0.4, *chunked(DATA[20:])[1:]]
    held = [await asking(rooms) for _ in range(2)]
    with pytest.raises(TooMany) as much:
        await ask(rooms)
    assert much.value.code == "TOO_MANY_AT_ONCE"
    liar.answer = lambda: [http(DATA)]
    token = await rooms.authorization.mint("lexia", SPACE, purpose="instruction")
    request = Request(f"Bearer {token}", "{ __typename }", None, {}, Trails().begin([]))
    assert (await gateway.answer(request, rooms)).body == DATA
    for pieces in held:
        assert b"".join([bytes(piece) async for piece in pieces]) == DATA
    assert await ask(rooms) == DATA


ASKED = {
    "id": "pX3nGm1yQzB8uT0a",
    "purpose": "instruction",
    "state": "OPEN",
    "askedAt": "2026-11-24T09:30:00Z",
    "decidedAt": None,
    "reason": None,
    "coordinates": [],
    "address": "http://127.0.0.1:8000/requests/pX3nGm1yQzB8uT0a",
}


async def test_of_a_request_for_access_no_more_is_taken_than_a_request(liar: Liar, rooms: Installation) -> None:
    token = await rooms.authorization.mint("readwell", SPACE, purpose="instruction")
    caller = rooms.authorization.caller(f"Bearer {token}")
    passing = Passing(rooms, rooms.premises[SPACE], caller, "request-1")
    liar.answer = lambda: [http(json.dumps(ASKED).encode(), "201 Created", media="application/json")]
    assert (await passing.ask(ASK, b"{}")).id == ASKED["id"]
    wrong: list[dict[str, Any]] = [
        {"address": "https://elsewhere.example/requests/pX3nGm1yQzB8uT0a"},
        {"id": "../../etc", "address": "http://127.0.0.1:8000/requests/../../etc"},
        {"id": "a\r\nb", "address": "http://127.0.0.1:8000/requests/a\r\nb"},
        {"state": "GRANTED"},
        {"coordinates": [{"coordinate": "Student.ssn"}]},
        {"value": "Ada"},
    ]
    for change in wrong:
        liar.answer = lambda it=change: [http(json.dumps({**ASKED, **it}).encode(), "201 Created")]  # type: ignore[misc]
        with pytest.raises(Unavailable):
            await passing.ask(ASK, b"{}")
    liar.answer = lambda: [http(refused("REQUEST_INVALID", problems=["x"]), "400 Bad Request")]
    with pytest.raises(RequestError) as told:
        await passing.ask(ASK, b"{}")
    assert told.value.extensions == {"code": "REQUEST_INVALID", "problems": ["x"]}
    # What is kept there is not sent twice.
    liar.keeps, liar.answer, before = False, lambda: [], len(liar.heard)
    with pytest.raises(Unavailable):
        await passing.ask(ASK, b"{}")
    assert len(liar.heard) == before + 1


async def test_purposes_are_words_and_few_or_no_token_is_given(liar: Liar, rooms: Installation) -> None:
    client = ClientId("readwell")

    async def told(body: bytes, status: str = "200 OK") -> list[str]:
        liar.answer = lambda: [http(body, status, media="application/json")]
        assert rooms.authorization.elsewhere is not None
        return [*await rooms.authorization.elsewhere(SPACE, client)]

    assert await told(b'{"purposes":["instruction"]}') == ["instruction"]
    assert liar.heard[-1][0] == PURPOSES
    assert await told(b'{"purposes":[]}') == []
    for body in (
        b"",
        b"[]",
        b'{"purposes":["two words"]}',
        b'{"purposes":"instruction"}',
        b'{"purposes":[1]}',
        json.dumps({"purposes": ["x"] * 101}).encode(),
        b'{"purposes":["x\\n"]}',
    ):
        with pytest.raises(Unavailable):
            await told(body)
    with pytest.raises(Unavailable):
        await told(b'{"purposes":["instruction"]}', "403 Forbidden")


@asynccontextmanager
async def opened(**one: Any) -> AsyncIterator[None]:
    async with open_premises(Settings(premises={SPACE: Premises(**one)})):
        yield


@pytest.mark.parametrize(
    ("at", "insecure", "good"),
    [
        ("https://homeroom.gbisd.example", False, True),
        ("http://homeroom.gbisd.example", False, False),
        ("http://homeroom.gbisd.example", True, True),
        ("http://127.0.0.1:8000", False, True),
        ("http://localhost:8000", False, True),
        ("https://169.254.169.254", False, False),
        ("https://169.254.169.254", True, True),
    ],
)
async def test_threat_27_premises_are_reached_over_tls_but_on_loopback_or_where_it_is_declared(
    at: str, insecure: bool, good: bool
) -> None:
    if good:
        async with opened(at=at, insecure=insecure):
            return
    with pytest.raises(ConfigurationError, match=re.escape(f"premises.{SPACE}.at")):
        async with opened(at=at, insecure=insecure):
            pass
