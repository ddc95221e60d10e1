"""Cases are read strictly, hinder nothing that is in force, and are judged as an answer would be."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Literal

import pytest
from hypothesis import given

from app.names import ClientId, Coordinate, SpaceId
from app.policy.authority import Authority
from app.policy.cases import Case, Enrolled, Record, read_cases
from app.policy.decide import Permit, Reason, decide
from app.policy.documents import EXPECTED
from app.policy.judge import Court, Verdict
from app.policy.model import DistrictPolicy, Grant, PolicySet, SpacePolicy, StatePolicy
from app.policy.reading import read_policies
from tests.policy import strategies
from tests.policy.texts import CASES, CASES_FILE, DISTRICT_FILE, FACTS, GRANT, GRANT_FILE, SPACE, Known, files

DAY = date(2026, 9, 15)


Standing = Literal["in", "out", "withheld"]


def of_elm(_type: str, record: Record, coordinate: Coordinate | None, _authority: Authority) -> Standing:
    if record.directory_block and coordinate is not None:
        return "withheld"
    return "in" if any(enrolled.school == "elm" for enrolled in record.enrollments) else "out"


def loses_ssn(query: str, _authority: Authority) -> Mapping[Coordinate, Reason] | str:
    if "ssn" in query:
        return {Coordinate("Student.ssn"): Reason.DENIED_BY_DISTRICT}
    return {} if "{" in query else "That is no query."


def court(policies: PolicySet | None = None) -> Court:
    return Court(read_policies(files()) if policies is None else policies, FACTS, of_elm, loses_ssn)


def case(**more: object) -> Case:
    bare = Case(CASES_FILE, 1, "It holds", SPACE, ClientId("readwell"), "instruction", DAY)
    return replace(bare, **more)  # type: ignore[arg-type]


def judged(*, by: Court | None = None, **more: object) -> Verdict:
    return (by or court()).judge(case(**more))


def test_cases_are_read_with_their_lines_and_what_the_file_says_for_all() -> None:
    cases, findings = read_cases({CASES_FILE: CASES.encode(), GRANT_FILE: b"broken"})
    assert findings == ()
    assert [(one.line, one.client, one.purpose, one.on, one.space) for one in cases] == [
        (line, "readwell", "instruction", DAY, SPACE) for line in (5, 10, 15)
    ]
    assert cases[1].record == Record(
        enrollments=(Enrolled("elm", "05", date(2026, 8, 17)), Enrolled("oak")), school="elm"
    )
    assert cases[2].denied == {"Student.ssn": Reason.DENIED_BY_DISTRICT}


def test_a_case_says_otherwise_than_its_file() -> None:
    text = 'client = "a"\npurpose = "b"\non = 2026-01-01\n[[case]]\nname = "x"\nclient = "c"\npurpose = "d"\n'
    text += 'on = 2026-02-02\nscopes = []\nrecord = { type = "Section", subject = "Art" }\nexpect = "out"\n'
    ((only,), _) = read_cases({CASES_FILE: text.encode()})
    assert (only.client, only.purpose, only.on, only.scopes) == ("c", "d", date(2026, 2, 2), frozenset())
    assert (only.type, only.record) == ("Section", Record(type="Section", subject="Art"))


def test_cases_are_no_policy_and_a_broken_one_hinders_none() -> None:
    policies = read_policies({**files(), CASES_FILE: b"broken"})
    assert policies.findings == ()
    assert set(policies.files) == set(files())


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ('client = "readwell"\n', "", 4, "case[0].client"),
        ('client = "readwell"', 'client = "read well"', 5, "case[0].client"),
        ('purpose = "instruction"\n', "", 4, "case[0].purpose"),
        ("on = 2026-09-15\n", "", 4, "case[0].on"),
        ('expect = "initial"', "", 5, "case[0].expect"),
        ('expect = "initial"', 'expect = "granted"', 8, "case[0].expect"),
        ('expect = "initial"', 'expect = "in"', 8, "case[0].expect"),
        ('expect = "initial"', 'expect = "out"', 8, "case[0].expect"),
        ('expect = "initial"', 'expect = "initial"\ndenied = {}', 9, "case[0].denied"),
        ('"Student.lastSurname"', '"lastSurname"', 7, "case[0].coordinate"),
        ('coordinate = "Student.lastSurname"\nexpect = "initial"', 'expect = "NO_GRANT"', 5, "case[0]"),
        ('expect = "in"\n', 'expect = "disclosed"\n', 13, "case[1].expect"),
        ('expect = "in"\n', 'expect = "withheld"\n', 13, "case[1].expect"),
        ('expect = "initial"', 'expect = "withheld"', 8, "case[0].expect"),
        ('record = { school = "elm"', 'record = { type = "a b"', 12, "case[1].record.type"),
        (
            'record = { school = "elm"',
            'coordinate = "Student.firstName"\nrecord = { type = "Grade"',
            13,
            "case[1].record.type",
        ),
        ("query =", 'expect = "in"\nquery =', 18, "case[2].query"),
        ('denied = { "Student.ssn" = "DENIED_BY_DISTRICT" }', "", 15, "case[2].denied"),
        ('"DENIED_BY_DISTRICT"', '"FORBIDDEN"', 18, "case[2].denied.Student.ssn"),
        ("entry_date", "entry_day", 12, "case[1].record.entry_day"),
        ("[[case]]", "[[cases]]", 5, "cases"),
    ],
)
def test_what_is_wrong_with_a_case_is_told_with_file_line_and_key(old: str, new: str, line: int, key: str) -> None:
    assert old in CASES
    cases, findings = read_cases({CASES_FILE: CASES.replace(old, new, 1).encode()})
    assert cases == ()
    assert (CASES_FILE, line, key) in {(one.file, one.line, one.key) for one in findings}


@pytest.mark.parametrize(
    ("coordinate", "more", "found"),
    [
        ("Student.firstName", {}, "disclosed"),
        ("Student.lastSurname", {}, "initial"),
        ("Student.birthDate", {}, "NOT_GRANTED"),
        ("Student.homeLanguage", {}, "DENIED_BY_STATE"),
        ("Student.schoolEnrollments", {}, "disclosed"),
        ("SchoolEnrollment.school", {}, "NOT_GRANTED"),
        ("Student.firstName", {"on": date(2027, 7, 1)}, "GRANT_EXPIRED"),
        ("Student.firstName", {"scopes": frozenset()}, "SCOPE_MISSING"),
        ("Student.firstName", {"client": "mathpath"}, "NO_GRANT"),
        ("Student.firstName", {"space": SpaceId("tx/nowhere")}, "NO_GRANT"),
        ("Student.firstName", {"record": Record(enrollments=(Enrolled("elm"),))}, "disclosed"),
        ("Student.lastSurname", {"record": Record(enrollments=(Enrolled("elm"),))}, "initial"),
        ("Student.firstName", {"record": Record(enrollments=(Enrolled("oak"),))}, "out"),
        ("Student.birthDate", {"record": Record(enrollments=(Enrolled("oak"),))}, "NOT_GRANTED"),
        ("Student.nickname", {}, "The graph has no Student.nickname. Correct it."),
    ],
)
def test_a_coordinate_is_judged_as_it_is_decided(coordinate: str, more: dict[str, object], found: str) -> None:
    verdict = judged(coordinate=Coordinate(coordinate), **more)
    assert verdict.found == found
    assert verdict.holds == (found == "disclosed")


def test_an_edge_to_a_type_that_may_not_be_entered_is_withheld() -> None:
    policies = read_policies(files(grant=GRANT.replace('["gradeLevel"]', '["school"]')))
    assert judged(by=court(policies), coordinate=Coordinate("SchoolEnrollment.school")).found == "NOT_GRANTED"


def test_a_record_is_in_out_or_withheld_with_its_whole_type() -> None:
    elm, oak = Record(enrollments=(Enrolled("elm"),)), Record(enrollments=(Enrolled("oak"),))
    assert judged(record=elm, expect="in").holds
    assert judged(record=oak, expect="out").holds
    assert judged(record=replace(elm, type="School"), expect="NOT_GRANTED").holds
    assert judged(record=elm, expect="GRANT_NOT_YET", on=date(2026, 8, 1)).holds
    assert judged(record=replace(elm, type="Pupil")).found == "The graph has no type Pupil. Correct it."


def test_a_query_is_compared_with_everything_that_is_taken_out_of_it() -> None:
    ssn = {Coordinate("Student.ssn"): Reason.DENIED_BY_DISTRICT}
    assert judged(query="{ ssn }", denied=ssn).holds
    assert judged(query="{ firstName }", denied={}).holds
    assert judged(query="{ firstName }").holds
    assert judged(query="{ ssn }", denied={}).found == "Student.ssn DENIED_BY_DISTRICT"
    assert judged(query="nothing", denied={}).found == "That is no query."


def test_a_verdict_says_what_decided_and_where() -> None:
    assert judged(coordinate=Coordinate("Student.lastSurname")).why.endswith(f"({GRANT_FILE}:16)")
    assert judged(coordinate=Coordinate("Student.firstName"), scopes=frozenset()).why.startswith("The client lacks")
    assert judged(record=Record(), expect="in").why == f"{GRANT_FILE}:1"


def test_what_a_family_decided_is_told_with_the_districts_line() -> None:
    name = Coordinate("Student.firstName")
    out = judged(coordinate=name, record=Record(opted_out=True), expect="out")
    assert (out.holds, out.why) == (True, f"{DISTRICT_FILE}:1")
    blocked = judged(coordinate=name, record=Record(directory_block=True), expect="withheld")
    assert (blocked.holds, blocked.why) == (True, f"{DISTRICT_FILE}:1")


def test_every_reason_can_be_expected() -> None:
    assert set(Reason) < set(EXPECTED)


@given(strategies.grants, strategies.districts, strategies.states)
def test_a_verdict_is_what_decide_says(grant: Grant, district: DistrictPolicy, state: StatePolicy) -> None:
    facts = {c: Known(strategies.ALL_SCOPES[0], "Student Name", "sensitive") for c in strategies.ALL}
    policies = PolicySet({SPACE: SpacePolicy(state, district, (grant,))})
    judge = Court(policies, facts, of_elm, loses_ssn)
    for coordinate in facts:
        asked = case(coordinate=coordinate)
        made = decide(judge.ask(coordinate), judge.authority(asked))
        expected = (made.transform or "disclosed") if isinstance(made, Permit) else made.reason
        assert judge.judge(asked).found == expected
