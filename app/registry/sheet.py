"""A row of CSV becomes a resource. Columns have the names of the graph's fields; lists are parted by `|`.

url, name, description, subject, gradeLevels, learningResourceType, license, publisher,
educationalFramework, standards, scedCodes, and `paradata.view` and the like for counts
"""

import csv
import io
from collections.abc import Iterator, Mapping

from app.registry import bounds
from app.registry.bounds import UnfitError, made
from app.registry.resource import SCED, Alignment, Paradata, Resource

NAMES = (
    *("url", "name", "description", "subject", "gradeLevels", "learningResourceType", "license", "publisher"),
    *("educationalFramework", "standards", "scedCodes"),
)
PARADATA = "paradata."
SHORTEST = 5
"""Units: digits of a course's code. Spec: School Courses for the Exchange of Data."""
FIELD = 100_000
"""Units: characters that one cell may have."""

csv.field_size_limit(FIELD)


def rows(text: io.TextIOBase) -> Iterator[tuple[int, Resource | UnfitError]]:
    """Every row with the line that it begins on."""
    reader = csv.reader(text, strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, UnfitError(None, f"This is not CSV ({error}). Nothing from here on was read.")
            return
        if header is None:
            header = [cell.strip() for cell in cells]
            if problem := _amiss(header):
                yield line, problem
                return
        elif any(cell.strip() for cell in cells):
            yield line, _row(header, cells)


def _amiss(header: list[str]) -> UnfitError | None:
    unknown = [name for name in header if name not in NAMES and not name.startswith(PARADATA)]
    if missing := [name for name in ("url", "name") if name not in header]:
        parted = "" if len(header) > 1 else " They are parted by commas."
        return UnfitError(
            None,
            "The first line names the columns, with `url` and `name` among them; there is no "
            f"{' and no '.join(missing)}.{parted} Nothing was read.",
        )
    if unknown:
        place = header.index(unknown[0]) + 1
        known = ", ".join((*NAMES, f"{PARADATA}view and the like"))
        return UnfitError(
            None, f"Column {place} has a name that is not known. Nothing was read; take it out, or use one of: {known}."
        )
    if len(set(header)) < len(header):
        return UnfitError(None, "A column stands twice. Nothing was read; take one out.")
    return None


def _row(header: list[str], cells: list[str]) -> Resource | UnfitError:
    if len(cells) != len(header):
        return UnfitError(None, f"The row has {len(cells)} cells and the first line {len(header)}. Correct it.")
    said = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    try:
        return made(
            url=said["url"],
            name=said["name"],
            description=said.get("description"),
            subject=_parts(said, "subject"),
            levels=_parts(said, "gradeLevels"),
            kind=_parts(said, "learningResourceType"),
            license_=said.get("license"),
            publisher=said.get("publisher"),
            alignments=_alignments(said),
            paradata=[
                Paradata(bounds.line(name, name.removeprefix(PARADATA), 60), bounds.count(name, cell))
                for name, cell in said.items()
                if name.startswith(PARADATA) and cell
            ],
        )
    except UnfitError as error:
        return error


def _parts(said: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in said.get(name, "").split("|") if part.strip()]


def _alignments(said: Mapping[str, str]) -> Iterator[Alignment]:
    framework = bounds.line("educationalFramework", said.get("educationalFramework", "")) or None
    for target in bounds.several("standards", _parts(said, "standards")):
        yield Alignment("teaches", framework, target)
    for code in bounds.several("scedCodes", _parts(said, "scedCodes")):
        if code.isdecimal() and len(code) < SHORTEST:
            raise UnfitError(
                "scedCodes", "A code has five digits; a spreadsheet takes zeros away. Write 02003 in full."
            )
        yield Alignment("educationalSubject", SCED, code)
