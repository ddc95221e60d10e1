"""What a client may ask in a minute: told in headers, counted together, and never a reason to fail."""

import io
from collections.abc import Iterator

import pytest

from app.errors import TooMany
from app.settings import Traffic
from app.telemetry.metrics import exposition
from app.traffic import rates
from app.traffic.rates import POINT, Counts, Rates
from tests.traffic.redis import Store, store

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def running() -> Iterator[Store]:
    with store() as made:
        yield made


def few(store: str = "memory", points: int = 3, tokens: int = 2) -> Rates:
    return Rates.of(Traffic(store=store, points_per_minute=points, tokens_per_minute=tokens))


async def test_a_client_is_told_what_is_left_and_when_it_may_come_back() -> None:
    made = few()
    told = [dict((await made.spend("readwell")).headers()) for _ in range(3)]
    assert [each[b"ratelimit-policy"] for each in told] == [b'"client";q=3;w=60'] * 3
    assert [each[b"ratelimit"].split(b";")[1] for each in told] == [b"r=2", b"r=1", b"r=0"]
    with pytest.raises(TooMany) as refusal:
        await made.spend("readwell")
    assert refusal.value.code == "RATE_LIMITED"
    headers = dict(refusal.value.headers)
    assert 1 <= int(headers[b"retry-after"]) <= 60
    assert headers[b"ratelimit"].startswith(b'"client";r=0;t=')
    assert (await made.spend("mathpath")).left == 2  # another client has points of its own


async def test_a_request_spends_as_it_weighs_and_one_that_finds_points_left_is_answered() -> None:
    made = few(points=10)
    quota = await made.spend("readwell")
    assert await made.weigh("readwell", quota, POINT - 1) is quota
    assert (await made.weigh("readwell", quota, 4 * POINT)).left == 5
    assert (await made.weigh("readwell", quota, 900 * POINT)).left == 0
    with pytest.raises(TooMany):
        await made.spend("readwell")


async def test_tokens_are_counted_by_client_and_address_so_that_a_stranger_locks_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "PAUSE", 0)
    made = few(tokens=2)
    for _ in range(2):
        await made.ask_for_token("readwell", "10.0.0.1")
    with pytest.raises(TooMany):
        await made.ask_for_token("readwell", "10.0.0.1")
    await made.ask_for_token("readwell", "10.0.0.2")
    for number in range(17):  # two and one refused before: an address has ten times as many
        await made.ask_for_token(f"invented-{number}\ud800" + "x" * 10_000, "10.0.0.1")
    with pytest.raises(TooMany):
        await made.ask_for_token("mathpath", "10.0.0.1")


async def test_several_processes_count_together_in_a_store(running: Store) -> None:
    one, two = few(running.url), few(running.url.replace("redis", "valkey"))
    try:
        assert [(await each.spend("shared")).left for each in (one, two, one)] == [2, 1, 0]
        with pytest.raises(TooMany):
            await two.spend("shared")
    finally:
        await one.close()
        await two.close()


async def test_a_store_that_is_down_is_said_and_each_process_counts_for_itself(log: io.StringIO) -> None:
    now = 0.0
    with store() as made:
        counts = Counts(made.url, lambda: now)
        assert (await counts.add("a", 1))[0] == 1
        made.stop()
        assert [(await counts.add("a", 1))[0] for _ in range(3)] == [1, 2, 3]
        assert log.getvalue().count("does not answer") == 1
        assert "homeroom_rate_store_up 0.0" in exposition("")[0].decode()
        made.start()
        assert (await counts.add("a", 1))[0] == 4  # it is not tried with every request
        now = 100.0
        assert (await counts.add("a", 1))[0] == 1
        assert "homeroom_rate_store_up 1.0" in exposition("")[0].decode()
        assert "answers again" in log.getvalue()
        assert str(made.port) not in log.getvalue()
        await counts.close()


async def test_a_store_that_was_never_there_hinders_nobody() -> None:
    made = few("redis://:secret@127.0.0.1:1/0")
    assert (await made.spend("readwell")).left == 2
    await made.close()
