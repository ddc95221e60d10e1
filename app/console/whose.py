"""Whose records a grant reaches, in a sentence: with the names of schools, where a file has their keys."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.console.visit import Visit
from app.errors import Unavailable
from app.policy.model import Rows
from app.policy.wording import ENROLLED, in_subjects, within
from app.spaces.lookup import school_names

LEVELS: Sequence[str] = ("PK", "TK", "KG", *(f"{number:02}" for number in range(1, 14)))
"""The grade levels that have an order. Spec: CEDS 000100."""

YOUNGEST: Mapping[str, str] = {"PK": "prekindergarten", "TK": "transitional kindergarten", "KG": "kindergarten"}


async def whose(visit: Visit, rows: Rows) -> str:
    """Whose records, in a sentence; a school that cannot be looked up by its key."""
    try:
        names = await school_names(visit.place.records) if rows.schools else {}
    except Unavailable:
        names = {}
    return sentence(rows, names)


def sentence(rows: Rows, names: Mapping[str, str]) -> str:
    """`Pupils of Grand Bend Elementary in grades 3 to 5, enrolled today, in this school year.`"""
    if rows == Rows():
        return "Every record of the district."
    of = "" if rows.schools is None else f" of {listed([names.get(key, key) for key in rows.schools]) or 'no school'}"
    level = "" if rows.grade_levels is None else f" in {listed([*runs(rows.grade_levels)]) or 'no grade'}"
    conditions = "".join(f", {one}" for one in (ENROLLED[rows.enrollment], within(rows)) if one)
    classes = f"; of classes those {in_subjects(rows)}" if rows.subjects is not None else ""
    return f"{'Pupils' if of or level or conditions else 'Every pupil'}{of}{level}{conditions}{classes}."


def runs(levels: Iterable[str]) -> Iterator[str]:
    """Grade levels in words, those that follow each other together: `kindergarten to grade 5`."""
    given = set(levels)
    here: list[str] = []
    for level in (*LEVELS, ""):
        if level in given:
            here.append(level)
        elif here:
            yield run(here)
            here = []
    yield from sorted(given.difference(LEVELS))


def run(levels: Sequence[str]) -> str:
    """One run of them."""
    first, last = levels[0], levels[-1]
    if len(levels) == 1:
        return YOUNGEST.get(first) or f"grade {int(first)}"
    between = "and" if len(levels) == 2 else "to"
    if first in YOUNGEST:
        return f"{YOUNGEST[first]} {between} {YOUNGEST.get(last) or f'grade {int(last)}'}"
    return f"grades {int(first)} {between} {int(last)}"


def listed(words: Sequence[str]) -> str:
    """`one`, `one and another`, `one, another and a third`."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
