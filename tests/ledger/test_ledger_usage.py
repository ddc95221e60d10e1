"""What a client has received of late, found without reading every entry."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger import Checkpoints, Entry, Kind, Ledger
from app.ledger import usage as reading
from app.ledger.usage import begun, used
from tests.ledger.samples import NOON, SPACE, an_entry, disclosed, tamper

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
RACES, LANGUAGE, LONG = "Student.races", "Student.homeLanguage", f"Student.{'a' * 90}"


async def record(engine: AsyncEngine, checkpoints: Checkpoints, *all_entries: Entry) -> None:
    ledger = Ledger(engine, SPACE, checkpoints)
    for each in all_entries:
        await ledger.record(each)
    await ledger.close()


async def of_readwell(engine: AsyncEngine, *coordinates: str, purpose: str = "instruction") -> frozenset[str]:
    return await used(engine, "readwell", purpose, coordinates, since=NOON)


async def test_what_left_to_the_client_for_the_purpose_since_then_was_used(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    await record(
        engine,
        checkpoints,
        an_entry(disclosed=disclosed(1, coordinates=("Student.firstName", RACES, LONG))),
        an_entry(disclosed=disclosed(1, coordinates=(LANGUAGE,)), at=NOON - DAY),
        an_entry(disclosed=disclosed(1, coordinates=("Student.ssn",)), client="mathly"),
        an_entry(disclosed=disclosed(1, coordinates=("Student.sex",)), purpose="rostering"),
        an_entry(disclosed=disclosed(1, coordinates=("Student.email",)), kind=Kind.CHUNK),
    )
    asked = (RACES, LONG, LANGUAGE, "Student.ssn", "Student.sex", "Student.email", "Student.first")
    assert await of_readwell(engine, *asked) == {RACES, LONG, "Student.email"}
    assert await of_readwell(engine, "Student.sex", RACES, purpose="rostering") == {"Student.sex"}
    assert await of_readwell(engine) == frozenset()


async def test_what_was_asked_for_and_denied_was_not_used(
    engine: AsyncEngine, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    refused = an_entry(denied=((RACES, "SCOPE_MISSING"),))
    await record(engine, checkpoints, an_entry(disclosed=disclosed(1, coordinates=(RACES,))), *[refused] * 5)
    assert await of_readwell(engine, RACES, LANGUAGE) == {RACES}
    assert await used(engine, "readwell", "instruction", [RACES], since=NOON + DAY) == frozenset()


async def test_a_ledger_begins_with_its_oldest_entry(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    assert await begun(engine) is None
    await record(engine, checkpoints, an_entry(), an_entry(at=NOON - DAY), an_entry(at=NOON + DAY))
    assert await begun(engine) == NOON - DAY


async def test_an_entry_that_was_spoilt_is_told(file_engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await record(file_engine, checkpoints, an_entry(disclosed=disclosed(1, coordinates=(RACES,))))
    await tamper(file_engine, "UPDATE entry SET body = substr(body, 2)")
    with pytest.raises(Unavailable, match=r"Entry 1 .* disclosures verify"):
        await of_readwell(file_engine, RACES)
