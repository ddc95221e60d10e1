"""`serve`: a real server in processes of its own, from its first word to its last."""

import json
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.web.running import SPACE, homeroom, installed, serving, token

QUERY = {"query": "{ grant { client purpose } }"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("serve") / "home")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_answers_and_stops_when_it_is_told_to(home: Path, workers: str) -> None:
    with serving(home, "--workers", workers) as server:
        headers = {"authorization": f"Bearer {token(home)}"}
        for _ in range(5):
            answer = httpx.post(f"{server.url}/graphql", json=QUERY, headers=headers, timeout=60)
            assert answer.json() == {"data": {"grant": {"client": "readwell", "purpose": "instruction"}}}
        assert httpx.get(f"{server.url}/readyz", timeout=60).status_code == 200
        assert "type Student" in httpx.get(f"{server.url}/schema.graphql", timeout=60).text
        assert "server" not in answer.headers
        counted = 'homeroom_graph_requests_total{client="readwell",code="OK"} 5.0'
        assert (
            counted in httpx.get(f"{server.url}/metrics", timeout=60).text
        )  # whichever workers answered, any can tell
        assert server.stop() == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    asked = [line for line in lines if line.get("route") == "/graphql"]
    assert len(asked) == 5
    assert answer.headers["x-request-id"] in {line["request"] for line in asked}
    assert "purpose" not in server.log.read_text()


def test_what_runs_when_it_is_told_to_stop_is_answered(home: Path) -> None:
    body = json.dumps(QUERY).encode()
    with serving(home) as server:
        address = urlsplit(server.url)
        with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20) as caller:
            caller.sendall(
                b"POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                + f"Authorization: Bearer {token(home)}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            )
            assert caller.recv(100).startswith(b"HTTP/1.1 100 ")  # it runs
            server.process.send_signal(signal.SIGTERM)
            caller.sendall(body)
            received = b"".join(iter(lambda: caller.recv(65_536), b""))
        assert received.startswith(b"HTTP/1.1 200 ")
        assert b'"purpose":"instruction"' in received
        assert server.process.wait(30) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_is_told_to_stop_says_so_and_goes_on_until_the_balancer_has_noticed(
    tmp_path: Path, workers: str
) -> None:
    home = installed(tmp_path / "home")
    with (home / "homeroom.toml").open("a") as file:
        file.write("\n[server]\nnotice_seconds = 4\n")
    with serving(home, "--workers", workers) as server:
        headers = {"authorization": f"Bearer {token(home)}"}
        assert httpx.get(f"{server.url}/readyz", timeout=60).text == "ready\n"
        server.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 20
        while (said := httpx.get(f"{server.url}/readyz", timeout=60)).status_code == 200 and time.monotonic() < until:
            time.sleep(0.02)
        assert (said.status_code, said.text) == (503, "not ready: stopping\n")
        assert httpx.post(f"{server.url}/graphql", json=QUERY, headers=headers, timeout=60).status_code == 200
        assert server.process.wait(30) == 0


def test_no_token_gets_a_challenge_that_leads_to_the_metadata(home: Path) -> None:
    with serving(home) as server:
        answer = httpx.post(f"{server.url}/graphql", json=QUERY, headers={"authorization": "Bearer bad"}, timeout=60)
        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        assert challenge.startswith('Bearer error="invalid_token"')
        path = urlsplit(challenge.partition('resource_metadata="')[2].rstrip('"')).path
        document = httpx.get(server.url + path, timeout=60).json()
        assert document["resource"].endswith(f"/spaces/{SPACE}")
        graph = httpx.get(f"{server.url}/.well-known/oauth-protected-resource/graphql", timeout=60).json()
        assert graph["authorization_servers"] == document["authorization_servers"]


def test_a_port_that_is_taken_is_said_in_a_sentence(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = homeroom(home, "serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "Name another with --host or --port." in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_does_not_start_on_a_database_that_does_not_answer(tmp_path: Path, workers: str) -> None:
    home = installed(tmp_path / "home")
    file = home / "homeroom.toml"
    file.write_text(file.read_text().replace("sqlite:///control.db", "postgresql://user:hidden@127.0.0.1:1/none"))
    done = homeroom(home, "serve", "--port", "0", "--workers", workers)
    assert done.returncode == 4
    assert "control database" in done.stderr
    assert "hidden" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_does_not_start_without_its_keys(tmp_path: Path, workers: str) -> None:
    home = installed(tmp_path / "home")
    (home / "keys" / "spaces" / f"{SPACE.replace('/', '-')}.key").unlink()
    done = homeroom(home, "serve", "--port", "0", "--workers", workers)
    assert done.returncode == 3
    assert "tx-larkspur.key" in done.stderr
    assert "Homeroom serves" not in done.stderr
