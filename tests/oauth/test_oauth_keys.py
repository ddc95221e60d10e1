"""Signing keys: private to their owner, whole or not at all."""

from pathlib import Path

import pytest

from app.errors import ConfigurationError
from app.oauth.keys import OVERLAP, KeyState, add_key, create_keys, drop_others, drop_over, read_keys


def test_the_first_key_is_made_once_and_its_owner_alone_can_read_it(tmp_path: Path) -> None:
    create_keys(tmp_path)
    create_keys(tmp_path)
    (file,) = (tmp_path / "oauth").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    keys = read_keys(tmp_path, 300)
    assert keys.signing(0).kid == file.stem
    assert "d" not in keys.document(0)["keys"][0]


def test_keys_are_read_again_only_when_a_file_came_or_went(tmp_path: Path) -> None:
    create_keys(tmp_path)
    keys = read_keys(tmp_path, 300)
    assert keys.refreshed() is keys
    kid = add_key(tmp_path, now=1000)
    assert set(keys.refreshed().by_kid) == {*keys.by_kid, kid}


@pytest.mark.parametrize("content", ["", "{", "{}", '{"made": 1, "jwk": {"kty": "oct", "k": "AAAA"}}', "[]"])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, content: str) -> None:
    create_keys(tmp_path)
    broken = tmp_path / "oauth" / "broken.json"
    broken.write_text(content)
    broken.chmod(0o600)
    with pytest.raises(ConfigurationError, match=r"broken\.json"):
        read_keys(tmp_path, 300)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    create_keys(tmp_path)
    (file,) = (tmp_path / "oauth").iterdir()
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="600"):
        read_keys(tmp_path, 300)


def test_an_installation_without_a_key_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="homeroom init"):
        read_keys(tmp_path, 300)


MADE = 10_000
LIFE = 300


def test_a_key_is_published_before_it_signs_and_the_one_before_it_verifies_until_its_last_token_ends(
    tmp_path: Path,
) -> None:
    create_keys(tmp_path)
    (old,) = read_keys(tmp_path, LIFE).by_kid
    new = add_key(tmp_path, now=MADE)
    keys = read_keys(tmp_path, LIFE)

    def states(now: float) -> tuple[KeyState, KeyState]:
        published = {str(key["kid"]) for key in keys.document(now)["keys"]}
        for kid in (old, new):
            assert (kid in published) == (keys.verifying(kid, now) is not None) == (keys.state(kid, now) != "over")
        return keys.state(old, now), keys.state(new, now)

    takes_over = MADE + OVERLAP
    last_token_ends = takes_over + LIFE
    assert states(MADE) == states(takes_over - 1) == (KeyState.SIGNING, KeyState.NEXT)
    assert states(takes_over) == states(last_token_ends) == (KeyState.FORMER, KeyState.SIGNING)
    assert states(last_token_ends + OVERLAP) == (KeyState.OVER, KeyState.SIGNING)
    assert keys.verifying("no-key", MADE) is None


def test_files_of_keys_that_are_over_are_taken_away_and_no_others(tmp_path: Path) -> None:
    create_keys(tmp_path)
    (first,) = read_keys(tmp_path, LIFE).by_kid
    second = add_key(tmp_path, now=MADE)
    keys = read_keys(tmp_path, LIFE)
    assert drop_over(keys, MADE + OVERLAP + LIFE) == []
    assert drop_over(keys, MADE + OVERLAP + LIFE + OVERLAP) == [first]
    assert list(keys.refreshed().by_kid) == [second]


def test_a_key_that_leaked_goes_with_every_other_and_the_new_one_signs_at_once(tmp_path: Path) -> None:
    create_keys(tmp_path)
    add_key(tmp_path, now=MADE)
    new = add_key(tmp_path, now=MADE + 1)
    assert len(drop_others(tmp_path, new)) == 2
    keys = read_keys(tmp_path, LIFE)
    assert list(keys.by_kid) == [new]
    assert keys.signing(MADE + 1).kid == new


def test_of_two_keys_of_one_second_every_server_signs_by_the_same(tmp_path: Path) -> None:
    for _ in range(4):
        add_key(tmp_path, now=MADE)
    chosen = {str(read_keys(tmp_path, LIFE).signing(MADE + OVERLAP).kid) for _ in range(3)}
    assert chosen == {max(read_keys(tmp_path, LIFE).by_kid)}
