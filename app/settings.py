"""The installation's configuration, `homeroom.toml`, read once and frozen.

Shape: relative paths and SQLite URLs are relative to the folder of the file. Times are seconds, sizes bytes.
"""

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from app.errors import ConfigurationError
from app.names import SpaceId, is_space_id


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one request may ask for. A request past a limit is refused before anything is fetched."""

    body_bytes: int = 262_144
    tokens: int = 5_000
    depth: int = 16
    aliases: int = 200
    edges: int = 200
    cost: int = 20_000_000
    variables_depth: int = 16
    page: int = 10_000
    chunk: int = 500
    stream_seconds: int = 600


class OAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How tokens are made and how often a client may fail."""

    token_seconds: int = 300
    attempts_per_minute: int = 30


class SpaceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one space is kept. Its name and time zone stand in its `district.toml`."""

    database: str
    ledger: str


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`homeroom.toml` as it stands, with `home`, the folder that it lies in."""

    issuer: str = "http://127.0.0.1:8000"
    control: str = "sqlite:///control.db"
    policies: str = "policies"
    keys: str = "keys"
    limits: Limits = Limits()
    oauth: OAuth = OAuth()
    spaces: dict[str, SpaceSettings] = {}
    home: Path = Path()

    @property
    def policies_folder(self) -> Path:
        """The folder that the district and state policies are read from."""
        return self.home / self.policies

    @property
    def keys_folder(self) -> Path:
        """The folder that holds signing keys and the spaces' secrets, readable by its owner alone."""
        return self.home / self.keys

    def database_url(self, url: str) -> str:
        """An SQLAlchemy URL with the async driver named, SQLite paths made absolute under `home`."""
        scheme, _, rest = url.partition("://")
        match scheme:
            case "sqlite":
                return f"sqlite+aiosqlite:///{(self.home / rest.removeprefix('/')).resolve()}"
            case "postgresql":
                return f"postgresql+asyncpg://{rest}"
            case _:
                raise ConfigurationError(
                    f"A database is named by sqlite:///FILE or postgresql://…, not by {scheme}://. Write one of them.",
                    file=str(self.home / "homeroom.toml"),
                )

    def resource(self, space: SpaceId) -> str:
        """The RFC 8707 resource that names a space: `https://host/spaces/tx/grand-bend`."""
        return f"{self.issuer}/spaces/{space}"


def read_settings(file: Path) -> Settings:
    """Read `homeroom.toml`.

    Raises: ConfigurationError with file, key and what to do.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            "There is no such file. Make an installation with `homeroom init`, or name one with --config.",
            file=str(file),
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The file cannot be read ({type(error).__name__}).", file=str(file)) from None
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise ConfigurationError(
            f"This is not TOML: {error}.", file=str(file), line=int(line[1]) if line else None
        ) from None
    if "home" in tree:
        raise ConfigurationError("There is no such key. Take it out.", file=str(file), key="home")
    try:
        settings = msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        raise ConfigurationError(
            f"{message}. Mend or remove it.", file=str(file), key=path.rstrip("`") or None
        ) from None
    check(settings, file)
    return msgspec.structs.replace(settings, home=file.resolve().parent)


def check(settings: Settings, file: Path) -> None:
    """What types alone do not say. Raises: ConfigurationError."""
    parts = urlsplit(settings.issuer)
    loopback = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ConfigurationError(
            "Tokens travel over TLS: the issuer is an https:// address. Plain http is for loopback alone.",
            file=str(file),
            key="issuer",
        )
    if parts.path or parts.query or parts.fragment:
        raise ConfigurationError("The issuer has no path. Write scheme and host only.", file=str(file), key="issuer")
    for name in settings.spaces:
        if not is_space_id(name):
            raise ConfigurationError(
                "A space is named `state/district` in lower case, such as tx/grand-bend.",
                file=str(file),
                key=f"spaces.{name}",
            )
    for section in ("limits", "oauth"):
        for key, value in msgspec.structs.asdict(getattr(settings, section)).items():
            if value < 1:
                raise ConfigurationError("A limit is at least 1.", file=str(file), key=f"{section}.{key}")
