"""What a second officer refuses is undone: what was new goes, what was given before is given as it was."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.names import Coordinate
from app.policy.amend import Amendment, amended, wider
from app.policy.compare import no_wider
from app.policy.model import Approval, Grant, Rows, Transform
from app.policy.parse import parse_grant
from app.policy.wording import CONDITIONS
from app.requests.undoing import says_the_same, withheld

FILE = "tx/larkspur/grants/readwell.toml"
AT = datetime(2026, 10, 15, 17, 0, tzinfo=UTC)
TEXT = """\
client     = "readwell"
purpose    = "instruction"
basis      = "school-official"
not_before = 2026-07-01
not_after  = 2027-06-30

[fields]
Student = ["firstName", { field = "homeLanguage", as = "masked" }, "races"]

[rows]
schools = ["elm"]
grade_levels = ["04", "05"]

[[approval]]
by = "a@larkspur.example"
role = "steward"
at = 2026-06-01T12:00:00Z
covers = ["Student.races", "Student.homeLanguage"]  # she asked twice

[[approval]]
by = "b@larkspur.example"
role = "privacy-officer"
at = 2026-06-02T12:00:00Z
covers = ["Student.races", "Student.homeLanguage"]
"""
RACES, LANGUAGE = Coordinate("Student.races"), Coordinate("Student.homeLanguage")
NEW = [Coordinate(f"Student.{name}") for name in ("homelessStatus", "englishLearner", "middleName")]
BEFORE = parse_grant(FILE, TEXT.encode())

levels = st.sampled_from([None, ("04", "05"), ("04", "05", "06"), ("04",)])
schools = st.sampled_from([("elm",), ("elm", "oak"), None])
decisions = st.builds(
    Amendment,
    fields=st.dictionaries(st.sampled_from([*NEW, LANGUAGE]), st.sampled_from([None, Transform.INITIAL]), max_size=4),
    removed=st.sets(st.sampled_from([Coordinate("Student.firstName")])).map(frozenset),
    rows=st.none() | st.builds(Rows, schools=schools, grade_levels=levels),
    not_after=st.sampled_from([None, date(2027, 1, 1), date(2028, 6, 30)]),
    not_before=st.sampled_from([None, date(2026, 8, 1), date(2026, 1, 1)]),
    approval=st.just(Approval("c@larkspur.example", "steward", AT, (RACES, LANGUAGE, *NEW))),
)


def decided(amendment: Amendment) -> tuple[str, Grant]:
    text = amended(BEFORE, TEXT, amendment)
    return text, parse_grant(FILE, text.encode())


def undone(text: str, grant: Grant, refused: set[Coordinate]) -> Grant:
    return parse_grant(FILE, amended(grant, text, withheld(BEFORE, grant, refused)).encode())


def approvals(grant: Grant, coordinate: Coordinate) -> set[str]:
    return {one.by for one in grant.approvals if coordinate in one.covers}


@given(decisions, st.data())
def test_whatever_is_refused_nothing_of_it_is_given_further_than_before(
    decision: Amendment, data: st.DataObject
) -> None:
    text, grant = decided(decision)
    refused = data.draw(st.sets(st.sampled_from([one for one in grant.fields if one != "Student.firstName"])))
    after = undone(text, grant, refused)
    for one in refused:
        assert (one in after.fields) == (one in BEFORE.fields)
        if one in BEFORE.fields:
            assert after.fields[one] == BEFORE.fields[one]
            assert approvals(BEFORE, one) <= approvals(after, one)
    if refused & BEFORE.fields.keys():
        assert not wider(BEFORE, Amendment(rows=after.rows, not_before=after.not_before, not_after=after.not_after))
        for one in (one for one, shown in BEFORE.fields.items() if (one, shown) in after.fields.items()):
            assert approvals(BEFORE, one) <= approvals(after, one)
    # The rest of the decision stands: other fields as decided, and nobody's approval of them is gone.
    others = grant.fields.keys() - refused
    assert {one: shown for one, shown in after.fields.items() if one in others} == {o: grant.fields[o] for o in others}
    assert all(approvals(grant, one) <= approvals(after, one) for one in others)
    assert all(no_wider(getattr(after.rows, key), getattr(grant.rows, key)) for key in CONDITIONS)


def test_a_grant_that_reaches_further_reaches_as_far_as_before_with_the_approvals_that_it_had() -> None:
    text, grant = decided(
        Amendment(rows=Rows(schools=("elm", "oak"), grade_levels=("04",)), not_after=date(2028, 1, 1))
    )
    assert approvals(grant, RACES) == set()
    made = amended(grant, text, withheld(BEFORE, grant, [RACES, LANGUAGE]))
    after = parse_grant(FILE, made.encode())
    assert after.rows == Rows(schools=("elm",), grade_levels=("04",))  # what the decision made narrower stays so
    assert after.not_after == date(2027, 6, 30)
    assert approvals(after, RACES) == approvals(after, LANGUAGE) == {"a@larkspur.example", "b@larkspur.example"}
    assert "# she asked twice" in made
    assert not says_the_same(after, BEFORE)


def test_a_decision_of_which_all_was_refused_leaves_what_was() -> None:
    text, grant = decided(Amendment(fields={LANGUAGE: None, NEW[0]: None}, not_after=date(2028, 1, 1)))
    after = undone(text, grant, {LANGUAGE, RACES, NEW[0]})
    assert says_the_same(after, BEFORE)
    assert [one.covers for one in after.approvals] == [(RACES, LANGUAGE)] * 2


def test_without_what_was_before_all_that_is_refused_goes() -> None:
    _, grant = decided(Amendment(fields={NEW[0]: None}))
    assert withheld(None, grant, [NEW[0], RACES]) == Amendment(removed=frozenset({NEW[0], RACES}))


def test_an_approval_that_somebody_took_out_is_written_again() -> None:
    text, grant = decided(Amendment(not_after=date(2028, 1, 1)))
    text = text.partition("[[approval]]")[0]
    grant = parse_grant(FILE, text.encode())
    after = undone(text, grant, {RACES})
    assert approvals(after, RACES) == {"a@larkspur.example", "b@larkspur.example"}
