"""Verify: whatever someone did to the ledger afterwards is found; what a crash leaves is no tampering."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Unavailable
from app.ledger import Checkpoints, Kind, Ledger
from app.ledger.entry import Unlinked, beginning, chain, link, prepare
from app.ledger.store import entry as table
from app.ledger.verify import MOST, Verdict, verify
from app.names import SpaceId
from tests.ledger.samples import NOON, SPACE, an_entry, checkpoints_in, disclosed, tamper

pytestmark = pytest.mark.anyio


@pytest.fixture
async def recorded(engine: AsyncEngine, checkpoints: Checkpoints) -> AsyncEngine:
    """A sound ledger of ten entries."""
    ledger = Ledger(engine, SPACE, checkpoints)
    for number in range(1, 11):
        await ledger.record(an_entry(request=f"r{number}", disclosed=disclosed(number)))
    await ledger.close()
    return engine


async def bodies(engine: AsyncEngine) -> list[Unlinked]:
    async with engine.connect() as connection:
        rows = await connection.execute(select(table).order_by(table.c.sequence))
        return [Unlinked(row.at, row.client, row.first_student, row.last_student, row.body) for row in rows]


async def relink(engine: AsyncEngine, entries: list[Unlinked]) -> None:
    """Write the whole chain anew, as someone who knows how it is made."""
    _, rows = chain(beginning(SPACE), entries)
    async with engine.begin() as connection:
        await connection.execute(table.delete())
        names = [column.name for column in table.columns]
        await connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])


async def test_a_ledger_as_it_was_recorded_is_sound(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    verdict = await verify(recorded, checkpoints)
    assert verdict.sound
    assert (verdict.entries, verdict.vouched, verdict.head.sequence) == (10, 10, 10)
    assert verdict.interrupted == ()


async def test_an_empty_ledger_is_sound(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    assert await verify(engine, checkpoints) == Verdict(0, beginning(SPACE), 0, 0, (), 0, ())


async def test_entries_that_no_checkpoint_vouches_for_yet_are_sound(
    recorded: AsyncEngine, checkpoints: Checkpoints
) -> None:
    lines = checkpoints.file.read_text().splitlines(keepends=True)
    checkpoints.file.write_text(lines[0])  # killed before the next one was written
    verdict = await verify(recorded, checkpoints)
    assert verdict.sound
    assert verdict.vouched == 0


async def test_threat_33_an_edited_entry_is_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    forged = prepare(an_entry(request="r5", disclosed=disclosed(99)))
    async with recorded.begin() as connection:
        await connection.execute(
            update(table).where(table.c.sequence == 5).values(body=forged.body, first_student=99, last_student=99)
        )
    [finding] = (await verify(recorded, checkpoints)).findings
    assert finding.startswith("Entry 5 does not follow from the one before it")


async def test_an_edited_entry_with_its_hash_made_to_fit_is_found_at_the_next(
    recorded: AsyncEngine, checkpoints: Checkpoints
) -> None:
    entries = await bodies(recorded)
    forged = prepare(an_entry(request="r5", disclosed=disclosed(99)))
    _, before = chain(beginning(SPACE), entries[:4])
    values = {"body": forged.body, "hash": link(before[-1][1], forged.body), "first_student": 99, "last_student": 99}
    async with recorded.begin() as connection:
        await connection.execute(update(table).where(table.c.sequence == 5).values(values))
    [finding] = (await verify(recorded, checkpoints)).findings
    assert finding.startswith("Entry 6 does not follow")


async def test_threat_33_an_edited_entry_with_the_whole_chain_made_to_fit_is_found_by_the_checkpoints(
    recorded: AsyncEngine, checkpoints: Checkpoints
) -> None:
    entries = await bodies(recorded)
    entries[4] = prepare(an_entry(request="r5", disclosed=disclosed(99)))
    await relink(recorded, entries)
    findings = (await verify(recorded, checkpoints)).findings
    assert findings
    assert all("A checkpoint vouches for another history" in finding for finding in findings)


async def test_threat_33_a_removed_entry_is_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    await tamper(recorded, "DELETE FROM entry WHERE sequence = 4")
    [finding] = (await verify(recorded, checkpoints)).findings
    assert finding.startswith("Entry 5 stands where entry 4 should")


async def test_a_removed_entry_with_the_others_renumbered_is_found(
    recorded: AsyncEngine, checkpoints: Checkpoints
) -> None:
    await tamper(
        recorded,
        "DELETE FROM entry WHERE sequence = 4",
        "UPDATE entry SET sequence = sequence - 1000 WHERE sequence > 4",
        "UPDATE entry SET sequence = sequence + 999 WHERE sequence < 0",
    )
    findings = (await verify(recorded, checkpoints)).findings
    assert findings[0].startswith("Entry 4 does not follow")
    assert "vouches for entry 10: the end was removed" in findings[-1]


async def test_a_removed_entry_with_the_whole_chain_made_to_fit_is_found(
    recorded: AsyncEngine, checkpoints: Checkpoints
) -> None:
    entries = await bodies(recorded)
    await relink(recorded, entries[:3] + entries[4:])
    assert not (await verify(recorded, checkpoints)).sound


async def test_threat_33_reordered_entries_are_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    await tamper(
        recorded,
        "UPDATE entry SET sequence = -1 WHERE sequence = 4",
        "UPDATE entry SET sequence = 4 WHERE sequence = 5",
        "UPDATE entry SET sequence = 5 WHERE sequence = -1",
    )
    findings = (await verify(recorded, checkpoints)).findings
    assert findings[0].startswith("Entry 4 does not follow")
    assert findings[1].startswith("Entry 5 does not follow")


async def test_reordered_entries_with_the_whole_chain_made_to_fit_are_found(
    recorded: AsyncEngine, checkpoints: Checkpoints
) -> None:
    entries = await bodies(recorded)
    await relink(recorded, [*entries[:3], entries[4], entries[3], *entries[5:]])
    assert not (await verify(recorded, checkpoints)).sound


async def test_threat_33_entries_cut_off_at_the_end_are_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    await tamper(recorded, "DELETE FROM entry WHERE sequence > 7")
    [finding] = (await verify(recorded, checkpoints)).findings
    assert finding.startswith("The ledger ends at entry 7, but a checkpoint of ")
    assert "vouches for entry 10" in finding


async def test_an_emptied_ledger_is_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    await tamper(recorded, "DELETE FROM entry")
    [finding] = (await verify(recorded, checkpoints)).findings
    assert finding.startswith("The ledger ends at entry 0")


async def test_entries_cut_off_and_others_recorded_in_their_place_are_found(
    recorded: AsyncEngine, checkpoints: Checkpoints
) -> None:
    await tamper(recorded, "DELETE FROM entry WHERE sequence > 7")
    ledger = Ledger(recorded, SPACE, checkpoints)
    for _ in range(4):
        await ledger.record(an_entry(request="later"))
    await ledger.close()
    [finding] = (await verify(recorded, checkpoints)).findings
    assert "another history up to entry 10" in finding


async def test_an_entry_slipped_in_before_the_first_is_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    await tamper(
        recorded,
        "INSERT INTO entry SELECT 0, hash, at, client, first_student, last_student, body FROM entry WHERE sequence = 5",
    )
    findings = (await verify(recorded, checkpoints)).findings
    assert findings[0].startswith("Entry 0 stands where entry 1 should")


@pytest.mark.parametrize("column", ["client = 'nobody'", "at = at + 1", "first_student = NULL", "last_student = 7"])
async def test_a_column_that_hides_an_entry_from_lists_is_found(
    recorded: AsyncEngine, checkpoints: Checkpoints, column: str
) -> None:
    await tamper(recorded, f"UPDATE entry SET {column} WHERE sequence = 5")
    [finding] = (await verify(recorded, checkpoints)).findings
    assert finding.startswith("Entry 5 is listed under another client, time or students")


async def test_bytes_that_are_no_entry_are_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    async with recorded.begin() as connection:
        await connection.execute(update(table).where(table.c.sequence == 5).values(body=b"\x80"))
    findings = (await verify(recorded, checkpoints)).findings
    assert findings[1] == "Entry 5 cannot be read: it was edited."


async def test_an_edited_checkpoint_is_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    text = checkpoints.file.read_text()
    checkpoints.file.write_text(text.replace('"sequence":10', '"sequence":7'))
    [finding] = (await verify(recorded, checkpoints)).findings
    assert "of the checkpoints is not what was signed" in finding


async def test_checkpoints_forged_to_fit_a_forged_chain_are_found(
    recorded: AsyncEngine, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    entries = await bodies(recorded)
    await relink(recorded, entries[:5])
    forger = checkpoints_in(tmp_path / "elsewhere")
    forger.file = checkpoints.file
    checkpoints.file.unlink()
    forger.append(chain(beginning(SPACE), entries[:5])[0][-1])
    [finding] = (await verify(recorded, checkpoints)).findings
    assert finding.startswith("Line 1 of the checkpoints is not what was signed")


async def test_removed_checkpoints_are_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    checkpoints.file.unlink()
    [finding] = (await verify(recorded, checkpoints)).findings
    assert finding.startswith("There are no checkpoints")


async def test_checkpoints_replaced_by_a_torn_line_are_found(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    checkpoints.file.write_text('{"space":')
    [finding] = (await verify(recorded, checkpoints)).findings
    assert finding.startswith("There are no checkpoints")


async def test_a_ledger_carried_over_from_another_space_is_found(recorded: AsyncEngine, tmp_path: Path) -> None:
    other = checkpoints_in(tmp_path / "other", SpaceId("ca/seaview"))
    other.append(beginning(SpaceId("ca/seaview")))
    [finding] = (await verify(recorded, other)).findings
    assert finding.startswith("Entry 1 does not follow")


async def test_findings_beyond_a_hundred_are_counted(recorded: AsyncEngine, checkpoints: Checkpoints) -> None:
    with open(checkpoints.file, "a") as file:
        file.write("{}\n" * (MOST + 20))
    verdict = await verify(recorded, checkpoints)
    assert (len(verdict.findings), verdict.more) == (MOST, 20)


async def test_a_ledger_of_several_pages_is_read_to_its_end(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    await relink(engine, [prepare(an_entry(request=str(number))) for number in range(1200)])
    checkpoints.append(beginning(SPACE))
    verdict = await verify(engine, checkpoints)
    assert verdict.sound
    assert verdict.entries == 1200


async def test_a_stream_without_its_end_is_interrupted_and_says_what_had_left(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    ledger = Ledger(engine, SPACE, checkpoints)

    async def part(kind: Kind, request: str, *students: int) -> None:
        await ledger.record(an_entry(kind=kind, request=request, disclosed=disclosed(*students) if students else ()))

    await part(Kind.OPENING, "whole")
    await part(Kind.CHUNK, "whole", 1, 2)
    await part(Kind.OPENING, "killed")
    await part(Kind.CHUNK, "killed", 1, 2, 3)
    await part(Kind.CLOSING, "whole")
    await part(Kind.CHUNK, "killed", 3, 4)
    await part(Kind.OPENING, "broken-off")
    await part(Kind.CHUNK, "broken-off", 9)
    await part(Kind.ABORTED, "broken-off")
    await part(Kind.OPENING, "nothing-left")
    await part(Kind.REFUSAL, "refused")
    await part(Kind.ANSWER, "answered", 1)
    await ledger.close()
    verdict = await verify(engine, checkpoints)
    assert verdict.sound  # a crash is no tampering
    killed, nothing = verdict.interrupted
    assert (killed.request, killed.sequence, killed.at) == ("killed", 3, NOON)
    assert (killed.chunks, killed.records, killed.students) == (2, 5, 4)
    assert "interrupted after 5 records of 4 students in 2 chunks" in str(killed)
    assert (nothing.request, nothing.records) == ("nothing-left", 0)


async def test_a_ledger_that_is_missing_is_unavailable_and_not_made(
    file_engine: AsyncEngine, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    await file_engine.dispose()
    (tmp_path / "fresh.db").unlink()
    with pytest.raises(Unavailable, match="file is missing"):
        await verify(file_engine, checkpoints)
    assert not (tmp_path / "fresh.db").exists()


async def test_a_ledger_without_its_table_or_its_server_is_unavailable(
    database: AsyncEngine, checkpoints: Checkpoints, unreachable: AsyncEngine
) -> None:
    async with database.begin():
        pass  # an empty database
    with pytest.raises(Unavailable, match="cannot be read"):
        await verify(database, checkpoints)
    with pytest.raises(Unavailable, match="cannot be read"):
        await verify(unreachable, checkpoints)
