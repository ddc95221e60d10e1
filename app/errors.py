"""What can go wrong, as one tree. A denial is not here: it is a value, never an exception.

    HomeroomError
    ├── UsageError             the command was asked for something that cannot be
    ├── ConfigurationError     homeroom.toml, a key or a policy file cannot be used: file, key, what to do
    │   └── PolicyError        ... a policy file: file, line and key
    ├── Unavailable            a database, a ledger or a subgraph does not answer; nothing was disclosed
    ├── TooMany                a client asks for more than its share: when to come back; nothing is recorded
    └── RequestError           the caller's mistake, shown to the caller as it is
        └── Unauthenticated    no caller: RFC 6750's challenge, and no reason that helps a guesser

Messages are sentences: what is wrong, then what to do. They never quote a value out of a record.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus


class HomeroomError(Exception):
    """Anything that Homeroom says of itself. `exit_status` is what the command line ends with."""

    exit_status = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(HomeroomError):
    """The command names something that is not there, or asks for what cannot be."""

    exit_status = 2


class ConfigurationError(HomeroomError):
    """A file that Homeroom is set up by cannot be used."""

    exit_status = 3

    def __init__(self, message: str, *, file: str, key: str | None = None, line: int | None = None) -> None:
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {key}: {message}" if key else f"{place}: {message}")
        self.file = file
        self.key = key
        self.line = line


class PolicyError(ConfigurationError):
    """A policy file cannot be used; the last good revision of it stays in force."""


class Unavailable(HomeroomError):  # noqa: N818 - it reads as what is the case
    """Something that an answer needs does not answer. Nothing was disclosed."""

    exit_status = 4


class TooMany(HomeroomError):  # noqa: N818 - it reads as what is the case
    """A client asks for more than its share. Nothing was looked at. Units: `wait` is in seconds. Spec: RFC 6585 §4."""

    def __init__(self, message: str, *, code: str, wait: int, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.wait = wait
        self.headers = [(b"retry-after", b"%d" % wait), *headers]


class RequestError(HomeroomError):
    """The caller's mistake: shown to the caller as it stands, so it quotes nothing but the caller's own words."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.extensions = {"code": code, **(extensions or {})}


class Unauthenticated(RequestError):  # noqa: N818 - it reads as what is the case
    """There is no verified caller. Spec: RFC 6750 §3.1. `challenge` is the WWW-Authenticate error code, or None."""

    def __init__(self, message: str, *, challenge: str | None) -> None:
        super().__init__(message, code="UNAUTHENTICATED", status=HTTPStatus.UNAUTHORIZED)
        self.challenge = challenge
