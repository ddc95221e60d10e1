"""Lists of words in one line of a form: parted by commas; a word that has one of its own stands in quotes."""

import csv
from collections.abc import Sequence


def written(values: Sequence[str] | None) -> str:
    """As an officer reads and changes it."""
    return ", ".join(
        f'"{doubled}"' if {*'",'} & {*(doubled := one.replace('"', '""'))} else one for one in values or ()
    )


def read(text: str) -> tuple[str, ...]:
    """What was typed. Raises: ValueError."""
    try:
        rows = [*csv.reader([text.strip()], skipinitialspace=True, strict=True)]
    except csv.Error:
        raise ValueError("A quotation mark is left open.") from None
    return tuple(value for row in rows for part in row if (value := part.strip()))
