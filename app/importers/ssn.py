"""Notice social security numbers, wherever a file hides them.

A number counts as met when the file declares it as one, or when an identifier looks like one: three, two and four
digits with hyphens or spaces in any identifier, and nine bare digits in a local id or a login. Nine bare digits in
the district's key are left alone: many states number their students so. A number that could not have been issued
(area 000, 666 or 9xx, group 00, serial 0000) does not look like one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_PARTED = re.compile(r"(\d{3})([- ])(\d{2})\2(\d{4})", re.ASCII)
_BARE = re.compile(r"(\d{3})()(\d{2})(\d{4})", re.ASCII)
_SYSTEM = re.compile(r"ssn|social\W*security(\W*number)?", re.IGNORECASE)


def declares(system: str | None) -> bool:
    """Whether the name of an identification system says that its codes are social security numbers."""
    return system is not None and _SYSTEM.fullmatch(system.strip()) is not None


def looks_like(identifier: str | None, *, bare: bool) -> bool:
    """Whether an identifier looks like a social security number; `bare` takes nine digits without hyphens too."""
    if identifier is None:
        return False
    match = _PARTED.fullmatch(identifier) or (_BARE.fullmatch(identifier) if bare else None)
    if match is None:
        return False
    area, group, serial = match[1], match[3], match[4]
    return area not in {"000", "666"} and not area.startswith("9") and group != "00" and serial != "0000"


@dataclass(frozen=True, slots=True)
class Identifiers:
    """A person's local identifier with its system, and the social security numbers found among the others."""

    local_id: str | None
    system: str | None
    ssns: tuple[str, ...]


def sift(codes: Iterable[tuple[str | None, str | None]]) -> Identifiers:
    """Part local identifiers from social security numbers. Shape: (system, code), of which the first stays."""
    local: tuple[str | None, str | None] | None = None
    ssns: list[str] = []
    for system, code in codes:
        if code is None:
            continue
        if declares(system) or looks_like(code, bare=True):
            ssns.append(code)
        elif local is None:
            local = (system, code)
    return Identifiers(local[1] if local else None, local[0] if local else None, distinct(ssns))


def distinct(numbers: Iterable[str]) -> tuple[str, ...]:
    """Each number once, however it is written."""
    return tuple({re.sub(r"\D", "", number): number for number in reversed(list(numbers))}.values())
