"""The sandbox: an installation of two invented districts, made once, by the same steps as a real one.

Shape: everything is made in a folder beside its place and renamed into it, so that a start that was interrupted
leaves nothing half-made where the next one looks.
"""

import os
import re
import secrets
import shutil
import time
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from app.errors import ConfigurationError, HomeroomError, UsageError
from app.importers.roster import import_roster
from app.importers.sandbox import PROFILES, generate
from app.importers.sandbox.calendar import current_year
from app.installing import add_space, create
from app.names import Scope
from app.oauth.clients import add_client
from app.schema.catalogue import SCOPES
from app.settings import Settings, read_settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate

EXAMPLES = Path(__file__).resolve().parents[2] / "policies"
EXAMPLES_YEAR = 2027
"""The school year that the dates of the examples lie in."""

MATHPATH_SCOPES = (
    "student/name.read",
    "enrollment/section.read",
    "section/schedule.read",
    "course/catalog.read",
    "school/directory.read",
    "grade/marks.read",
)

DATE = re.compile(r"\b(20\d\d)(-\d\d-\d\d)")

Said = Callable[[str], None]


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


class Sandbox(msgspec.Struct, frozen=True):
    """`vendors.toml`: when the sandbox was made, how large, and its vendors."""

    made: date
    students: int
    vendors: tuple[Vendor, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """What one invented vendor sells, and what it registered for."""

    client: str
    about: str
    scopes: tuple[str, ...]
    access: tuple[Access, ...]


UNRESTRICTED = tuple(sorted(scope for scope, fact in SCOPES.items() if not fact.restricted))
FIRST, SECOND = (str(profile.space) for profile in PROFILES)
PRODUCTS = (
    Product(
        "readwell",
        "a reading product: elementary pupils, last names as initials",
        UNRESTRICTED,
        (Access(FIRST, "instruction"), Access(SECOND, "instruction")),
    ),
    Product(
        "mathpath",
        "a mathematics product: mathematics sections and their grades",
        MATHPATH_SCOPES,
        (Access(FIRST, "instruction"),),
    ),
    Product(
        "rostersync",
        "a broad roster sync: accounts and classes, no grades",
        UNRESTRICTED,
        (Access(FIRST, "rostering"), Access(SECOND, "rostering")),
    ),
)


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


async def make_sandbox(home: Path, *, issuer: str, students: int, today: date, say: Said) -> Sandbox:
    """Make the sandbox in a folder with nothing in it: policies, spaces, rosters, vendors. Raises: HomeroomError."""
    home.parent.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    making = home.with_name(f"{home.name}.making-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        making.mkdir()
        sandbox = await _fill(making, issuer=issuer, students=students, today=today, say=say)
        try:
            making.rename(home)
        except OSError:
            # Another start was quicker.
            found = find_sandbox(home)
            if found is None:
                raise
            return found
    except OSError as error:
        raise ConfigurationError(
            f"The sandbox cannot be made here ({error.strerror or type(error).__name__}). Name another with --home.",
            file=str(home),
        ) from None
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return sandbox


async def _fill(home: Path, *, issuer: str, students: int, today: date, say: Said) -> Sandbox:
    settings = create(home, issuer=issuer)
    copy_policies(EXAMPLES, settings.policies_folder, today)
    say("inventing two districts")
    sources = generate(home / "rosters", students=students, today=today)
    for source in sources:
        profile = source.profile
        say(f"importing {profile.name} from {'OneRoster CSV' if source.form == 'oneroster' else 'Ed-Fi XML'}")
        settings = await add_space(settings, profile.space, profile.name, profile.time_zone)
        await _import(settings, profile.space, source.path, today)
    say("registering three vendors")
    sandbox = Sandbox(made=today, students=students, vendors=await _register(settings))
    write_private(home / "vendors.toml", as_toml(sandbox))
    return sandbox


async def _import(settings: Settings, space: str, source: Path, today: date) -> None:
    # A sandbox need not outlive a power cut: it is made again.
    engine = open_engine(settings.database_url(settings.spaces[space].database), durable=False)
    try:
        report = await import_roster(engine, source, today=today)
    finally:
        await engine.dispose()
    if report.rejections:
        raise HomeroomError(f"{report.rejections} rows of the sandbox's own roster were rejected. Please report it.")


async def _register(settings: Settings) -> tuple[Vendor, ...]:
    control = open_engine(settings.database_url(settings.control))
    vendors = []
    try:
        await migrate(control, "control")
        for product in PRODUCTS:
            scopes = [Scope(scope) for scope in product.scopes]
            secret = await add_client(control, product.client, scopes=scopes, name=product.client, now=time.time())
            vendors.append(Vendor(product.client, secret or "", product.about, product.access))
    finally:
        await control.dispose()
    return tuple(vendors)


def copy_policies(source: Path, target: Path, today: date) -> None:
    """Copy the annotated examples, every date moved by whole years into the school year of that day."""
    years = current_year(today) - EXAMPLES_YEAR
    for file in sorted(source.rglob("*.toml")):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text(encoding="utf-8")
        copy.write_text(DATE.sub(lambda found: f"{int(found[1]) + years}{found[2]}", text), encoding="utf-8")


def set_issuer(home: Path, issuer: str) -> Settings:
    """The sandbox's settings, with the address that it is served on this time. Raises: ConfigurationError."""
    file = home / "homeroom.toml"
    settings = read_settings(file)
    if settings.issuer == issuer:
        return settings
    text, changed = re.subn(
        r'^issuer\s*=\s*"[^"]*"',
        f'issuer   = "{issuer}"',
        file.read_text(encoding="utf-8"),
        count=1,
        flags=re.MULTILINE,
    )
    draft = file.with_suffix(".new")
    draft.write_text(text if changed else f'issuer = "{issuer}"\n{text}', encoding="utf-8")
    draft.replace(file)
    return read_settings(file)


def as_toml(sandbox: Sandbox) -> str:
    """What `vendors.toml` holds, with the words that a developer reading it needs."""
    lines = [
        "# The sandbox's vendors and what they sign in by. All is invented; the secrets open nothing else.",
        "# A token: POST /oauth/token, HTTP Basic with client_id and client_secret, grant_type=client_credentials,",
        "# resource=http://127.0.0.1:PORT/spaces/SPACE.",
        "",
        f"made = {sandbox.made}",
        f"students = {sandbox.students}",
    ]
    for vendor in sandbox.vendors:
        lines += ["", "[[vendors]]", f'client_id = "{vendor.client_id}"', f'client_secret = "{vendor.client_secret}"']
        lines += [f'about = "{vendor.about}"', f"access = [{_tables(vendor.access)}]"]
    return "\n".join(lines) + "\n"


def _tables(access: Iterable[Access]) -> str:
    return ", ".join(f'{{ space = "{one.space}", purpose = "{one.purpose}" }}' for one in access)


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)


def _sweep(home: Path) -> None:
    """Take away what starts that were killed left half-made."""
    for left in home.parent.glob(f"{home.name}.making-*"):
        pid = left.name.removeprefix(f"{home.name}.making-").partition("-")[0]
        if not (pid.isdigit() and _runs(int(pid))):
            shutil.rmtree(left, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
