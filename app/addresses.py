"""Addresses of databases and hosts, as `homeroom.toml` writes them."""

import ipaddress
from collections.abc import Iterable
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


def written_as(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is written as, an IPv4 address in the clothes of IPv6 as itself; None for a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def reachable(addresses: Iterable[str]) -> list[str]:
    """Those of a name's addresses that may be connected to: no link-local ones. Raises: OSError if there is none."""
    read = ((one, written_as(one)) for one in addresses)
    kept = [one for one, address in read if address is not None and not address.is_link_local]
    if not kept:
        raise OSError("It has link-local addresses alone.")
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
