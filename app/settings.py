"""The installation's configuration, `homeroom.toml`, read once and frozen.

Shape: relative paths and SQLite URLs are relative to the folder of the file. Times are seconds, sizes bytes.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from app.addresses import host_of, unreadable, with_password
from app.elsewhere import (
    EndpointSettings,
    Premises,
    SubgraphSettings,
    TrustedGateway,
    elsewhere_problems,
    endpoint_problems,
)
from app.errors import ConfigurationError
from app.names import SpaceId, is_space_id
from app.signing_in import LOOPBACK, Console, SignIn, console_problems, provider_problems
from app.toml.culprit import Problem, controls, culprit
from app.toml.lines import Path as Place
from app.toml.lines import TooDeepError, dotted, find_lines, line_of

STORES = frozenset({"redis", "rediss", "valkey", "valkeys"})
"""The schemes of a store in which several servers count together."""


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


class Traffic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How clients share the server, so that none starves another."""

    points_per_minute: int = 6_000
    tokens_per_minute: int = 120
    store: str = "memory"
    at_once: int = 32
    waiting: int = 100
    wait_seconds: int = 30


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one process takes requests in, and how it stops."""

    request_id_header: str = ""
    connections: int = 1_000
    notice_seconds: int = 0
    grace_seconds: int = 30


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may read `/metrics`."""

    read_by: Literal["loopback", "token", "anyone", "nobody"] = "loopback"
    token_file: str = "keys/metrics"  # noqa: S105 - the name of a file


class Telemetry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where traces go. They hold the names of stages, ids, codes and times, and no value."""

    endpoint: str = ""
    service: str = "homeroom"
    sample: float = 1.0


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long and how much is kept of what vendors hold, so that they can be told what changed since."""

    days: int = 30
    keep: int = 8
    client_bytes: int = 268_435_456


class SpaceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one space is kept. Its name and time zone stand in its `district.toml`."""

    database: str
    ledger: str
    subgraphs: dict[str, EndpointSettings] = {}
    sign_in: SignIn | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`homeroom.toml` as it stands, with `home`, the folder that it lies in."""

    issuer: str = "http://127.0.0.1:8000"
    control: str = "sqlite:///control.db"
    policies: str = "policies"
    keys: str = "keys"
    limits: Limits = Limits()
    oauth: OAuth = OAuth()
    traffic: Traffic = Traffic()
    server: Server = Server()
    metrics: Metrics = Metrics()
    telemetry: Telemetry = Telemetry()
    changes: Changes = Changes()
    supergraph: str = ""
    subgraphs: dict[str, SubgraphSettings] = {}
    console: Console = Console()
    spaces: dict[str, SpaceSettings] = {}
    premises: dict[str, Premises] = {}
    gateway: TrustedGateway | None = None
    home: Path = Path()

    @property
    def policies_folder(self) -> Path:
        """The folder that the district and state policies are read from."""
        return self.home / self.policies

    @property
    def keys_folder(self) -> Path:
        """The folder that holds signing keys and the spaces' secrets, readable by its owner alone."""
        return self.home / self.keys

    @property
    def console_address(self) -> str:
        """Where officers come to: scheme and host."""
        return self.console.address or self.issuer

    def database_url(self, url: str) -> str:
        """An SQLAlchemy URL with the async driver named: SQLite paths absolute under `home`, a password file read.

        Raises: ConfigurationError.
        """
        scheme, _, rest = url.partition("://")
        match scheme:
            case "sqlite":
                return f"sqlite+aiosqlite:///{(self.home / rest.removeprefix('/')).resolve()}"
            case "postgresql":
                return f"postgresql+asyncpg://{with_password(rest, self.home)}"
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
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(
            "There is no such file. Make an installation with `homeroom init`, or name one with --config.",
            file=str(file),
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The file cannot be read ({type(error).__name__}).", file=str(file)) from None
    return parse_settings(text, file)


def parse_settings(text: str, file: Path) -> Settings:
    """What `homeroom.toml` says, as if it lay at `file`.

    Raises: ConfigurationError with file, key, line and what to do.
    """
    tree, lines = _tree(text, file)
    problem: Problem | None
    try:
        settings = msgspec.convert(tree, Settings)
        problem = next(problems(settings), None)
    except msgspec.ValidationError as error:
        problem = culprit(tree, Settings, str(error))
    problem = problem or next(controls(tree), None)
    if "home" in tree:
        problem = ("home",), "There is no such key here. Correct its name, or take it out."
    if problem is not None:
        path, message = problem
        raise ConfigurationError(message, file=str(file), key=dotted(path), line=line_of(lines, path))
    return msgspec.structs.replace(settings, home=file.resolve().parent)


def _tree(text: str, file: Path) -> tuple[dict[str, object], Mapping[Place, int]]:
    try:
        lines = find_lines(text)
        return tomllib.loads(text), lines
    except TooDeepError as error:
        raise ConfigurationError(
            "Keys or values nest deeper than in any configuration. Write them flat.", file=str(file), line=error.line
        ) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise ConfigurationError(
            f"This is not TOML: {error}. Mend the line.", file=str(file), line=int(line[1]) if line else None
        ) from None


def problems(settings: Settings) -> Iterator[Problem]:
    """What types alone do not say."""
    issuer = settings.issuer
    host = host_of(issuer)
    loopback = host in LOOPBACK
    if not issuer.startswith("https://") and not (issuer.startswith("http://") and loopback):
        yield (
            ("issuer",),
            "Tokens travel over TLS: the issuer is an https:// address. Plain http is for loopback alone. Correct it.",
        )
    if not host or set(issuer.partition("://")[2]) & set("/?#@"):
        yield ("issuer",), "The issuer has no path and no user. Write scheme and host only, such as https://host."
    for name in settings.spaces:
        if not is_space_id(name):
            yield ("spaces", name), "A space is named `state/district` in lower case, such as tx/grand-bend. Rename it."
    yield from _databases(settings)
    yield from console_problems(settings.console)
    yield from elsewhere_problems(settings.premises, settings.gateway, settings.spaces)
    for name, space in settings.spaces.items():
        yield from provider_problems(("spaces", name, "sign_in"), space.sign_in)
        yield from endpoint_problems(("spaces", name, "subgraphs"), space.subgraphs)
    for section in ("limits", "oauth", "traffic", "server", "changes", "console"):
        for key, value in msgspec.structs.asdict(getattr(settings, section)).items():
            if isinstance(value, int) and value < 1 and (value < 0 or key != "notice_seconds"):
                yield (section, key), "A limit is at least 1. Correct it."
            elif isinstance(value, int) and value > 10**12:
                yield (section, key), "This is more than anything can be. Correct it."
    yield from _watching(settings)


def _watching(settings: Settings) -> Iterator[Problem]:
    """Where requests are counted, and where traces go."""
    if settings.traffic.store != "memory" and urlsplit(settings.traffic.store).scheme not in STORES:
        yield (
            ("traffic", "store"),
            "Requests are counted in `memory`, or at redis://… or valkey://…. Write one of them.",
        )
    if settings.telemetry.endpoint and urlsplit(settings.telemetry.endpoint).scheme not in {"http", "https"}:
        yield ("telemetry", "endpoint"), "A collector is named by an http:// or https:// address. Write one."
    if not 0 <= settings.telemetry.sample <= 1:
        yield ("telemetry", "sample"), "This is a part of all requests, from 0 to 1. Correct it."
    if not re.fullmatch(r"[a-z0-9-]*", settings.server.request_id_header):
        yield ("server", "request_id_header"), "A header is named in lower case, such as x-request-id. Correct it."


def _databases(settings: Settings) -> Iterator[Problem]:
    """Every database is named as databases are, and no two spaces share one."""
    taken: dict[str, str] = {}
    places: list[tuple[Place, str, str]] = [(("control",), settings.control, "")]
    for name, space in settings.spaces.items():
        places += [
            (("spaces", name, "database"), space.database, name),
            (("spaces", name, "ledger"), space.ledger, name),
        ]
    for path, url, whose in places:
        if not url.startswith(("sqlite:///", "postgresql://")):
            scheme = url.partition(":")[0] if "://" in url else "this"
            yield (
                path,
                f"A database is sqlite:///FILE or postgresql://USER@HOST/DATABASE, not {scheme}. Write one of them.",
            )
        elif unreadable(url):
            yield (
                path,
                "The address cannot be read. Write it as docs/configuration.md shows: in a password `@` is %40.",
            )
        if whose and taken.setdefault(url, whose) != whose:
            yield path, f"{taken[url]} is kept in the same place. Give each space databases or schemas of its own."
