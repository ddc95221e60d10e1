"""Opening databases."""

from pathlib import Path

import pytest

from app.storage.engines import open_engine
from app.storage.migrate import migrate

pytestmark = pytest.mark.anyio


async def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'control.db'}")
    await migrate(engine, "control")
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
    await engine.dispose()
    assert set(modes.values()) == {"0o600"}, modes
