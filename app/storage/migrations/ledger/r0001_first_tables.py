"""A ledger's database as it began.

What a revision makes never changes afterwards: its tables are written out here, and later revisions alter them.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

revision = "ledger_0001"
down_revision = None

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NUMBER = BigInteger().with_variant(Integer(), "sqlite")

entry = Table(
    "entry",
    metadata,
    Column("sequence", NUMBER, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("at", NUMBER, nullable=False),
    Column("client", String, nullable=False),
    Column("first_student", NUMBER),
    Column("last_student", NUMBER),
    Column("body", LargeBinary, nullable=False),
    Index(None, "at", "sequence"),
    Index(None, "client", "at", "sequence"),
    Index(None, "first_student", "last_student", "sequence"),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
