"""Connections are kept and used again, and no answer is ever taken for that of another request."""

import asyncio
import datetime
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.subgraphs.connection import PIECES, Connection, Tally
from app.subgraphs.endpoint import Bounds, Connections, Endpoint, SubgraphFailed

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops: they end connections in ways of their own."""
    return "asyncio", {"use_uvloop": request.param}


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def numbered(number: int, body: str = "") -> bytes:
    whole = body.encode() or b'{"data":{"a":%d}}' % number
    return HEAD + b"content-length: %d\r\n\r\n" % len(whole) + whole


@asynccontextmanager
async def server(
    answer: Callable[[int], bytes], *, ends: Callable[[int], bool] = lambda _: False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[int]]]:
    """A port, and for each connection to it how many requests it carried. It hangs up after some."""
    carried: list[int] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = len(carried)
        carried.append(0)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                carried[mine] += 1
                number = sum(carried)
                writer.write(answer(number))
                await writer.drain()
                if ends(number):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    yield listening.sockets[0].getsockname()[1], carried
    listening.close()


async def asked(endpoint: Endpoint, *, again: bool = True) -> object:
    return (await endpoint.ask(b"{}", again=again)).data


@asynccontextmanager
async def endpoint(port: int, bounds: Bounds | None = None) -> AsyncIterator[Endpoint]:
    async with Connections() as connections:
        yield Endpoint("lms", f"http://127.0.0.1:{port}/graphql", connections, bounds or Bounds(seconds=5))


async def test_one_connection_carries_many_requests() -> None:
    async with server(numbered) as (port, carried), endpoint(port) as lms:
        assert [await asked(lms) for _ in range(3)] == [{"a": 1}, {"a": 2}, {"a": 3}]
        assert carried == [3]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            HEAD + b'transfer-encoding: chunked\r\n\r\n7\r\n{"data"\r\n8\r\n:{"a":1}\r\n1\r\n}\r\n0\r\n\r\n',
            id="chunked",
        ),
        pytest.param(HEAD + b'connection: close\r\n\r\n{"data":{"a":1}}', id="as long as the connection"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + numbered(1), id="announced"),
        pytest.param(numbered(1).replace(b"HTTP/1.1", b"HTTP/1.0"), id="HTTP/1.0"),
    ],
)
async def test_an_answer_is_as_long_as_it_says(answer: bytes) -> None:
    ends = b"close" in answer or b"HTTP/1.0" in answer
    async with server(lambda _: answer, ends=lambda _: ends) as (port, _), endpoint(port) as lms:
        assert [await asked(lms), await asked(lms)] == [{"a": 1}] * 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(numbered(1)[:-3], "in the middle", id="cut off"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", "no HTTP", id="another protocol"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "no HTTP", id="upgrade"
        ),
        pytest.param(HEAD + b"a: " + b"x" * 100_000, "no HTTP|too long a head", id="endless head"),
        pytest.param(HEAD + b"a: b\r\n" * 20_000, "no HTTP|too long a head", id="endless headers"),
    ],
)
async def test_what_is_no_whole_answer_is_a_failure(answer: bytes, said: str) -> None:
    async with server(lambda _: answer, ends=lambda _: True) as (port, carried), endpoint(port) as lms:
        with pytest.raises(SubgraphFailed, match=said):
            await asked(lms)
        assert carried == [1]


async def test_threat_28_an_answer_in_tiny_pieces_takes_no_more_than_its_size() -> None:
    body = b'{"data":{"a":1}}' + b" " * 200_000
    pieces = b"".join(b"2\r\n%b\r\n" % body[at : at + 2] for at in range(0, len(body), 2)) + b"0\r\n\r\n"
    most = 0

    class Counted(Connection):
        def on_body(self, body: bytes) -> None:
            nonlocal most
            super().on_body(body)
            most = max(most, len(self._parts))

    connection = Counted()
    waiting = asyncio.get_running_loop().create_future()
    connection._reset(1_000_000, Tally())
    connection._waiting = waiting
    connection.data_received(HEAD + b"transfer-encoding: chunked\r\n\r\n" + pieces)
    assert (await waiting).body == body
    assert most <= PIECES


async def test_an_answer_to_nothing_is_never_taken_for_one() -> None:
    """Also where it is sent with another: what a subgraph says too much would answer somebody else's question."""
    twice = numbered(1) + numbered(99)
    async with server(lambda n: twice if n == 1 else numbered(n)) as (port, carried), endpoint(port) as lms:
        assert [await asked(lms), await asked(lms)] == [{"a": 1}, {"a": 2}]
        assert carried == [1, 1]


async def test_the_answer_to_a_request_that_was_given_up_is_never_taken_for_the_next() -> None:
    async with server(lambda n: b"" if n == 1 else numbered(n)) as (port, carried), endpoint(port) as lms:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asked(lms)
        assert await asked(lms) == {"a": 2}
        assert carried == [1, 1]


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    async with server(numbered, ends=lambda _: True) as (port, carried), endpoint(port) as lms:
        assert [await asked(lms), await asked(lms), await asked(lms)] == [{"a": 1}, {"a": 2}, {"a": 3}]
        assert carried == [1, 1, 1]


async def test_what_may_be_sent_once_alone_goes_over_a_fresh_connection() -> None:
    """A kept one may be closed by the subgraph at any time: then nobody could say whether the request arrived."""
    async with server(numbered) as (port, carried), endpoint(port) as lms:
        assert [await asked(lms), await asked(lms, again=False)] == [{"a": 1}, {"a": 2}]
        assert carried == [1, 1]


async def test_connections_are_as_many_as_requests_at_once_and_end_with_their_owner() -> None:
    async with server(numbered) as (port, carried):
        async with endpoint(port, Bounds(seconds=5, at_once=4)) as lms:
            await asyncio.gather(*(asked(lms) for _ in range(40)))
            assert len(carried) == 4
        await asyncio.sleep(0.05)
        async with endpoint(port) as lms:
            await asked(lms)
            assert len(carried) == 5


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS for `localhost`, whose certificate stands in `folder`/ca.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.2"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


async def test_over_tls_a_subgraph_is_who_its_certificate_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(numbered, tls=certificate(tmp_path)) as (port, carried):
        async with Connections() as connections:
            with pytest.raises(SubgraphFailed, match="SSLCertVerificationError"):
                await asked(Endpoint("lms", f"https://localhost:{port}/", connections))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        async with Connections() as connections:
            lms = Endpoint("lms", f"https://localhost:{port}/", connections)
            assert [await asked(lms), await asked(lms)] == [{"a": 1}, {"a": 2}]
            assert 2 in carried
            with pytest.raises(SubgraphFailed, match="SSLCertVerificationError"):
                await asked(Endpoint("lms", f"https://127.0.0.1:{port}/", connections))


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_breaks_every_answer_is_that_of_its_own_request(seed: int) -> None:
    """Answers in pieces, late ones, connections that end before, in and after an answer, and requests given up."""
    chance = random.Random(seed)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                asked = await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                answer = numbered(int(asked))
                kind = chance.random()
                if kind < 0.05:
                    break
                if kind < 0.1:
                    answer, kind = answer[: chance.randrange(len(answer))], 1.0
                elif kind < 0.15:
                    answer += numbered(-1)
                elif kind < 0.25:
                    await asyncio.sleep(chance.random() * 0.03)
                at = chance.randrange(len(answer)) if answer else 0
                writer.write(answer[:at])
                await writer.drain()
                if chance.random() < 0.3:
                    await asyncio.sleep(0)
                writer.write(answer[at:])
                await writer.drain()
                if kind == 1.0 or chance.random() < 0.05:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    right = 0

    async def ask(lms: Endpoint, number: int) -> None:
        nonlocal right
        try:
            async with asyncio.timeout(0.015 if chance.random() < 0.1 else 5):
                answered = await lms.ask(b"%d" % number, again=chance.random() < 0.8)
        except (SubgraphFailed, TimeoutError):
            return
        assert answered.data == {"a": number}
        right += 1

    async with endpoint(port, Bounds(seconds=5, at_once=8, rest=0)) as lms:
        await asyncio.gather(*(ask(lms, number) for number in range(400)))
    listening.close()
    assert right > 200
