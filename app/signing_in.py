"""What `homeroom.toml` says of the districts' officers: how long they stay signed in, and where they come from."""

from collections.abc import Iterator
from typing import Literal, TypeAlias, get_args
from urllib.parse import urlsplit

import msgspec

from app.addresses import host_of
from app.toml.culprit import Problem
from app.toml.lines import Path

Role: TypeAlias = Literal["reader", "steward", "privacy-officer"]
"""What an officer of a district may do: look; decide; give the second approval of sensitive fields."""

ROLES: tuple[Role, ...] = get_args(Role)

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""The names by which a machine reaches itself."""


class Console(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the console is, how long officers stay signed in to it, and how often a password may be wrong."""

    address: str = ""  # if it is not the issuer's
    idle_seconds: int = 1_800
    session_seconds: int = 36_000
    attempts: int = 10


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The district's own OpenID Connect provider, and which of its people are officers."""

    issuer: str
    client_id: str
    client_secret_file: str = ""
    role_claim: str = ""
    roles: dict[str, Role] = {}
    officers: dict[str, Role] = {}


def still_gives(sign_in: SignIn, email: str, role: Role) -> bool:
    """Whether the configuration as it is now could let somebody in with the role that they came with."""
    named = {one for address, one in sign_in.officers.items() if address.lower() == email.lower()}
    return role in {*named, *sign_in.roles.values()}


def console_problems(console: Console) -> Iterator[Problem]:
    """What the types of the console's keys alone do not say."""
    scheme, _, rest = console.address.partition("://")
    host = host_of(console.address)
    tls = scheme == "https" or (scheme == "http" and host in LOOPBACK)
    if console.address and (not tls or not host or set(rest) & set("/?#@")):
        yield (
            ("console", "address"),
            "Officers come over TLS, to scheme and host alone, such as https://host. Plain http is for loopback alone. "
            "Correct it.",
        )


def provider_problems(path: Path, sign_in: SignIn | None) -> Iterator[Problem]:
    """What the types of a provider's keys alone do not say."""
    if sign_in is None:
        return
    parts = urlsplit(sign_in.issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        yield (*path, "issuer"), "A provider is an https:// address. Plain http is for loopback alone. Correct it."
    if bool(sign_in.role_claim) != bool(sign_in.roles):
        yield path, "`role_claim` names a claim, and `roles` says what its values mean. Write both, or neither."
    if not sign_in.roles and not sign_in.officers:
        yield path, "Nobody could sign in. Say who is an officer, by `role_claim` and `roles` or by `officers`."
