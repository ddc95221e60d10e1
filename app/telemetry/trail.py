"""What one request leaves behind for the operator: its id, its client, its outcome, and how long each stage took.

INVARIANT: no text of a query, no variable and no value of a record is ever handed to a trail.
"""

import re
import secrets
from collections.abc import Iterable
from time import perf_counter

from app.telemetry.metrics import STAGES

GIVEN = re.compile(rb"[A-Za-z0-9._-]{8,64}")
"""An id that a proxy may bring: long enough to be found again, and nothing that a log could stumble over."""

BYTES, MANY = 12, 256
"""How long an id is, and how many are drawn at once."""

Headers = Iterable[tuple[bytes, bytes]]


class Trail:
    """One request. Without traces, a stage costs two clock readings."""

    __slots__ = ("_since", "_stage", "client", "code", "id")

    def __init__(self, request: str) -> None:
        self.id = request
        self.client: str | None = None  # only once its token was good: the set is bounded by who is registered
        self.code: str | None = None
        self._stage: str | None = None
        self._since = 0.0

    def stage(self, name: str) -> None:
        """The stage before is over, and this one begins."""
        now = perf_counter()
        if self._stage is not None:
            STAGES.add(self._stage, now - self._since)
        self._stage, self._since = name, now

    def end(self, method: str, route: str | None, status: int) -> None:
        """The answer has left, or will not."""
        if self._stage is not None:
            STAGES.add(self._stage, perf_counter() - self._since)
            self._stage = None

    @property
    def trace(self) -> str | None:
        """The id of the trace that this request is part of, if there is one."""
        return None


class Trails:
    """Begins trails. `header` is where a trusted proxy brings ids."""

    def __init__(self, header: str = "") -> None:
        self.header = header.encode()
        self._ids: list[str] = []

    def begin(self, headers: Headers) -> Trail:
        """The trail of a request that has just come in."""
        return Trail(self.id(headers))

    def id(self, headers: Headers) -> str:
        """The id that the proxy gave, if it is one and stands once; else a new one."""
        if self.header:
            found = [value for name, value in headers if name == self.header]
            if len(found) == 1 and GIVEN.fullmatch(found[0]):
                return found[0].decode()
        return self._drawn()

    def _drawn(self) -> str:
        """An id that nobody can guess. Many are drawn at once: each draw is a call of the system."""
        if not self._ids:
            drawn = secrets.token_hex(BYTES * MANY)
            self._ids = [drawn[at : at + 2 * BYTES] for at in range(0, len(drawn), 2 * BYTES)]
        return self._ids.pop()

    def close(self) -> None:
        """Nothing more will come."""
