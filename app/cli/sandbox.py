"""The sandbox as it lies in its folder: found again, and told where it is served this time."""

import os
import re
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec

from app.errors import ConfigurationError, UsageError
from app.settings import Settings, read_settings

REGISTRY = "sqlite:///registry.db"
"""Where the learning registry's index lies."""


class Access(msgspec.Struct, frozen=True):
    """A space that a vendor may ask, and for what."""

    space: str
    purpose: str


class Vendor(msgspec.Struct, frozen=True):
    """One of the sandbox's vendors, with what it signs in by. Nobody's secret: the districts are invented."""

    client_id: str
    client_secret: str
    about: str
    access: tuple[Access, ...]


class Officer(msgspec.Struct, frozen=True):
    """One of the sandbox's officers, with what they sign in to the console by."""

    space: str
    email: str
    role: str
    password: str


class Sandbox(msgspec.Struct, frozen=True):
    """`vendors.toml`: when the sandbox was made, how large, its vendors, and the officers of its districts."""

    made: date
    students: int
    vendors: tuple[Vendor, ...]
    officers: tuple[Officer, ...] = ()


def find_sandbox(home: Path) -> Sandbox | None:
    """The sandbox that lies in a folder; None if there is nothing. Raises: UsageError, ConfigurationError."""
    file = home / "vendors.toml"
    if not home.exists() or (home.is_dir() and not any(home.iterdir())):
        return None
    if not home.is_dir() or not file.exists():
        raise UsageError(f"{home} holds something else than a sandbox. Name another folder with --home.")
    try:
        return msgspec.toml.decode(file.read_bytes(), type=Sandbox)
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, OSError):
        raise ConfigurationError(
            f"The sandbox's vendors cannot be read. Remove {home} and start again: it is made anew.", file=str(file)
        ) from None


def set_issuer(home: Path, issuer: str, registry: str | None = None) -> Settings:
    """The sandbox's settings, with the addresses that it and its registry are served on this time.

    Raises: ConfigurationError.
    """
    file = home / "homeroom.toml"
    read_settings(file)
    before = file.read_text(encoding="utf-8")
    text, changed = re.subn(r'^issuer\s*=\s*"[^"]*"', f'issuer   = "{issuer}"', before, count=1, flags=re.MULTILINE)
    text = text if changed else f'issuer = "{issuer}"\n{text}'
    if registry is not None:
        text = re.sub(r'(\.subgraphs\.registry\]\nurl\s*=\s*)"[^"]*"', rf'\1"{registry}"', text)
    if text != before:
        draft = file.with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
    return read_settings(file)


def as_toml(sandbox: Sandbox) -> str:
    """What `vendors.toml` holds, with the words that a developer reading it needs."""
    lines = [
        "# The sandbox's vendors and officers, and what they sign in by. All is invented; it opens nothing else.",
        "# A token: POST /oauth/token, HTTP Basic with client_id and client_secret, grant_type=client_credentials,",
        "# resource=http://127.0.0.1:PORT/spaces/SPACE. Officers sign in at /console.",
        "",
        f"made = {sandbox.made}",
        f"students = {sandbox.students}",
    ]
    for vendor in sandbox.vendors:
        lines += ["", "[[vendors]]", f'client_id = "{vendor.client_id}"', f'client_secret = "{vendor.client_secret}"']
        lines += [f'about = "{vendor.about}"', f"access = [{_tables(vendor.access)}]"]
    for one in sandbox.officers:
        lines += ["", "[[officers]]", f'space = "{one.space}"', f'email = "{one.email}"']
        lines += [f'role = "{one.role}"', f'password = "{one.password}"']
    return "\n".join(lines) + "\n"


def _tables(access: Iterable[Access]) -> str:
    return ", ".join(f'{{ space = "{one.space}", purpose = "{one.purpose}" }}' for one in access)


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
