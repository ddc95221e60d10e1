"""`homeroom.toml`: what is wrong with it is told with file, line and key, and secrets may lie in files of their own."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.errors import ConfigurationError
from app.settings import Settings, read_settings

LMS = (
    '[spaces."tx/a"]\ndatabase = "sqlite:///a"\nledger = "sqlite:///b"\n'
    '[spaces."tx/a".subgraphs.lms]\nurl = "http://127.0.0.1:1/"\n'
)


def refusal(folder: Path, text: str) -> ConfigurationError:
    file = folder / "homeroom.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        read_settings(file)
    assert str(file) in told.value.message
    assert told.value.message.endswith(".")
    return told.value


@pytest.mark.parametrize(
    ("text", "line", "key", "word"),
    [
        ('# a comment\ncontrl = "x"\n', 2, "contrl", "no such key"),
        ('home = "/etc"\n', 1, "home", "no such key"),
        ("[limits]\n\ncots = 1\n", 3, "limits.cots", "no such key"),
        ("[limits]\npage = 0\n", 2, "limits.page", "at least 1"),
        ('[limits]\npage = "many"\n', 2, "limits.page", "int"),
        ('[spaces."tx/a"]\ndatabase = "sqlite:///a"\n', 1, "spaces.tx/a.ledger", "missing"),
        ('[spaces."tx/a"]\ndatabase = "sqlite:///a"\nledgr = "x"\n', 3, "spaces.tx/a.ledgr", "no such key"),
        ('[spaces."tx/a"]\ndatabase = "mysql://a"\nledger = "sqlite:///b"\n', 2, "spaces.tx/a.database", "postgresql"),
        (f"{LMS}batch = 0\n", 6, "spaces.tx/a.subgraphs.lms.batch", "more than nothing"),
        (f"{LMS}seconds = 0.0\n", 6, "spaces.tx/a.subgraphs.lms.seconds", "more than nothing"),
        ('[premises."tx/a"]\n', 1, "premises.tx/a.at", "missing"),
        ('[premises."tx/a"]\nat = "https://a.example/x"\n', 2, "premises.tx/a.at", "scheme and host alone"),
        ('[premises."tx/a"]\nat = "https://u@a.example"\n', 2, "premises.tx/a.at", "scheme and host alone"),
        ('[premises."tx/a"]\nat = "a.example"\n', 2, "premises.tx/a.at", "scheme and host alone"),
        ('[premises."tx/a"]\nat = "https://a.example"\nseconds = 0.0\n', 3, "premises.tx/a.seconds", "time"),
        ('[premises."tx/a"]\nat = "https://a.example"\nat_once = 0\n', 3, "premises.tx/a.at_once", "at least 1"),
        ('[premises.Texas]\nat = "https://a.example"\n', 1, "premises.Texas", "state/district"),
        (f'{LMS}[premises."tx/a"]\nat = "https://a.example"\n', 6, "premises.tx/a", "kept here as well"),
        (
            '[premises."tx/a"]\nat = "https://a.example"\n[premises."tx/a".subgraphs.lms]\nurl = "https://b.example"\n',
            3,
            "premises.tx/a.subgraphs",
            "Name it there",
        ),
        ('[console]\naddress = "http://console.example"\n', 2, "console.address", "over TLS"),
        ('[console]\naddress = "https://console.example/console"\n', 2, "console.address", "scheme and host alone"),
        ('[gateway]\nissuer = "https://graph.example"\n', 1, "gateway.jwks", "missing"),
        ('[gateway]\nissuer = "https://graph.example/x"\njwks = "a"\n', 2, "gateway.issuer", "scheme and host alone"),
        ('[gateway]\nissuer = "https://graph.example"\njwks = ""\n', 3, "gateway.jwks", "file or at an address"),
        ('[spaces.Texas]\ndatabase = "sqlite:///a"\nledger = "sqlite:///b"\n', 1, "spaces.Texas", "state/district"),
        ('\nissuer = "http://homeroom.example"\n', 2, "issuer", "https"),
        ('\nissuer = "https://homeroom.example/path"\n', 2, "issuer", "no path"),
        ("control = \n", 1, None, "not TOML"),
        ('issuer = "https://"\n', 1, "issuer", "host"),
        ('issuer = "https://homeroom.example:99999"\n', 1, "issuer", "host"),
        ('issuer = "https://user@homeroom.example"\n', 1, "issuer", "no user"),
        ('policies = "a\\u0000b"\n', 1, "policies", "control character"),
        ("[limits]\nchunk = 99999999999999999\n", 2, "limits.chunk", "more than"),
        ('control = "sqlite:///"\n', 1, "control", "cannot be read"),
        ('control = "postgresql://u@h:port/db"\n', 1, "control", "cannot be read"),
        ('control = "postgresql://u:p%zz@[::1/db"\n', 1, "control", "cannot be read"),
        ('control = "postgresql:///db"\n', 1, "control", "cannot be read"),
        ('control = "postgresql://u@h/db?schema="\n', 1, "control", "cannot be read"),
        ('control = "postgresql://u@h/db?schema=a&schema=b"\n', 1, "control", "cannot be read"),
        ('control = "postgresql://u@h/db?sslmode=on"\n', 1, "control", "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_key(
    tmp_path: Path, text: str, line: int, key: str | None, word: str
) -> None:
    error = refusal(tmp_path, text)
    assert (error.line, error.key) == (line, key)
    assert word in error.message
    assert f"homeroom.toml:{line}: " in error.message


def test_two_spaces_never_share_a_place(tmp_path: Path) -> None:
    one = '[spaces."tx/{}"]\ndatabase = "sqlite:///{}.db"\nledger = "sqlite:///{}.db"\n'
    error = refusal(tmp_path, one.format("a", "a", "la") + one.format("b", "b", "la"))
    assert (error.line, error.key) == (6, "spaces.tx/b.ledger")
    assert "tx/a" in error.message


def test_a_password_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("p@ss:w/rd%?\n")
    made = Settings(home=tmp_path).database_url("postgresql://gbisd@db:5433/homeroom?schema=s&password_file=secret")
    url = make_url(made)
    assert (url.username, url.password, url.host, url.port) == ("gbisd", "p@ss:w/rd%?", "db", 5433)
    assert dict(url.query) == {"schema": "s"}


def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as told:
        Settings(home=tmp_path).database_url("postgresql://gbisd@db/homeroom?password_file=gone")
    assert str(tmp_path / "gone") in told.value.message
    (tmp_path / "there").write_text("x")
    with pytest.raises(ConfigurationError, match="a user too"):
        Settings(home=tmp_path).database_url("postgresql://db/homeroom?password_file=there")


def test_addresses_that_postgresql_takes_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "homeroom.toml"
    for url in ("postgresql://u:p%40@h:5433/db?sslmode=verify-full", "postgresql:///db?host=/run/postgresql"):
        file.write_text(f'\ufeffcontrol = "{url}"\n', encoding="utf-8")
        assert read_settings(file).control == url
