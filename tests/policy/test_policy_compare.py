"""What two sets of policies disclose differently: exactly what is decided differently, on exactly those days."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.names import Coordinate, Revision, Scope
from app.policy.authority import authority_on
from app.policy.compare import Change, SpaceDifference, compare, no_wider, plain
from app.policy.decide import Ask, Permit, decide
from app.policy.model import PolicySet, Rows, SpacePolicy, Transform
from app.policy.reading import read_policies
from app.policy.terms import Term
from app.policy.wording import CONDITIONS, condition, sentence
from tests.policy import strategies
from tests.policy.texts import (
    DISTRICT,
    DISTRICT_FILE,
    FACTS,
    GRANT,
    GRANT_FILE,
    READWELL,
    SPACE,
    STATE,
    STATE_FILE,
    Known,
    files,
)

SCOPES = frozenset({Scope("student/x.read")})
ANY = {
    coordinate: Known(*SCOPES, "Student Name", sensitivity, graphql_type=kind)
    for coordinate, sensitivity, kind in zip(
        strategies.ALL,
        ("public", "sensitive", "restricted", "pii"),
        ("String", "String", "String", "Date"),
        strict=True,
    )
}
FIRST, LAST = date(2026, 8, 15), date(2027, 6, 30)

rows = st.builds(
    Rows,
    schools=st.sampled_from([None, (), ("elm",), ("oak", "elm"), ("elm", "oak", "elm")]),
    grade_levels=st.sampled_from([None, ("04",), ("05", "04")]),
    subjects=st.sampled_from([None, ("Art",)]),
    enrollment=st.sampled_from([None, "any", "active"]),
    history_years=st.sampled_from([None, 0, 1]),
)


def revised(one: Any) -> Any:
    """A file's revision follows from what it says: two that say other things never share one."""
    if one is None:
        return None
    said = repr(replace(one, revision=Revision("")))
    return replace(one, revision=Revision(hashlib.sha256(said.encode()).hexdigest()))


grants = st.builds(lambda grant, rows: revised(replace(grant, rows=rows)), strategies.grants, rows)
sides = st.builds(
    lambda state, district, grants: PolicySet({SPACE: SpacePolicy(revised(state), revised(district), tuple(grants))}),
    st.none() | strategies.states,
    strategies.districts,
    st.lists(grants, max_size=2),
)


def permitted(policies: PolicySet, day: date) -> Mapping[Coordinate, Transform | None]:
    by = authority_on(
        day,
        policies.spaces[SPACE],
        client=READWELL,
        space=SPACE,
        purpose="instruction",
        scopes=SCOPES,
        registered=SCOPES,
    )
    asks = (Ask(c, fact.scope, fact.sensitivity, fact.is_text) for c, fact in ANY.items())
    made = {ask.coordinate: decide(ask, by) for ask in asks}
    return {coordinate: one.transform for coordinate, one in made.items() if isinstance(one, Permit)}


def on(found: tuple[SpaceDifference, ...], day: date) -> Change | None:
    changes = (change for space in found for client in space.clients for change in client.changes)
    return next((change for change in changes if change.first <= day <= change.last), None)


@given(sides)
def test_a_set_differs_in_nothing_from_itself(side: PolicySet) -> None:
    assert compare(side, side, ANY) == ()


@given(sides)
def test_another_revision_that_says_the_same_differs_in_nothing(side: PolicySet) -> None:
    policy = side.spaces[SPACE]
    again = tuple(replace(grant, revision=Revision("another")) for grant in policy.grants)
    assert compare(side, PolicySet({SPACE: replace(policy, grants=again)}), ANY) == ()


@given(sides, sides, strategies.ends)
def test_what_is_gained_and_lost_on_a_day_is_what_is_decided_differently_then(
    one: PolicySet, other: PolicySet, day: date
) -> None:
    before, after = permitted(one, day), permitted(other, day)
    change = on(compare(one, other, ANY), day)
    assert (change.gained if change else {}) == {c: shown for c, shown in after.items() if c not in before}
    assert (change.lost if change else {}) == {c: shown for c, shown in before.items() if c not in after}
    shown = {c: (before[c], after[c]) for c in before if c in after and before[c] != after[c]}
    assert (change.shown if change else {}) == shown


@given(sides, sides)
def test_the_way_back_is_the_way_there_turned_round(one: PolicySet, other: PolicySet) -> None:
    there, back = compare(one, other, ANY), compare(other, one, ANY)
    assert [(d.space, [(c.first, c.last, c.gained, c.lost) for x in d.clients for c in x.changes]) for d in there] == [
        (d.space, [(c.first, c.last, c.lost, c.gained) for x in d.clients for c in x.changes]) for d in back
    ]


@given(sides, sides)
def test_days_stand_in_order_and_no_two_neighbours_are_alike(one: PolicySet, other: PolicySet) -> None:
    for space in compare(one, other, ANY):
        for client in space.clients:
            for earlier, later in zip(client.changes, client.changes[1:], strict=False):
                assert earlier.first <= earlier.last < later.first
                together = earlier.last + timedelta(days=1) == later.first
                assert not together or replace(later, first=earlier.first) != replace(earlier, last=later.last)


def differences(**after: str) -> tuple[SpaceDifference, ...]:
    return compare(read_policies(files()), read_policies(files(**after)), FACTS)


def only_change(**after: str) -> Change:
    ((space,),) = [differences(**after)]
    assert space.terms == () or "district" in after or "state" in after
    (client,) = space.clients
    (change,) = client.changes
    return change


def test_a_field_more_and_a_field_less_are_gained_and_lost_for_the_whole_period() -> None:
    change = only_change(grant=GRANT.replace('"firstName"', '"birthDate"').replace('"initial"', '"masked"'))
    assert (change.first, change.last) == (FIRST, LAST)
    assert (change.gained, change.lost) == ({"Student.birthDate": None}, {"Student.firstName": None})
    assert change.shown == {"Student.lastSurname": (Transform.INITIAL, Transform.MASKED)}


def test_comments_and_order_change_nothing() -> None:
    assert (
        differences(
            grant="# By the board.\n" + GRANT.replace('"schoolEnrollments",\n  "races"', '"races", "schoolEnrollments"')
        )
        == ()
    )


def test_a_longer_period_gains_everything_on_the_days_that_are_added() -> None:
    change = only_change(grant=GRANT.replace("2027-06-30", "2027-07-31"))
    assert (change.first, change.last) == (date(2027, 7, 1), date(2027, 7, 31))
    assert (change.before, change.after, len(change.gained)) == (None, Rows(), 5)


def test_a_states_ceiling_takes_away_the_days_past_it() -> None:
    ((space,),) = [differences(state=STATE.replace("400", "30"))]
    (change,) = space.clients[0].changes
    assert (change.first, change.last) == (date(2026, 9, 14), LAST)
    assert len(change.lost) == 5
    assert space.terms == (Term("state.max_days", "400", "30"),)


def test_a_denial_takes_its_field_away_and_is_told_itself() -> None:
    ((space,),) = [differences(district=DISTRICT.replace('"Student.ssn"', '"Student.ssn", "Student.firstName"'))]
    (change,) = space.clients[0].changes
    assert change.lost == {"Student.firstName": None}
    assert space.terms == (Term("district.deny.Student.firstName", "", "denied"),)


def test_approvals_that_a_district_no_longer_asks_for_open_a_field() -> None:
    waiting = GRANT.replace('"steward"', '"clerk"')
    before = read_policies(files(grant=waiting))
    after = read_policies(files(grant=waiting, district=DISTRICT + "[approvals]\nsensitive = []\n"))
    ((space,),) = [compare(before, after, FACTS)]
    assert [change.gained for change in space.clients[0].changes] == [{"Student.races": None}]
    assert space.terms == (Term("district.approvals.sensitive", "privacy-officer, steward", "none"),)


def test_an_approval_in_the_middle_of_a_grant_opens_the_field_from_its_day() -> None:
    change = only_change(grant=GRANT.replace("2026-07-21T15:02:11Z", "2026-10-02T04:59:59Z"))  # 1 October in Chicago
    assert (change.first, change.last, change.lost) == (FIRST, date(2026, 9, 30), {"Student.races": None})


def test_another_purpose_is_lost_and_gained_whole() -> None:
    ((space,),) = [differences(grant=GRANT.replace('"instruction"', '"rostering"'))]
    assert [(one.purpose, len(one.changes[0].gained), len(one.changes[0].lost)) for one in space.clients] == [
        ("instruction", 0, 5),
        ("rostering", 5, 0),
    ]


def test_rows_are_told_condition_by_condition() -> None:
    before = GRANT + '[rows]\nschools = ["elm", "oak"]\ngrade_levels = ["04"]\nhistory_years = 0\nenrollment = "any"\n'
    after = GRANT + '[rows]\nschools = ["oak", "ash"]\ngrade_levels = ["04", "05"]\nenrollment = "active"\n'
    ((space,),) = [compare(read_policies(files(grant=before)), read_policies(files(grant=after)), FACTS)]
    (change,) = space.clients[0].changes
    assert [(row.key, row.wider) for row in change.rows] == [
        ("schools", None),
        ("grade_levels", True),
        ("enrollment", False),
        ("history_years", True),
    ]


def test_the_words_around_a_grant_are_told() -> None:
    change = only_change(
        grant=GRANT.replace("Assign levelled reading.", "Test reading.")
        .replace("school-official", "studies")
        .replace('"Student Name", ', "")
    )
    assert [(term.key, term.after) for term in change.terms] == [
        ("agreement.schedule", "Demographics, Enrollment"),
        ("basis", "studies"),
        ("statement", "Test reading."),
    ]


def test_a_space_that_comes_or_goes_is_told_with_what_stood_over_its_grants() -> None:
    bare = {DISTRICT_FILE: DISTRICT.encode()}
    ((space,),) = [compare(read_policies({}), read_policies(bare), FACTS)]
    assert (space.clients, space.terms[0].before) == ((), "")
    assert Term("district.time_zone", "", "America/Chicago") in space.terms
    without = {STATE_FILE: b"", GRANT_FILE: GRANT.encode(), DISTRICT_FILE: DISTRICT.encode()}
    ((space,),) = [compare(read_policies(files()), read_policies(without), FACTS)]
    assert {term.key for term in space.terms} == {"state.max_days", "state.deny.Student.homeLanguage"}


def test_what_a_district_settles_is_told() -> None:
    district = DISTRICT.replace("Chicago", "Denver") + (
        'ssn = "store"\n[opt_out]\nvendors = "withhold-fields"\n[retention]\nGrade = 7\n'
        '[subgraphs.lms]\nmay_receive = ["Student.firstName"]\n'
    )
    ((space,),) = [differences(district=district)]
    assert {term.key.removeprefix("district."): term.after for term in space.terms} == {
        "time_zone": "America/Denver",
        "ssn": "store",
        "opt_out.vendors": "withhold-fields",
        "retention.Grade": "7 years",
        "subgraphs.lms": "Student.firstName",
    }


def test_a_field_that_the_graph_lacks_is_nobodys_gain() -> None:
    assert differences(grant=GRANT.replace('"firstName"', '"firstName", "nickname"')) == ()


def test_days_at_the_ends_of_the_calendar_are_days_like_others() -> None:
    grant = GRANT.replace("2026-08-15", "0001-01-01").replace("2027-06-30", "9999-12-31")
    grant = grant.replace("2026-07-20T15:02:11Z", "0001-01-01T00:00:00Z").replace("2026-07-21T", "9999-12-31T")
    found = compare(read_policies({}), read_policies(files(grant=grant, state="")), FACTS)
    (change,) = found[0].clients[0].changes[:1]
    assert change.first == date.min
    assert found[0].clients[0].changes[-1].last == date.max
    east = DISTRICT.replace("America/Chicago", "Asia/Tokyo")
    late = grant.replace("9999-12-31T15:02:11Z", "9999-12-31T23:59:59Z")
    assert compare(read_policies({}), read_policies(files(grant=late, state="", district=east)), FACTS)
    assert datetime.max.replace(tzinfo=UTC).date() == date.max


@given(rows)
def test_rows_in_plain_words_are_plain(of: Rows) -> None:
    assert plain(plain(of)) == plain(of)
    assert sentence(of).endswith(".")
    assert all(condition(key, of) for key in CONDITIONS)


@pytest.mark.parametrize("key", CONDITIONS)
@given(rows, rows, rows)
def test_one_condition_is_no_wider_than_another_in_an_order(key: str, a: Rows, b: Rows, c: Rows) -> None:
    one, other, third = (getattr(plain(each), key) for each in (a, b, c))
    assert no_wider(one, one)
    assert not (no_wider(one, other) and no_wider(other, one)) or one == other
    assert no_wider(one, third) or not (no_wider(one, other) and no_wider(other, third))


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (Rows(), "Every record of the district."),
        (Rows(subjects=("Art",)), "Every pupil; of classes those in the subject Art."),
        (Rows(schools=()), "Pupils of no school."),
        (
            Rows(("elm", "oak"), ("03", "04", "05"), ("Art", "Music"), "active", 0),
            "Pupils enrolled today of schools elm and oak in grade levels 03, 04 and 05 in this school year; "
            "of classes those in the subjects Art and Music.",
        ),
        (
            Rows(enrollment="any", history_years=1),
            "Pupils enrolled at any time in this school year and the one before.",
        ),
        (Rows(history_years=3), "Pupils in this school year and the 3 before."),
    ],
)
def test_rows_are_said_in_a_sentence(of: Rows, words: str) -> None:
    assert sentence(of) == words
