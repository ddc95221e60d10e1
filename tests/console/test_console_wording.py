"""How pages write what a schema calls its fields."""

from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from app.console.wording import SENSITIVITIES, breakable
from app.schema.facts import Sensitivity


def test_a_coordinate_is_broken_between_its_words_alone() -> None:
    told = breakable("Student.hispanicLatinoEthnicity")
    assert told == "Student.<wbr>hispanic<wbr>Latino<wbr>Ethnicity"
    assert breakable("AcademicRecord.cumulativeGPA4") == "Academic<wbr>Record.<wbr>cumulative<wbr>GPA4"


@given(st.text())
def test_whatever_is_broken_says_the_same_and_is_escaped(name: str) -> None:
    parts = breakable(name).split("<wbr>")
    assert unescape("".join(parts)) == name
    assert not any("<" in part or ">" in part for part in parts)


def test_every_sensitivity_is_explained() -> None:
    assert set(SENSITIVITIES) == set(Sensitivity)
