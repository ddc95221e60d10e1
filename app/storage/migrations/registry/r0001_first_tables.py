"""The first tables of the learning registry."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, LargeBinary, MetaData, String, Table

revision = "registry_0001"
down_revision = None

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NUMBER = BigInteger().with_variant(Integer(), "sqlite")

resource = Table(
    "resource",
    metadata,
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    Column("uses", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "id", unique=True),
    sqlite_autoincrement=True,
)

resource_term = Table(
    "resource_term",
    metadata,
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("resource", NUMBER, ForeignKey("resource.number", ondelete="CASCADE"), primary_key=True),
    Index(None, "resource"),
)

TEXT = {
    "sqlite": ("CREATE VIRTUAL TABLE resource_text USING fts5(a, b, d, tokenize = 'unicode61 remove_diacritics 0')",),
    "postgresql": (
        "CREATE TABLE resource_text (resource BIGINT NOT NULL CONSTRAINT pk_resource_text PRIMARY KEY"
        " CONSTRAINT fk_resource_text_resource REFERENCES resource (number) ON DELETE CASCADE,"
        " words TSVECTOR NOT NULL)",
        "CREATE INDEX ix_resource_text_words ON resource_text USING gin (words)",
    ),
}


def upgrade() -> None:
    """Make the tables, and the words' table in this database's own way."""
    connection = op.get_bind()
    metadata.create_all(connection, checkfirst=False)
    for statement in TEXT[connection.dialect.name]:
        connection.exec_driver_sql(statement)
