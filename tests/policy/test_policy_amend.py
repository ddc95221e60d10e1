"""A decision is written into a grant's file: it says what was decided, and what it does not touch stays as it was."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.names import Coordinate
from app.policy.amend import Amendment, Unwritable, amended, drawn_up, lapsed
from app.policy.model import Approval, Basis, Rows, Transform
from app.policy.parse import parse_grant
from app.schema.catalogue import CATALOGUE

FILE = "tx/larkspur/grants/readwell.toml"
AT = datetime(2026, 10, 15, 17, 0, tzinfo=UTC)
TEXT = """\
#:schema ../../../schemas/grant.json
# Why readwell has what it has.

client     = "readwell"                 # one product
purpose    = "instruction"
basis      = "school-official"          # 34 CFR 99.31
not_before = 2026-07-01
not_after  = 2027-06-30                 # the last day

[fields]   # field by field
Student = [
    "firstName",                        # for the teacher
    { field = "lastSurname", as = "initial" },   # "O."
    "races",
]
SchoolEnrollment = ["gradeLevel"]       # of the year

[rows]
schools = ["elm"]                       # the only one
grade_levels = ["04"]

[[approval]]
by = "a@larkspur.example"               # she asked twice
role = "steward"
at = 2026-06-01T12:00:00Z
covers = ["Student.races"]
"""


def c(*names: str) -> frozenset[Coordinate]:
    return frozenset(map(Coordinate, names))


def grant(text: str = TEXT):  # type: ignore[no-untyped-def]
    return parse_grant(FILE, text.encode())


def lines_lost(text: str) -> list[str]:
    return [line for line in TEXT.splitlines() if line not in text.splitlines()]


def test_an_added_field_leaves_every_comment_in_its_place() -> None:
    made = amended(grant(), TEXT, Amendment(fields={Coordinate("Student.birthDate"): None}))
    assert parse_grant(FILE, made.encode()).fields.keys() == grant().fields.keys() | c("Student.birthDate")
    for comment in (line.partition("#")[2] for line in TEXT.splitlines() if "#" in line):
        assert comment in made


def test_the_last_day_alone_changes_one_line_alone() -> None:
    made = amended(grant(), TEXT, Amendment(not_after=date(2026, 10, 14)))
    assert lines_lost(made) == ["not_after  = 2027-06-30                 # the last day"]
    assert "not_after  = 2026-10-14                 # the last day" in made


def test_what_is_taken_out_is_approved_by_nobody_any_more() -> None:
    made = parse_grant(FILE, amended(grant(), TEXT, Amendment(removed=c("Student.races"))).encode())
    assert [approval.covers for approval in made.approvals] == [()]
    assert Coordinate("Student.races") not in made.fields


def test_a_type_of_which_nothing_is_left_is_named_no_more() -> None:
    made = amended(grant(), TEXT, Amendment(removed=c("SchoolEnrollment.gradeLevel")))
    assert "SchoolEnrollment" not in made


@pytest.mark.parametrize(
    "amendment",
    [
        Amendment(not_after=date(2027, 7, 1)),
        Amendment(not_before=date(2026, 6, 1)),
        Amendment(rows=Rows(schools=("elm", "oak"), grade_levels=("04",))),
        Amendment(rows=Rows(schools=("elm",))),
    ],
)
def test_approvals_lapse_where_a_grant_reaches_further(amendment: Amendment) -> None:
    assert c("Student.races") <= lapsed(grant(), amendment)
    made = parse_grant(FILE, amended(grant(), TEXT, amendment).encode())
    assert [approval.covers for approval in made.approvals] == [()]


@pytest.mark.parametrize(
    "amendment",
    [
        Amendment(not_after=date(2027, 1, 1)),
        Amendment(rows=Rows(schools=("elm",), grade_levels=("04",), enrollment="active")),
        Amendment(fields={Coordinate("Student.sex"): None}),
    ],
)
def test_approvals_stand_where_it_does_not(amendment: Amendment) -> None:
    made = parse_grant(FILE, amended(grant(), TEXT, amendment).encode())
    assert [approval.covers for approval in made.approvals] == [("Student.races",)]


def test_an_approval_is_written_behind_those_that_are_there() -> None:
    approval = Approval("b@larkspur.example", "privacy-officer", AT, (Coordinate("Student.races"),))
    made = amended(grant(), TEXT, Amendment(approval=approval))
    assert made.startswith(TEXT)
    assert [one.role for one in parse_grant(FILE, made.encode()).approvals] == ["steward", "privacy-officer"]


def test_a_first_grant_is_drawn_up_and_filled() -> None:
    text = drawn_up(
        grant().client,
        "instruction",
        statement='Say "hello"\\.',
        basis=Basis.SCHOOL_OFFICIAL,
        first=date(2026, 10, 15),
        last=date(2027, 6, 30),
        agreement=("NDPA “v1”", date(2026, 6, 1), ("Student Name",)),
    )
    fields = {Coordinate("Student.firstName"): None, Coordinate("Student.lastSurname"): Transform.MASKED}
    rows = Rows(schools=("elm",), history_years=0)
    made = parse_grant(FILE, amended(grant(text), text, Amendment(fields=fields, rows=rows)).encode())
    assert (made.fields, made.rows, made.statement) == (fields, rows, 'Say "hello"\\.')


def test_a_file_in_other_forms_of_toml_says_what_was_decided_or_is_left_alone() -> None:
    inline = TEXT.partition("[fields]")[0] + 'fields = { Student = ["firstName"] }\napproval = []\n'
    approval = Approval("b@larkspur.example", "steward", AT, ())
    made = amended(grant(inline), inline, Amendment(fields={Coordinate("Student.sex"): None}, approval=approval))
    assert len(parse_grant(FILE, made.encode()).approvals) == 1
    with pytest.raises(Unwritable, match="by hand"):
        amended(grant(), "client = ", Amendment(not_after=date(2027, 1, 1)))


coordinates = st.sampled_from([one for one in CATALOGUE if one.startswith(("Student.", "School", "Section"))])
shown = st.sampled_from([None, *Transform])


@given(st.dictionaries(coordinates, shown, max_size=8), st.sets(coordinates, max_size=8), st.booleans())
def test_whatever_is_decided_is_what_the_file_says(
    fields: dict[Coordinate, Transform | None], removed: set[Coordinate], rows: bool
) -> None:
    amendment = Amendment(
        fields=fields,
        removed=frozenset(removed & grant().fields.keys() - fields.keys()),
        rows=Rows(subjects=("Art",)) if rows else None,
        approval=Approval("b@larkspur.example", "steward", AT, tuple(fields)),
    )
    made = parse_grant(FILE, amended(grant(), TEXT, amendment).encode())
    assert made.fields == amendment.after(grant().fields)


def test_what_is_not_there_is_not_taken_out_and_rows_are_added_where_there_are_none() -> None:
    assert amended(grant(), TEXT, Amendment(removed=c("Section.title"))) == TEXT
    bare = TEXT.partition("[rows]")[0]
    made = parse_grant(FILE, amended(grant(bare), bare, Amendment(rows=Rows(subjects=("Art",)))).encode())
    assert made.rows == Rows(subjects=("Art",))


def test_a_file_that_would_say_something_else_is_never_written() -> None:
    one = Approval("b@larkspur.example", "steward", AT, ())
    single = TEXT.replace("[[approval]]", "[approval]")
    with pytest.raises(Unwritable, match="by hand"):
        amended(grant(), single, Amendment(approval=one))
    with pytest.raises(Unwritable, match="would not be readable"):
        amended(grant(), TEXT, Amendment(fields={Coordinate("Student.two words"): None}))
    with pytest.raises(Unwritable, match="would not say what was decided"):
        amended(grant(), TEXT.replace('"races",', ""), Amendment(approval=one))


def test_a_field_that_stands_twice_is_shown_in_one_way() -> None:
    twice = TEXT.replace('"races",', '"races", "races",')
    made = amended(grant(), twice, Amendment(fields={Coordinate("Student.races"): Transform.MASKED}))
    assert made.count('"races"') == 1
    assert parse_grant(FILE, made.encode()).fields[Coordinate("Student.races")] == Transform.MASKED
