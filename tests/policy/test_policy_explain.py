"""Why a field is disclosed, or why not, with the line that says so."""

import pytest

from app.names import Scope
from app.policy.decide import Deny, Permit, Reason
from app.policy.explain import Step, explain
from app.policy.model import PolicySet
from app.policy.reading import read_policies
from tests.policy.texts import DISTRICT, DISTRICT_FILE, GRANT, GRANT_FILE, NOON, SPACE, STATE_FILE, ask, caller, files


def failed(coordinate: str, policies: PolicySet | None = None, **by: object) -> Step:
    told = explain(ask(coordinate), caller(policies, **by))  # type: ignore[arg-type]
    return next(step for step in told.steps if not step.holds)


def test_a_permit_names_the_line_that_grants_it() -> None:
    told = explain(ask("Student.races"), caller())
    assert all(step.holds for step in told.steps)
    assert told.steps[-1].place == f"{GRANT_FILE}:18"
    assert {step.place for step in told.steps if step.reason is Reason.APPROVAL_PENDING} == {
        f"{GRANT_FILE}:22",
        f"{GRANT_FILE}:28",
    }


def test_a_transform_is_told() -> None:
    assert "as initial" in explain(ask("Student.lastSurname"), caller()).steps[-1].sentence


def test_a_state_is_named_where_its_ceiling_ends_a_grant() -> None:
    step = failed("Student.firstName", read_policies(files(state="\nmax_days = 3")))
    assert (step.reason, step.place) == (Reason.GRANT_EXPIRED, f"{STATE_FILE}:2")


@pytest.mark.parametrize(
    ("coordinate", "grant", "reason", "place"),
    [
        ("Student.firstName", GRANT.replace("2026-08-15", "2026-12-01"), Reason.GRANT_NOT_YET, f"{GRANT_FILE}:5"),
        ("Student.firstName", GRANT.replace("2027-06-30", "2026-09-01"), Reason.GRANT_EXPIRED, f"{GRANT_FILE}:6"),
        ("Student.races", GRANT.replace('"steward"', '"clerk"'), Reason.APPROVAL_PENDING, f"{GRANT_FILE}:22"),
        ("Student.homeLanguage", GRANT, Reason.DENIED_BY_STATE, f"{STATE_FILE}:2"),
        ("Student.ssn", GRANT, Reason.DENIED_BY_DISTRICT, f"{DISTRICT_FILE}:4"),
        ("Student.birthDate", GRANT, Reason.NOT_GRANTED, f"{GRANT_FILE}:13"),
        (
            "Student.birthDate",
            GRANT.replace('"races"', '{ field = "birthDate", as = "masked" }'),
            Reason.NOT_GRANTED,
            f"{GRANT_FILE}:18",
        ),
        ("Student.firstName", GRANT.replace('"readwell"', '"other"'), Reason.NO_GRANT, f"{DISTRICT_FILE}:1"),
    ],
)
def test_a_denial_names_the_line_that_denies_it(coordinate: str, grant: str, reason: Reason, place: str) -> None:
    step = failed(coordinate, read_policies(files(grant=grant)))
    assert (step.reason, step.place) == (reason, place)


def test_what_no_file_says_has_no_place() -> None:
    assert failed("Student.firstName", suspended=True).place == ""
    assert failed("Student.firstName", space="tx/nowhere").reason is Reason.NO_GRANT
    assert failed("Student.firstName", scopes=frozenset()).sentence.startswith("The token lacks")


def test_a_token_that_holds_all_that_its_client_is_registered_for_is_no_condition_of_its_own() -> None:
    none: frozenset[Scope] = frozenset()
    told = explain(ask("Student.firstName"), caller(scopes=none, registered=none))
    assert [step.sentence.split()[1] for step in told.steps if step.reason is Reason.SCOPE_MISSING] == ["client"]
    told = explain(ask("Student.firstName"), caller(scopes=none))
    assert [step.holds for step in told.steps if step.reason is Reason.SCOPE_MISSING] == [False, True]


def test_a_district_without_a_state_policy_is_explained_without_one() -> None:
    policies = read_policies({name: data for name, data in files().items() if name != STATE_FILE})
    told = explain(ask("Student.firstName"), caller(policies, now=NOON))
    assert Reason.DENIED_BY_STATE not in {step.reason for step in told.steps}
    assert policies.spaces[SPACE].state is None


ROWS = '[rows]\nschools = ["elm", "oak"]\nsubjects = []\nenrollment = "active"\nhistory_years = 0\n'


def test_whose_records_are_given_is_told_condition_by_condition_with_its_line() -> None:
    told = explain(ask("Student.birthDate"), caller(read_policies(files(grant=GRANT + ROWS)))).records
    assert [(one.key, one.sentence, one.place) for one in told] == [
        ("schools", "of schools elm and oak", f"{GRANT_FILE}:34"),
        ("subjects", "in no subject", f"{GRANT_FILE}:35"),
        ("enrollment", "enrolled today", f"{GRANT_FILE}:36"),
        ("history_years", "in this school year", f"{GRANT_FILE}:37"),
        ("opt_out", "none of a pupil whose family opted out", f"{DISTRICT_FILE}:1"),
    ]
    assert [one.key for one in explain(ask("Student.firstName"), caller()).records] == ["opt_out"]
    assert explain(ask("Student.firstName"), caller(client="mathpath")).records == ()


def test_what_decided_is_the_first_condition_that_fails_or_the_listing() -> None:
    assert explain(ask("Student.firstName"), caller()).deciding.place == f"{GRANT_FILE}:15"
    assert explain(ask("Student.ssn"), caller()).deciding.place == f"{DISTRICT_FILE}:4"


def test_an_edge_is_explained_by_what_it_leads_to() -> None:
    edge, beyond = ask("SchoolEnrollment.school"), [ask("School.nameOfInstitution")]
    leading = read_policies(files(grant=GRANT.replace('["gradeLevel"]', '["school"]\nSchool = ["nameOfInstitution"]')))
    told = explain(edge, caller(leading), beyond)
    assert isinstance(told.decision, Permit)
    assert told.steps[-2].sentence == "SchoolEnrollment.school leads to School, of which something is disclosed."
    assert told.deciding.sentence == "The grant lists SchoolEnrollment.school."
    nowhere = read_policies(files(grant=GRANT.replace('["gradeLevel"]', '["school"]')))
    told = explain(edge, caller(nowhere), beyond)
    assert told.decision == Deny(Reason.NOT_GRANTED)
    assert (told.deciding.sentence, told.deciding.place) == (
        "SchoolEnrollment.school leads to School, of which nothing is disclosed.",
        f"{GRANT_FILE}:20",
    )
    assert explain(edge, caller(), beyond).decision == Deny(Reason.NOT_GRANTED)
    assert isinstance(explain(edge, caller(nowhere)).decision, Permit)


def test_what_families_may_decide_is_told_with_the_districts_line() -> None:
    district = DISTRICT + '[opt_out]\nvendors = "withhold-fields"\n'
    policies = read_policies(files(district=district, grant=GRANT.replace("school-official", "directory-information")))
    told = explain(ask("Student.firstName"), caller(policies)).records
    assert [(one.sentence, one.place) for one in told] == [
        ("nothing in them where a family opted out", f"{DISTRICT_FILE}:6"),
        ("without directory fields where a family blocked directory information", f"{DISTRICT_FILE}:5"),
    ]
