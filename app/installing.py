"""Make an installation, and give it spaces."""

import os
import secrets
from pathlib import Path

import msgspec

from app.errors import ConfigurationError, UsageError
from app.ledger.checkpoints import create_key
from app.names import SpaceId, is_space_id
from app.oauth.keys import create_keys
from app.policy.documents import FORMS, schema_text
from app.settings import Settings, SpaceSettings, parse_settings, read_settings
from app.storage.engines import open_engine
from app.storage.migrate import Kind, migrate

TEMPLATE = """\
# Homeroom's configuration. Relative paths are relative to this file.

issuer   = {issuer}     # where vendors reach this server: https, or http on loopback
control  = {control}      # clients, revocations, published policy; or postgresql://…
policies = "policies"                  # what districts and states decided
keys     = "keys"                      # signing keys and the spaces' secrets: back them up, show them to nobody

# [limits]                             # what one request may ask for; see docs/configuration.md
# cost = 20_000_000
{store}
# Spaces are added by `homeroom space add`.
"""

DISTRICT = """\
#:schema ../../schemas/district.json
name      = {name}
time_zone = {time_zone}
purposes  = {{ instruction = "Instruction in the classroom", rostering = "Accounts and classes" }}
ssn       = "leave-out"    # or "store"
"""


STORE = """
[traffic]                              # how clients share the servers
store = {store}
"""


def create(
    home: Path,
    *,
    issuer: str = "http://127.0.0.1:8000",
    control: str = "sqlite:///control.db",
    store: str | None = None,
) -> Settings:
    """A new installation in a folder: `homeroom.toml`, keys, an empty `policies/`.

    Raises: UsageError if there is one already; ConfigurationError if it would be none, and nothing is made.
    """
    file = home / "homeroom.toml"
    if file.exists():
        raise UsageError(f"{file} is there already. Choose another folder, or go on with that one.")
    text = TEMPLATE.format(
        issuer=_quoted(issuer),
        control=_quoted(control),
        store=STORE.format(store=_quoted(store)) if store is not None else "",
    )
    parse_settings(text, file)
    home.mkdir(parents=True, exist_ok=True)
    schemas = home / "policies" / "schemas"  # for editors
    schemas.mkdir(parents=True, exist_ok=True)
    for form in FORMS:
        (schemas / f"{form}.json").write_text(schema_text(form), encoding="utf-8")
    keys = home / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    if not (keys / "oauth").exists():
        create_keys(keys)
    if not (keys / "ledger.json").exists():
        create_key(keys / "ledger.json")
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)  # it may come to hold passwords
    return read_settings(file)


async def add_space(
    settings: Settings, space: str, name: str, time_zone: str, *, database: str | None = None
) -> Settings:
    """One more space: its databases, its secret, its `district.toml` if there is none, its place in `homeroom.toml`.

    Raises: UsageError, ConfigurationError, Unavailable.
    """
    if not is_space_id(space):
        raise UsageError("A space is named `state/district` in lower case, such as tx/grand-bend.")
    if space in settings.spaces:
        raise UsageError(f"The space {space} is there already.")
    place = _place(settings, SpaceId(space), database)
    for url, kind in _databases(place):
        await _prepare(settings.database_url(url), kind)
    _write_secret(settings, SpaceId(space))
    policy = settings.policies_folder / space / "district.toml"
    if not policy.exists():
        policy.parent.mkdir(parents=True, exist_ok=True)
        policy.write_text(DISTRICT.format(name=_quoted(name), time_zone=_quoted(time_zone)), encoding="utf-8")
    with (settings.home / "homeroom.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[spaces."{space}"]\ndatabase = {_quoted(place.database)}\nledger   = {_quoted(place.ledger)}\n')
    return msgspec.structs.replace(settings, spaces={**settings.spaces, space: place})


def _databases(place: SpaceSettings) -> tuple[tuple[str, Kind], tuple[str, Kind]]:
    return (place.database, "space"), (place.ledger, "ledger")


def _place(settings: Settings, space: SpaceId, database: str | None) -> SpaceSettings:
    if database is None:
        (settings.home / "spaces" / space).mkdir(parents=True, exist_ok=True)
        return SpaceSettings(f"sqlite:///spaces/{space}/space.db", f"sqlite:///spaces/{space}/ledger.db")
    if database.startswith("sqlite:///"):
        return SpaceSettings(database, database.removesuffix(".db") + "-ledger.db")
    # A PostgreSQL space has a schema of its own, and its ledger another beside it.
    base, _, query = database.partition("?")
    options = [option for option in query.split("&") if option and not option.startswith("schema=")]
    schema = next((o.removeprefix("schema=") for o in query.split("&") if o.startswith("schema=")), None)
    schema = schema or space.replace("/", "_").replace("-", "_")
    own, ledger = ("?".join((base, "&".join([*options, f"schema={n}"]))) for n in (schema, f"{schema}_ledger"))
    return SpaceSettings(own, ledger)


async def _prepare(url: str, kind: Kind) -> None:
    engine = open_engine(url)
    try:
        await migrate(engine, kind)
    finally:
        await engine.dispose()


def _write_secret(settings: Settings, space: SpaceId) -> None:
    file = settings.keys_folder / "spaces" / f"{space.replace('/', '-')}.key"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return  # a space that was taken out and comes back keeps the ids that vendors hold
    except OSError as error:
        raise ConfigurationError(f"The file cannot be written ({type(error).__name__}).", file=str(file)) from None
    with os.fdopen(handle, "w") as out:
        out.write(secrets.token_hex(32) + "\n")


def _quoted(text: str) -> str:
    """A TOML basic string. JSON's strings are TOML's too."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
