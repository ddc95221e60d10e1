"""Callers at every worker of a server at once: what is in force is in force in each of them."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from tests.journeys.served import Server

SECOND = 1.0
SLACK = 0.5  # of a busy machine, for a look at the files that began late


def sockets(process: int) -> int:
    """How many sockets a process holds open."""
    found = 0
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            found += os.readlink(link).startswith("socket:")
        except FileNotFoundError:
            continue
    return found


def workers(server: Server) -> list[int]:
    """The processes that answer."""
    assert server.process is not None
    own = server.process.pid
    children = [int(child) for child in Path(f"/proc/{own}/task/{own}/children").read_text().split()]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


class Crowd:
    """Connections that are kept open, some in every worker, and asked again and again."""

    def __init__(self, server: Server, token: str, query: str) -> None:
        self.server = server
        self.token = token
        self.query = query
        self.sessions: list[requests.Session] = []
        self.pool = ThreadPoolExecutor(8)

    def post(self, session: requests.Session) -> tuple[float, requests.Response]:
        """When an answer was asked for, and the answer."""
        began, headers = time.monotonic(), {"authorization": f"Bearer {self.token}"}
        return began, session.post(
            f"{self.server.url}/graphql", json={"query": self.query}, headers=headers, timeout=30
        )

    def ask(self, session: requests.Session) -> tuple[float, dict[str, Any]]:
        """When an answer was asked for, and what it was."""
        began, answer = self.post(session)
        assert answer.status_code == 200, answer.text
        return began, answer.json()

    def gather(self) -> None:
        """Open connections until each worker holds three of them."""
        before = {worker: sockets(worker) for worker in workers(self.server)}
        assert len(before) == 2
        for _ in range(40):
            several = [requests.Session() for _ in range(8)]
            self.sessions += several
            list(self.pool.map(self.ask, several))
            if all(sockets(worker) >= held + 3 for worker, held in before.items()):
                return
            time.sleep(0.25)  # one may still be starting
        raise AssertionError("One worker takes every connection.")

    def round(self) -> list[tuple[float, dict[str, Any]]]:
        """Ask once on every connection, and on some that are new."""
        fresh = [requests.Session() for _ in range(4)]
        try:
            return list(self.pool.map(self.ask, [*self.sessions, *fresh]))
        finally:
            for session in fresh:
                session.close()

    def everywhere(self, wait: float = SECOND + SLACK) -> list[requests.Response]:
        """What every worker answers a second from now, whatever the status."""
        time.sleep(wait)
        return [answer for _, answer in self.pool.map(self.post, self.sessions)]
