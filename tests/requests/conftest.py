"""What tests of requests stand on."""

from collections.abc import AsyncIterator

import pytest

from tests.requests.asking import Asking, asking


@pytest.fixture
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asking]:
    """A district of a test's own."""
    async with asking(tmp_path_factory.mktemp("asking") / "home") as found:
        yield found


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asking]:
    """One district for all tests of a module."""
    async with asking(tmp_path_factory.mktemp("asking") / "home") as found:
        yield found
