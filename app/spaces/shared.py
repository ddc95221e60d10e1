"""Look-ups of single records by one plan, and so under one authority, share statements.

While one statement is under way the next look-ups gather and then share the next one; one that comes alone is run at
once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

Found = TypeVar("Found")


class Shared(Generic[Found]):
    """The look-ups of one plan. `run` finds a set of rows; a row that it does not find is None."""

    def __init__(self, run: Callable[[list[int]], Awaitable[Mapping[int, Found]]]) -> None:
        self._run = run
        self._waiting: dict[asyncio.Future[Found | None], int] = {}
        self._task: asyncio.Task[None] | None = None

    async def load(self, row: int) -> Found | None:
        """The record in a row. Raises: whatever `run` raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Found | None] = loop.create_future()
        self._waiting[future] = row
        if self._task is None:
            self._task = loop.create_task(self._work())
        return await future

    async def _work(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                await self._answer(waiting)
        finally:
            self._task = None

    async def _answer(self, waiting: Mapping[asyncio.Future[Found | None], int]) -> None:
        try:
            found = await self._run(list(set(waiting.values())))
        except Exception as error:
            for future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for future, row in waiting.items():
            if not future.done():  # else its request has gone away
                future.set_result(found.get(row))
