"""The control database as it began.

What a revision makes never changes afterwards: its tables are written out here, and later revisions alter them.
"""

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

revision = "control_0001"
down_revision = None

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def _of_client(*, primary_key: bool = False) -> Column[str]:
    return Column("client", String, ForeignKey("client.id"), primary_key=primary_key, nullable=False)


client = Table(
    "client",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column(
        "standing",
        String,
        CheckConstraint("standing IN ('active', 'suspended', 'revoked')", name="standing"),
        nullable=False,
    ),
    Column("scopes", JSON, nullable=False),
    Column("created", BigInteger, nullable=False),
)

client_secret = Table(
    "client_secret",
    metadata,
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    _of_client(),
    Column("hash", String, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Index(None, "client"),
    sqlite_autoincrement=True,
)

client_key = Table(
    "client_key",
    metadata,
    _of_client(primary_key=True),
    Column("jwks", JSON, nullable=False),
)

used_jti = Table(
    "used_jti",
    metadata,
    _of_client(primary_key=True),
    Column("jti", String, primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)

revoked_jti = Table(
    "revoked_jti",
    metadata,
    Column("jti", String, primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)

failed_attempt = Table(
    "failed_attempt",
    metadata,
    Column("who", String, primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("failures", Integer, nullable=False),
)

policy_revision = Table(
    "policy_revision",
    metadata,
    Column("hash", String, primary_key=True),
    Column("bytes", LargeBinary, nullable=False),
)

policy_set = Table(
    "policy_set",
    metadata,
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("files", JSON, nullable=False),
    sqlite_autoincrement=True,
)

change = Table(
    "change",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.get_bind().execute(change.insert().values(id=1, number=1))
