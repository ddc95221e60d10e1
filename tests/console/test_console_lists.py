"""A list in one line of a form says what it said before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console.lists import read, written

values = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).map(str.strip).filter(bool)


@given(st.lists(values, max_size=5))
def test_what_is_written_is_read_as_it_was(values: list[str]) -> None:
    assert read(written(values)) == tuple(values)


def test_a_line_is_parted_by_commas() -> None:
    assert read(' elm, oak,, "Arts, Visual" ') == ("elm", "oak", "Arts, Visual")
    assert written(("elm", "Arts, Visual")) == 'elm, "Arts, Visual"'
    assert read("") == read(written(None)) == ()


@pytest.mark.parametrize("text", ['"elm', '"elm" oak', "elm\noak"])
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="quotation mark"):
        read(text)
