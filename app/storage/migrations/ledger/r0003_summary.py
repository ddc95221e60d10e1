"""Beside the entries stands a summary of them. It is made by the servers, from the first entry on."""

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, MetaData, String, Table

revision = "ledger_0003"
down_revision = "ledger_0002"

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

NUMBER = BigInteger().with_variant(Integer(), "sqlite")

usage = Table(
    "usage",
    metadata,
    Column("client", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("coordinate", String, primary_key=True),
    Column("first", NUMBER, nullable=False),
    Column("last", NUMBER, nullable=False),
    Column("days", Integer, nullable=False),
    Column("first_day", Integer, nullable=False),
    Column("last_day", Integer, nullable=False),
)

activity = Table(
    "activity",
    metadata,
    Column("client", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("answers", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
)

reach = Table(
    "reach",
    metadata,
    Column("client", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("basis", String, primary_key=True),
    Column("fields", NUMBER, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("least", NUMBER, nullable=False),
    Column("greatest", NUMBER, nullable=False),
    Column("students", LargeBinary, nullable=False),
)

field_set = Table(
    "field_set",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("coordinates", JSON, nullable=False),
)

summarized = Table(
    "summarized",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("through", NUMBER, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
