"""What happens when a server is told to stop: it is not ready any more, goes on for a while, and then takes no more.

The balancer in front has that while to notice. What is under way after it may leave, until the server's grace is over.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.web.log import note
from app.web.probes import Readiness


@contextmanager
def heeding(readiness: Readiness, notice_seconds: float) -> Iterator[None]:
    """Meanwhile, SIGTERM makes the process not ready, and is handed on to the server after a while.

    To be entered within the server's own loop, once it heeds signals itself. Ctrl+C ends it at once, as ever.
    """
    former = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(former):
        yield  # whoever runs a server in a thread, or without signals, stops it in another way
        return
    loop = asyncio.get_running_loop()

    def begin() -> None:
        if not readiness.stopping:
            readiness.stopping = True
            note("stopping", seconds=notice_seconds)
            loop.call_later(notice_seconds, former, signal.SIGTERM, None)

    signal.signal(signal.SIGTERM, lambda _signal, _frame: loop.call_soon_threadsafe(begin))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
