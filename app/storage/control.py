"""The tables of the control database: what belongs to the installation and to no district alone.

Shape: clients with their secrets and keys, what was used up or revoked, the published policy set, the districts'
officers, what vendors asked for and what was decided. Nothing here is a student's.
Units: times are seconds since 1970, in UTC.
"""

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
    update,
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
    Column("scopes", JSON, nullable=False),  # an array of the scopes that it is registered for
    Column("created", BigInteger, nullable=False),
)

client_secret = Table(
    "client_secret",
    metadata,
    # Several for one client: a new secret and the one that it takes over from.
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
    # As with secrets: a new set of keys and the one that it takes over from.
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    _of_client(),
    Column("jwks", JSON, nullable=False),  # public keys alone
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Index(None, "client"),
    sqlite_autoincrement=True,
)

used_jti = Table(
    "used_jti",
    metadata,
    # Assertions that were used: each is good for one token. Kept until they would have expired.
    _of_client(primary_key=True),
    Column("jti", String, primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)

revoked_jti = Table(
    "revoked_jti",
    metadata,
    # Tokens that were revoked, kept until they would have expired.
    Column("jti", String, primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)

used_statement = Table(
    "used_statement",
    metadata,
    # What a trusted gateway said of one request, so that it is believed once. `jti` is a hash of the gateway's.
    Column("jti", String, primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)

failed_attempt = Table(
    "failed_attempt",
    metadata,
    # How often one caller failed to prove who it is, minute by minute. `who` is a hash, never an address in clear.
    Column("who", String, primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("failures", Integer, nullable=False),
)

policy_revision = Table(
    "policy_revision",
    metadata,
    # INVARIANT: never deleted. The bytes of every policy file that was ever in force, by their SHA-256.
    Column("hash", String, primary_key=True),
    Column("bytes", LargeBinary, nullable=False),
)

policy_set = Table(
    "policy_set",
    metadata,
    # The newest is in force. `files` maps each path under `policies/` to the revision that held.
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("files", JSON, nullable=False),
    sqlite_autoincrement=True,
)

officer = Table(
    "officer",
    metadata,
    # Who looks and decides for a space in the console, by a password of their own.
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    Column("space", String, nullable=False),
    Column("email", String, nullable=False),  # in lower case
    Column(
        "role",
        String,
        CheckConstraint("role IN ('reader', 'steward', 'privacy-officer')", name="role"),
        nullable=False,
    ),
    Column("password", String, nullable=False),  # its argon2 hash
    Column("created", BigInteger, nullable=False),
    Index(None, "space", "email", unique=True),
    sqlite_autoincrement=True,
)

officer_session = Table(
    "officer_session",
    metadata,
    # One browser that an officer is signed in with. A row that is gone is a session that was ended.
    Column("id", String, primary_key=True),  # SHA-256 of what the browser holds
    Column("space", String, nullable=False),
    Column("email", String, nullable=False),
    Column("role", String, nullable=False),
    # The account; none if the officer came from the district's own provider.
    Column("officer", NUMBER, ForeignKey("officer.number", ondelete="CASCADE"), index=True),
    Column("began", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False, index=True),
    Index(None, "space", "email"),
)

officer_failure = Table(
    "officer_failure",
    metadata,
    # How often a password was wrong, minute by minute. `who` is a hash, never an address in clear.
    Column("who", String, primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("failures", Integer, nullable=False),
)

access_request = Table(
    "access_request",
    metadata,
    # What a vendor asks of a district, or an officer proposes. INVARIANT: it grants nothing, whatever its state.
    Column("space", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # counted in each space for itself
    Column("id", String, nullable=False),  # what the vendor knows it by: tells nothing of other requests
    _of_client(),
    Column("purpose", String, nullable=False),
    Column("state", String, nullable=False),  # see app.requests.model
    Column("asked", BigInteger, nullable=False),
    Column("asked_by", String, nullable=False),  # an officer's address; empty: the client itself
    Column("form", JSON, nullable=False),  # as it was sent
    Column("given", JSON, nullable=False),  # the coordinates that were approved
    Column("decided", BigInteger),
    Column("reason", String, nullable=False),
    Index(None, "id", unique=True),
    Index(None, "space", "client"),
)

decision = Table(
    "decision",
    metadata,
    # What officers did: never changed, never deleted.
    Column("number", NUMBER, Identity(always=False), primary_key=True, autoincrement=True),
    Column("space", String, nullable=False),
    Column("client", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
    Column("role", String, nullable=False),
    Column("deed", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("request", Integer),
    Column("file", String, nullable=False),  # the policy file that was written; empty: none
    Column("revision", String, nullable=False),  # its revision since
    Index(None, "space", "client"),
    sqlite_autoincrement=True,
)

suspension = Table(
    "suspension",
    metadata,
    # Clients that a district lets read nothing for now. A row that is gone is a suspension that was lifted.
    Column("space", String, primary_key=True),
    _of_client(primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
)

webhook = Table(
    "webhook",
    metadata,
    # Where a client is told that one of its requests was decided.
    _of_client(primary_key=True),
    Column("url", String, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("told", BigInteger),  # when it last took something
    Column("failures", Integer, nullable=False),  # since then
)

change = Table(
    "change",
    metadata,
    # One row. Every write that running servers must follow moves its number, in the same transaction.
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)

CHANGED = update(change).values(number=change.c.number + 1)
"""Moves the change number: to be run inside the transaction of every write that running servers must follow."""
