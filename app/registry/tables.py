"""The tables of the index: resources as they are shown, what they are found by, and their words.

Shape: beside them stands `resource_text`, made by the migration: SQLite's FTS5, or a column of PostgreSQL's `tsvector`.
Both hold the words that `app.registry.resource.words` makes, so that both find the same.
"""

from sqlalchemy import (
    BigInteger,
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
    Column("body", LargeBinary, nullable=False),  # a Resource as JSON
    Index(None, "id", unique=True),
    sqlite_autoincrement=True,
)

resource_term = Table(
    "resource_term",
    metadata,
    # What a resource is filtered by: its subjects, grades, standards and courses, folded.
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("resource", NUMBER, ForeignKey("resource.number", ondelete="CASCADE"), primary_key=True),
    Index(None, "resource"),
)
