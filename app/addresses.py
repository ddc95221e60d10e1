"""Addresses of databases and hosts, as `homeroom.toml` writes them."""

import ipaddress
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from app.errors import ConfigurationError

SSLMODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})


def host_of(address: str) -> str | None:
    """The host of an address; None where it cannot be read."""
    try:
        parts = urlsplit(address)
        return parts.hostname if parts.port != 0 else None
    except ValueError:
        return None


Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
"""Where cloud machines keep their secrets, beside 169.254.169.254."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
COMPATIBLE = ipaddress.ip_network("::/96")
"""IPv6 addresses that end with an IPv4 address. Spec: RFC 6052 §2.1, RFC 4291 §2.5.5.1."""


def written_as(host: str) -> Address | None:
    """The address that a host is written as, an IPv4 address in the clothes of IPv6 as itself; None for a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def guises(address: Address) -> Iterator[Address]:
    """An address, and whatever a network may take it for on the way."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        if address.sixtofour is not None:
            yield address.sixtofour
        if address.teredo is not None:
            yield from address.teredo
        if address in NAT64 or (address in COMPATIBLE and not address.is_loopback):
            yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)


def is_machinery(address: Address) -> bool:
    """Whether a machine's own secrets may be there: a link-local address, or another of the kind, in any guise."""
    return any(one.is_link_local or one in METADATA for one in guises(address))


def reachable(addresses: Iterable[str], *, outside: bool = False) -> list[str]:
    """Those of a name's addresses that may be connected to: no link-local ones, and `outside`: no private ones either.

    Raises: OSError if there is none.
    """
    read = ((one, written_as(one.partition("%")[0])) for one in addresses)
    kept = [
        one
        for one, address in read
        if address is not None
        and not is_machinery(address)
        and not (outside and not all(guise.is_global for guise in guises(address)))
    ]
    if not kept:
        raise OSError("It has no address that may be connected to.")
    return kept


def unreadable(url: str) -> bool:
    """Whether a database's address names no file, or no server and database."""
    if url.startswith("sqlite:///"):
        return not url.removeprefix("sqlite:///").strip("/")
    options = [option.partition("=") for option in url.partition("?")[2].split("&") if option]
    named = {name: value for name, _, value in options}
    doubled = len(named) < len(options) or not all(named.values())
    return doubled or named.get("sslmode", "prefer") not in SSLMODES or not (host_of(url) or "host" in named)


def with_password(rest: str, home: Path) -> str:
    """A PostgreSQL address whose password is the first line of its `password_file`, if it names one.

    Raises: ConfigurationError.
    """
    base, _, query = rest.partition("?")
    options = [option for option in query.split("&") if option]
    named = [option for option in options if option.startswith("password_file=")]
    if not named:
        return rest
    file = home / unquote(named[-1].removeprefix("password_file="))
    try:
        password = file.read_text(encoding="utf-8").split("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The file holds a database's password and cannot be read ({type(error).__name__}). "
            "Put it there, or correct `password_file` in homeroom.toml.",
            file=str(file),
        ) from None
    user, at, place = base.rpartition("@")
    if not at:
        raise ConfigurationError(
            "A database that names a password_file names a user too: postgresql://USER@HOST/DATABASE. Add it.",
            file=str(home / "homeroom.toml"),
        )
    kept = "&".join(option for option in options if option not in named)
    return f"{user.partition(':')[0]}:{quote(password, safe='')}@{place}" + (f"?{kept}" if kept else "")
