"""Whose records a grant reaches, as an officer reads it."""

import pytest

from app.console.whose import LEVELS, runs, sentence
from app.policy.model import Rows

NAMES = {"elm": "Elm Elementary", "oak": "Oak Middle School"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (Rows(), "Every record of the district."),
        (Rows(schools=("elm",), grade_levels=("03", "04", "05")), "Pupils of Elm Elementary in grades 3 to 5."),
        (
            Rows(schools=("elm", "oak"), enrollment="active", history_years=0),
            "Pupils of Elm Elementary and Oak Middle School, enrolled today, in this school year.",
        ),
        (Rows(schools=("ash",)), "Pupils of ash."),
        (Rows(schools=()), "Pupils of no school."),
        (Rows(grade_levels=()), "Pupils in no grade."),
        (Rows(subjects=("Mathematics",)), "Every pupil; of classes those in the subject Mathematics."),
        (Rows(history_years=2), "Pupils, in this school year and the 2 before."),
    ],
)
def test_whose_records_is_a_sentence(rows: Rows, told: str) -> None:
    assert sentence(rows, NAMES) == told


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        (["03"], ["grade 3"]),
        (["04", "03"], ["grades 3 and 4"]),
        (["KG", "01", "02"], ["kindergarten to grade 2"]),
        (["PK", "KG"], ["prekindergarten", "kindergarten"]),
        (["TK", "KG"], ["transitional kindergarten and kindergarten"]),
        (["KG", "03", "04", "05", "12"], ["kindergarten", "grades 3 to 5", "grade 12"]),
        (["UG", "12", "AE"], ["grade 12", "AE", "UG"]),
        ([*LEVELS], ["prekindergarten to grade 13"]),
    ],
)
def test_grade_levels_that_follow_each_other_are_told_together(levels: list[str], told: list[str]) -> None:
    assert [*runs(levels)] == told
