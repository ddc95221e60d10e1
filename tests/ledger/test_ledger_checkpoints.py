"""Checkpoints: signed, outside the database, at most one in each interval and one at the end."""

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import ConfigurationError, Unavailable
from app.ledger import Checkpoints, Ledger, Receipt
from app.ledger.checkpoints import Checkpoint, create_key, read_key
from app.names import SpaceId
from app.settings import Settings
from tests.ledger.samples import NOON, SPACE, an_entry, checkpoints_in

pytestmark = pytest.mark.anyio

A, B = Receipt(1, b"a" * 32), Receipt(2, b"b" * 32)


def receipts(checkpoints: Checkpoints) -> list[Receipt | int]:
    return [line.receipt if isinstance(line, Checkpoint) else line for line in checkpoints.read()]


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    checkpoints = checkpoints_in(tmp_path, clock=lambda: NOON)
    assert not checkpoints.begun()
    assert receipts(checkpoints) == []
    checkpoints.append(A)
    checkpoints.append(B)
    assert checkpoints.begun()
    assert list(checkpoints.read()) == [
        Checkpoint(SPACE, 1, A.hash.hex(), NOON),
        Checkpoint(SPACE, 2, B.hash.hex(), NOON),
    ]


@pytest.mark.parametrize(
    "change", [{"sequence": 9}, {"hash": "00" * 32}, {"at": "2020-01-01T00:00:00Z"}, {"extra": 1}, {"signature": "x"}]
)
def test_an_edited_checkpoint_is_none(checkpoints: Checkpoints, change: dict[str, object]) -> None:
    checkpoints.append(A)
    checkpoints.append(B)
    first, second = checkpoints.file.read_text().splitlines()
    checkpoints.file.write_text(json.dumps(json.loads(first) | change) + "\n" + second + "\n")
    assert receipts(checkpoints) == [1, B]


def test_a_line_that_is_no_json_is_no_checkpoint(checkpoints: Checkpoints) -> None:
    checkpoints.file.parent.mkdir()
    checkpoints.file.write_bytes(b"\xff\n[]\n\n")
    assert receipts(checkpoints) == [1, 2, 3]


def test_a_checkpoint_signed_with_another_key_is_none(checkpoints: Checkpoints, tmp_path: Path) -> None:
    forger = checkpoints_in(tmp_path / "elsewhere")
    forger.file = checkpoints.file
    forger.append(A)
    assert receipts(checkpoints) == [1]


def test_a_checkpoint_of_another_space_is_none(checkpoints: Checkpoints, tmp_path: Path) -> None:
    checkpoints_in(tmp_path, SpaceId("ca/seaview")).append(A)
    assert receipts(checkpoints) == [1]


def test_a_line_torn_by_a_power_cut_is_passed_over_and_then_replaced(checkpoints: Checkpoints) -> None:
    checkpoints.append(A)
    whole = checkpoints.file.read_bytes()
    checkpoints.file.write_bytes(whole + whole[:40])
    assert receipts(checkpoints) == [A]
    checkpoints.append(B)
    assert receipts(checkpoints) == [A, B]


def test_a_file_that_is_one_torn_line_begins_anew(checkpoints: Checkpoints) -> None:
    checkpoints.file.parent.mkdir()
    checkpoints.file.write_bytes(b'{"space":')
    checkpoints.append(A)
    assert receipts(checkpoints) == [A]


def test_a_space_has_its_own_file_in_the_installation(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    create_key(settings.keys_folder / "ledger.json")
    checkpoints = Checkpoints.of(settings, SPACE)
    checkpoints.append(A)
    assert checkpoints.file == tmp_path / "checkpoints" / "tx-grand-bend.jsonl"
    assert receipts(Checkpoints.of(settings, SPACE)) == [A]


def test_the_key_is_its_owners_alone_and_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "ledger.json"
    create_key(file)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    before = file.read_bytes()
    create_key(file)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "missing"),
        (b"{", "cannot be read"),
        (b'{"kty": "oct", "k": "AAAA"}', "cannot be read"),
        (b"PUBLIC", "no private key on P-256"),
    ],
)
def test_a_key_that_cannot_be_used_is_said_to_be(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    file = tmp_path / "ledger.json"
    if content == b"PUBLIC":
        create_key(file)
        content = json.dumps(read_key(file).as_dict(private=False)).encode()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=complaint):
        read_key(file)


async def test_there_is_a_checkpoint_before_the_first_entry_and_one_after_the_last(
    engine: AsyncEngine, checkpoints: Checkpoints
) -> None:
    ledger = Ledger(engine, SPACE, checkpoints, pace=3600)
    last = [await ledger.record(an_entry()) for _ in range(5)][-1]
    await ledger.close()
    found = receipts(checkpoints)
    assert isinstance(found[0], Receipt)
    assert found[0].sequence == 0
    assert found[-1] == last
    assert len(found) <= 3  # one for the beginning, one for the first interval, one for the end


async def test_while_entries_come_checkpoints_follow_at_the_pace(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    ledger = Ledger(engine, SPACE, checkpoints, pace=0.01)
    await ledger.record(an_entry())
    last = await ledger.record(an_entry())
    while last not in receipts(checkpoints):
        await asyncio.sleep(0.005)
    while ledger._sealer is not None:  # nobody records: nothing runs
        await asyncio.sleep(0.005)
    third = await ledger.record(an_entry())
    while third not in receipts(checkpoints):
        await asyncio.sleep(0.005)
    while ledger._sealer is not None:
        await asyncio.sleep(0.005)
    written = len(receipts(checkpoints))
    await ledger.close()
    assert len(receipts(checkpoints)) == written  # nothing new to vouch for


async def test_where_no_checkpoint_can_begin_nothing_is_recorded(engine: AsyncEngine, checkpoints: Checkpoints) -> None:
    checkpoints.file.parent.write_text("A file stands where the folder should.")
    ledger = Ledger(engine, SPACE, checkpoints)
    with pytest.raises(Unavailable):
        await ledger.record(an_entry())
    checkpoints.file.parent.unlink()
    assert (await ledger.record(an_entry())).sequence == 1
    await ledger.close()


async def test_a_checkpoint_that_fails_later_is_made_up_for(
    engine: AsyncEngine, checkpoints: Checkpoints, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(engine, SPACE, checkpoints, pace=0.01)
    await ledger.record(an_entry())
    while len(receipts(checkpoints)) < 2:
        await asyncio.sleep(0.005)
    moved = checkpoints.file.rename(checkpoints.file.with_suffix(".moved"))
    checkpoints.file.mkdir()
    second = await ledger.record(an_entry())
    while "A checkpoint of tx/grand-bend cannot be written" not in caplog.text:
        await asyncio.sleep(0.005)
    checkpoints.file.rmdir()
    moved.rename(checkpoints.file)
    while second not in receipts(checkpoints):
        await asyncio.sleep(0.005)
    await ledger.close()
