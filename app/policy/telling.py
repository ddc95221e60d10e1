"""Tell what is other between two sets of policies, line by line: + gained, - lost, ~ other."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from app.names import Coordinate
from app.policy.compare import Change, SpaceDifference
from app.policy.model import Rows, Transform
from app.policy.wording import condition, sentence


def lines(difference: SpaceDifference) -> Iterator[str]:
    """What is other in one space, for people: + gained, - lost, ~ other."""
    yield str(difference.space)
    for each in difference.clients:
        yield f"  {each.client} for {each.purpose}"
        for change in each.changes:
            yield f"    from {change.first} to {change.last}"
            yield from (f"      {line}" for line in of_change(change))
    for term in difference.terms:
        yield f"  ~ {term.key}: {said(term.before)} -> {said(term.after)}"


def of_change(change: Change) -> Iterator[str]:
    """What is other on some days."""
    yield from by_type("+", change.gained)
    yield from by_type("-", change.lost)
    for coordinate, (before, after) in change.shown.items():
        yield f"~ {coordinate}: {before or 'as it is'} -> {after or 'as it is'}"
    if change.before is None or change.after is None:
        mark, rows = ("+", change.after) if change.after else ("-", change.before)
        if rows is not None:
            yield f"{mark} {sentence(rows)}"
    else:
        yield from (row_line(row.key, row.wider, change.before, change.after) for row in change.rows)
    yield from (f"~ {term.key}: {said(term.before)} -> {said(term.after)}" for term in change.terms)


def by_type(mark: str, fields: Mapping[Coordinate, Transform | None]) -> Iterator[str]:
    """Fields that are gained or lost, a line for each type."""
    for type_name, of_type in groupby(sorted(fields), key=lambda coordinate: coordinate.partition(".")[0]):
        names = (f"{coordinate.partition('.')[2]}{shown_as(fields[coordinate])}" for coordinate in of_type)
        yield f"{mark} {type_name}: {', '.join(names)}"


def row_line(key: str, wider: bool | None, before: Rows, after: Rows) -> str:
    """A condition on rows that is another."""
    mark = "~" if wider is None else "+" if wider else "-"
    return f"{mark} {condition(key, before)} -> {condition(key, after)}"


def shown_as(shown: Transform | None) -> str:
    """How a field is shortened."""
    return f" as {shown}" if shown else ""


def said(words: str) -> str:
    """What is said, or that nothing is."""
    return words or "(nothing)"
