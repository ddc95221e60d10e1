"""What a check of the policies finds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.names import Coordinate, Revision, SpaceId
from app.policy.known import Known
from app.policy.lint import lint
from app.policy.model import Finding, Severity
from app.policy.reach import lead_nowhere, unreachable
from app.policy.reading import read_policies
from app.policy.usage import long_given
from tests.policy.texts import (
    DISTRICT,
    DISTRICT_FILE,
    FACTS,
    GRANT,
    GRANT_FILE,
    NAME,
    NOON,
    READWELL,
    SCOPES,
    SPACE,
    STATE,
    STATE_FILE,
    files,
)

KNOWN = Known(
    facts=FACTS,
    spaces=(SPACE,),
    schools={SPACE: {"255901107"}},
    clients={READWELL: SCOPES},
    scopes=SCOPES,
)


def found(
    *, state: str = STATE, district: str = DISTRICT, grant: str = GRANT, known: Known = KNOWN
) -> tuple[Finding, ...]:
    return lint(read_policies(files(state=state, district=district, grant=grant)), known, NOON)


def test_a_sound_set_has_no_findings() -> None:
    assert found() == ()


def test_what_could_not_be_asked_is_not_checked() -> None:
    grant = GRANT + '[rows]\nschools = ["nowhere"]\n'
    assert found(grant=grant.replace('"readwell"', '"readwell-2"'), known=Known(FACTS)) == found(
        grant=GRANT.replace('"readwell"', '"readwell-2"'), known=Known(FACTS)
    )
    assert found(grant=grant, known=Known(FACTS)) == ()


def test_what_reading_found_is_found() -> None:
    assert [(one.file, one.line) for one in found(grant=GRANT + "x =")] == [(GRANT_FILE, 33)]


ROWS = "\n[rows]\n"
GRANT_FINDINGS = [
    ('"races"', '"nickname"', "fields.Student", 18, "The graph has no Student.nickname"),
    ("2027-06-30", "2026-09-14", "not_after", 6, "expired after 2026-09-14"),
    ("2027-06-30", "2026-08-14", "not_after", 6, "never in force"),
    ("2027-06-30", "2028-06-30", "not_after", 6, "The state allows 400 days, so the grant ends on 2027-09-18"),
    ("not_after", "review_by = 2026-09-01\nnot_after", "review_by", 6, "review was due"),
    (', "Demographics"', "", "fields.Student", 18, "Demographics data, which the agreement"),
    ('"Demographics"', '"demographics "', "agreement.schedule[2]", 11, "written Demographics"),
    ("signed = 2026-07-01", "signed = 2026-09-01", "agreement.signed", 10, "signed after"),
    ('role = "privacy-officer"', 'role = "clerk"', "fields.Student", 18, "by the privacy-officer"),
    ('["Student.races"]', '["Student.races", "Student.ssn"]', "approval", 22, "approved but not granted"),
    ('SchoolEnrollment = ["gradeLevel"]', "", "fields.Student", 17, "leads nowhere"),
    ("[[approval]]", 'Staff = ["birthDate"]\n[[approval]]', "fields.Staff", 22, "out of reach"),
    ('"races"', '"homeLanguage"', "fields.Student", 18, f"The state denies Student.homeLanguage ({STATE_FILE}:2)"),
    ('"races"', '"ssn"', "fields.Student", 18, f"The district denies Student.ssn ({DISTRICT_FILE}:4)"),
    ('"races"', '{ field = "birthDate", as = "initial" }', "fields.Student", 18, "Date, and only a text"),
    ('purpose = "instruction"', 'purpose = "marketing"', "purpose", 2, "its words are: instruction, rostering"),
    ('client = "readwell"', 'client = "mathquest"', "client", 1, "named readwell but grants to mathquest"),
    ('client = "readwell"', 'client = "mathquest"', "client", 1, "no such client"),
    ('statement = "Assign levelled reading."', "", "statement", 1, "No sentence"),
    (
        "[[approval]]",
        f'{ROWS}schools = ["1", "255901107"]\n[[approval]]',
        "rows.schools[0]",
        24,
        "school with the key 1",
    ),
    (
        "[[approval]]",
        f'{ROWS}grade_levels = ["3", "04", "KG"]\n[[approval]]',
        "rows.grade_levels[0]",
        24,
        "no grade level",
    ),
    ("[[approval]]", f"{ROWS}subjects = []\n[[approval]]", "rows.subjects", 24, "reaches nobody"),
]


@pytest.mark.parametrize(("old", "new", "key", "line", "words"), GRANT_FINDINGS)
def test_what_misleads_in_a_grant_is_found(old: str, new: str, key: str, line: int, words: str) -> None:
    assert old in GRANT
    told = [one for one in found(grant=GRANT.replace(old, new, 1)) if words in one.message]
    assert [(one.file, one.key, one.line) for one in told] == [(GRANT_FILE, key, line)]


def test_a_grant_of_nothing_is_found() -> None:
    grant = GRANT.split("[fields]")[0] + "[fields]\n"
    assert [one.key for one in found(grant=grant)] == ["fields"]


def test_a_grant_without_an_agreement_is_found_where_the_basis_needs_one() -> None:
    bare = GRANT.replace(GRANT[GRANT.index("[agreement]") : GRANT.index("[fields]")], "")
    assert [one.key for one in found(grant=bare)] == ["agreement"]
    assert found(grant=bare.replace("school-official", "consent")) == ()


def test_a_purpose_is_found_where_the_district_has_none() -> None:
    district = "\n".join(line for line in DISTRICT.splitlines() if not line.startswith("purposes"))
    assert ["none yet" in one.message for one in found(district=district)] == [True]


def test_a_scope_that_the_client_or_the_graph_lacks_is_found() -> None:
    few = Known(FACTS, clients={READWELL: SCOPES - {NAME}})
    assert {one.line for one in found(known=few) if "not registered" in one.message} == {15, 16}
    none = Known(FACTS, scopes=SCOPES - {NAME})
    assert {one.line for one in found(known=none) if "no scope" in one.message} == {15, 16}
    assert found(known=Known(FACTS, clients={READWELL: SCOPES})) == ()


def test_a_denial_that_denies_nothing_is_found() -> None:
    assert [one.file for one in found(state=STATE.replace("homeLanguage", "homeLang"))] == [STATE_FILE]
    assert [one.file for one in found(district=DISTRICT.replace("Student.ssn", "Student.SSN"))] == [DISTRICT_FILE]


def test_retention_of_an_unknown_type_is_found() -> None:
    told = found(district=DISTRICT + "[retention]\nStudent = 7\nPupil = 7\n")
    assert [(one.file, one.line, one.key) for one in told] == [(DISTRICT_FILE, 7, "retention.Pupil")]


def test_a_policy_without_a_space_and_a_space_without_a_policy_are_found() -> None:
    told = found(known=Known(FACTS, spaces=(SpaceId("ca/seaview"),)))
    assert [(one.file, one.line) for one in told] == [("ca/seaview/district.toml", 1), (DISTRICT_FILE, 1)]


def test_two_grants_for_one_client_and_purpose_at_once_are_found() -> None:
    second = GRANT_FILE.replace("readwell", "readwell-2")

    def with_second(grant: str) -> list[str]:
        policies = read_policies({**files(), second: grant.encode()})
        return [one.file for one in lint(policies, KNOWN, NOON)]

    assert with_second(GRANT) == [second]
    assert with_second(GRANT.replace('"instruction"', '"rostering"')) == []
    renewal = GRANT.replace("2026-08-15", "2027-07-01").replace("2027-06-30", "2028-06-30")
    assert with_second(renewal) == []


def test_what_an_officer_revoked_is_no_finding_and_anything_else_still_is() -> None:
    second = GRANT_FILE.replace("readwell", "readwell-2")
    slips = [GRANT.replace("2027-06-30", f"2026-08-1{n}").replace('"races"', '"nickname"') for n in (3, 4)]
    policies = read_policies({**files(grant=slips[0]), second: slips[1].encode()})

    def told(*revoked: Revision) -> list[tuple[str, str]]:
        return [(one.file, one.key) for one in lint(policies, replace(KNOWN, revoked=revoked), NOON)]

    one, other = policies.spaces[SPACE].grants
    assert {(GRANT_FILE, "not_after"), (GRANT_FILE, "fields.Student"), (second, "not_after")} <= {*told()}
    assert told(one.revision) == [found for found in told() if found[0] == second] != []
    assert told(one.revision, other.revision) == []
    twice = read_policies({**files(), second: f"{GRANT}# a copy\n".encode()})
    assert [found.file for found in lint(twice, KNOWN, NOON)] == [second]
    _, copied = twice.spaces[SPACE].grants
    assert not lint(twice, replace(KNOWN, revoked=[copied.revision]), NOON)


def test_a_state_without_a_policy_and_a_district_that_is_broken_are_no_hindrance() -> None:
    fewer = {name: data for name, data in files().items() if name != STATE_FILE}
    assert lint(read_policies(fewer), KNOWN, NOON) == ()
    broken = lint(read_policies({**files(), DISTRICT_FILE: b"="}), KNOWN, NOON)
    assert [one.file for one in broken] == [DISTRICT_FILE]


def test_findings_are_in_the_order_of_files_and_lines() -> None:
    told = found(grant=GRANT.replace("2027-06-30", "2026-09-14").replace('"races"', '"nickname"'))
    assert list(told) == sorted(told)
    assert str(told[0]).startswith(f"{GRANT_FILE}:6: not_after: ")
    assert str(Finding("a.toml", 3, "", "Broken.")) == "a.toml:3: Broken."


def test_a_type_is_reached_over_several_edges() -> None:
    edges = {
        Coordinate("Section.staffAssociations"): "StaffSectionAssociation",
        Coordinate("StaffSectionAssociation.staff"): "Staff",
        Coordinate("Staff.firstName"): None,
    }
    assert list(unreachable(edges)) == []
    assert list(lead_nowhere(edges)) == []
    del edges[Coordinate("Section.staffAssociations")]
    assert list(unreachable(edges)) == ["StaffSectionAssociation.staff", "Staff.firstName"]


def test_edges_that_lead_to_each_other_alone_are_out_of_reach() -> None:
    edges = {Coordinate("A.b"): "B", Coordinate("B.a"): "A"}
    assert list(unreachable(edges)) == ["A.b", "B.a"]


def test_a_field_that_its_client_has_not_used_is_found_while_the_grant_is_in_force() -> None:
    races = Known(FACTS, unused={SPACE: {(READWELL, "instruction"): {Coordinate("Student.races")}}})
    (told,) = found(known=races)
    assert (told.file, told.line, told.key, told.severity) == (GRANT_FILE, 18, "fields.Student", Severity.WARNING)
    assert told.message.startswith("Student.races is sensitive and was not used for 90 days.")
    over = found(known=races, grant=GRANT.replace("2027-06-30", "2026-09-14"))
    assert ["expired" in one.message for one in over] == [True]
    assert found(known=Known(FACTS, unused={SPACE: {(READWELL, "rostering"): {Coordinate("Student.races")}}})) == ()


def test_what_a_subgraph_may_receive_is_compared_with_what_there_is() -> None:
    district = DISTRICT + (
        '[subgraphs.lms]\nmay_receive = ["Student.sourceKey", "Student.firstName", "Student.nickname", "Pupil.id"]\n'
    )
    told = found(district=district, known=replace(KNOWN, subgraphs=("lms",)))
    assert [(one.line, one.key) for one in told] == [
        (6, "subgraphs.lms.may_receive[2]"),
        (6, "subgraphs.lms.may_receive[3]"),
    ]
    (unheard,) = found(district=district.split("may_receive")[0], known=replace(KNOWN, subgraphs=()))
    assert (unheard.file, unheard.line, unheard.key) == (DISTRICT_FILE, 5, "subgraphs.lms")
    assert found(district=district.split("may_receive")[0]) == ()


def test_what_works_as_it_is_written_is_a_warning_and_what_does_not_an_error() -> None:
    looked_at = found(grant=GRANT.replace("statement", "review_by = 2026-09-01\nstatement").replace("levelled ", ""))
    assert [(one.key, one.severity) for one in looked_at] == [("review_by", Severity.WARNING)]
    assert str(looked_at[0]).startswith(f"{GRANT_FILE}:3: warning: review_by: The review was due")
    broken = found(grant=GRANT.replace('"races"', '"nickname"'))
    assert {one.severity for one in broken} == {Severity.ERROR}


def test_what_was_given_for_long_is_what_was_permitted_then_and_is_now() -> None:
    def given(grant: str, days: int) -> object:
        return long_given(read_policies(files(grant=grant)), FACTS, NOON + timedelta(days=days))

    races = {SPACE: {(READWELL, "instruction"): {"Student.races"}}}
    assert given(GRANT, 59) == races  # 13 November, 90 days after the first day
    assert given(GRANT, 58) == {SPACE: {}}
    assert given(GRANT.replace("2026-07-21", "2026-09-01"), 59) == {SPACE: {}}
    assert given(GRANT.replace("2027-06-30", "2026-10-01"), 59) == {SPACE: {}}


def test_one_persons_approvals_in_two_roles_are_found() -> None:
    told = found(grant=GRANT.replace("c.obi@gbisd.example", "A.Ramos@gbisd.example"))
    assert [(one.line, one.severity) for one in told] == [(28, Severity.WARNING)]
    assert "by one person" in told[0].message
    third = '\n[[approval]]\nby = "a.ramos@gbisd.example"\nrole = "privacy-officer"\nat = 2026-07-22T15:02:11Z\n'
    assert found(grant=f'{GRANT}{third}covers = ["Student.races"]\n') == ()
