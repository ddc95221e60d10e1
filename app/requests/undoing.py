"""Undo of a decision what a second officer does not approve. Pure: grants in, a change out."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from app.names import Coordinate
from app.policy.amend import Amendment
from app.policy.compare import no_wider
from app.policy.model import Grant, Rows
from app.policy.wording import CONDITIONS


def withheld(before: Grant | None, grant: Grant, refused: Collection[Coordinate]) -> Amendment:
    """What undoes of a decision what the second officer does not approve; the rest of it stands.

    What was new goes. What was given before is given as it was, to no more pupils and for no longer than then, with the
    approvals that it had. Without `before`, which is unknown or was nothing, all of it goes.
    """
    former = {} if before is None else before.fields
    kept = [one for one in refused if one in former]
    undone = Amendment(
        fields={one: former[one] for one in kept if former[one] != grant.fields[one]},
        removed=frozenset(refused).difference(kept),
    )
    if before is None or not kept:
        return undone
    # Whatever else was approved before is so again: it reaches no further than it did then.
    same = {one for one, shown in former.items() if one in grant.fields and grant.fields[one] == shown}
    rows = Rows(**{key: _no_further(grant.rows, before.rows, key) for key in CONDITIONS})
    first, last = max(grant.not_before, before.not_before), min(grant.not_after, before.not_after)
    return replace(
        undone,
        rows=None if rows == grant.rows else rows,
        not_before=None if first == grant.not_before else first,
        not_after=None if last == grant.not_after else last,
        restored=tuple(
            replace(approval, covers=covers)
            for approval in before.approvals
            if (covers := tuple(one for one in approval.covers if one in same or one in kept))
        ),
    )


def _no_further(now: Rows, before: Rows, key: str) -> Any:
    value, former = getattr(now, key), getattr(before, key)
    return value if no_wider(value, former) else former


def says_the_same(one: Grant, other: Grant) -> bool:
    """Whether two grants give the same fields, of the same records, for the same days and in the same words."""
    return all(
        getattr(one, key) == getattr(other, key) for key in ("fields", "rows", "not_before", "not_after", "statement")
    )
