"""What a resource may hold: everything that comes in is bounded, and an address leads to the web and nowhere else."""

import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from app.registry.resource import Alignment, Paradata, Resource, grade_levels

NAME = 500
TEXT = 10_000
ADDRESS = 2_000
ENTRIES = 200
"""Units: characters, and entries of a list."""

COUNT = 2**31 - 1
"""The largest number of the graph. Spec: GraphQL §3.5.1."""


class UnfitError(ValueError):
    """A row that cannot be taken. The text says why, and quotes nothing."""

    def __init__(self, column: str | None, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


def line(column: str, value: str, most: int = NAME) -> str:
    """A text without line breaks, its blanks put in order. Raises: UnfitError."""
    plain = " ".join(value.split())
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in plain):
        raise UnfitError(column, "It holds control characters. Take them out.")
    if len(plain) > most:
        raise UnfitError(column, f"It has more than {most:,} characters. Shorten it.")
    return plain


def prose(column: str, value: str) -> str:
    """A longer text, as it is. Raises: UnfitError."""
    if any(unicodedata.category(letter) in {"Cc", "Cs"} and letter not in "\t\r\n" for letter in value):
        raise UnfitError(column, "It holds control characters. Take them out.")
    if len(value) > TEXT:
        raise UnfitError(column, f"It has more than {TEXT:,} characters. Shorten it.")
    return value.strip()


def address(column: str, value: str) -> str:
    """An address of the web. Raises: UnfitError.

    INVARIANT: nothing else passes: a page that shows a resource makes a link of it.
    """
    plain = line(column, value, ADDRESS)
    try:
        parts = urlsplit(plain)
        fit = parts.scheme in {"http", "https"} and parts.hostname and " " not in plain and parts.username is None
    except ValueError:
        fit = False
    if not fit:
        raise UnfitError(column, "This is no address of the web. Write https://… in full.")
    return plain


def several(column: str, values: Iterable[str]) -> tuple[str, ...]:
    """A list of short texts, each once. Raises: UnfitError."""
    listed = tuple(dict.fromkeys(plain for value in values if (plain := line(column, value))))
    if len(listed) > ENTRIES:
        raise UnfitError(column, f"It lists more than {ENTRIES}. List fewer.")
    return listed


def count(column: str, value: object) -> int:
    """How often something was done. Raises: UnfitError."""
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20 else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= COUNT:
        raise UnfitError(column, f"A count is a whole number from 0 to {COUNT:,}. Correct it.")
    return number


def made(
    *,
    url: str | None,
    name: str | None,
    description: str | None,
    subject: Iterable[str],
    levels: Iterable[str],
    kind: Iterable[str],
    license_: str | None,
    publisher: str | None,
    alignments: Iterable[Alignment],
    paradata: Iterable[Paradata],
) -> Resource:
    """A resource of what a row says. Raises: UnfitError."""
    if not url:
        raise UnfitError("url", "There is none, and it is what a resource is known by. Add it.")
    if not name or not name.strip():
        raise UnfitError("name", "There is none. Add it.")
    aligned = tuple(dict.fromkeys(alignments))
    if len(aligned) > ENTRIES:
        raise UnfitError("educationalAlignment", f"It lists more than {ENTRIES}. List fewer.")
    counted: dict[str, int] = {}
    for one in paradata:
        counted[one.action] = min(counted.get(one.action, 0) + one.count, COUNT)
    return Resource(
        url=address("url", url),
        name=line("name", name),
        description=prose("description", description) or None if description else None,
        subject=several("subject", subject),
        grade_levels=several("gradeLevels", (code for level in levels for code in grade_levels(level))),
        learning_resource_type=several("learningResourceType", kind),
        license=line("license", license_, ADDRESS) or None if license_ else None,
        publisher=line("publisher", publisher) or None if publisher else None,
        educational_alignment=aligned,
        paradata=tuple(Paradata(action, number) for action, number in counted.items()),
    )
