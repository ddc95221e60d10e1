"""How often a password may be wrong, before not even the right one is looked at for a while.

Shape: failures are counted in the control database, for the installation and not for a worker. They count for the pair
of account and address, for the account from anywhere, and for the address whatever the account. Whether there is such
an account makes no difference.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

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

    def begin(self, connection: Connection) -> bool:
        """Count an attempt as failed until it has not, and forget those that count no longer. False: there were so many
        that nothing is looked at until the first of them are a quarter of an hour old; then none is counted.

        INVARIANT: an attempt is counted before its password is looked at, so that a thousand at once are no more than
        one after the other.
        """
        failure = tables.officer_failure
        connection.execute(delete(failure).where(failure.c.minute <= self.minute - WINDOW))
        names = sorted((self.pair, self.account, self.address))
        rows = [{"who": who, "minute": self.minute, "failures": 1} for who in names]
        more = {"failures": failure.c.failures + 1}
        connection.execute(
            upsert(connection, failure).on_conflict_do_update(index_elements=["who", "minute"], set_=more), rows
        )
        counted = (
            select(failure.c.who, func.sum(failure.c.failures).label("failures"))
            .where(failure.c.who.in_(names), failure.c.minute > self.minute - WINDOW)
            .group_by(failure.c.who)
        )
        found: dict[str, int] = {row.who: int(row.failures) for row in connection.execute(counted)}
        often = self.limit * FACTOR
        if found[self.pair] > self.limit or found[self.account] > often or found[self.address] > often:
            self.forgive(connection)
            return False
        return True

    def forgive(self, connection: Connection) -> None:
        """The attempt did not fail, or was none."""
        failure = tables.officer_failure
        mine = failure.c.who.in_([self.pair, self.account, self.address]) & (failure.c.minute == self.minute)
        connection.execute(update(failure).where(mine, failure.c.failures > 0).values(failures=failure.c.failures - 1))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
