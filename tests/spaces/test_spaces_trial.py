"""An invented pupil's record is judged by the statements that judge real ones."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.policy.authority import Authority
from app.policy.cases import Enrolled, Record
from app.policy.model import Rows
from app.policy.reading import read_policies
from app.spaces.tables import BY_TYPE
from app.spaces.trial import admits
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
    assert not admits("Student", PUPIL, caller(client="another"))


@pytest.mark.parametrize("type_name", sorted(BY_TYPE))
def test_a_record_of_every_type_is_in_where_no_condition_stands(type_name: str) -> None:
    assert admits(type_name, PUPIL, under(Rows()))


@pytest.mark.parametrize("type_name", sorted({*BY_TYPE} - {"District"}))
def test_of_no_school_nothing_is_in_but_what_is_the_districts(type_name: str) -> None:
    assert not admits(type_name, PUPIL, under(Rows(schools=())))


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
    assert admits(type_name, record, under(rows)) is admitted
