"""Where one client stands: what of it runs, what waits, and how much it asks on average."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from math import exp

MEMORY = 1.0
"""Units: seconds over which it is averaged how much a client asks."""


@dataclass(slots=True, eq=False)
class Line:
    """One client's line."""

    at: float
    present: int = 0  # requests that are here, running or waiting
    load: float = 0.0  # ... on average, as it was `at`
    share: float = 0.0  # which part of the time its work took, on average, as it was `at`
    running: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})  # new requests, and further pieces
    waiting: dict[bool, deque[asyncio.Future[None]]] = field(default_factory=lambda: {True: deque(), False: deque()})
    long: int = 0  # answers that are made piece by piece
    spree: float = 0.0  # what it took since others were last let in
    pausing: bool = False  # until they were
    piece: float = 0.005  # what a piece of its work takes, on average over the last few
    began: float = 0.0  # when its work began, or was last reckoned
    away_until: float = 0.0

    def average(self, now: float) -> float:
        """How much it asks, brought up to date."""
        if now > self.at:
            kept = exp((self.at - now) / MEMORY)
            self.load = self.load * kept + self.present * (1 - kept)
            self.share *= kept
            self.at = now
        return self.load

    def change(self, now: float, by: int) -> None:
        """Requests come or go."""
        self.average(now)
        self.present += by
