"""What the tables of a space are made of: their kinds of columns, and the row number that every record has."""

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

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ROW = BigInteger().with_variant(Integer(), "sqlite")


def text(name: str) -> Column[str]:
    """Text, or none."""
    return Column(name, String)


def day(name: str) -> Column[str]:
    """An ISO 8601 date as text."""
    return Column(name, String, CheckConstraint(f"length({name}) = 10", name=name))


def listed(name: str) -> Column[str]:
    """JSON text of an array of strings."""
    return Column(name, String)


def to(table: str) -> Column[int]:
    """The row number of the record of another type that this one belongs to."""
    return Column(table, ROW, ForeignKey(f"{table}.row", deferrable=True, initially="DEFERRED"), index=True)


def entity(
    name: str, *columns: Column[object] | Column[str] | Column[int] | Column[bool] | Column[float] | Index
) -> Table:
    """The table of a type: its row number, the district's own key, and its columns."""
    # INVARIANT: AUTOINCREMENT and ALWAYS keep a deleted record's number from ever naming another one.
    return Table(
        name,
        metadata,
        Column("row", ROW, Identity(always=False), primary_key=True, autoincrement=True),
        Column("source_key", String, nullable=False, unique=True),
        *columns,
        sqlite_autoincrement=True,
    )
