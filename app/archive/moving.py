"""Where the parts of an archive are put, and what `homeroom.toml` says of it then.

What lay within the installation's folder lies in the same place within the new one; what lay elsewhere is taken in. A
PostgreSQL database is made anew where it was, or where `--database` says.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec

from app.archive.manifest import kept
from app.errors import ConfigurationError, UsageError
from app.settings import Settings, parse_settings
from app.toml.lines import dotted, find_lines, line_of

Moves = Mapping[tuple[str, ...], tuple[str, str]]
"""By key of `homeroom.toml`: what it said, and what it is to say."""


def moved(text: str, file: Path, databases: Mapping[str, str]) -> str:
    """The configuration for its new place. `databases` has PostgreSQL addresses by space, or by `control`.

    Raises: ConfigurationError, UsageError.
    """
    settings = parse_settings(text, file)
    moves = find_moves(settings, databases)
    for key, (old, new) in moves.items():
        text = _replace(text, key, old, new, file)
    parse_settings(text, file)
    return text


def find_moves(settings: Settings, databases: Mapping[str, str]) -> Moves:
    """What must be said anew. Raises: UsageError."""
    moves: dict[tuple[str, ...], tuple[str, str]] = {}
    for name, folder in (("policies", settings.policies), ("keys", settings.keys)):
        if not _within(folder):
            moves[(name,)] = (folder, name)
    unused = dict(databases)
    for one in kept(settings):
        owner = one.space or "control"
        if one.url.startswith("sqlite:///"):
            if not _within(one.url.removeprefix("sqlite:///")):
                moves[one.key] = (one.url, f"sqlite:///databases/{one.name.replace(' ', '-')}.db")
        elif owner in databases:
            unused.pop(owner, None)
            moves[one.key] = (one.url, readdressed(one.url, databases[owner]))
    if unused:
        raise UsageError(f"{', '.join(unused)}: the archive has no PostgreSQL database of that name. Leave it out.")
    return moves


def readdressed(old: str, new: str) -> str:
    """A PostgreSQL address with another's server, role and database, and with the schema that it had."""
    base, _, query = new.partition("?")
    if not base.startswith("postgresql://") or "schema=" in query:
        raise UsageError(
            "A PostgreSQL database goes to postgresql://USER@HOST/DATABASE and keeps its schema. Write no other there."
        )
    options = [option for option in query.split("&") if option]
    options += [option for option in old.partition("?")[2].split("&") if option.startswith("schema=")]
    return "?".join([base, "&".join(options)]) if options else base


def _within(path: str) -> bool:
    """Whether a path stays within the installation's folder."""
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts


def _replace(text: str, key: tuple[str, ...], old: str, new: str, file: Path) -> str:
    """The text with another value at a key. Raises: ConfigurationError, if it is written in an unusual way."""
    number = line_of(find_lines(text), key)
    lines = text.splitlines(keepends=True)
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'', lines[number - 1]):
        if tomllib.loads(f"value = {found[0]}")["value"] == old:
            quoted = msgspec.json.encode(new).decode()
            lines[number - 1] = lines[number - 1][: found.start()] + quoted + lines[number - 1][found.end() :]
            return "".join(lines)
    raise ConfigurationError(
        'The value cannot be rewritten for its new place. Before the back-up, write it on one line: key = "value".',
        file=str(file),
        key=dotted(key),
        line=number,
    )
