"""Say in a district's words whose records a grant reaches."""

from collections.abc import Iterable

from app.policy.model import Rows


def sentence(rows: Rows) -> str:
    """Whose records, in one sentence."""
    if rows == Rows():
        return "Every record of the district."
    pupils = " ".join(filter(None, (ENROLLED[rows.enrollment], of_schools(rows), in_levels(rows), within(rows))))
    classes = f"; of classes those {in_subjects(rows)}" if rows.subjects is not None else ""
    return f"{'Pupils ' + pupils if pupils else 'Every pupil'}{classes}."


def condition(key: str, rows: Rows) -> str:
    """One condition of rows, also where it is none."""
    match key:
        case "schools":
            return of_schools(rows) or "of every school"
        case "grade_levels":
            return in_levels(rows) or "in every grade level"
        case "subjects":
            return in_subjects(rows) or "in every subject"
        case "enrollment":
            return ENROLLED[rows.enrollment] or "whether enrolled or not"
        case _:
            return within(rows) or "of every school year"


ENROLLED = {"active": "enrolled today", "any": "enrolled at any time", None: ""}
CONDITIONS = ("schools", "grade_levels", "subjects", "enrollment", "history_years")


def of_schools(rows: Rows) -> str:
    """By `schools`; empty where there is no condition."""
    return listed("of school", "of schools", "of no school", rows.schools)


def in_levels(rows: Rows) -> str:
    """By `grade_levels`."""
    return listed("in grade level", "in grade levels", "in no grade level", rows.grade_levels)


def in_subjects(rows: Rows) -> str:
    """By `subjects`."""
    return listed("in the subject", "in the subjects", "in no subject", rows.subjects)


def within(rows: Rows) -> str:
    """By `history_years`."""
    match rows.history_years:
        case None:
            return ""
        case 0:
            return "in this school year"
        case 1:
            return "in this school year and the one before"
        case years:
            return f"in this school year and the {years} before"


def listed(one: str, many: str, none: str, values: Iterable[str] | None) -> str:
    """A condition that lists what it lets through."""
    if values is None:
        return ""
    words = list(values)
    if not words:
        return none
    last = words.pop()
    return f"{many} {', '.join(words)} and {last}" if words else f"{one} {last}"
