"""Contacts, attendance, programs, discipline, transcripts and gradebooks: the rest of the data dictionary."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)

revision = "space_0003"
down_revision = "space_0002"

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


def _text(name: str) -> Column[str]:
    return Column(name, String)


def _date(name: str) -> Column[str]:
    return Column(name, String, CheckConstraint(f"length({name}) = 10", name=name))


def _to(table: str) -> Column[int]:
    """The row number of the record of another type that this one belongs to."""
    return Column(table, ROW, ForeignKey(f"{table}.row", deferrable=True, initially="DEFERRED"), index=True)


def _entity(
    name: str, *columns: Column[object] | Column[str] | Column[int] | Column[bool] | Column[float] | Index
) -> Table:

    return Table(
        name,
        metadata,
        Column("row", ROW, Identity(always=False), primary_key=True, autoincrement=True),
        Column("source_key", String, nullable=False, unique=True),
        *columns,
        sqlite_autoincrement=True,
    )


# The tables that these belong to, as far as they are referred to.
PARENTS = ("student", "school", "section", "section_enrollment", "session")
for _name in PARENTS:
    Table(_name, metadata, Column("row", ROW, primary_key=True))

_entity(
    "contact",
    _to("student"),
    _text("contact_id"),
    _text("first_name"),
    _text("last_surname"),
    _text("email"),
    _text("telephone"),
    _text("relationship"),
    Column("legal_guardian", Boolean),
    Column("lives_with", Boolean),
    _text("restrictions"),
)

_entity(
    "attendance_event",
    _to("student"),
    _to("school"),
    _to("section"),
    _date("event_date"),
    _text("status"),
    _text("reason"),
)

_entity(
    "program_participation",
    _to("student"),
    _to("school"),
    _text("program_type"),
    _date("begin_date"),
    _date("end_date"),
)

_entity(
    "discipline_incident",
    _to("school"),
    _date("incident_date"),
    _text("behavior"),
)

_entity(
    "discipline_action",
    _to("student"),
    _to("school"),
    _to("discipline_incident"),
    _text("action_taken"),
    _date("start_date"),
)

_entity(
    "academic_record",
    _to("student"),
    _to("school"),
    _to("session"),
    Column("cumulative_gpa", Float),
    Column("credits_earned", Float),
)

_entity(
    "student_gradebook_entry",
    _to("student"),
    _to("section"),
    _to("section_enrollment"),
    Column("points_earned", Float),
)


def upgrade() -> None:
    """Make the tables."""
    made = [table for name, table in metadata.tables.items() if name not in PARENTS]
    metadata.create_all(op.get_bind(), tables=made, checkfirst=False)
