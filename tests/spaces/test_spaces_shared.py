"""Look-ups that meet share a statement, and one that is alone waits for nobody."""

import asyncio
from collections.abc import Mapping

import pytest

from app.errors import Unavailable
from app.spaces.shared import Shared

pytestmark = pytest.mark.anyio


class Table:
    """A table of even rows, each answered when it is told to."""

    def __init__(self) -> None:
        self.statements: list[list[int]] = []
        self.open = asyncio.Event()
        self.broken = False

    async def read(self, rows: list[int]) -> Mapping[int, str]:
        self.statements.append(sorted(rows))
        await self.open.wait()
        if self.broken:
            raise Unavailable("The table does not answer.")
        return {row: f"record {row}" for row in rows if row % 2 == 0}


async def ask(shared: Shared[str], *rows: int) -> list[asyncio.Task[str | None]]:
    asked = [asyncio.create_task(shared.load(row)) for row in rows]
    await asyncio.sleep(0.01)
    return asked


async def test_a_look_up_that_is_alone_is_run_at_once() -> None:
    table = Table()
    shared = Shared(table.read)
    (one,) = await ask(shared, 2)
    assert table.statements == [[2]]
    table.open.set()
    assert await one == "record 2"
    assert await shared.load(3) is None


async def test_those_that_come_while_a_statement_is_under_way_share_the_next_one() -> None:
    table = Table()
    shared = Shared(table.read)
    first = await ask(shared, 2)
    then = [*await ask(shared, 4), *await ask(shared, 6, 4, 7)]
    assert table.statements == [[2]]
    table.open.set()
    assert await asyncio.gather(*first, *then) == ["record 2", "record 4", "record 6", "record 4", None]
    assert table.statements == [[2], [4, 6, 7]]


async def test_a_fault_is_told_to_those_who_waited_for_it_and_to_nobody_else() -> None:
    table = Table()
    shared = Shared(table.read)
    failing = await ask(shared, 2, 4)
    table.broken = True
    table.open.set()
    with pytest.raises(Unavailable):
        await failing[0]
    with pytest.raises(Unavailable):
        await failing[1]
    table.broken = False
    assert await shared.load(6) == "record 6"


async def test_who_goes_away_keeps_nobody_else_from_an_answer() -> None:
    table = Table()
    shared = Shared(table.read)
    gone, stays = await ask(shared, 2, 4)
    gone.cancel()
    table.open.set()
    assert await stays == "record 4"
    assert await shared.load(8) == "record 8"
