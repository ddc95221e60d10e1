"""One client's flood costs another client little, whatever the flood is made of.

The times are virtual: an answer is work on the event loop and then a wait for the disk, and a caller asks again a
moment after it was answered. So what is claimed holds on every machine.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import lru_cache

import pytest

from app.errors import TooMany
from app.traffic.turns import Turn, Turns
from tests.traffic.virtual import VirtualLoop, run

WORK, DISK, GAP = 0.0004, 0.001, 0.0003
"""Units: seconds of a look-up: its work, its entry in the ledger, and its caller's own time."""

SECONDS, SETTLE = 3.0, 1.0
FEWEST = 0.85
"""What a client keeps of its answers beside another's flood."""


class Server:
    """A process that answers look-ups and rosters, in virtual time."""

    def __init__(self, loop: VirtualLoop, **limits: float) -> None:
        self.loop = loop
        settings = {"at_once": 32, "waiting": 100, "wait_seconds": 30} | limits
        self.turns = Turns(clock=loop.time, **settings)  # type: ignore[arg-type]
        self.answered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    async def look_up(self, client: str) -> None:
        async with self.turns.turn(client):
            self.loop.work(WORK)
            await asyncio.sleep(DISK)

    async def roster(self, client: str, pieces: int = 20, work: float = 0.03) -> None:
        async def made() -> AsyncGenerator[int]:
            for number in range(pieces):
                self.loop.work(work)
                await asyncio.sleep(0)
                yield number

        async with self.turns.turn(client) as turn:
            answer = turn.pieces(made())
            await anext(answer)
        async for _ in answer:
            await asyncio.sleep(DISK)

    async def introspection(self, client: str) -> None:
        async with self.turns.turn(client):
            self.loop.work(0.02)

    async def ask(self, client: str, request: Callable[[str], Awaitable[None]], until: float) -> None:
        """One connection: the next request a moment after the last was answered."""
        while self.loop.time() < until:
            try:
                await request(client)
                self.answered[client] += 1
            except TooMany:
                self.refused[client] += 1
            await asyncio.sleep(GAP)


@lru_cache
def answered(flood: str | None, connections: int, other: int, other_asks: str = "look_up") -> tuple[float, float]:
    """Answers of the other client in some seconds, beside a flood, and of the flood; both have begun before."""

    async def world(loop: VirtualLoop) -> tuple[float, float]:
        server = Server(loop)
        until = loop.time() + 2 * SETTLE + SECONDS
        tasks = [
            asyncio.create_task(server.ask("flooding", getattr(server, flood), until))
            for _ in range(connections if flood else 0)
        ]
        await asyncio.sleep(SETTLE)
        tasks += [asyncio.create_task(server.ask("other", getattr(server, other_asks), until)) for _ in range(other)]
        await asyncio.sleep(SETTLE)
        before = server.answered.copy()
        await asyncio.sleep(until - loop.time())
        counted = server.answered - before
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return counted["other"], counted["flooding"]

    found: tuple[float, float] = run(world)
    return found


@pytest.mark.parametrize(
    ("flood", "connections", "other"),
    [
        *(("look_up", 64, other) for other in (1, 4, 16)),
        ("look_up", 400, 1),
        *(("roster", connections, other) for connections in (16, 32) for other in (1, 4)),
        *(("introspection", 64, other) for other in (1, 4)),
    ],
)
def test_a_flood_costs_another_client_less_than_15_percent(flood: str, connections: int, other: int) -> None:
    alone, _ = answered(None, 0, other)
    beside, _ = answered(flood, connections, other)
    assert beside >= FEWEST * alone, f"{beside:,} answers beside the flood, {alone:,} alone"


@pytest.mark.parametrize("other", [1, 4])
def test_one_long_answer_costs_look_ups_less_than_15_percent(other: int) -> None:
    alone, _ = answered(None, 0, other)
    beside, _ = answered("roster", 1, other)
    assert beside >= FEWEST * alone


def test_a_flood_of_look_ups_costs_a_roster_less_than_15_percent() -> None:
    alone, _ = answered(None, 0, 1, "roster")
    beside, _ = answered("look_up", 64, 1, "roster")
    assert beside >= FEWEST * alone


def test_a_flood_still_gets_on_beside_another_client() -> None:
    _, flooding = answered("look_up", 64, 1)
    assert flooding > SECONDS * 20


def test_who_is_alone_is_held_back_by_nobody() -> None:
    _, flooding = answered("look_up", 64, 0)
    assert flooding > 0.9 * SECONDS / WORK


def test_two_rosters_share_the_server_evenly() -> None:
    one, two = answered("roster", 1, 1, "roster")
    assert abs(one - two) <= 2


def test_requests_that_would_wait_beyond_the_limit_are_refused_after_a_pause() -> None:
    async def world(loop: VirtualLoop) -> tuple[int, int, float]:
        server = Server(loop, at_once=1, waiting=2, wait_seconds=60)
        async with server.turns.turn("flooding"):
            waiting = [asyncio.create_task(server.look_up("flooding")) for _ in range(2)]
            await asyncio.sleep(0)
            began = loop.time()
            with pytest.raises(TooMany) as refusal:
                await server.look_up("flooding")
            assert refusal.value.headers[0][0] == b"retry-after"
            held = loop.time() - began
            await server.look_up("other")  # another client's line is another
        await asyncio.gather(*waiting)
        return server.turns.running, server.turns.waiting, held

    running, waiting, held = run(world)
    assert (running, waiting) == (0, 0)
    assert held >= 1


def test_a_request_that_waits_too_long_is_refused_and_leaves_no_trace() -> None:
    async def world(loop: VirtualLoop) -> tuple[int, int]:
        server = Server(loop, at_once=1, wait_seconds=5)
        async with server.turns.turn("flooding"):
            with pytest.raises(TooMany):
                await server.look_up("flooding")
            assert loop.time() >= 5
        await server.look_up("flooding")
        return server.turns.running, server.turns.waiting

    assert run(world) == (0, 0)


def test_a_caller_that_leaves_while_it_waits_leaves_no_trace() -> None:
    async def world(loop: VirtualLoop) -> tuple[int, int]:
        server = Server(loop, at_once=1)
        async with server.turns.turn("flooding"):
            leaving = [asyncio.create_task(server.look_up("flooding")) for _ in range(3)]
            await asyncio.sleep(0)
            leaving[1].cancel()
            await asyncio.sleep(0)
        leaving[0].cancel()  # in the very moment in which its turn has come
        await asyncio.gather(*leaving, return_exceptions=True)
        assert server.answered == {}
        await server.look_up("flooding")
        return server.turns.running, server.turns.waiting

    assert run(world) == (0, 0)


def test_a_long_answer_goes_on_while_new_requests_of_its_client_wait_for_what_it_holds() -> None:
    async def world(loop: VirtualLoop) -> bool:
        server = Server(loop, at_once=2)
        connection = asyncio.Lock()

        async def made() -> AsyncGenerator[int]:
            async with connection:
                for number in range(3):
                    yield number

        async def all_of_it(turn: Turn) -> None:
            async for _ in turn.pieces(made()):
                await asyncio.sleep(0.1)

        async def ask() -> None:
            async with server.turns.turn("reading") as turn:
                await all_of_it(turn)

        await asyncio.wait_for(asyncio.gather(*(ask() for _ in range(6))), 20)
        return connection.locked()

    assert run(world) is False


def test_a_long_answer_that_is_given_up_leaves_no_trace() -> None:
    async def world(loop: VirtualLoop) -> tuple[int, int, bool]:
        server = Server(loop)
        closed = False

        async def made() -> AsyncGenerator[int]:
            nonlocal closed
            try:
                while True:
                    yield 1
            finally:
                closed = True

        async with server.turns.turn("leaving") as turn:
            pieces = turn.pieces(made())
            await anext(pieces)
        await anext(pieces)
        await pieces.aclose()
        await asyncio.sleep(30)
        await server.look_up("another")
        return server.turns.running, server.turns.waiting, closed

    assert run(world) == (0, 0, True)


def test_clients_that_are_gone_are_forgotten() -> None:
    async def world(loop: VirtualLoop) -> int:
        server = Server(loop, at_once=4)
        for number in range(100):
            await server.look_up(f"client-{number}")
            await asyncio.sleep(1)
        return len(server.turns._lines)

    assert run(world) < 20
