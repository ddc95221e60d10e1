"""A space bears a mark that every writer sets anew, so that an answer to "what changed?" need not read what did not."""

from alembic import op
from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String

revision = "space_0002"
down_revision = "space_0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "space_state",
        Column("number", Integer, nullable=False, autoincrement=False),
        Column("mark", String, nullable=False),
        PrimaryKeyConstraint("number", name="pk_space_state"),
    )
