"""Passwords: what one has to be, and their argon2 hashes, made and compared by two threads and no more.

An argon2 hash takes 64 MiB and a good part of a second on purpose: two at once keep a server for its vendors.
"""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError

from app.errors import UsageError

SHORTEST, LONGEST = 12, 256
KINDS = 5
"""A password has at least so many different characters."""

NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$ZWihUwt3z6FcKujBUZUhcA$qaIe/+ufuytKm1ZrMY0qsmemUJXt/e7MHwNu+v8Um3o"
"""What a password is compared with where there is no account, so that nobody can tell by the time. It opens nothing."""

_hasher = PasswordHash.recommended()
_threads = ThreadPoolExecutor(2, thread_name_prefix="passwords")


def new_password() -> str:
    """A password that nobody guesses: 96 random bits."""
    return secrets.token_urlsafe(12)


async def hashed(password: str) -> str:
    """What is kept of a password. Raises: UsageError, if it is too short, too long, or one that is guessed at once."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"A password has {SHORTEST} to {LONGEST} characters. Choose a longer one, or a shorter one.")
    if len({*password}) < KINDS:
        raise UsageError(f"A password has {KINDS} different characters or more. Choose one that nobody guesses.")
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def matches(password: str, kept: str) -> bool:
    """Whether a password is the one that was hashed."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _matches, password, kept)


def _matches(password: str, kept: str) -> bool:
    try:
        # Nobody's is longer: what is sent is not hashed at any length.
        return len(password) <= LONGEST and _hasher.verify(password.encode("utf-8", "surrogatepass"), kept)
    except PwdlibError:
        return False
