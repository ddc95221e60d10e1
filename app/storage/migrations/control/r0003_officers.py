"""Officers of the districts, and the browsers that they are signed in with."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)

revision = "control_0003"
down_revision = "control_0002"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
NUMBER = BigInteger().with_variant(Integer(), "sqlite")

officer = Table(
    "officer",
    metadata,
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    Column("space", String, nullable=False),
    Column("email", String, nullable=False),
    Column(
        "role",
        String,
        CheckConstraint("role IN ('reader', 'steward', 'privacy-officer')", name="role"),
        nullable=False,
    ),
    Column("password", String, nullable=False),
    Column("created", BigInteger, nullable=False),
    Index(None, "space", "email", unique=True),
    sqlite_autoincrement=True,
)

officer_session = Table(
    "officer_session",
    metadata,
    Column("id", String, primary_key=True),
    Column("space", String, nullable=False),
    Column("email", String, nullable=False),
    Column("role", String, nullable=False),
    Column("officer", NUMBER, ForeignKey("officer.number", ondelete="CASCADE"), index=True),
    Column("began", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False, index=True),
    Index(None, "space", "email"),
)

officer_failure = Table(
    "officer_failure",
    metadata,
    Column("who", String, primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("failures", Integer, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
