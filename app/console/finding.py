"""Find a student of the officer's space by the key that the district's own systems use."""

from app.console.visit import Rejected, Visit
from app.spaces.erasing import erased_rows, key_hash
from app.spaces.lookup import student_row

NOBODY = "The space has no student with that key. Write the district's own key or unique id of the student."


async def student_rows(visit: Visit, key: str) -> tuple[int, ...]:
    """The row numbers that a student has and, if erased, had. Raises: Rejected, Unavailable."""
    row = await student_row(visit.place.records, key)
    past = await erased_rows(visit.place.records, key_hash(visit.desk.rooms.spaces[visit.space].secret, key))
    rows = (*past, *(() if row is None else (row,)))
    if not rows:
        raise Rejected(NOBODY)
    return rows
