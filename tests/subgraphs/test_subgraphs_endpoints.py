"""What the configuration says of a space's subgraphs is looked at before anything is connected."""

from pathlib import Path

import pytest

from app.elsewhere import EndpointSettings
from app.errors import ConfigurationError
from app.settings import Settings, SpaceSettings
from app.subgraphs.endpoints import open_endpoints
from tests import worlds

pytestmark = pytest.mark.anyio


def settings(home: Path, token: str) -> Settings:
    (home / "token").write_text(token)
    endpoint = EndpointSettings("https://lms.example/graphql", token_file="token")
    return Settings(
        home=home, spaces={worlds.SPACE: SpaceSettings("sqlite:///x", "sqlite:///y", subgraphs={"lms": endpoint})}
    )


async def test_a_subgraph_is_shown_the_token_of_its_file(tmp_path: Path) -> None:
    async with open_endpoints(settings(tmp_path, "word\n"), {"lms"}) as found:
        assert found[worlds.SPACE]["lms"].headers == {"authorization": "Bearer word"}


async def test_a_token_of_two_lines_is_no_token(tmp_path: Path) -> None:
    """The second would be a header of its own."""
    with pytest.raises(ConfigurationError, match="more than one line"):
        async with open_endpoints(settings(tmp_path, "word\r\nx-forwarded-for: somebody"), {"lms"}):
            pass


async def test_a_subgraph_that_the_supergraph_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no subgraph lms"):
        async with open_endpoints(settings(tmp_path, "word"), {"library"}):
            pass
