"""What a grant discloses: every rule on its own, their precedence, and that stricter never discloses more."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from app.names import Coordinate, Scope
from app.policy.authority import Authority
from app.policy.decide import Ask, Decision, Deny, Permit, Reason, advice, decide, missing_roles
from app.policy.explain import explain
from app.policy.model import STRICTNESS, PolicySet, Transform, last_day
from app.policy.reading import read_policies
from tests.policy.strategies import asks, authorities, likely, stricter_than
from tests.policy.texts import DISTRICT, GRANT, NAME, SCOPES, SPACE, STATE, ask, caller, files


def chicago(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo("America/Chicago"))


def decided(coordinate: str, **by: object) -> Decision:
    return decide(ask(coordinate), caller(**by))  # type: ignore[arg-type]


def given_files(*, state: str = STATE, district: str = DISTRICT, grant: str = GRANT) -> PolicySet:
    policies = read_policies(files(state=state, district=district, grant=grant))
    assert policies.findings == ()
    return policies


def test_what_is_granted_is_disclosed_as_granted() -> None:
    assert decided("Student.firstName") == Permit(None)
    assert decided("Student.lastSurname") == Permit(Transform.INITIAL)
    assert decided("Student.schoolEnrollments") == Permit(None)
    assert decided("Student.races") == Permit(None)


def test_what_is_not_listed_is_not_granted() -> None:
    assert decided("Student.birthDate") == Deny(Reason.NOT_GRANTED)


def test_a_suspended_client_is_given_nothing() -> None:
    assert decided("Student.firstName", suspended=True) == Deny(Reason.CLIENT_SUSPENDED)


def test_both_the_token_and_the_client_must_have_the_scope() -> None:
    assert decided("Student.firstName", scopes=SCOPES - {NAME}) == Deny(Reason.SCOPE_MISSING)
    assert decided("Student.firstName", registered=SCOPES - {NAME}) == Deny(Reason.SCOPE_MISSING)


@pytest.mark.parametrize("other", [{"client": "mathquest"}, {"space": "tx/other"}, {"purpose": "rostering"}])
def test_a_grant_is_for_one_client_one_space_and_one_purpose(other: dict[str, str]) -> None:
    assert decided("Student.firstName", **other) == Deny(Reason.NO_GRANT)


def test_a_grant_begins_on_its_first_day_in_the_districts_time_zone() -> None:
    assert decided("Student.firstName", now=chicago(2026, 8, 14, 23, 59)) == Deny(Reason.GRANT_NOT_YET)
    assert decided("Student.firstName", now=chicago(2026, 8, 15, 0, 0)) == Permit(None)


def test_threat_34_a_grant_ends_with_its_last_day_in_the_districts_time_zone() -> None:
    assert decided("Student.firstName", now=datetime(2027, 7, 1, 4, 59, tzinfo=UTC)) == Permit(None)
    assert decided("Student.firstName", now=datetime(2027, 7, 1, 5, 0, tzinfo=UTC)) == Deny(Reason.GRANT_EXPIRED)


def test_the_state_sets_the_longest_period() -> None:
    short = given_files(state="max_days = 10")
    assert decided("Student.firstName", policies=short, now=chicago(2026, 8, 24)) == Permit(None)
    assert decided("Student.firstName", policies=short, now=chicago(2026, 8, 25)) == Deny(Reason.GRANT_EXPIRED)


def test_a_state_that_allows_more_than_is_granted_changes_nothing() -> None:
    policy = given_files(state="max_days = 320").spaces[SPACE]
    assert last_day(policy.grants[0], policy.state) == date(2027, 6, 30)
    policy = given_files(state="max_days = 319").spaces[SPACE]
    assert last_day(policy.grants[0], policy.state) == date(2027, 6, 29)


def test_a_sensitive_field_waits_until_each_role_has_approved_it_by_name() -> None:
    unnamed = given_files(grant=GRANT.replace('covers = ["Student.races"]', "covers = []", 1))
    assert decided("Student.races", policies=unnamed) == Deny(Reason.APPROVAL_PENDING)
    assert missing_roles(ask("Student.races"), caller(unnamed)) == ("steward",)
    assert decided("Student.firstName", policies=unnamed) == Permit(None)


def test_an_approval_counts_from_its_day_on() -> None:
    later = given_files(grant=GRANT.replace("2026-07-21T15:02:11Z", "2026-09-16T12:00:00Z"))
    assert decided("Student.races", policies=later) == Deny(Reason.APPROVAL_PENDING)
    assert decided("Student.races", policies=later, now=chicago(2026, 9, 16, 1)) == Permit(None)


def test_a_district_may_ask_for_no_approval() -> None:
    policies = given_files(district=DISTRICT + "[approvals]\nsensitive = []\n", grant=GRANT.split("[[approval]]")[0])
    assert decided("Student.races", policies=policies) == Permit(None)


@pytest.mark.parametrize("sensitivity", ["sensitive", "staff-sensitive", "restricted", "control", ""])
def test_whatever_is_not_known_to_be_ordinary_needs_approval(sensitivity: str) -> None:
    unapproved = caller(given_files(grant=GRANT.split("[[approval]]")[0]))
    asked = Ask(Coordinate("Student.firstName"), NAME, sensitivity)
    assert decide(asked, unapproved) == Deny(Reason.APPROVAL_PENDING)


def test_a_denial_beats_a_grant() -> None:
    lists_all = GRANT.replace('"races"', '"homeLanguage", "ssn"').replace(
        '["Student.races"]', '["Student.homeLanguage", "Student.ssn"]'
    )
    policies = given_files(grant=lists_all)
    assert decided("Student.homeLanguage", policies=policies) == Deny(Reason.DENIED_BY_STATE)
    assert decided("Student.ssn", policies=policies) == Deny(Reason.DENIED_BY_DISTRICT)


def test_a_state_may_exempt_a_basis() -> None:
    audit = GRANT.replace('"races"', '"homeLanguage"').replace("Student.races", "Student.homeLanguage")
    policies = given_files(grant=audit.replace("school-official", "audit-evaluation"))
    assert decided("Student.homeLanguage", policies=policies) == Permit(None)


def test_nothing_of_a_value_that_cannot_be_shortened_leaves() -> None:
    policies = given_files(grant=GRANT.replace('"firstName"', '{ field = "birthDate", as = "initial" }'))
    assert decided("Student.birthDate", policies=policies) == Deny(Reason.NOT_GRANTED)


def test_without_a_district_policy_there_is_no_grant() -> None:
    assert missing_roles(ask("Student.races"), replace(caller(), district=None)) == ()
    assert missing_roles(ask("Student.races"), replace(caller(), grant=None)) == ("steward", "privacy-officer")
    assert decide(ask("Student.races"), replace(caller(), district=None)) == Deny(Reason.NO_GRANT)


PRECEDENCE = [
    Reason.CLIENT_SUSPENDED,
    Reason.SCOPE_MISSING,
    Reason.NO_GRANT,
    Reason.GRANT_NOT_YET,
    Reason.GRANT_EXPIRED,
    Reason.APPROVAL_PENDING,
    Reason.DENIED_BY_STATE,
    Reason.DENIED_BY_DISTRICT,
    Reason.NOT_GRANTED,
]


def test_reasons_are_declared_in_their_order_of_precedence() -> None:
    assert list(Reason) == [*PRECEDENCE, Reason.NOT_OFFERED]


def test_the_first_reason_that_applies_is_given() -> None:
    """Everything is wrong at once; each fault mended brings the next reason to light."""
    wrong = GRANT.replace("2026-08-15", "2027-08-15").replace('"races"', '"ssn"').split("[[approval]]")[0]
    state = 'deny = [{ fields = ["Student.ssn"], reason = "law" }]'
    asked = ask("Student.ssn")
    by = caller(given_files(state=state, grant=wrong), scopes=frozenset(), suspended=True)
    grant = by.grant
    assert grant is not None
    found: list[Decision] = [decide(asked, by)]

    def mend(**changes: object) -> None:
        nonlocal by
        by = replace(by, **changes)  # type: ignore[arg-type]
        found.append(decide(asked, by))

    mend(suspended=False)
    mend(scopes=SCOPES, grant=None)
    mend(grant=grant)
    grant = replace(grant, not_before=date(2025, 8, 15), not_after=date(2026, 6, 30))
    mend(grant=grant)
    grant = replace(grant, not_after=date(2027, 6, 30))
    mend(grant=grant)
    unlisted = replace(grant, fields={})
    mend(grant=unlisted)
    mend(state=None)
    mend(district=replace(by.district, deny=()))  # type: ignore[type-var]
    assert found == [Deny(reason) for reason in PRECEDENCE]


@given(asks, authorities)
def test_every_question_has_an_answer(asked: Ask, by: Authority) -> None:
    decision = decide(asked, by)
    assert isinstance(decision, Permit | Deny)
    if isinstance(decision, Deny):
        assert advice(decision.reason, asked, by).endswith(".")


@given(asks, authorities)
def test_an_explanation_fails_first_where_the_decision_did(asked: Ask, by: Authority) -> None:
    told = explain(asked, by)
    failed = next((step.reason for step in told.steps if not step.holds), None)
    assert told.decision == decide(asked, by)
    assert failed == (told.decision.reason if isinstance(told.decision, Deny) else None)


def shows(decision: Decision) -> int:
    """How much leaves: nothing, then ever more of the value."""
    return 0 if isinstance(decision, Deny) else 3 - STRICTNESS[decision.transform]


@given(likely(), st.data())
def test_a_stricter_policy_never_discloses_more(case: tuple[Ask, Authority], data: st.DataObject) -> None:
    asked, by = case
    before = decide(asked, by)
    event(type(before).__name__)
    after = decide(asked, data.draw(stricter_than(by)))
    assert shows(after) <= shows(before)


@given(likely(), st.data())
def test_ever_stricter_never_discloses_more(case: tuple[Ask, Authority], data: st.DataObject) -> None:
    asked, by = case
    shown = [shows(decide(asked, by))]
    for _ in range(4):
        by = data.draw(stricter_than(by))
        shown.append(shows(decide(asked, by)))
    assert shown == sorted(shown, reverse=True)


@given(likely())
def test_withholding_a_field_never_discloses_it(case: tuple[Ask, Authority]) -> None:
    asked, by = case
    grant = by.grant
    assert grant is not None
    fields = {coordinate: shown for coordinate, shown in grant.fields.items() if coordinate != asked.coordinate}
    assert isinstance(decide(asked, replace(by, grant=replace(grant, fields=fields))), Deny)


ADVICE = {
    Reason.CLIENT_SUSPENDED: "operator",
    Reason.SCOPE_MISSING: "student/demographics.read",
    Reason.NO_GRANT: "Grand Bend ISD has granted nothing",
    Reason.GRANT_NOT_YET: "2026-08-15",
    Reason.GRANT_EXPIRED: "2027-06-30",
    Reason.APPROVAL_PENDING: "officer",
    Reason.DENIED_BY_STATE: "State",
    Reason.DENIED_BY_DISTRICT: "Grand Bend ISD",
    Reason.NOT_GRANTED: "Ask Grand Bend ISD to grant Student.races to readwell for instruction",
    Reason.NOT_OFFERED: "offers no source",
}


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_says_what_to_do(reason: Reason) -> None:
    assert ADVICE[reason] in advice(reason, ask("Student.races"), caller())


def test_whoever_waits_for_a_grant_that_was_ended_before_it_began_is_told_so() -> None:
    by = caller(
        read_policies(files(grant=GRANT.replace("2026-08-15", "2026-10-01").replace("2027-06-30", "2026-09-14")))
    )
    assert decide(ask("Student.firstName"), by) == Deny(Reason.GRANT_NOT_YET)
    told = advice(Reason.GRANT_NOT_YET, ask("Student.firstName"), by)
    assert told == "The grant was ended before it began. Ask Grand Bend ISD to renew it."


def test_advice_tells_a_token_without_a_scope_from_a_client_without_it() -> None:
    asked = ask("Student.firstName")
    assert "Ask for a token" in advice(Reason.SCOPE_MISSING, asked, caller(scopes=frozenset()))
    assert "not registered" in advice(Reason.SCOPE_MISSING, asked, caller(registered=frozenset({Scope("x/y.read")})))


def test_advice_names_the_space_where_the_district_is_not_known() -> None:
    assert "tx/nowhere" in advice(Reason.NO_GRANT, ask("Student.firstName"), caller(space="tx/nowhere"))


def test_threat_34_the_day_after_the_last_is_counted_over_a_change_of_daylight_saving() -> None:
    # On 2026-11-01 Chicago has 25 hours.
    november = given_files(grant=GRANT.replace("2027-06-30", "2026-11-01"))
    last = datetime(2026, 11, 2, 6, 0, tzinfo=UTC) - timedelta(microseconds=1)
    assert decided("Student.firstName", policies=november, now=last) == Permit(None)
    after = last + timedelta(microseconds=1)
    assert decided("Student.firstName", policies=november, now=after) == Deny(Reason.GRANT_EXPIRED)
