"""Beside the entries stands what vendors hold, so that they can be told what changed since."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

revision = "ledger_0002"
down_revision = "ledger_0001"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NUMBER = BigInteger().with_variant(Integer(), "sqlite")

holding = Table(
    "holding",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("client", String, nullable=False),
    Column("query", LargeBinary, nullable=False),
    Column("entry", NUMBER, nullable=False),
    Column("used", NUMBER, nullable=False),
    Column("through", NUMBER),
    Column("state", LargeBinary),
    Column("last", NUMBER, nullable=False),
    Column("records", NUMBER, nullable=False),
    Index(None, "client", "query", "entry"),
)

holding_place = Table(
    "holding_place",
    metadata,
    Column("holding", LargeBinary, primary_key=True),
    Column("place", NUMBER, primary_key=True, autoincrement=False),
    Column("part", LargeBinary, nullable=False, index=True),
)

holding_part = Table(
    "holding_part",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("client", String, nullable=False, index=True),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
