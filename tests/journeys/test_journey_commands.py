"""What the command line says to whoever asks it for what cannot be: a sentence and a status, never a traceback."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.conftest import SMALL
from tests.journeys.served import Home, made


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return made(tmp_path_factory.mktemp("commands") / "home", None, {SMALL: ("Alder Creek", "America/Los_Angeles")})


@pytest.fixture
def home(installed: Home, tmp_path: Path) -> Home:
    return installed.copy(tmp_path / "home")


BROKEN: dict[str, tuple[Callable[[str], str], tuple[str, ...]]] = {
    # What is done to homeroom.toml, and what is said of it.
    "not TOML": (lambda text: text + "\nissuer = \n", ("homeroom.toml",)),
    "an unknown key": (lambda text: "isuer = 'x'\n" + text, ("isuer", "take it out")),
    "a wrong type": (lambda text: text.replace("# Spaces are", "[limits]\ndepth = 'deep'\n#", 1), ("limits.depth",)),
    "a limit of nothing": (lambda text: text.replace("# Spaces are", "[limits]\nchunk = 0\n#", 1), ("limits.chunk",)),
    "plain http": (lambda text: text.replace("http://127.0.0.1:8000", "http://district.example"), ("issuer", "https")),
    "a wrong name of a space": (lambda text: text.replace(f'"{SMALL}"', '"Alder Creek"'), ("spaces", "state/district")),
    "no such database": (lambda text: text.replace("sqlite:///control.db", "mysql://x/y"), ("mysql",)),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("serve", "--port", "0", "--workers", "2"), ("check",)])
def test_a_broken_configuration_is_named_with_file_key_and_mend(
    home: Home, case: str, command: tuple[str, ...]
) -> None:
    change, said = BROKEN[case]
    text = home.config.read_text()
    home.config.write_text(change(text))
    assert home.config.read_text() != text
    done = home.run(*command)
    told = done.stdout + done.stderr
    assert done.returncode == 3, told
    for word in ("homeroom.toml", *said):
        assert word in told
    assert "Traceback" not in told
    assert "Homeroom serves" not in told


@pytest.mark.parametrize("broken", ["signing key", "ledger key", "space's secret"])
def test_a_key_that_cannot_be_read_stops_the_server_by_name(home: Home, broken: str) -> None:
    keys = home.folder / "keys"
    file = {
        "signing key": next((keys / "oauth").iterdir()),
        "ledger key": keys / "ledger.json",
        "space's secret": next((keys / "spaces").iterdir()),
    }[broken]
    file.write_text("no key")
    done = home.run("serve", "--port", "0")
    assert done.returncode == 3, done.stderr
    assert file.name in done.stderr
    assert "Traceback" not in done.stderr
    checked = home.run("check")
    assert checked.returncode == 1
    assert file.name in checked.stdout


WRONG: dict[str, tuple[tuple[str, ...], int]] = {
    "no such command": (("disclose",), 2),
    "no such option": (("serve", "--prot", "1"), 2),
    "a port that is none": (("serve", "--port", "99999"), 2),
    "a host that is none": (("serve", "--host", "no.such.host.example", "--port", "0"), 2),
    "no workers": (("serve", "--workers", "0"), 2),
    "a space that is there": (("space", "add", SMALL, "--name", "A", "--timezone", "America/Chicago"), 2),
    "a wrong name": (("space", "add", "Alder Creek", "--name", "A", "--timezone", "America/Chicago"), 2),
    "no such time zone": (("space", "add", "tx/new", "--name", "A", "--timezone", "Mars/Base"), 2),
    "a database that is none": (
        ("space", "add", "tx/new", "--name", "A", "--timezone", "America/Chicago", "--database", "mysql://x"),
        3,
    ),
    "a database that does not answer": (
        ("space", "add", "tx/new", "--name", "A", "--timezone", "UTC", "--database", "postgresql://u:p@127.0.0.1:1/d"),
        4,
    ),
    "an import into no space": (("import", "tx/nowhere", "."), 2),
    "an import of nothing": (("import", SMALL, "/no/such/file.zip"), 2),
    "no such scope": (("client", "add", "readwell", "--scope", "everything"), 2),
    "a wrong client id": (("client", "add", "Read Well!"), 2),
    "keys that are none": (("client", "add", "readwell", "--jwks", "pyproject.toml"), 2),
    "a client that is not there": (("client", "revoke", "nobody"), 2),
    "a token for nobody": (("token", "nobody", "--space", SMALL), 2),
    "a token for no space": (("token", "nobody", "--space", "tx/nowhere"), 2),
    "disclosures of no space": (("disclosures", "list", "tx/nowhere"), 2),
    "disclosures of no student": (("disclosures", "student", SMALL, "nobody"), 2),
    "disclosures since never": (("disclosures", "list", SMALL, "--since", "yesterday"), 2),
    "an explanation of nothing": (("policy", "explain", "nobody", SMALL, "Student.shoeSize"), 2),
    "a lint of a good house": (("policy", "lint"), 0),
    "an installation that is there": (("init", "HOME"), 2),
    "an installation in a file": (("init", "HOME/homeroom.toml"), 2),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_said_in_a_sentence(home: Home, case: str) -> None:
    arguments, status = WRONG[case]
    done = home.run(*(part.replace("HOME", os.fspath(home.folder)) for part in arguments))
    told = done.stdout + done.stderr
    assert done.returncode == status, told
    assert "Traceback" not in told
    assert "unforeseen" not in told
    assert told.strip()


def test_no_configuration_is_said_with_what_to_do(tmp_path: Path) -> None:
    for command in (("serve",), ("check",), ("space", "list"), ("client", "list"), ("policy", "lint")):
        done = Home(tmp_path).run(*command)
        assert done.returncode == 3
        assert "homeroom init" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = home.run("serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "--port" in done.stderr


def test_databases_that_are_gone_are_said(home: Home) -> None:
    space = home.folder / "spaces" / SMALL
    for file in space.glob("*.db*"):
        file.unlink()
    checked = home.run("check")
    assert checked.returncode == 1
    assert checked.stdout.count("cannot be used") == 2
    shutil.rmtree(space)
    for arguments in (("disclosures", "list", SMALL), ("disclosures", "verify", SMALL), ("serve", "--port", "0")):
        done = home.run(*arguments)
        assert done.returncode == 4, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr


def test_rubbish_in_place_of_a_database_is_said(home: Home) -> None:
    for name in ("space.db", "ledger.db"):
        (home.folder / "spaces" / SMALL / name).write_bytes(b"rubbish" * 1_000)
    for arguments in (("disclosures", "verify", SMALL), ("serve", "--port", "0")):
        done = home.run(*arguments)
        assert done.returncode == 4, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
    assert home.run("check").returncode == 1
