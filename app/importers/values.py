"""Read one cell: text, dates, truth, numbers, grade levels. What cannot be read says why, never what stood there."""

import json
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import date

MAX_CELL = 65_536
"""Characters of the longest value that a record may hold."""

MAX_KEY = 512
"""Characters of the longest key: every database can index it."""

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T[0-9:.]+(?:Z|[+-]\d{2}:?\d{2})?)?")
_YEAR = re.compile(r"(?:(\d{4})\s*[-/]\s*)?(\d{4})")
_WORDS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
]
_GRADES = {
    "infant/toddler": "IT",
    "preschool/prekindergarten": "PK",
    "preschool": "PR",
    "prekindergarten": "PK",
    "pre-kindergarten": "PK",
    "transitional kindergarten": "TK",
    "kindergarten": "KG",
    "k": "KG",
    "postsecondary": "PS",
    "ungraded": "UG",
    **{code.lower(): code for code in ("IT", "PR", "PK", "TK", "KG", "PS", "UG")},
    **{f"{word} grade": f"{number:02}" for number, word in enumerate(_WORDS, start=1)},
    **{str(number): f"{number:02}" for number in range(1, 14)},
    **{f"{number:02}": f"{number:02}" for number in range(1, 10)},
    **{f"grade {number}": f"{number:02}" for number in range(1, 14)},
}


class CellError(Exception):
    """A cell that cannot be read. `reason` is a sentence without the cell's value."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


def text(cell: str | None) -> str | None:
    """The cell without surrounding space, in Unicode's composed form (NFC); None when nothing stands there."""
    if cell is None:
        return None
    if len(cell) > MAX_CELL:
        raise CellError(f"The value is longer than {MAX_CELL:,} characters. Shorten it.")
    if "\0" in cell:
        raise CellError("The value holds a NUL character. Export the file again as plain text.")
    cell = cell.strip()
    if not cell:
        return None
    return cell if cell.isascii() else unicodedata.normalize("NFC", cell)


def key(cell: str | None) -> str | None:
    """A key: text that is short enough to be one."""
    found = text(cell)
    if found is not None and len(found) > MAX_KEY:
        raise CellError(f"The key is longer than {MAX_KEY} characters. Give the record a shorter one.")
    return found


def iso_date(cell: str | None) -> str | None:
    """A date as YYYY-MM-DD; a time of day after it is left out."""
    found = text(cell)
    if found is None:
        return None
    match = _DATE.fullmatch(found)
    try:
        day = date.fromisoformat(match[1]) if match else None
    except ValueError:
        day = None
    if day is None or not 1800 <= day.year <= 2999:
        raise CellError("This is no date. Write it as YYYY-MM-DD.")
    return day.isoformat()


def truth(cell: str | None) -> bool | None:
    """true or false."""
    found = text(cell)
    if found is None:
        return None
    match found.lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise CellError("This is neither true nor false. Write one of them.")


def number(cell: str | None) -> float | None:
    """A finite number."""
    found = text(cell)
    if found is None:
        return None
    try:
        value = float(found) if len(found) <= 40 and found.isascii() and "_" not in found else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CellError("This is no number. Write digits with a decimal point.")
    return value


def school_year(cell: str | None) -> int | None:
    """The year in which a school year ends: 2011 for `2010-2011` and for `2011`."""
    found = text(cell)
    if found is None:
        return None
    match = _YEAR.fullmatch(found)
    if not match or not found.isascii() or (match[1] and int(match[2]) != int(match[1]) + 1):
        raise CellError("This is no school year. Write the year in which it ends, or both as 2026-2027.")
    return int(match[2])


def grade_level(cell: str | None) -> str | None:
    """A grade level's code (`PK`, `KG`, `01` … `12`); one without a code stays in the district's words."""
    found = text(cell)
    return None if found is None else _GRADES.get(found.lower(), found)


def listed(cell: str | None) -> list[str]:
    """The values of a cell that holds several, separated by commas."""
    found = text(cell)
    return [] if found is None else [part.strip() for part in found.split(",") if part.strip()]


def json_list(values: Iterable[str | None]) -> str | None:
    """JSON text of a list of strings, as the space keeps it; None for an empty one."""
    kept = [value for value in values if value]
    return json.dumps(kept, ensure_ascii=False) if kept else None


def joined(*parts: str | None) -> str | None:
    """A key made of several, each escaped so that no two lists of parts make the same key; None if one is missing."""
    if any(part is None for part in parts):
        return None
    return key("|".join((part or "").replace("\\", "\\\\").replace("|", "\\|") for part in parts))
