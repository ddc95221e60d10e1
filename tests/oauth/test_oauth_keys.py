"""Signing keys: private to their owner, whole or not at all."""

from pathlib import Path

import pytest

from app.errors import ConfigurationError
from app.oauth.keys import add_key, create_keys, read_keys


def test_the_first_key_is_made_once_and_its_owner_alone_can_read_it(tmp_path: Path) -> None:
    create_keys(tmp_path)
    create_keys(tmp_path)
    (file,) = (tmp_path / "oauth").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    keys = read_keys(tmp_path)
    assert keys.signing(0).kid == file.stem
    assert "d" not in keys.document()["keys"][0]


def test_keys_are_read_again_only_when_a_file_came_or_went(tmp_path: Path) -> None:
    create_keys(tmp_path)
    keys = read_keys(tmp_path)
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
        read_keys(tmp_path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    create_keys(tmp_path)
    (file,) = (tmp_path / "oauth").iterdir()
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="600"):
        read_keys(tmp_path)


def test_an_installation_without_a_key_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="homeroom init"):
        read_keys(tmp_path)
