"""Days that are over are laid out by student. The summary is made anew, from the first entry on."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, delete

revision = "ledger_0004"
down_revision = "ledger_0003"

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

NUMBER = BigInteger().with_variant(Integer(), "sqlite")

earlier = Table(
    "earlier",
    metadata,
    Column("block", NUMBER, primary_key=True, autoincrement=False),
    Column("client", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("basis", String, primary_key=True),
    Column("fields", NUMBER, primary_key=True, autoincrement=False),
    Column("month", Integer, primary_key=True, autoincrement=False),
    Column("days", LargeBinary, nullable=False),
)


def upgrade() -> None:
    """Make the table, and begin again: what subgraphs were sent was left out before."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.create_index("ix_reach_day", "reach", ["day"])
    for name in ("usage", "activity", "reach", "field_set", "summarized"):
        op.execute(delete(Table(name, MetaData())))
