"""An event loop in which time passes only when somebody works or everybody waits: the same on every machine."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Selector(selectors.SelectSelector):
    """Instead of waiting, lets the time pass."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("Everybody waits, and nothing will come.")
        self.loop.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Units: seconds since the loop was made."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def work(self, seconds: float) -> None:
        """Keep the loop busy, as computing does."""
        self.now += seconds


def run(make: Any) -> Any:
    """Run `make(loop)` to its end on a loop of its own."""
    loop = VirtualLoop()
    try:
        coroutine: Coroutine[Any, Any, Any] = make(loop)
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()
