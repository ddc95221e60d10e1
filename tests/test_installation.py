"""What a process keeps between requests is bounded, and goes when it is no longer in force."""

from hypothesis import given
from hypothesis import strategies as st

from app.installation import Recent


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 12)), max_size=60))
def test_what_is_kept_never_weighs_more_than_its_budget(entries: list[tuple[int, int]]) -> None:
    recent: Recent[int, int] = Recent(20)
    weights: dict[int, int] = {}
    for key, weight in entries:
        recent.keep(key, weight, weight)
        weights[key] = weight
        assert sum(weights[one] for one in weights if recent.get(one) is not None) <= 20
        assert recent.get(key) == weight


def test_what_was_used_last_stays_longest() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.keep("a", 1)
    recent.keep("b", 2)
    recent.get("a")
    recent.keep("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)


def test_nothing_is_left_when_the_policy_changes() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.keep("a", 1)
    recent.clear()
    assert recent.get("a") is None
