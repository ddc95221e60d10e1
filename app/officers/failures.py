"""How often a password may be wrong, before not even the right one is looked at for a while.

Shape: failures are counted in the control database, for the installation and not for a worker. They count for the pair
of account and address, for the account from anywhere, and for the address whatever the account. Whether there is such
an account makes no difference. In a browser that the officer has signed in with before they count for that browser
alone: whoever guesses elsewhere, from however many addresses, does not lock the officer out of it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from app.storage import control as tables
from app.storage.upsert import upsert

MINUTE = 60
WINDOW = 15
"""Units: minutes that a failure counts."""

FACTOR = 10
"""Officers may share an address, and one stranger at one address shall lock nobody out: so many times as often as a
pair may fail. Strangers at a dozen addresses lock an account for all browsers but those that it knows."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What an attempt counts against, and how often each of them may fail. Neither names nor addresses are in clear."""

    limits: Mapping[str, int]
    minute: int

    @classmethod
    def of(cls, space: str, email: str, address: str, *, now: float, limit: int) -> "Failures":
        """Those of an account from an address, by a browser that nobody knows."""
        often = limit * FACTOR
        pair = _hash("pair", space, email.lower(), address)
        limits = {pair: limit, _hash("account", space, email.lower()): often, _hash("address", address): often}
        return cls(limits, int(now // MINUTE))

    @classmethod
    def of_device(cls, device: str, *, now: float, limit: int) -> "Failures":
        """Those of a browser that the account knows."""
        return cls({_hash("device", device): limit}, int(now // MINUTE))

    def begin(self, connection: Connection) -> bool:
        """Count an attempt as failed until it has not, and forget those that count no longer. False: there were so many
        that nothing is looked at until the first of them are a quarter of an hour old; then none is counted.

        INVARIANT: an attempt is counted before its password is looked at, so that a thousand at once are no more than
        one after the other.
        """
        failure = tables.officer_failure
        connection.execute(delete(failure).where(failure.c.minute <= self.minute - WINDOW))
        names = sorted(self.limits)
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
        if any(found[who] > most for who, most in self.limits.items()):
            self.forgive(connection)
            return False
        return True

    def forgive(self, connection: Connection) -> None:
        """The attempt did not fail, or was none."""
        failure = tables.officer_failure
        mine = failure.c.who.in_(self.limits) & (failure.c.minute == self.minute)
        connection.execute(update(failure).where(mine, failure.c.failures > 0).values(failures=failure.c.failures - 1))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
