"""Whose request runs next: no client's flood stands before another's request.

Each client waits in a line of its own. A client that asks for much gives way to those who ask for at most half as
much: after each piece of its work it stays away for as long as that took, many times over, and the longer the more
the others are here. A long answer runs piece by piece, and is much. Who is alone, or asks for a thing or two, waits for
nobody.

Shape: pure but for the futures of those who wait; the clock is an argument. One process, one event loop.
Units: seconds. What a piece of work takes is the time until it is done, its entry in the ledger included: it may keep
others waiting for the disk as well as for the processor.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import TypeVar

from app.errors import TooMany
from app.settings import Traffic
from app.traffic.line import MEMORY, Line

Item = TypeVar("Item")

FEW = 2.0
"""So many requests at once, on average, are no flood: who asks no more gives way to nobody."""

STREAM = 8
"""A long answer counts as so many requests."""

WAY = 20.0
"""While others are here all the time, a client stays away so many times longer than its last piece took."""

LONGEST = 3.0
"""Units: seconds that a client stays away at most. What others did while its piece ran is in the reckoning too."""

OFTEN = 5.0
"""Who is here a fifth of the time counts as one who is always here."""

BURST = 0.02
"""Units: seconds of work that a client may have begun at once. Four requests it may have in any case."""

BUSY = 0.5
"""A client whose work takes more than this part of the time keeps the process busy."""

LEAST = 0.02
"""A client that works all the time is taken to leave so much of it."""

PRESENT = 0.005
"""Who asks for less than this, on average, is not here."""

PAUSE = 1.0
"""Units: seconds that a refusal is held back: who asks again at once shall not live on refusals."""


class Turns:
    """The turns of one process."""

    def __init__(
        self,
        *,
        at_once: int,
        waiting: int,
        wait_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.at_once = at_once
        self.wait_seconds = wait_seconds
        self._waiting = waiting
        self._clock = clock
        self._lines: dict[str, Line] = {}
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, traffic: Traffic) -> "Turns":
        """As the configuration has them."""
        return cls(at_once=traffic.at_once, waiting=traffic.waiting, wait_seconds=traffic.wait_seconds)

    def turn(self, client: str) -> "Turn":
        """A turn for one request, to be entered: `async with turns.turn(client) as turn`."""
        line = self._lines.get(client)
        if line is None:
            line = self._lines[client] = Line(self._clock())
        return Turn(self, line)

    @property
    def running(self) -> int:
        """How many pieces of work are under way."""
        return sum(sum(line.running.values()) for line in self._lines.values())

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(sum(map(len, line.waiting.values())) for line in self._lines.values())

    async def begin(self, line: Line, *, further: bool = False) -> None:
        """Wait for a turn. A further piece of what has begun is never refused.

        Raises: TooMany.
        """
        if line.share > BUSY:
            await asyncio.sleep(0)  # whoever else has something to ask comes in first, and is seen to be here
        now, waiting = self._clock(), line.waiting[further]
        if not waiting and self._may(line, now, further):
            self._start(line, further)
            return
        if len(waiting) >= self._waiting and not further:
            await asyncio.sleep(PAUSE)
            raise _too_many("Too many requests of this client wait already.")
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(place)
        self._set_timer(now)
        try:
            async with asyncio.timeout(None if further else self.wait_seconds):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self.end(line, further=further)  # the turn came in the moment in which nobody wanted it any more
            elif place in waiting:
                waiting.remove(place)
            if isinstance(error, TimeoutError):
                raise _too_many("This request has waited too long behind others of this client.") from None
            raise

    def end(self, line: Line, *, further: bool = False) -> None:
        """A piece of work is done: reckon what it took, and let the next begin."""
        now = self._clock()
        took, line.began = now - line.began, now
        line.running[further] -= 1
        load = line.average(now)
        line.piece += (took - line.piece) / 8
        line.spree += took
        if line.spree > BURST and not line.pausing:
            line.pausing = True
            asyncio.get_running_loop().call_soon(self._resume, line)  # after whatever has come in meanwhile
        line.share = min(line.share + took / MEMORY, 1.0)
        if load > FEW:
            away = min(took * WAY * self._others(line, now), LONGEST)
            line.away_until = max(line.away_until, now + away)
        if self._timer is not None or any(any(other.waiting.values()) for other in self._lines.values()):
            self._wake()

    def arrive(self, line: Line, requests: int = 1) -> None:
        """Requests of a client are here from now on."""
        line.change(self._clock(), requests)

    def leave(self, line: Line, requests: int = 1) -> None:
        """... and no longer."""
        line.change(self._clock(), -requests)
        if len(self._lines) > self.at_once:
            self._forget()

    def _may(self, line: Line, now: float, further: bool) -> bool:
        # INVARIANT: a piece of a long answer never waits for a new request: that may itself wait for what the long
        # answer holds, such as a connection.
        running = line.running[further]
        if line.pausing or now < line.away_until or running >= self._places(line):
            return False
        return not running or line.average(now) <= FEW or not self._others(line, now)

    def _places(self, line: Line) -> int:
        """How much of a client may run at once: the less, the longer each piece keeps others waiting."""
        return self.at_once if line.piece <= BURST / self.at_once else max(int(BURST / line.piece), 4)

    def _others(self, line: Line, now: float) -> float:
        """Which part of the time that it leaves those are here to whom this client gives way."""
        most, part = line.average(now) / 2, 0.0
        for other in self._lines.values():
            if other is not line and other.average(now) <= most:
                part += other.load
        # While this client works, the others' requests wait unread, and are not seen to be here.
        part /= max(1.0 - line.share, LEAST)
        return min(part * OFTEN, 1.0) if part > PRESENT else 0.0

    def _start(self, line: Line, further: bool) -> None:
        if not line.running[False] and not line.running[True]:
            line.began = self._clock()
        line.running[further] += 1

    def _wake(self) -> None:
        """Give turns to all who may have them, one client after another."""
        now = self._clock()
        rest = deque((line, further) for line in self._lines.values() for further in line.waiting)
        while rest:
            line, further = rest.popleft()
            waiting = line.waiting[further]
            if waiting and self._may(line, now, further):
                place = waiting.popleft()
                if not place.done():  # else its request has gone away
                    self._start(line, further)
                    place.set_result(None)
                rest.append((line, further))
        self._set_timer(now)

    def _resume(self, line: Line) -> None:
        line.pausing, line.spree = False, 0.0
        self._wake()

    def _set_timer(self, now: float) -> None:
        """Look again when the first of those who stay away may come back."""
        ends = [line.away_until for line in self._lines.values() if any(line.waiting.values())]
        ends = [end for end in ends if end > now]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if ends:
            self._timer = asyncio.get_running_loop().call_later(min(ends) - now, self._wake)

    def _forget(self) -> None:
        now = self._clock()
        for client, line in list(self._lines.items()):
            if not line.present and not line.long and line.average(now) < PRESENT and line.away_until <= now:
                del self._lines[client]


class Turn:
    """One request's turn: from when it may run to the end of its work, or of the first piece of a long answer."""

    __slots__ = ("_line", "_turns")

    def __init__(self, turns: Turns, line: Line) -> None:
        self._turns = turns
        self._line = line

    async def __aenter__(self) -> "Turn":
        """Wait for it. Raises: TooMany."""
        self._turns.arrive(self._line)
        try:
            await self._turns.begin(self._line)
        except BaseException:
            self._turns.leave(self._line)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The request has its answer, or the first piece of it."""
        self._turns.end(self._line)
        self._turns.leave(self._line)

    async def pieces(self, made: AsyncGenerator[Item]) -> AsyncGenerator[Item]:
        """Hand on what is made piece by piece: the first within this turn, each further one in a turn of its own."""
        line, turns, long = self._line, self._turns, False
        line.long += 1
        try:
            yield await anext(made)
            long = True
            turns.arrive(line, STREAM)
            while True:
                await turns.begin(line, further=True)
                try:
                    piece = await anext(made)
                except StopAsyncIteration:
                    return
                finally:
                    turns.end(line, further=True)
                yield piece
        finally:
            line.long -= 1
            if long:
                turns.leave(line, STREAM)
            await made.aclose()


def _too_many(sentence: str) -> TooMany:
    return TooMany(f"{sentence} Send fewer at once, and come back after Retry-After.", code="TOO_MANY_AT_ONCE", wait=2)
