"""Browsers that an officer has signed in with by a password before: each is given a name to keep, under our seal.

Shape: what is sealed names the browser at random, and the account by a digest that changes with its password. It lets
nobody in: it only says for whom the attempts of that browser are counted.
"""

import hashlib
import secrets
from dataclasses import dataclass

from app.officers.accounts import Officer
from app.officers.seal import Seal

DEVICE = "device"
"""What the seal is for."""

SECONDS = 180 * 86_400
"""How long a browser is known after its last sign-in."""


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that some account knows."""

    id: str
    account: str

    def knows(self, officer: Officer) -> bool:
        """Whether it is this account, with the password that it had then."""
        return self.account == _account(officer)


def name_device(seal: Seal, officer: Officer) -> str:
    """What a browser is given to keep that this officer has signed in with."""
    return seal.seal(DEVICE, [secrets.token_urlsafe(16), _account(officer)])


def known_device(seal: Seal, sealed: str) -> Device | None:
    """The browser that brings this; None if it is none of ours, or was given too long ago."""
    match seal.open(DEVICE, sealed, seconds=SECONDS) if sealed else None:
        case [str(id_), str(account)]:
            return Device(id_, account)
    return None


def _account(officer: Officer) -> str:
    parts = (officer.space, officer.email, str(officer.number), officer.version)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
