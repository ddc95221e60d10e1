"""What vendors hold is kept with the entry that it belongs to, shared where it is alike, and let go in time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import RequestError, Unavailable
from app.ledger import Checkpoints, Ledger
from app.ledger.holding import BITS, Holding, Keeping, drawn, read_part, write_part
from app.ledger.holdings import Holdings
from app.ledger.store import holding, holding_part, holding_place
from app.ledger.verify import verify
from app.names import ClientId
from app.settings import Changes
from tests.ledger.samples import NOON, SPACE, an_entry

pytestmark = pytest.mark.anyio

READWELL, QUERY = ClientId("readwell"), b"q" * 32
NOTHING = Holding(READWELL, QUERY)
FAR = 5 << BITS


def digests(*rows: int, of: bytes = b"d") -> dict[int, bytes]:
    return dict.fromkeys(rows, of * 16)


class Unhurried(Holdings):
    """Holdings that are pruned when the test says so."""

    def prune_soon(self) -> None:
        pass


class Kept:
    """A ledger in which vendors' holdings are kept, at a moment that the test sets."""

    def __init__(self, engine: AsyncEngine, checkpoints: Checkpoints, changes: Changes) -> None:
        self.now = NOON
        self.holdings = Unhurried(engine, changes, lambda: self.now)
        self.ledger = Ledger(engine, SPACE, checkpoints, holdings=self.holdings)
        self.engine = engine

    async def next(
        self, former: Holding, sent: Mapping[int, bytes], gone: tuple[int, ...] = (), through: int | None = None
    ) -> Holding:
        """What is held after one more answer."""
        keeping = await self.holdings.grown(former, sent, gone, id=drawn(), through=through, state=b"s")
        await self.ledger.record(an_entry(at=self.now), (keeping,))
        return keeping.holding

    async def found(self, held: Holding) -> dict[int, bytes] | None:
        """All that a holding has, or None if it is not kept any longer."""
        try:
            again = await self.holdings.find(held.id, held.client, held.query)
        except RequestError:
            return None
        assert again == held
        return await self.holdings.digests(again, again.places)

    async def count(self) -> tuple[int, int, int]:
        """Holdings, their places, and the parts that these share."""
        async with self.engine.connect() as connection:
            counted = [
                (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in (holding, holding_place, holding_part)
            ]
        return counted[0], counted[1], counted[2]


@pytest.fixture
async def kept(engine: AsyncEngine, checkpoints: Checkpoints) -> AsyncIterator[Kept]:
    made = Kept(engine, checkpoints, Changes(days=30, keep=2, client_bytes=18 * 10))
    yield made
    await made.ledger.close()


@given(st.integers(0, 2**40), st.dictionaries(st.integers(0, (1 << BITS) - 1), st.binary(min_size=16, max_size=16)))
def test_a_part_is_read_back_as_it_was_written(place: int, inside: dict[int, bytes]) -> None:
    held = {(place << BITS) + row: digest for row, digest in inside.items()}
    assert read_part(place, write_part(held)) == held


async def test_a_holding_is_read_back_with_what_was_sent_and_without_what_is_gone(kept: Kept) -> None:
    one = await kept.next(NOTHING, digests(1, 2, FAR))
    two = await kept.next(one, digests(2, 3, of=b"e"), (1, FAR))
    assert await kept.found(one) == digests(1, 2, FAR)
    assert await kept.found(two) == digests(2, 3, of=b"e")
    assert (one.records, one.last, two.records, two.last) == (3, FAR, 2, 3)
    assert await kept.found(await kept.next(two, {}, (2, 3))) == {}


async def test_a_further_holding_shares_the_parts_in_which_nothing_differs(kept: Kept) -> None:
    one = await kept.next(NOTHING, digests(1, FAR))
    two = await kept.next(one, digests(2))
    assert one.places[5] == two.places[5]
    assert await kept.count() == (2, 4, 3)


async def test_only_its_client_finds_a_holding_and_only_for_its_query(kept: Kept) -> None:
    one = await kept.next(NOTHING, digests(1))
    assert await kept.found(replace(one, client=ClientId("mathly"))) is None
    assert await kept.found(replace(one, query=b"r" * 32)) is None
    with pytest.raises(RequestError) as refused:
        await kept.holdings.find(drawn(), READWELL, QUERY)
    assert refused.value.code == "CHANGES_EXPIRED"


async def test_the_last_few_of_a_list_are_kept_whole_ones_and_those_under_way_apart(kept: Kept) -> None:
    whole = [await kept.next(NOTHING, digests(1, FAR))]
    whole += [await kept.next(whole[0], digests(n)) for n in range(2, 5)]
    partly = [await kept.next(NOTHING, digests(n), through=n) for n in range(1, 4)]
    other = await kept.next(replace(NOTHING, query=b"r" * 32), digests(1))
    await kept.holdings.prune()
    assert [await kept.found(one) is None for one in whole] == [True, True, False, False]
    assert [await kept.found(one) is None for one in partly] == [True, False, False]
    assert await kept.found(other) == digests(1)
    assert await kept.found(whole[3]) == digests(1, 4, FAR)
    assert await kept.count() == (5, 7, 6)  # the two whole ones share their far part


async def test_one_that_was_found_up_to_date_is_as_good_as_new(kept: Kept) -> None:
    one = await kept.next(NOTHING, digests(1))
    rest = [await kept.next(NOTHING, digests(n)) for n in (2, 3)]
    kept.now = NOON + timedelta(days=29)
    await kept.ledger.record(an_entry(at=kept.now), (Keeping(replace(one, state=b"t"), stands=True),))
    await kept.holdings.prune()
    assert await kept.found(replace(one, state=b"t")) == digests(1)
    assert [await kept.found(each) is None for each in rest] == [True, False]
    kept.now = NOON + timedelta(days=31)
    assert await kept.found(rest[1]) is None
    await kept.holdings.prune()
    assert await kept.count() == (1, 1, 1)


async def test_a_client_has_its_share_and_what_it_used_longest_ago_goes_first(kept: Kept) -> None:
    lists = [
        await kept.next(replace(NOTHING, query=bytes([n]) * 32), digests(*range(1, 5))) for n in range(4)
    ]  # 72 bytes each, of 180
    foreign = await kept.next(replace(NOTHING, client=ClientId("mathly")), digests(*range(1, 5)))
    await kept.holdings.prune()
    assert [await kept.found(one) is None for one in lists] == [True, True, False, False]
    assert await kept.found(foreign) is not None
    with pytest.raises(RequestError, match="too long") as refused:
        await kept.next(NOTHING, digests(*range(1, 12)))
    assert refused.value.code == "CHANGES_TOO_LARGE"


async def test_a_holding_that_lost_a_part_is_none(kept: Kept) -> None:
    one = await kept.next(NOTHING, digests(1, FAR))
    async with kept.engine.begin() as connection:
        await connection.execute(holding_part.delete().where(holding_part.c.id == one.places[5]))
    assert await kept.found(one) is None
    with pytest.raises(RequestError, match="from the beginning"):
        await kept.holdings.digests(one, one.places)


async def test_what_need_not_be_kept_is_let_go_beside_the_answers(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    holdings = Holdings(engine, Changes(days=1, keep=1), lambda: NOON)
    ledger = Ledger(engine, SPACE, checkpoints, holdings=holdings)
    old = await holdings.grown(NOTHING, digests(1), (), id=drawn(), through=None, state=None)
    await ledger.record(an_entry(at=NOON - timedelta(days=2)), (old,))
    for _ in range(200):
        async with engine.connect() as connection:
            if not (await connection.execute(select(func.count()).select_from(holding_part))).scalar_one():
                break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("It is still there")
    await ledger.close()


async def test_what_cannot_be_pruned_stands_a_while_longer_and_the_log_says_so(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    holdings = Holdings(kept.engine, Changes())
    async with kept.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE holding RENAME TO moved"))
    holdings.prune_soon()
    for _ in range(200):
        if "could not be pruned" in caplog.text:
            break
        await asyncio.sleep(0.05)
    async with kept.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE moved RENAME TO holding"))
    assert "could not be pruned" in caplog.text
    await holdings.close()


async def test_holdings_are_no_part_of_the_chain(kept: Kept, checkpoints: Checkpoints) -> None:
    for n in range(1, 5):
        await kept.next(NOTHING, digests(n))
    assert (await verify(kept.engine, checkpoints)).sound
    async with kept.engine.begin() as connection:
        await connection.execute(holding.delete())
    assert (await verify(kept.engine, checkpoints)).sound


async def test_what_cannot_be_kept_does_not_leave(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    kept = Kept(engine, checkpoints, Changes())
    keeping = await kept.holdings.grown(NOTHING, digests(1), (), id=drawn(), through=None, state=None)
    await kept.ledger.record(an_entry(), (keeping,))
    with pytest.raises(Unavailable):  # an id is given out once
        await kept.ledger.record(an_entry(), (keeping,))
    assert await kept.count() == (1, 1, 1)
    await kept.ledger.close()
    assert (await verify(engine, checkpoints)).entries == 1
