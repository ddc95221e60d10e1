"""Cells of a file that a spreadsheet opens: none of them is a formula."""

from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def defused(cells: Iterable[str]) -> list[str]:
    """The same cells; one that a spreadsheet would take for a formula begins with an apostrophe. Spec: CWE-1236."""
    return [f"'{cell}" if cell.lstrip(" \u00a0").startswith(FORMULA) else cell for cell in cells]
