"""A client's keys may take turns, as its secrets may: several sets for one client, each with its end."""

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    select,
)

revision = "control_0002"
down_revision = "control_0001"

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
NUMBER = BigInteger().with_variant(Integer(), "sqlite")

before = MetaData(naming_convention=NAMES)
after = MetaData(naming_convention=NAMES)
for metadata in (before, after):
    Table("client", metadata, Column("id", String, primary_key=True), Column("created", BigInteger, nullable=False))

former = Table(
    "client_key",
    before,
    Column("client", String, ForeignKey("client.id"), primary_key=True, nullable=False),
    Column("jwks", JSON, nullable=False),
)

client_key = Table(
    "client_key",
    after,
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    Column("client", String, ForeignKey("client.id"), nullable=False),
    Column("jwks", JSON, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Index(None, "client"),
    sqlite_autoincrement=True,
)


def upgrade() -> None:
    """Make the table anew around what it holds: its primary key is another."""
    connection, client = op.get_bind(), before.tables["client"]
    held = select(former.c.client, former.c.jwks, client.c.created).join(client, client.c.id == former.c.client)
    rows = [dict(row._mapping) for row in connection.execute(held.order_by(former.c.client))]
    former.drop(connection)
    client_key.create(connection)
    if rows:
        connection.execute(client_key.insert(), rows)
