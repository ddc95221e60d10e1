"""The district's own records: opt-outs, and students whose records had to go."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table

revision = "space_0004"
down_revision = "space_0003"

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

ROW = BigInteger().with_variant(Integer(), "sqlite")

opt_out = Table(
    "opt_out",
    metadata,
    Column("student_key", String, primary_key=True),
    Column("client", String, primary_key=True),
    Column("at", String, nullable=False),
)

erased = Table(
    "erased",
    metadata,
    Column("key_hash", String, primary_key=True),
    Column("student", ROW, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("kept_out", Boolean, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
