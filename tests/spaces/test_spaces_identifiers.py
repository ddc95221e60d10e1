"""Ids and cursors: whatever is not exactly this client's own is unknown."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from app.names import ClientId, SpaceId
from app.spaces.identifiers import TYPE_NAMES, TYPE_NUMBERS, Identifiers, identifiers

SECRET = bytes(range(32))
HERE, THERE = SpaceId("tx/larkspur"), SpaceId("tx/larkspur-east")
OWN = Identifiers(SECRET, HERE, ClientId("readwell"))
OTHERS = [
    Identifiers(SECRET, HERE, ClientId("mathpath")),
    Identifiers(SECRET, THERE, ClientId("readwell")),
    Identifiers(SECRET[::-1], HERE, ClientId("readwell")),
    Identifiers(SECRET, HERE, ClientId("Readwell")),
]

types = st.sampled_from(sorted(TYPE_NUMBERS))
rows = st.integers(0, 2**63 - 1)
hexes = st.sampled_from("0123456789abcdef")


@given(types, rows)
def test_an_id_is_read_back_as_the_record_that_it_was_made_for(type_name: str, row: int) -> None:
    made = OWN.one(type_name, row)
    assert OWN.record(made) == (type_name, row)
    assert OWN.row(type_name, made) == row
    assert all(OWN.row(other, made) is None for other in TYPE_NUMBERS if other != type_name)


@given(st.lists(st.tuples(types, rows), unique=True, min_size=2, max_size=50))
def test_no_two_records_share_an_id(records: list[tuple[str, int]]) -> None:
    made = [each.one(*record) for each in (OWN, *OTHERS) for record in records]
    assert len(set(made)) == len(made)


@given(types, st.lists(rows, max_size=50))
def test_a_column_has_the_ids_of_its_rows(type_name: str, column: list[int]) -> None:
    assert OWN.column(type_name, column) == [OWN.one(type_name, row) for row in column]


@given(types, rows, st.integers(0, 31), hexes)
def test_an_id_with_any_digit_altered_is_unknown(type_name: str, row: int, at: int, digit: str) -> None:
    made = OWN.one(type_name, row)
    altered = made[:at] + digit + made[at + 1 :]
    assert (OWN.record(altered) is None) == (altered != made)


@given(st.text() | st.text(alphabet="0123456789abcdefABCDEF -_", min_size=30, max_size=34) | st.integers() | st.none())
def test_what_is_no_id_is_unknown(guess: object) -> None:
    assert OWN.record(guess) is None


@given(types, rows)
def test_threat_9_an_id_is_unknown_to_every_other_client_space_and_secret(type_name: str, row: int) -> None:
    made = OWN.one(type_name, row)
    assert [each.record(made) for each in OTHERS] == [None] * len(OTHERS)


@given(types, rows)
def test_an_id_has_one_spelling(type_name: str, row: int) -> None:
    made = OWN.one(type_name, row)
    for spelling in (made.upper(), f" {made}", f"{made} ", f"{made[:16]} {made[16:]}", made + "00", made[:-1]):
        assert (OWN.record(spelling) is None) == (spelling != made)


def test_an_id_of_a_row_that_no_database_has_is_unknown() -> None:
    assert OWN.record(OWN.one("Student", 2**63)) is None


def test_a_person_has_one_name_for_each_client() -> None:
    assert OWN.alias("rosa") == OWN.alias("rosa") != OWN.alias("raúl")
    assert "rosa" not in OWN.alias("rosa")
    assert len({one.alias("rosa") for one in [OWN, *OTHERS]}) == 1 + len(OTHERS)


def test_type_numbers_are_given_once() -> None:
    assert len(TYPE_NAMES) == len(TYPE_NUMBERS)
    # Vendors keep ids for years: these numbers stand.
    assert [TYPE_NUMBERS[name] for name in ("District", "School", "Section", "Staff", "Student", "Grade")] == [
        *(1, 2, 6, 7, 9, 12)
    ]


def test_an_id_stands_as_long_as_the_secret() -> None:
    assert OWN.one("Student", 1) == Identifiers(SECRET, HERE, ClientId("readwell")).one("Student", 1)
    assert OWN.one("Student", 1) == "9c7840b728d59663fabfd33e04dcb37b"


@given(rows, st.binary(max_size=40), st.sampled_from([b"", bytes(range(16))]))
def test_a_cursor_is_read_back_in_its_own_query(row: int, query: bytes, holding: bytes) -> None:
    assert OWN.unseal(OWN.seal(row, query, holding), query) == (row, holding)


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=40), st.binary(max_size=40))
def test_a_cursor_of_a_holding_is_read_back_by_its_client_in_its_own_query(
    id_: bytes, query: bytes, other: bytes
) -> None:
    sealed = OWN.seal_holding(id_, query)
    assert OWN.unseal_holding(sealed, query) == id_
    assert (OWN.unseal_holding(sealed, other) is None) == (other != query)
    assert [each.unseal_holding(sealed, query) for each in OTHERS] == [None] * len(OTHERS)
    assert OWN.unseal(sealed, query) is None
    assert OWN.unseal_holding(OWN.seal(1, query, id_), query) is None


@given(st.lists(st.binary(max_size=100)), st.lists(st.binary(max_size=100)))
def test_a_digest_tells_records_apart_and_is_each_clients_own(one: list[bytes], other: list[bytes]) -> None:
    assert (OWN.digest(one) == OWN.digest(other)) == (b"".join(one) == b"".join(other))
    assert OWN.digest(one) not in {each.digest(one) for each in OTHERS}


@given(rows, st.binary(max_size=40), st.binary(max_size=40))
def test_threat_8_a_cursor_is_unknown_in_another_query_and_to_others(row: int, query: bytes, other: bytes) -> None:
    sealed = OWN.seal(row, query)
    assert (OWN.unseal(sealed, other) is None) == (other != query)
    assert [each.unseal(sealed, query) for each in OTHERS] == [None] * len(OTHERS)


@given(rows, st.integers(0, 23), st.integers(1, 255))
def test_threat_8_an_altered_cursor_is_unknown(row: int, at: int, flip: int) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(OWN.seal(row, b"q")))
    sealed[at] ^= flip
    assert OWN.unseal(base64.urlsafe_b64encode(sealed).decode().rstrip("="), b"q") is None


@given(st.text() | st.text(alphabet="ABCabc012-_=+/", max_size=64))
def test_what_is_no_cursor_is_unknown(guess: str) -> None:
    assert OWN.unseal(guess, b"q") is None


def test_keys_are_derived_once() -> None:
    first = identifiers(SECRET, HERE, ClientId("readwell"))
    assert identifiers(SECRET, HERE, ClientId("readwell")) is first
    assert identifiers(SECRET, THERE, ClientId("readwell")) is not first
