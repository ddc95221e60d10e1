"""A server that lost sight of what was withdrawn discloses nothing; whatever else fails, it keeps following that."""

from pathlib import Path
from time import monotonic

import pytest

from app.errors import Unavailable
from app.installation import LAGGING
from app.installing import create
from app.names import ClientId, SpaceId
from app.oauth.caller import Caller
from app.oauth.clients import State, add_client, set_state
from app.opening import Follower, Holder, open_installation

pytestmark = pytest.mark.anyio

READWELL = ClientId("readwell")
CALLER = Caller(READWELL, SpaceId("tx/larkspur"), "instruction", frozenset(), "jti", 0.0)


async def test_nothing_is_decided_by_what_may_have_been_withdrawn(tmp_path: Path) -> None:
    async with open_installation(create(tmp_path)) as rooms:
        rooms.authority(CALLER)
        rooms.followed = monotonic() - LAGGING - 1
        with pytest.raises(Unavailable, match="not known"):
            rooms.authority(CALLER)


async def test_a_folder_that_cannot_be_watched_hides_no_suspension(tmp_path: Path) -> None:
    settings = create(tmp_path / "home")
    async with open_installation(settings) as rooms:
        await add_client(rooms.control, READWELL, scopes=frozenset(), now=0)
        follower = Follower(rooms, Holder())
        (tmp_path / "file").write_text("")
        follower._watch._file = tmp_path / "file" / ".watching"  # where nothing can be written
        with pytest.raises(Unavailable, match="cannot be watched"):
            await follower.look()
        assert not rooms.authority(CALLER).suspended
        await set_state(rooms.control, READWELL, State.SUSPENDED)
        with pytest.raises(Unavailable, match="cannot be watched"):
            await follower.look()
        assert rooms.authority(CALLER).suspended
