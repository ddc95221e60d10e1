"""How often somebody may fail to prove who it is, before it must wait for the next minute.

Shape: failures are counted in the control database, so that the limit is the installation's and not a worker's. They
count for the pair of client and address, so that a stranger elsewhere cannot lock a vendor out, and for the address.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from app.storage import control as tables
from app.storage.upsert import upsert

MINUTE = 60
ADDRESS_FACTOR = 10
"""Many clients may share one address (a proxy, a school's network): it may fail so many times as often as one."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """The failures of one client from one address, in one minute."""

    pair: str
    address: str
    minute: int
    limit: int

    @classmethod
    def of(cls, client: str, address: str, *, now: float, limit: int) -> "Attempts":
        """Those of now. Neither the client's name nor the address is kept in clear."""
        return cls(_hash("pair", client, address), _hash("address", address), int(now // MINUTE), limit)

    def exhausted(self, connection: Connection) -> bool:
        """Whether there were so many that not even the right secret is looked at until the minute is over."""
        rows = connection.execute(
            select(tables.failed_attempt.c.who, tables.failed_attempt.c.failures).where(
                tables.failed_attempt.c.who.in_([self.pair, self.address]),
                tables.failed_attempt.c.minute == self.minute,
            )
        )
        failures: dict[str, int] = {row.who: row.failures for row in rows}
        return failures.get(self.pair, 0) >= self.limit or failures.get(self.address, 0) >= self.limit * ADDRESS_FACTOR

    def fail(self, connection: Connection) -> None:
        """Count one more, and forget those of earlier minutes."""
        connection.execute(delete(tables.failed_attempt).where(tables.failed_attempt.c.minute < self.minute - 1))
        rows = [{"who": who, "minute": self.minute, "failures": 1} for who in sorted((self.pair, self.address))]
        statement = upsert(connection, tables.failed_attempt)
        more = {"failures": tables.failed_attempt.c.failures + 1}
        connection.execute(statement.on_conflict_do_update(index_elements=["who", "minute"], set_=more), rows)

    def wait(self, now: float) -> int:
        """Seconds until the next minute."""
        return max(1, int((self.minute + 1) * MINUTE - now))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
