"""What tells nothing of a child stands in no report for a parent, in the command's and in the console's alike."""

from datetime import UTC, timedelta

import pytest
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger import Checkpoints, Ledger, Whose
from app.ledger.report import Received, of_student
from app.ledger.summed import catch_up, received
from tests.ledger.samples import NOON, SPACE, an_entry, disclosed

pytestmark = pytest.mark.anyio

NAME, TYPENAMES = ("Student.firstName",), ("SectionEnrollment.__typename", "Student.__typename")


async def test_the_name_of_a_type_is_no_field_that_somebody_received(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    ledger, day = Ledger(engine, SPACE, checkpoints), NOON.date()
    next_day = NOON + timedelta(days=1)
    await ledger.record(an_entry(request="a", disclosed=disclosed(1, coordinates=NAME)))
    await ledger.record(an_entry(request="b", at=next_day, disclosed=disclosed(1, coordinates=(*TYPENAMES, *NAME))))
    await ledger.record(an_entry(request="c", client="mathly", disclosed=disclosed(1, 2, coordinates=TYPENAMES)))
    gone = (Whose(("Student",), BitMap([2]), 1),)
    await ledger.record(
        an_entry(request="d", client="artly", disclosed=disclosed(1, 2, coordinates=TYPENAMES), removed=gone)
    )
    await ledger.close()
    await catch_up(engine, UTC)
    for read in (of_student(engine, 1), received(engine, [1])):
        days = (day, next_day.date())
        assert await read == [Received("readwell", "instruction", "school-official", NAME, days, 2)]
    for read in (of_student(engine, 2), received(engine, [2])):
        assert await read == [Received("artly", "instruction", "school-official", (), (day,), 1)]  # told to remove
