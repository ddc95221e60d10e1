"""Statements of a gateway that were used up."""

from alembic import op
from sqlalchemy import BigInteger, Column, MetaData, String, Table

revision = "control_0005"
down_revision = "control_0004"

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

used_statement = Table(
    "used_statement",
    metadata,
    Column("jti", String, primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)


def upgrade() -> None:
    """Make the table."""
    metadata.create_all(op.get_bind(), checkfirst=False)
