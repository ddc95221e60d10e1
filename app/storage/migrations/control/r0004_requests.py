"""What vendors ask of districts, what officers decide, whom a district suspends, and where vendors want to be told."""

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Identity, Index, Integer, MetaData, String, Table

revision = "control_0004"
down_revision = "control_0003"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
NUMBER = BigInteger().with_variant(Integer(), "sqlite")

# Stands for the table that is there: what follows refers to it.
Table("client", metadata, Column("id", String, primary_key=True))

access_request = Table(
    "access_request",
    metadata,
    Column("space", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False),
    Column("client", String, ForeignKey("client.id"), nullable=False),
    Column("purpose", String, nullable=False),
    Column("state", String, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("form", JSON, nullable=False),
    Column("given", JSON, nullable=False),
    Column("decided", BigInteger),
    Column("reason", String, nullable=False),
    Index(None, "id", unique=True),
    Index(None, "space", "client"),
)

decision = Table(
    "decision",
    metadata,
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    Column("space", String, nullable=False),
    Column("client", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
    Column("role", String, nullable=False),
    Column("deed", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("request", Integer),
    Column("file", String, nullable=False),
    Column("revision", String, nullable=False),
    Index(None, "space", "client"),
    sqlite_autoincrement=True,
)

suspension = Table(
    "suspension",
    metadata,
    Column("space", String, primary_key=True),
    Column("client", String, ForeignKey("client.id"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
)

webhook = Table(
    "webhook",
    metadata,
    Column("client", String, ForeignKey("client.id"), primary_key=True),
    Column("url", String, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("told", BigInteger),
    Column("failures", Integer, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), tables=[access_request, decision, suspension, webhook], checkfirst=False)
