"""The gateway's keys, as premises know them: read again before long, and not believed for ever."""

import asyncio
import json
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.elsewhere import TrustedGateway
from app.errors import ConfigurationError
from app.oauth.keys import create_keys, read_keys
from app.settings import Settings
from app.subgraphs.endpoint import open_session
from app.subgraphs.gateway_keys import AGAIN, LARGEST, PACE, STALE, GatewayKeys, look_for_keys, trusted

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000.0


class Clock:
    """Seconds since whenever."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def published_by(folder: Path) -> tuple[str, bytes]:
    """New keys of a gateway: the name of the one that signs, and the document."""
    shutil.rmtree(folder, ignore_errors=True)
    create_keys(folder)
    keys = read_keys(folder, 300)
    return str(keys.signing(NOW).kid), json.dumps(keys.document(NOW)).encode()


@asynccontextmanager
async def served(answers: list[bytes]) -> AsyncIterator[tuple[str, list[int]]]:
    """An address that answers with the last of these, whole HTTP answers; and how often it was asked."""
    asked: list[int] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            asked.append(1)
            if answers[-1]:
                writer.write(answers[-1])
                await writer.drain()
            else:
                await asyncio.sleep(60)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/oauth/jwks", asked
    finally:
        server.close()


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "connection: close", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def keys_at(source: str | Path) -> AsyncIterator[tuple[GatewayKeys, Clock]]:
    clock = Clock()
    async with open_session() as session:
        yield GatewayKeys(source, session, clock), clock


async def test_a_new_key_is_believed_before_long_and_a_key_that_was_taken_away_no_more(tmp_path: Path) -> None:
    first, document = published_by(tmp_path / "gateway")
    answers = [http(document)]
    async with served(answers) as (address, asked), keys_at(address) as (keys, clock):
        assert await keys.key(first) is not None
        second, document = published_by(tmp_path / "gateway")
        answers.append(http(document))
        assert await keys.key(second) is None  # asked a moment ago
        clock.now += AGAIN
        assert await keys.key(second) is not None
        assert await keys.key(first) is None
        assert len(asked) == 2


async def test_a_flood_of_unknown_keys_asks_the_gateway_once(tmp_path: Path) -> None:
    known, document = published_by(tmp_path / "gateway")
    async with served([http(document)]) as (address, asked), keys_at(address) as (keys, _):
        found = await asyncio.gather(*(keys.key(f"{number}") for number in range(50)))
        assert set(found) == {None}
        assert len(asked) == 1
        assert await keys.key(known) is not None


async def test_a_gateway_that_is_silent_is_believed_for_ten_minutes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known, document = published_by(tmp_path / "gateway")
    answers = [http(document)]
    async with served(answers) as (address, _), keys_at(address) as (keys, clock):
        assert await keys.key(known) is not None
        answers.append(http(b"", "503 Service Unavailable"))
        for _ in range(3):
            clock.now += PACE
            await keys.try_again()
        assert await keys.key(known) is not None
        assert len([it for it in caplog.records if it.levelno == logging.WARNING]) == 1  # said once
        clock.now += STALE
        await keys.try_again()
        assert await keys.key(known) is None
        assert not keys.known
        answers.append(http(document))
        clock.now += AGAIN
        await keys.try_again()
        assert await keys.key(known) is not None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing, ever"),
        pytest.param(http(b"<html>"), id="no JSON"),
        pytest.param(http(b"[" * 5_000), id="levels without end"),
        pytest.param(http(b'{"keys":{}}'), id="no JWKS"),
        pytest.param(http(b"{}", "404 Not Found"), id="not there"),
        pytest.param(http(b"", "302 Found", "location: /elsewhere"), id="elsewhere"),
        pytest.param(http(b" " * (LARGEST + 1)), id="too much"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="no HTTP"),
    ],
)
async def test_what_is_no_key_set_is_said_and_takes_no_key_away(
    tmp_path: Path, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.subgraphs.gateway_keys.PATIENCE", 0.5)
    known, document = published_by(tmp_path / "gateway")
    answers = [http(document)]
    async with served(answers) as (address, _), keys_at(address) as (keys, _):
        assert await keys.key(known) is not None
        answers.append(answer)
        await keys.try_again()
        assert await keys.key(known) is not None
        gateway = TrustedGateway(issuer="https://graph.example", jwks=address)
        why = await look_for_keys(Settings(home=tmp_path), gateway)
        assert why is not None
        assert why.endswith((".", "`."))


async def test_a_private_key_is_never_taken(tmp_path: Path) -> None:
    create_keys(tmp_path / "gateway")
    private = read_keys(tmp_path / "gateway", 300).signing(NOW).as_dict(private=True)
    (tmp_path / "gateway.json").write_text(json.dumps({"keys": [private]}))
    async with keys_at(tmp_path / "gateway.json") as (keys, _):
        assert await keys.key(str(private["kid"])) is None
        assert not keys.known


async def test_keys_may_lie_in_a_file_and_are_read_again_from_it(tmp_path: Path) -> None:
    file = tmp_path / "gateway.json"
    gateway = TrustedGateway(issuer="https://graph.example", jwks="gateway.json")
    assert "FileNotFoundError" in str(await look_for_keys(Settings(home=tmp_path), gateway))
    first, document = published_by(tmp_path / "gateway")
    file.write_bytes(document)
    assert await look_for_keys(Settings(home=tmp_path), gateway) is None
    async with keys_at(file) as (keys, clock):
        assert await keys.key(first) is not None
        second, document = published_by(tmp_path / "gateway")
        file.write_bytes(document)
        clock.now += AGAIN
        await keys.try_again()
        assert await keys.key(second) is not None
    file.write_text('{"keys": []}')
    assert "no ES256 key" in str(await look_for_keys(Settings(home=tmp_path), gateway))


async def test_keys_come_over_tls_from_an_address_that_was_meant(tmp_path: Path) -> None:
    def at(address: str, *, insecure: bool = False) -> TrustedGateway:
        return TrustedGateway(issuer="https://graph.example", jwks=address, insecure=insecure)

    for address in ("http://graph.example/jwks", "ftp://graph.example/jwks", "https://a@graph.example/jwks"):
        with pytest.raises(ConfigurationError, match=r"gateway\.jwks"):
            await look_for_keys(Settings(home=tmp_path), at(address))
    # Declared, it is asked; nobody is there.
    assert "cannot be read" in str(await look_for_keys(Settings(home=tmp_path), at("http://127.0.0.1:1/")))
    assert "cannot be read" in str(
        await look_for_keys(Settings(home=tmp_path), at("http://graph.invalid/", insecure=True))
    )


def test_without_a_gateway_nobody_could_ask(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Name its `issuer` and its `jwks`"):
        trusted(Settings(home=tmp_path))
