"""`homeroom client` and `homeroom token`, as an operator types them."""

import json
import time
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from app.cli.main import main
from app.oauth.keys import create_keys, read_keys
from app.oauth.tokens import read
from app.schema.catalogue import SCOPES

TOML = """
[spaces."tx/grand-bend"]
database = "sqlite:///space.db"
ledger = "sqlite:///ledger.db"
"""


class Shell:
    """An installation and its command line."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._patch = monkeypatch
        self._capsys = capsys
        (home / "homeroom.toml").write_text(TOML)
        (home / "policies").mkdir()
        create_keys(home / "keys")

    def __call__(self, *words: str) -> tuple[int, str]:
        """Exit status, and what was printed."""
        self._patch.setattr("sys.argv", ["homeroom", "--config", str(self.home / "homeroom.toml"), *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self._capsys.readouterr()
        assert "Traceback" not in printed.err
        return int(ended.value.code or 0), printed.out + printed.err


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys)


def test_a_client_is_added_with_every_scope_that_is_not_restricted(shell: Shell) -> None:
    status, text = shell("--format", "json", "client", "add", "readwell", "--name", "Readwell Inc.")
    added = json.loads(text)
    assert status == 0
    assert (added["client_id"], len(added["client_secret"])) == ("readwell", 43)
    assert added["scopes"] == sorted(scope for scope, fact in SCOPES.items() if not fact.restricted)
    assert "student/ssn.read" not in added["scopes"]
    (listed,) = json.loads(shell("--format", "json", "client", "list")[1])
    assert (listed["name"], listed["state"], listed["scopes"]) == ("Readwell Inc.", "active", added["scopes"])
    assert added["client_secret"] not in shell("client", "list")[1]


def test_a_client_is_added_with_the_scopes_named(shell: Shell) -> None:
    status, text = shell("client", "add", "readwell", "--scope", "student/ssn.read", "--scope", "student/name.read")
    assert (status, "scopes: student/name.read student/ssn.read" in text) == (0, True)


@pytest.mark.parametrize(
    "words",
    [("add", "readwell", "--scope", "student/nme.read"), ("add", "no id"), ("suspend", "nobody"), ("rotate", "nobody")],
)
def test_what_cannot_be_is_refused_in_a_sentence(shell: Shell, words: tuple[str, ...]) -> None:
    status, text = shell("client", *words)
    assert (status, text.strip()[-1]) == (2, ".")


def test_an_id_is_taken_once(shell: Shell) -> None:
    assert shell("client", "add", "readwell")[0] == 0
    assert shell("client", "add", "readwell")[0] == 2


def test_a_client_with_keys_has_no_secret(shell: Shell) -> None:
    file = shell.home / "jwks.json"
    file.write_text(json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}))
    status, text = shell("client", "add", "signer", "--jwks", str(file))
    assert (status, "client_secret" in text) == (0, False)
    file.write_text("no JSON")
    assert shell("client", "add", "signer2", "--jwks", str(file))[0] == 2


def test_a_client_is_rotated_and_listed_with_what_it_proves_itself_by(shell: Shell) -> None:
    first = json.loads(shell("--format", "json", "client", "add", "readwell")[1])["client_secret"]
    status, text = shell("--format", "json", "client", "rotate", "readwell", "--overlap", "3")
    rotated = json.loads(text)
    assert status == 0
    assert rotated["client_secret"] not in (None, first)
    file = shell.home / "jwks.json"
    key = ECKey.generate_key("P-256")
    file.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    assert "client_secret" not in shell("client", "rotate", "readwell", "--jwks", str(file))[1]
    (listed,) = json.loads(shell("--format", "json", "client", "list")[1])
    old, new, keys = listed["credentials"]
    assert (old["kind"], old["expires"]) == ("secret", rotated["former_until"])
    assert (new["kind"], new["expires"] > old["expires"]) == ("secret", True)
    assert (keys["kind"], keys["expires"], keys["kids"]) == ("keys", None, [key.thumbprint()])
    said = shell("client", "list")[1]
    assert f"    secret of {old['created']}, until {old['expires']}\n" in said
    assert f"    keys {key.thumbprint()} of {keys['created']}\n" in said
    assert shell("client", "rotate", "readwell", "--overlap", "0")[0] == 0
    (listed,) = json.loads(shell("--format", "json", "client", "list")[1])
    assert [one["kind"] for one in listed["credentials"]] == ["secret"]
    assert shell("client", "rotate", "readwell", "--overlap", "-1")[0] == 2


def test_a_token_is_minted_for_an_active_client_alone(shell: Shell) -> None:
    shell("client", "add", "readwell", "--scope", "student/name.read")
    status, text = shell("token", "readwell", "--space", "tx/grand-bend", "--purpose", "instruction")
    claims = read(text.strip(), read_keys(shell.home / "keys", 300), time.time())
    assert status == 0
    assert claims is not None
    assert (claims.client_id, claims.aud, claims.purpose, claims.scope) == (
        "readwell",
        "http://127.0.0.1:8000/spaces/tx/grand-bend",
        "instruction",
        "student/name.read",
    )
    assert shell("token", "readwell", "--space", "tx/grand-bend")[0] == 2  # no grant, no purpose
    assert shell("token", "readwell", "--space", "tx/other", "--purpose", "instruction")[0] == 2
    assert shell("token", "nobody", "--space", "tx/grand-bend", "--purpose", "instruction")[0] == 2
    for act, allowed in (("suspend", 2), ("resume", 0), ("revoke", 2)):
        assert shell("client", act, "readwell")[0] == 0
        assert shell("token", "readwell", "--space", "tx/grand-bend", "--purpose", "instruction")[0] == allowed
    assert shell("client", "resume", "readwell")[0] == 2
    assert shell("client", "rotate", "readwell")[0] == 2


def test_a_control_database_that_cannot_be_opened_is_unavailable(shell: Shell) -> None:
    (shell.home / "homeroom.toml").write_text('control = "sqlite:///no/such/folder/control.db"\n' + TOML)
    status, text = shell("client", "list")
    assert status == 4
    assert text.startswith("homeroom: ")


def test_a_signing_key_is_rotated_and_listed(shell: Shell) -> None:
    (first,) = read_keys(shell.home / "keys", 300).by_kid
    status, text = shell("--format", "json", "keys", "rotate")
    new = json.loads(text)["kid"]
    assert (status, json.loads(text)["taken_away"]) == (0, [])
    listed = {key["kid"]: key for key in json.loads(shell("--format", "json", "keys", "list")[1])}
    assert (listed[first]["state"], listed[new]["state"]) == ("signing", "next")
    assert listed[first]["verifies_until"] > listed[new]["signs_from"] > listed[new]["made"]
    assert listed[new]["verifies_until"] is None
    said = shell("keys", "list")[1].splitlines()
    assert said == [f"{first}  signs", f"{new}  is published, and signs from {listed[new]['signs_from']}"]


def test_a_signing_key_that_leaked_is_taken_away_at_once(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.keys.SECOND", 0.01)
    (leaked,) = read_keys(shell.home / "keys", 300).by_kid
    status, text = shell("keys", "rotate", "--now")
    assert (status, f"{leaked} is taken away." in text) == (0, True)
    (new,) = read_keys(shell.home / "keys", 300).by_kid
    assert new != leaked
    assert shell("keys", "list")[1] == f"{new}  signs\n"


def test_an_installation_that_lost_its_keys_is_told_so(shell: Shell) -> None:
    for file in (shell.home / "keys" / "oauth").iterdir():
        file.unlink()
    assert shell("keys", "list")[0] == shell("keys", "rotate")[0] == 3
