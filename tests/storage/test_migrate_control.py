"""What the control database holds is there after an upgrade."""

import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.oauth.credentials import Credential, read_credentials
from app.storage import migrate as room
from app.storage.upgrade import scripts as scripts_of

pytestmark = pytest.mark.anyio


def as_it_was(connection: Connection, revision: str) -> None:
    """Make the tables of an earlier version."""
    scripts = scripts_of(room.FOLDER, "control")
    with EnvironmentContext(
        Config(), scripts, fn=lambda found, _: scripts._upgrade_revs(revision, found)
    ) as environment:
        environment.configure(connection=connection, version_table="control_version")
        environment.run_migrations()


async def test_the_keys_of_a_client_go_on_when_keys_may_take_turns(database: AsyncEngine) -> None:
    async with database.begin() as connection:
        await connection.run_sync(as_it_was, "control_0001")
        await connection.execute(
            text("INSERT INTO client (id, name, standing, scopes, created) VALUES ('signer', 'S', 'active', '[]', 7)")
        )
        await connection.execute(
            text("INSERT INTO client_key (client, jwks) VALUES ('signer', :jwks)"), {"jwks": '{"keys": [{"kid": "a"}]}'}
        )
    assert await room.pending(database, "control")
    await room.migrate(database, "control")
    assert await read_credentials(database, now=8) == {"signer": (Credential("keys", 7, None, ("a",)),)}
