"""Read a source: one file or a folder of them, JSON-LD, NDJSON or CSV. Every row comes out, or the reason why not."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from app.errors import HomeroomError, UsageError
from app.registry import sheet
from app.registry.bounds import UnfitError
from app.registry.lrmi import resource_of
from app.registry.nodes import nodes
from app.registry.resource import Resource

Form: TypeAlias = Literal["jsonld", "ndjson", "csv"]

FORMS: dict[str, Form] = {
    **dict.fromkeys((".jsonld", ".json"), "jsonld"),
    **dict.fromkeys((".ndjson", ".jsonl"), "ndjson"),
    ".csv": "csv",
}
WHOLE = 256 * 1024**2
"""Units: bytes of a JSON-LD document, which is read at once."""
LINE = 4 * 1024**2
"""Units: characters of a line."""


class SourceError(HomeroomError):
    """A source that cannot be read. Nothing was stored."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source: a resource, or why it is none."""

    file: str
    line: int
    read: Resource | UnfitError


def read(source: Path, form: Form | None) -> Iterator[Row]:
    """Every row of a source. Raises: UsageError, SourceError."""
    for file in _files(source, form):
        name = "".join(letter if letter.isprintable() else "?" for letter in file.name)[:120]
        try:
            with file.open(encoding="utf-8-sig", newline="") as text:
                match form or FORMS[file.suffix.lower()]:
                    case "jsonld":
                        yield from _document(name, text)
                    case "ndjson":
                        yield from _lines(name, text)
                    case "csv":
                        yield from (Row(name, line, one) for line, one in sheet.rows(text))
        except UnicodeDecodeError:
            raise SourceError(f"{name} is not UTF-8. Nothing was stored; save it as UTF-8.") from None
        except OSError as error:
            raise SourceError(f"{name} cannot be read ({type(error).__name__}). Nothing was stored.") from None


def _files(source: Path, form: Form | None) -> list[Path]:
    if source.is_dir():
        found = sorted(
            file
            for file in source.iterdir()
            if file.is_file()
            and not file.name.startswith(".")
            and (known := FORMS.get(file.suffix.lower()))
            and form in {None, known}
        )
        if not found:
            raise UsageError("The folder holds no .jsonld, .json, .ndjson, .jsonl or .csv file. Name one that does.")
        return found
    if not source.exists():
        raise UsageError("There is no such file or folder. Name a file of resources, or a folder of them.")
    if form is None and source.suffix.lower() not in FORMS:
        raise UsageError("The file's name does not say what it is. Say it: --format jsonld, ndjson or csv.")
    return [source]


def _document(name: str, text: io.TextIOBase) -> Iterator[Row]:
    whole = text.read(WHOLE + 1)
    if len(whole) > WHOLE:
        raise SourceError(f"{name} is larger than {WHOLE:,} characters. Nothing was stored; send it as NDJSON.")
    try:
        for line, node in nodes(whole):
            yield Row(name, line, _resource(node))
    except UnfitError as error:
        raise SourceError(f"{name}: {error.reason}. Nothing was stored; mend it, and import it again.") from None


def _lines(name: str, text: io.TextIOBase) -> Iterator[Row]:
    number = 0
    while line := text.readline(LINE + 1):
        number += 1
        if len(line) > LINE:
            raise SourceError(f"{name}: line {number} has more than {LINE:,} characters. Nothing was stored.")
        if line.strip():
            try:
                node = json.loads(line)
            except (ValueError, RecursionError):
                yield Row(name, number, UnfitError(None, "This is not JSON. A line holds one object."))
                continue
            yield Row(name, number, _resource(node))


def _resource(node: object) -> Resource | UnfitError:
    try:
        return resource_of(node)
    except UnfitError as error:
        return error
