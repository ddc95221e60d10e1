"""Vendors and spaces that are served at once are kept apart, and a clock that goes back gives nothing back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.errors import RequestError
from app.names import ClientId, SpaceId
from app.oauth.caller import Caller
from app.web.parameters import _from_json
from tests import worlds
from tests.journeys.world import ALL, Asked, granting, opened

pytestmark = pytest.mark.anyio

GRANTS = {
    "names": granting("names", {"Student": "firstName"}),
    "initials": granting("initials", {"Student": "firstName:initial lastSurname"}, 'schools = ["elm"]'),
}
HERE, THERE = worlds.SPACE, SpaceId("tx/larkspur-east")
QUERY = "{ students { nodes { id firstName lastSurname } } }"
AT_ONCE = 30


@pytest.fixture(scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asked]:
    """Two spaces with the same records, and two vendors with other grants."""
    home = tmp_path_factory.mktemp("apart") / "home"
    async with opened(home, GRANTS, databases={HERE: None, THERE: None}) as asked:
        yield asked


def test_threat_2_a_list_of_requests_is_not_taken() -> None:
    with pytest.raises(RequestError, match="lists of them are not taken"):
        _from_json(b'[{"query": "{ __typename }"}, {"query": "{ __typename }"}]')


async def test_threat_19_one_clients_plan_never_serves_another(two: Asked) -> None:
    alone = {client: await two.raw(client, QUERY) for client in GRANTS}
    assert len(set(alone.values())) == 2
    order = [*GRANTS] * AT_ONCE
    together = await asyncio.gather(*(two.raw(client, QUERY) for client in order))
    assert all(found == alone[client] for client, found in zip(order, together, strict=True))


async def test_threat_20_two_spaces_at_once_never_meet(two: Asked) -> None:
    alone = {space: await two.raw("names", QUERY, space=space) for space in (HERE, THERE)}
    assert len(set(alone.values())) == 2  # the same children under other names
    order = [HERE, THERE] * AT_ONCE
    together = await asyncio.gather(*(two.raw("names", QUERY, space=space) for space in order))
    assert all(found == alone[space] for space, found in zip(order, together, strict=True))


async def test_threat_34_a_clock_that_jumps_back_meets_no_authority_of_a_day_that_is_no_more(two: Asked) -> None:
    rooms = two.rooms
    caller = Caller(ClientId("names"), HERE, "instruction", ALL, "jti", 2**40)
    usual = rooms.clock
    try:
        today = rooms.authority(caller)
        rooms.clock = lambda: usual() + timedelta(days=1)
        tomorrow = rooms.authority(caller)
        rooms.clock = usual
        assert tomorrow.today == today.today + timedelta(days=1)
        assert rooms.authority(caller).today == today.today
    finally:
        rooms.clock = usual
