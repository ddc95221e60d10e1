"""The ledger's tables: entries in the order in which they were recorded, never changed afterwards; and beside the
chain what vendors hold, from which they are told what changed, and a summary of the entries, from which pages are made.

Shape: an entry's `body` holds it itself, byte for byte as it was hashed. The other columns repeat what is in it, so
that a list can be filtered without reading every entry; `verify` checks that they say the same.
"""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

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
    Column("sequence", NUMBER, primary_key=True, autoincrement=False),  # 1, 2, 3 … without a gap
    Column("hash", LargeBinary, nullable=False),  # SHA-256 of the hash before it and of `body`
    Column("at", NUMBER, nullable=False),  # microseconds since 1970, UTC
    Column("client", String, nullable=False),
    Column("first_student", NUMBER),  # the least and the greatest row number in any of the entry's bitmaps;
    Column("last_student", NUMBER),  # absent: no student's data left with it
    Column("body", LargeBinary, nullable=False),
    Index(None, "at", "sequence"),
    Index(None, "client", "at", "sequence"),
    Index(None, "first_student", "last_student", "sequence"),
)

holding = Table(
    "holding",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("client", String, nullable=False),
    Column("query", LargeBinary, nullable=False),
    Column("entry", NUMBER, nullable=False),  # the last ledger entry with which it was kept or found up to date
    Column("used", NUMBER, nullable=False),  # that entry's moment, microseconds since 1970, UTC
    Column("through", NUMBER),
    Column("state", LargeBinary),
    Column("last", NUMBER, nullable=False),
    Column("records", NUMBER, nullable=False),
    Index(None, "client", "query", "entry"),
)

holding_place = Table(
    "holding_place",
    metadata,
    Column("holding", LargeBinary, primary_key=True),
    Column("place", NUMBER, primary_key=True, autoincrement=False),
    Column("part", LargeBinary, nullable=False, index=True),
)

holding_part = Table(
    "holding_part",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("client", String, nullable=False, index=True),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    # The summary: which fields left to whom. Days are the district's, as ordinals.
    Column("client", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("coordinate", String, primary_key=True),
    Column("first", NUMBER, nullable=False),  # microseconds since 1970, UTC
    Column("last", NUMBER, nullable=False),
    Column("days", Integer, nullable=False),  # on how many
    Column("first_day", Integer, nullable=False),
    Column("last_day", Integer, nullable=False),
)

activity = Table(
    "activity",
    metadata,
    # ... how often a client asked on a day
    Column("client", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("answers", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
)

reach = Table(
    "reach",
    metadata,
    # ... of whom the same fields left to a client on a day
    Column("client", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("basis", String, primary_key=True),
    Column("fields", NUMBER, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("least", NUMBER, nullable=False),
    Column("greatest", NUMBER, nullable=False),
    Column("students", LargeBinary, nullable=False),  # a bitmap of row numbers
    Index(None, "day"),
)

earlier = Table(
    "earlier",
    metadata,
    # ... and of days that are over the same, laid out by student: a parent's page reads the rows of one block
    Column("block", NUMBER, primary_key=True, autoincrement=False),  # of row numbers
    Column("client", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("basis", String, primary_key=True),
    Column("fields", NUMBER, primary_key=True, autoincrement=False),
    Column("month", Integer, primary_key=True, autoincrement=False),
    Column("days", LargeBinary, nullable=False),  # four bytes for each student of the block: a bit for each day
)

field_set = Table(
    "field_set",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("coordinates", JSON, nullable=False),
)

summarized = Table(
    "summarized",
    metadata,
    # One row: the last entry that the summary has.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("through", NUMBER, nullable=False),
)

SUMMARY = (usage, activity, reach, earlier, field_set, summarized)
"""All that is made from the entries, and can be made anew."""
