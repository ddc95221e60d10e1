"""What one entry holds, byte for byte."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from app.ledger import Entry, Kind, Receipt, Whose
from app.ledger.entry import beginning, chain, link, prepare, read_entry
from app.names import SpaceId
from tests.ledger.samples import NOON, SPACE, an_entry

whose = st.builds(
    Whose,
    coordinates=st.lists(st.sampled_from(["Student.firstName", "Grade.letterGradeEarned"])).map(tuple),
    students=st.none() | st.sets(st.integers(0, 2**32 - 1)).map(BitMap),
    records=st.integers(0, 10_000),
)
entries = st.builds(
    Entry,
    kind=st.sampled_from(Kind),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    request=st.text(),
    client=st.text(),
    purpose=st.text(),
    basis=st.none() | st.text(),
    operation=st.none() | st.text(),
    disclosed=st.lists(whose, max_size=3).map(tuple),
    denied=st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple),
    complete=st.booleans(),
    removed=st.lists(whose, max_size=2).map(tuple),
)


@given(entries)
def test_an_entry_is_read_back_as_it_was_written_and_always_to_the_same_bytes(entry: Entry) -> None:
    body = prepare(entry).body
    assert read_entry(body) == entry
    assert prepare(read_entry(body)).body == body


@given(entries)
def test_the_columns_span_every_student_of_every_bitmap(entry: Entry) -> None:
    students = sorted({row for each in (*entry.disclosed, *entry.removed) for row in each.students or ()})
    unlinked = prepare(entry)
    assert (unlinked.first_student, unlinked.last_student) == (
        (students[0], students[-1]) if students else (None, None)
    )


def test_a_moment_is_kept_to_the_microsecond_whatever_its_time_zone() -> None:
    at = datetime(2026, 11, 1, 1, 30, 0, 1, tzinfo=timezone(timedelta(hours=-6)))
    assert prepare(an_entry(at=at)).at == prepare(an_entry(at=at.astimezone(UTC))).at
    assert prepare(an_entry(at=NOON + timedelta(microseconds=1))).at == prepare(an_entry(at=NOON)).at + 1


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        prepare(an_entry(at=NOON.replace(tzinfo=None)))


def test_nothing_but_a_bitmap_names_students() -> None:
    with pytest.raises(TypeError, match="cannot hold a complex"):
        prepare(an_entry(disclosed=(Whose(("Student.firstName",), 1j, 1),)))  # type: ignore[arg-type]


def test_bytes_that_hold_no_entry_are_a_value_error() -> None:
    for body in (b"", b"\x80", b"\xc1", prepare(an_entry()).body[:-3]):
        with pytest.raises(ValueError):  # noqa: PT011
            read_entry(body)


def test_a_chain_is_numbered_from_one_and_each_hash_covers_the_one_before() -> None:
    unlinked = [prepare(an_entry(request=name)) for name in "abc"]
    receipts, rows = chain(beginning(SPACE), unlinked)
    assert [receipt.sequence for receipt in receipts] == [1, 2, 3]
    previous = beginning(SPACE).hash
    for receipt, row, each in zip(receipts, rows, unlinked, strict=True):
        assert receipt == Receipt(row[0], row[1])
        assert receipt.hash == link(previous, each.body)
        previous = receipt.hash


def test_the_chains_of_two_spaces_begin_differently() -> None:
    assert beginning(SPACE).hash != beginning(SpaceId("ca/seaview")).hash
