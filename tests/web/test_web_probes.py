"""Probes: what the operator's machines are told, and what nobody else is."""

from pathlib import Path

import httpx
import pytest

from app.settings import Metrics, Settings
from app.web.probes import Readiness, routes
from app.web.site import site

pytestmark = pytest.mark.anyio


class Databases:
    """Questions that are answered as a test says."""

    def __init__(self, *names: str) -> None:
        self.down: set[str] = set()
        self.asked = 0
        self.names = names

    def readiness(self, clock=lambda: 0.0) -> Readiness:  # type: ignore[no-untyped-def]
        async def ask(name: str) -> bool:
            self.asked += 1
            return name not in self.down

        return Readiness({name: lambda name=name: ask(name) for name in self.names}, clock)  # type: ignore[misc]


def client(
    readiness: Readiness, settings: Settings | None = None, address: tuple[str, int] = ("127.0.0.1", 5)
) -> httpx.AsyncClient:
    app = site(routes(settings or Settings(), readiness))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=address), base_url="http://homeroom.test")


async def test_readyz_names_what_does_not_answer_and_healthz_says_that_the_server_runs() -> None:
    databases = Databases("control", "space tx/larkspur", "ledger tx/larkspur")
    databases.down = {"ledger tx/larkspur"}
    async with client(databases.readiness()) as asking:
        answer = await asking.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "not ready: ledger tx/larkspur\n")
        assert answer.headers["retry-after"]
        assert (await asking.get("/healthz")).status_code == 200


async def test_what_was_found_stands_for_a_moment_however_often_it_is_asked() -> None:
    now = 0.0
    databases = Databases("control")
    async with client(databases.readiness(lambda: now)) as asking:
        for _ in range(20):
            assert (await asking.get("/readyz")).status_code == 200
        assert databases.asked == 1
        databases.down = {"control"}
        now = 1.5
        assert (await asking.get("/readyz")).status_code == 503


async def test_a_server_that_stops_is_not_ready_though_all_databases_answer() -> None:
    readiness = Databases("control").readiness()
    readiness.stopping = True
    async with client(readiness) as asking:
        assert (await asking.get("/readyz")).text == "not ready: stopping\n"


@pytest.mark.parametrize(
    ("read_by", "address", "headers", "may"),
    [
        ("loopback", "127.0.0.1", {}, True),
        ("loopback", "::1", {}, True),
        ("loopback", "10.0.0.7", {}, False),
        ("loopback", "127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
        ("loopback", "127.0.0.1", {"forwarded": "for=1.2.3.4"}, False),
        ("token", "10.0.0.7", {"authorization": "Bearer let-me-see"}, True),
        ("token", "127.0.0.1", {"authorization": "Bearer let-me"}, False),
        ("token", "127.0.0.1", {}, False),
        ("anyone", "10.0.0.7", {}, True),
        ("nobody", "127.0.0.1", {}, False),
    ],
)
async def test_metrics_are_for_those_whom_the_configuration_names(
    tmp_path: Path, read_by: str, address: str, headers: dict[str, str], may: bool
) -> None:
    (tmp_path / "token").write_text("let-me-see\n")
    metrics = Metrics(read_by=read_by, token_file="token")  # type: ignore[arg-type]
    settings = Settings(metrics=metrics, home=tmp_path)
    async with client(Databases().readiness(), settings, (address, 5)) as asking:
        answer = await asking.get("/metrics", headers=headers)
    assert answer.status_code == (200 if may else 404)
    assert ("homeroom_requests" in answer.text) == may


@pytest.mark.parametrize("content", [None, "", "\n"])
async def test_without_a_token_in_its_file_nobody_reads_metrics_by_token(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)
    settings = Settings(metrics=Metrics(read_by="token", token_file="token"), home=tmp_path)
    async with client(Databases().readiness(), settings) as asking:
        for sent in ("Bearer ", "Bearer x"):
            assert (await asking.get("/metrics", headers={"authorization": sent})).status_code == 404
