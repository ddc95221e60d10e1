"""Let an officer in by a password. Whatever is wrong, whoever asks is told the same, after the same time."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from app.officers.accounts import Officer, find_officer
from app.officers.devices import Device
from app.officers.failures import Failures
from app.officers.passwords import NOBODY, matches
from app.storage.reached import reached


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nobody was let in. `locked`: for the number of attempts, and nothing was looked at."""

    locked: bool


async def enter(
    control: AsyncEngine,
    space: str,
    email: str,
    password: str,
    address: str,
    *,
    now: float,
    attempts: int,
    device: Device | None = None,
) -> Officer | Refusal:
    """The officer whose password it is. Raises: Unavailable.

    Failures of one account from one address are counted, and then locked out; those in a browser that the account
    knows are counted for the browser.
    """
    found = await find_officer(control, space, email)
    if found is not None and device is not None and device.knows(found[0]):
        failures = Failures.of_device(device.id, now=now, limit=attempts)
    else:
        failures = Failures.of(space, email, address, now=now, limit=attempts)
    async with reached(control) as connection:
        if not await connection.run_sync(failures.begin):
            return Refusal(locked=True)
    good = await matches(password, NOBODY if found is None else found[1])
    if found is None or not good:
        return Refusal(locked=False)
    async with reached(control) as connection:
        await connection.run_sync(failures.forgive)
    return found[0]
