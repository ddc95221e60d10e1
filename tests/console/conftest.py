"""The console that a module's tests share."""

from collections.abc import AsyncIterator, Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.officers import passwords
from tests import worlds
from tests.console.office import Office, opened


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Argon2 with little work: what is right and wrong is the same."""
    quick = PasswordHash([Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", quick)
        patch.setattr("app.officers.entering.NOBODY", quick.hash("nobody"))
        yield


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """One console for all tests of a module."""
    async with opened(tmp_path_factory.mktemp("console") / "home") as office:
        yield office


@pytest.fixture
def office(shared: Office) -> Office:
    """The console, at noon of its day."""
    shared.now[0] = worlds.NOW
    return shared
