"""Run the revisions that a database lacks, with Alembic."""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def scripts(folder: Path, kind: str) -> ScriptDirectory:
    """The revisions of one kind of database."""
    return ScriptDirectory(folder, version_locations=[folder / kind])


def upgrade(connection: Connection, folder: Path, kind: str) -> None:
    """Bring the database of a connection to the newest of them, within its transaction."""
    found = scripts(folder, kind)
    with EnvironmentContext(Config(), found, fn=lambda at, _: found._upgrade_revs("head", at)) as environment:
        environment.configure(connection=connection, version_table=f"{kind}_version")
        environment.run_migrations()
