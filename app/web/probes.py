"""What the operator's machines ask: whether the server runs, whether it can answer, and what it has counted.

Shape: `/healthz` says that the process runs; `/readyz` names what does not answer, and no more; `/metrics` is
Prometheus's, for those whom the configuration lets read it.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.settings import Settings
from app.telemetry.metrics import exposition
from app.web.log import note

Question = Callable[[], Awaitable[bool]]
"""Whether something answers that an answer needs."""

FRESH = 1.0
"""Units: seconds that what was found stands: whoever asks often asks no database often."""

_NOW = {"cache-control": "no-store"}
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_FORWARDED = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"})


class Readiness:
    """Whether this process can answer: everything that an answer needs does, and nobody told it to stop."""

    def __init__(self, questions: Mapping[str, Question], clock: Callable[[], float] = time.monotonic) -> None:
        self.stopping = False
        self._questions = questions
        self._clock = clock
        self._asking = asyncio.Lock()
        self._until = float("-inf")
        self._silent: tuple[str, ...] = ()

    async def silent(self) -> tuple[str, ...]:
        """What does not answer."""
        async with self._asking:
            if self._clock() >= self._until:
                found = await asyncio.gather(*(ask() for ask in self._questions.values()))
                silent = tuple(name for name, answers in zip(self._questions, found, strict=True) if not answers)
                if silent != self._silent:
                    note("readiness", level=logging.WARNING, silent=list(silent))
                self._silent = silent
                self._until = self._clock() + FRESH
            return self._silent


def routes(settings: Settings, readiness: Readiness) -> list[Route]:
    """`/healthz`, `/readyz`, `/metrics`."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n", headers=_NOW)

    async def readyz(_: Request) -> Response:
        if readiness.stopping:
            return PlainTextResponse("not ready: stopping\n", 503, headers=_NOW)
        silent = await readiness.silent()
        if silent:
            return PlainTextResponse(f"not ready: {', '.join(silent)}\n", 503, headers=_NOW | {"retry-after": "5"})
        return PlainTextResponse("ready\n", headers=_NOW)

    async def metrics(request: Request) -> Response:
        if not may_read(request, settings):
            return PlainTextResponse("There is nothing at this address for you.\n", 404, headers=_NOW)
        body, media = exposition(request.headers.get("accept", ""))
        return Response(body, headers=_NOW | {"content-type": media})

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def may_read(request: Request, settings: Settings) -> bool:
    """Whether a request may have the metrics. What a proxy brings in is never taken for this machine's own."""
    match settings.metrics.read_by:
        case "anyone":
            return True
        case "loopback":
            near = request.client is not None and request.client.host in _LOOPBACK
            return near and _FORWARDED.isdisjoint(request.headers.keys())
        case "token":
            return _has_token(request, settings.home / settings.metrics.token_file)
        case "nobody":
            return False


def _has_token(request: Request, file: Path) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        wanted = file.read_text(encoding="utf-8").split("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        note("the metrics' token cannot be read", level=logging.ERROR, kind=type(error).__name__)
        return False
    return bool(wanted) and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), wanted.encode())
