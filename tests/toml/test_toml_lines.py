"""Where a key stands in a TOML text."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.toml.lines import TooDeepError, dotted, find_lines, line_of

TEXT = """\
# a comment with = and [brackets]
plain = 1
"quoted.key" = [1,   # first
  2, { x = 1, y = "a\\"]}" },
]
a.b.'c d' = '''
literal ' text = no key
''''
empty = []
none = {}
at = 2026-07-20 15:02:11Z # a time with a space

[table.inner]
text = \"\"\"
not = "a key" \\\"\"\"
\"\"\"\"
[[many]]
k = 1
[[many]]
k = 2
[many.sub]
q = 1
[[many.deep]]
r = 1
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("plain", 2),
        ("quoted.key", 3),
        ("quoted.key[0]", 3),
        ("quoted.key[1]", 4),
        ("quoted.key[2].x", 4),
        ("quoted.key[2].y", 4),
        ("a.b.c d", 6),
        ("empty", 9),
        ("none", 10),
        ("at", 11),
        ("table.inner", 13),
        ("table.inner.text", 14),
        ("many", 17),
        ("many[0].k", 18),
        ("many[1]", 19),
        ("many[1].k", 20),
        ("many[1].sub.q", 22),
        ("many[1].deep[0].r", 24),
    ],
)
def test_every_key_and_element_has_its_line(key: str, line: int) -> None:
    tomllib.loads(TEXT)
    assert {dotted(path): at for path, at in find_lines(TEXT).items()}[key] == line


def test_windows_line_ends_count_as_one_line() -> None:
    assert find_lines("a = 1\r\nb = [\r\n 2]\r\n")[("b", 0)] == 3


def test_what_has_no_line_has_that_of_what_is_around_it() -> None:
    lines = find_lines("\n[rows]\nschools = []\n")
    assert line_of(lines, ("rows", "grade_levels")) == 2
    assert line_of(lines, ("approval", 0)) == 1


@pytest.mark.parametrize("text", ["a." * 100_000 + "a = 1", "a = " + "[" * 100_000, "[" + "a." * 100_000 + "a]"])
def test_what_nests_deeper_than_any_policy_is_refused_at_once(text: str) -> None:
    with pytest.raises(TooDeepError) as refused:
        find_lines("x = 1\n" + text)
    assert refused.value.line == 2


@pytest.mark.parametrize("text", ["a = 1\n= 2", "a = 1\nb", 'a = 1\n"\\q" = 2', 'a = 1\nb = "open', "a = 1\n[b"])
def test_of_a_text_that_is_not_toml_the_lines_before_are_given(text: str) -> None:
    assert find_lines(text)[("a",)] == 1


values = st.recursive(
    st.integers() | st.booleans() | st.text("ab#]}'= .", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.'= #", max_size=4), inner, max_size=3),
    max_leaves=8,
)


def written(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case list():
            return "[" + ",\n ".join(map(written, value)) + "]"
        case dict():
            return "{" + ", ".join(f'"{key}" = {written(inner)}' for key, inner in value.items()) + "}"
        case _:
            return str(value)


def paths(value: object, above: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {above}.union(*(paths(below, (*above, key)) for key, below in inner)) - {()}


@given(st.dictionaries(st.text("ab.'= #", max_size=4), values, max_size=4))
def test_exactly_the_paths_that_tomllib_reads_have_lines(tree: dict[str, object]) -> None:
    text = "".join(f'\n"{key}" = {written(value)}' for key, value in tree.items())
    assert set(find_lines(text)) == paths(tomllib.loads(text))
