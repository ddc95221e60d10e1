"""Connections are shared: a client has half of them at most, and whoever leaves gives back what was taken."""

import asyncio

import pytest

from app.errors import TooMany, Unavailable
from app.traffic.shares import Shares


async def test_a_client_has_half_and_the_rest_is_for_others() -> None:
    shares = Shares("the space", 4)
    mine = [await shares.admit("readwell", 0.01) for _ in range(2)]
    with pytest.raises(TooMany) as error:
        await shares.admit("readwell", 0.01)
    assert error.value.code == "TOO_MANY_AT_ONCE"
    await shares.admit("mathpath", 0.01)
    mine[0]()
    await shares.admit("readwell", 0.01)


async def test_where_everything_is_in_use_it_is_unavailable_and_nothing_is_kept() -> None:
    shares = Shares("the space", 2)
    taken = [await shares.admit(None, 0.01) for _ in range(2)]
    for _ in range(3):
        with pytest.raises(Unavailable, match="Every connection to the space is in use"):
            await shares.admit("readwell", 0.01)
    taken[0]()
    await shares.admit("readwell", 0.01)


async def test_whoever_gives_up_waiting_holds_nothing() -> None:
    shares = Shares("the space", 2)
    taken = [await shares.admit(None, 0.01) for _ in range(2)]
    waiting = asyncio.ensure_future(shares.admit("readwell", 60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for let_go in taken:
        let_go()
    await shares.admit("readwell", 0.01)
    await shares.admit("mathpath", 0.01)


async def test_one_place_is_for_one_at_a_time() -> None:
    shares = Shares("the space", 1)
    let_go = await shares.admit("readwell", 0.01)
    waiting = asyncio.ensure_future(shares.admit("readwell", 60))
    await asyncio.sleep(0)
    assert not waiting.done()
    let_go()
    await waiting
