"""How often a password may be wrong, before not even the right one is looked at for a while.

Shape: failures are counted in the control database, for the installation and not for a worker. They count for the pair
of account and address, for the account from anywhere, and for the address whatever the account. Whether there is such
an account makes no difference.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from app.storage import control as tables
from app.storage.upsert import upsert

MINUTE = 60
WINDOW = 15
"""Units: minutes that a failure counts."""

FACTOR = 10
"""Officers may share an address, and no stranger shall lock one out: so many times as often as a pair may fail."""


@dataclass(frozen=True, slots=True)
class Failures:
    """The failures of one account from one address."""

    pair: str
    account: str
    address: str
    minute: int
    limit: int

    @classmethod
    def of(cls, space: str, email: str, address: str, *, now: float, limit: int) -> "Failures":
        """Those of now. Neither names nor addresses are kept in clear."""
        return cls(
            pair=_hash("pair", space, email.lower(), address),
            account=_hash("account", space, email.lower()),
            address=_hash("address", address),
            minute=int(now // MINUTE),
            limit=limit,
        )

    def locked(self, connection: Connection) -> bool:
        """Whether there were so many that nothing is looked at until the first of them are a quarter of an hour old."""
        failure = tables.officer_failure
        counted = (
            select(failure.c.who, func.sum(failure.c.failures).label("failures"))
            .where(failure.c.who.in_([self.pair, self.account, self.address]), failure.c.minute > self.minute - WINDOW)
            .group_by(failure.c.who)
        )
        found: dict[str, int] = {row.who: int(row.failures) for row in connection.execute(counted)}
        often = self.limit * FACTOR
        return (
            found.get(self.pair, 0) >= self.limit
            or found.get(self.account, 0) >= often
            or found.get(self.address, 0) >= often
        )

    def fail(self, connection: Connection) -> None:
        """Count one more, and forget those that count no longer."""
        failure = tables.officer_failure
        connection.execute(delete(failure).where(failure.c.minute <= self.minute - WINDOW))
        rows = [
            {"who": who, "minute": self.minute, "failures": 1}
            for who in sorted((self.pair, self.account, self.address))
        ]
        more = {"failures": failure.c.failures + 1}
        statement = upsert(connection, failure).on_conflict_do_update(index_elements=["who", "minute"], set_=more)
        connection.execute(statement, rows)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
