"""Make the sandbox: an installation of two invented districts, by the same steps as a real one.

Shape: everything is made in a folder beside its place and renamed into it, so that a start that was interrupted
leaves nothing half-made where the next one looks.
"""

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from app.cli.sandbox import REGISTRY, Access, Officer, Sandbox, Vendor, as_toml, find_sandbox, write_private
from app.errors import ConfigurationError, HomeroomError
from app.importers.roster import import_roster
from app.importers.sandbox import PROFILES, generate, resources
from app.importers.sandbox.calendar import current_year
from app.installing import add_space, create
from app.names import ClientId, Scope, SpaceId
from app.oauth.clients import add_client
from app.officers.accounts import add_officer
from app.officers.passwords import new_password
from app.opening import space_secret
from app.policy.documents import RowsDocument
from app.registry.answering import sdl
from app.registry.intake import import_resources
from app.requests.form import AskedField, Form
from app.requests.store import ask
from app.schema.catalogue import SCOPES
from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate

EXAMPLES = Path(__file__).resolve().parents[2] / "policies"
EXAMPLES_YEAR = 2027
"""The school year that the dates of the examples lie in."""

SUPERGRAPH = Path(__file__).resolve().parents[1] / "registry" / "supergraph.graphql"
TOP = """\
supergraph = "supergraph.graphql"       # the districts' records and the learning registry: docs/subgraphs.md
"""
ENDPOINT = """
# Where this district's courses find what there is to learn with. `./run` starts it, each time at another port.
[spaces."{space}".subgraphs.registry]
url = "http://127.0.0.1:1/graphql"

[subgraphs.registry]
schema = "registry.graphql"
"""

ASKED = Form(
    purpose="instruction",
    fields=(
        AskedField("Student.birthDate", "Texts are chosen by age where a pupil has no reading level yet."),
        AskedField("Student.preferredFirstName", "Pupils are greeted by the name that they go by."),
        AskedField("Student.homeLanguage", "Books in the language of the home are offered to take along."),
        AskedField("Student.ideaIndicator", "Texts are set larger, and read aloud, for pupils who need it."),
    ),
    rows=RowsDocument(
        schools=("ac-elementary",),
        grade_levels=("KG", "01", "02", "03", "04", "05", "06"),
        subjects=("English Language Arts",),
        enrollment="active",
        history_years=0,
    ),
)
"""What readwell asks for: fields that are easy to give, fields that two officers decide on, and more pupils."""

MATHPATH_SCOPES = (
    "student/name.read",
    "enrollment/section.read",
    "section/schedule.read",
    "course/catalog.read",
    "school/directory.read",
    "grade/marks.read",
    "resource/catalog.read",
    "grade/gradebook.read",
)

DATE = re.compile(r"\b(20\d\d)(-\d\d-\d\d)")

Said = Callable[[str], None]


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
        (*UNRESTRICTED, "student/special-indicators.read"),
        (Access(FIRST, "instruction"), Access(SECOND, "instruction")),
    ),
    Product(
        "mathpath",
        "a mathematics product: mathematics sections, their grades and the points of pieces of work",
        MATHPATH_SCOPES,
        (Access(FIRST, "instruction"),),
    ),
    Product(
        "rostersync",
        "a broad roster sync: accounts, classes, and parents or programs; no grades",
        UNRESTRICTED,
        (Access(FIRST, "rostering"), Access(SECOND, "rostering")),
    ),
)


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
    say("filling the learning registry")
    await _fill_registry(settings)
    say("registering three vendors")
    vendors = await _register(settings)
    await _request(settings)
    sandbox = Sandbox(made=today, students=students, vendors=vendors, officers=await _appoint(settings))
    write_private(home / "vendors.toml", as_toml(sandbox))
    return sandbox


async def _import(settings: Settings, space: str, source: Path, today: date) -> None:
    # A sandbox need not outlive a power cut: it is made again.
    engine = open_engine(settings.database_url(settings.spaces[space].database), durable=False)
    try:
        report = await import_roster(engine, source, today=today, secret=space_secret(settings, SpaceId(space)))
    finally:
        await engine.dispose()
    if report.rejections:
        raise HomeroomError(f"{report.rejections} rows of the sandbox's own roster were rejected. Please report it.")


async def _fill_registry(settings: Settings) -> None:
    """Resources for the districts' courses, the graph with them in it, and the first district's way to them."""
    file = settings.home / "rosters" / "resources.ndjson"
    resources.write(file)
    engine = open_engine(settings.database_url(REGISTRY), durable=False)
    try:
        await migrate(engine, "registry")
        report = await import_resources(engine, file)
    finally:
        await engine.dispose()
    if report.rejections:
        raise HomeroomError(f"{report.rejections} of the sandbox's own resources were rejected. Please report it.")
    shutil.copy(SUPERGRAPH, settings.home / SUPERGRAPH.name)
    (settings.home / "registry.graphql").write_text(sdl(), encoding="utf-8")
    config = settings.home / "homeroom.toml"
    text = config.read_text(encoding="utf-8").replace("\nissuer ", "\n" + TOP + "issuer ", 1)
    config.write_text(text + ENDPOINT.format(space=FIRST), encoding="utf-8")


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


async def _request(settings: Settings) -> None:
    """What readwell asks of its first district, for an officer to think about."""
    control = open_engine(settings.database_url(settings.control))
    try:
        await ask(control, SpaceId(FIRST), ClientId("readwell"), ASKED, now=datetime.now(UTC))
    finally:
        await control.dispose()


async def _appoint(settings: Settings) -> tuple[Officer, ...]:
    """Officers of each district, one for every role."""
    control = open_engine(settings.database_url(settings.control))
    officers = []
    try:
        for profile in PROFILES:
            domain = f"{profile.space.partition('/')[2]}.example"
            for role in ("steward", "privacy-officer", "reader"):
                one = Officer(str(profile.space), f"{role.partition('-')[0]}@{domain}", role, new_password())
                await add_officer(control, one.space, one.email, one.role, one.password, now=time.time())
                officers.append(one)
    finally:
        await control.dispose()
    return tuple(officers)


def copy_policies(source: Path, target: Path, today: date) -> None:
    """Copy the annotated examples, every date moved by whole years into the school year of that day."""
    years = current_year(today) - EXAMPLES_YEAR
    for file in sorted(source.rglob("*.toml")):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text(encoding="utf-8")
        copy.write_text(DATE.sub(lambda found: f"{int(found[1]) + years}{found[2]}", text), encoding="utf-8")
    shutil.copytree(source / "schemas", target / "schemas", dirs_exist_ok=True)  # for editors


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
