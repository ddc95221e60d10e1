"""An invented pupil's record is judged by the statements that judge real ones."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.names import Coordinate
from app.policy.authority import Authority
from app.policy.cases import Enrolled, Record
from app.policy.model import Basis, Rows
from app.policy.reading import read_policies
from app.spaces.tables import BY_TYPE
from app.spaces.trial import stands
from tests.policy.texts import GRANT, caller, files

TODAY = date(2026, 10, 15)
FIFTH = Enrolled("elm", "05", date(2026, 8, 17))
PUPIL = Record(enrollments=(FIFTH,), school="elm", subject="Mathematics")
AT_ELM = Rows(schools=("elm",), grade_levels=("05",), enrollment="active")


def under(rows: Rows) -> Authority:
    policies = read_policies(files(grant=GRANT.replace("2026-08-15", "2026-01-01")))
    held = caller(policies, now=datetime(2026, 10, 15, 17, tzinfo=UTC))
    assert held.grant is not None
    assert held.today == TODAY
    return replace(held, grant=replace(held.grant, rows=rows))


def test_nobody_is_in_where_there_is_no_grant() -> None:
    assert stands("Student", PUPIL, None, caller(client="another")) == "out"


@pytest.mark.parametrize("type_name", sorted(BY_TYPE))
def test_a_record_of_every_type_is_in_where_no_condition_stands(type_name: str) -> None:
    assert stands(type_name, PUPIL, None, under(Rows())) == "in"


@pytest.mark.parametrize("type_name", sorted({*BY_TYPE} - {"District"}))
def test_of_no_school_nothing_is_in_but_what_is_the_districts(type_name: str) -> None:
    assert stands(type_name, PUPIL, None, under(Rows(schools=()))) == "out"


@pytest.mark.parametrize(
    ("type_name", "record", "rows", "admitted"),
    [
        ("Student", PUPIL, AT_ELM, True),
        ("Student", Record(enrollments=(Enrolled("oak", "05"),)), AT_ELM, False),
        ("Student", Record(enrollments=(Enrolled("elm", "04"), Enrolled("oak", "05"))), AT_ELM, False),
        ("Student", Record(enrollments=(Enrolled("oak", "05"), FIFTH)), AT_ELM, True),
        ("Student", Record(enrollments=(Enrolled("elm", "05", exit_date=date(2026, 10, 14)),)), AT_ELM, False),
        ("Student", Record(enrollments=(Enrolled("elm", "05", exit_date=TODAY),)), AT_ELM, True),
        ("Student", Record(), Rows(enrollment="any"), False),
        ("Section", PUPIL, Rows(subjects=("Mathematics",)), True),
        ("Section", PUPIL, Rows(subjects=("English",)), False),
        ("Section", PUPIL, Rows(history_years=0), True),
        ("Section", Record(school_year=2026), Rows(history_years=0), False),
        ("Section", Record(), Rows(schools=("elm",)), False),
        ("Grade", PUPIL, Rows(schools=("elm",), subjects=("Mathematics",)), True),
        ("Grade", Record(enrollments=(FIFTH,), school="oak"), Rows(schools=("elm",)), False),
        ("Course", Record(), Rows(schools=("elm",)), True),
    ],
)
def test_a_record_is_in_as_the_rules_on_rows_say(type_name: str, record: Record, rows: Rows, admitted: bool) -> None:
    assert stands(type_name, record, None, under(rows)) == ("in" if admitted else "out")


NAME, LANGUAGE, MARK = (
    Coordinate(text) for text in ("Student.firstName", "Student.homeLanguage", "Grade.letterGradeEarned")
)


def with_rule(vendors: str, basis: Basis) -> Authority:
    held = under(Rows())
    assert held.district is not None
    assert held.grant is not None
    rule = replace(held.district.opt_out, vendors=vendors)  # type: ignore[arg-type]
    return replace(held, grant=replace(held.grant, basis=basis), district=replace(held.district, opt_out=rule))


@pytest.mark.parametrize(
    ("record", "coordinate", "vendors", "basis", "where"),
    [
        ({"opted_out": True}, NAME, "withhold-record", Basis.SCHOOL_OFFICIAL, "out"),
        ({"opted_out": True}, None, "withhold-record", Basis.SCHOOL_OFFICIAL, "out"),
        ({"opted_out": True}, MARK, "withhold-record", Basis.SCHOOL_OFFICIAL, "out"),
        ({"opted_out": True}, NAME, "withhold-fields", Basis.SCHOOL_OFFICIAL, "withheld"),
        ({"opted_out": True}, None, "withhold-fields", Basis.SCHOOL_OFFICIAL, "in"),
        ({}, NAME, "withhold-fields", Basis.SCHOOL_OFFICIAL, "in"),
        ({"directory_block": True}, NAME, "withhold-record", Basis.DIRECTORY_INFORMATION, "withheld"),
        ({"directory_block": True}, LANGUAGE, "withhold-record", Basis.DIRECTORY_INFORMATION, "in"),
        ({"directory_block": True}, NAME, "withhold-record", Basis.SCHOOL_OFFICIAL, "in"),
        ({}, NAME, "withhold-record", Basis.DIRECTORY_INFORMATION, "in"),
    ],
)
def test_what_a_family_decided_is_kept_back_as_the_district_says(
    record: dict[str, bool], coordinate: Coordinate | None, vendors: str, basis: Basis, where: str
) -> None:
    type_name = coordinate.partition(".")[0] if coordinate else "Student"
    assert stands(type_name, replace(PUPIL, **record), coordinate, with_rule(vendors, basis)) == where
