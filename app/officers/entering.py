"""Let an officer in by a password. Whatever is wrong, whoever asks is told the same, after the same time."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from app.officers.accounts import Officer, find_officer
from app.officers.failures import Failures
from app.officers.passwords import NOBODY, matches


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nobody was let in. `locked`: for the number of attempts, and nothing was looked at."""

    locked: bool


async def enter(
    control: AsyncEngine, space: str, email: str, password: str, address: str, *, now: float, attempts: int
) -> Officer | Refusal:
    """The officer whose password it is. Failures of one account from one address are counted, and then locked out."""
    failures = Failures.of(space, email, address, now=now, limit=attempts)
    async with control.begin() as connection:
        if not await connection.run_sync(failures.begin):
            return Refusal(locked=True)
    found = await find_officer(control, space, email)
    good = await matches(password, NOBODY if found is None else found[1])
    if found is None or not good:
        return Refusal(locked=False)
    async with control.begin() as connection:
        await connection.run_sync(failures.forgive)
    return found[0]
