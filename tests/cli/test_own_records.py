"""`optout`, `retention` and `erase`, as a district's officer runs them, and what the ledger says of it afterwards."""

import asyncio
import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from pyroaring import BitMap

from app.cli.main import homeroom
from app.errors import ConfigurationError, HomeroomError, Unavailable, UsageError
from app.installing import add_space, create
from app.ledger import Checkpoints, Ledger, Whose
from app.oauth.clients import add_client
from app.schema.catalogue import SCOPES
from app.settings import Settings
from app.spaces.state import CURRENT
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from tests import worlds
from tests.ledger.samples import an_entry

SPACE = str(worlds.SPACE)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Larkspur, one client, and one answer that held Ana and Max."""
    return asyncio.run(made(tmp_path / "home"))


async def made(home: Path) -> Settings:
    settings = await add_space(create(home), SPACE, "Larkspur ISD", worlds.TIME_ZONE)
    place = settings.spaces[SPACE]
    control, space, ledger_db = (
        open_engine(settings.database_url(url)) for url in (settings.control, place.database, place.ledger)
    )
    await migrate(control, "control")
    await migrate(ledger_db, "ledger")
    await worlds.build(space)
    await add_client(control, "readwell", scopes=frozenset(SCOPES), now=0)
    ledger = Ledger(ledger_db, worlds.SPACE, Checkpoints.of(settings, worlds.SPACE))
    await ledger.record(an_entry(disclosed=(Whose(("Student.firstName",), BitMap([worlds.ANA, worlds.MAX]), 2),)))
    await ledger.close()
    for engine in (control, space, ledger_db):
        await engine.dispose()
    return settings


def run(settings: Settings, *arguments: str, form: str = "text", answer: str | None = None) -> Result:
    config = str(settings.home / "homeroom.toml")
    given = ["--config", config, "--format", form, *arguments]
    return CliRunner().invoke(homeroom, given, input=answer, standalone_mode=False)


def ok(settings: Settings, *arguments: str, form: str = "text", answer: str | None = None) -> str:
    result = run(settings, *arguments, form=form, answer=answer)
    assert result.exception is None, result.exception
    return result.stdout


def failure(result: Result) -> HomeroomError:
    assert isinstance(result.exception, HomeroomError)
    return result.exception


def listed(settings: Settings, *options: str) -> list[str]:
    """The ledger's sentences, newest first, without number and time."""
    return [
        re.sub(r"^ *\d+  \S+ \S+  ", "", line)
        for line in ok(settings, "disclosures", "list", SPACE, *options).splitlines()
    ]


def mark(settings: Settings) -> str | None:
    async def read() -> str | None:
        engine = open_engine(settings.database_url(settings.spaces[SPACE].database))
        async with engine.connect() as connection:
            found: str | None = await connection.scalar(CURRENT)
        await engine.dispose()
        return found

    return asyncio.run(read())


def test_an_opt_out_is_recorded_listed_entered_and_taken_back(settings: Settings) -> None:
    before = mark(settings)
    assert ok(settings, "optout", SPACE, "max") == "Opt-outs recorded: 1. 0 stood already.\n"
    assert mark(settings) != before
    assert "0. 1 stood already" in ok(settings, "optout", SPACE, "600000005")  # the unique id is the same student
    ok(settings, "optout", SPACE, "max", "--client", "readwell")
    shown = ok(settings, "optout", SPACE, "--list")
    assert re.search(r"max  every vendor  since \d{4}-", shown)
    assert "max  readwell  since" in shown
    assert "Opt-outs that stand: 2. Students whose directory information is blocked: 1." in shown
    told = ok(settings, "optout", SPACE, "max", "--remove")
    assert "Opt-outs taken back: 1. 0 did not stand." in told
    assert "still opted out of readwell" in told
    assert "0. 1 did not stand" in ok(settings, "optout", SPACE, "max", "--remove")
    assert listed(settings, "--student", "max")[:3] == [
        "No longer opted out of every vendor: 1 student.",
        "Opted out of readwell: 1 student.",
        "Opted out of every vendor: 1 student.",
    ]
    assert listed(settings, "--client", "readwell")[0] == "Opted out of readwell: 1 student."
    assert "readwell" in ok(settings, "disclosures", "student", SPACE, "max")
    assert "The ledger of tx/larkspur is as it was recorded" in ok(settings, "disclosures", "verify", SPACE)


def test_a_family_opts_out_of_directory_information(settings: Settings, tmp_path: Path) -> None:
    ok(settings, "optout", SPACE, "max", "--directory")
    shown = ok(settings, "optout", SPACE, "--list")
    assert "max  directory information  since" in shown
    assert "directory information is blocked: 2." in shown  # Ivy's is by the roster
    assert listed(settings)[0] == "Opted out of directory information: 1 student."
    file = tmp_path / "blocked.csv"
    file.write_text("key,client\nmax,\nana,readwell\nleo,\n")
    result = run(settings, "optout", SPACE, "--file", str(file), "--directory")
    assert "Opt-outs recorded: 1. 1 stood already." in result.stdout
    assert "blocked.csv:3: The line has a cell too many." in result.stdout
    assert "taken back: 1" in ok(settings, "optout", SPACE, "max", "--directory", "--remove")
    assert listed(settings)[0] == "No longer opted out of directory information: 1 student."
    for wrong in (["max", "--directory", "--client", "readwell"], ["--directory", "--list"]):
        assert isinstance(failure(run(settings, "optout", SPACE, *wrong)), UsageError)


def test_a_file_of_opt_outs_is_taken_in_one_go_and_what_names_nobody_is_listed_by_line(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "opt-outs.csv"
    file.write_text("\ufeffKey,Client\nmax,\n600000002,readwell\nnobody,\n\nana,unknown\n,readwell\nkim,,more\nmax,\n")
    result = run(settings, "optout", SPACE, "--file", str(file))
    assert result.return_value == 5
    assert "Opt-outs recorded: 2. 1 stood already." in result.stdout
    for line, word in ((4, "no student"), (6, "no such client"), (7, "no key"), (8, "a cell too many")):
        assert re.search(rf"opt-outs\.csv:{line}: .*{word}", result.stdout)
    assert "Not taken: 4 lines." in result.stdout
    assert "nobody" not in result.stdout
    found = json.loads(ok(settings, "optout", SPACE, "--list", form="json"))
    assert [(one["key"], one["of"], one["present"]) for one in found["optOuts"]] == [
        ("leo", "readwell", True),
        ("max", "every vendor", True),
    ]
    assert listed(settings)[:2] == ["Opted out of readwell: 1 student.", "Opted out of every vendor: 1 student."]
    told = json.loads(run(settings, "optout", SPACE, "--file", str(file), "--remove", form="json").stdout)
    assert (told["changed"], [one["line"] for one in told["refused"]]) == (2, [4, 7, 8])


@pytest.mark.parametrize(
    "text",
    [b"client\nreadwell\n", b"key;client\nmax;\n", b"key,key\n", b"key,vendor\n", b"", b"key\n\xff\n", b'key\n"a'],
)
def test_a_file_that_is_none_is_refused_whole(settings: Settings, tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "opt-outs.csv"
    file.write_bytes(text)
    assert isinstance(failure(run(settings, "optout", SPACE, "--file", str(file))), UsageError)
    assert "Opt-outs that stand: 0." in ok(settings, "optout", SPACE, "--list")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nobody"],
        ["max", "--client", "unknown"],
        [],
        ["max", "--list"],
        ["--list", "--remove"],
        ["--file", "none.csv", "--client", "readwell"],
        ["--file", "none.csv"],
    ],
)
def test_an_opt_out_that_cannot_be_is_refused_without_repeating_it(settings: Settings, arguments: list[str]) -> None:
    error = failure(run(settings, "optout", SPACE, *arguments))
    assert isinstance(error, UsageError)
    assert "nobody" not in error.message
    assert "unknown" not in error.message


def test_nothing_is_done_if_the_ledger_cannot_say_so(settings: Settings) -> None:
    ledger = Path(settings.database_url(settings.spaces[SPACE].ledger).partition("///")[2])
    ledger.chmod(0o600)
    ledger.write_bytes(b"no database" * 1000)
    for suffix in ("-wal", "-shm"):
        ledger.with_name(ledger.name + suffix).unlink(missing_ok=True)
    assert isinstance(failure(run(settings, "optout", SPACE, "max")), Unavailable)
    assert isinstance(failure(run(settings, "erase", SPACE, "max", "--yes")), Unavailable)
    assert "Opt-outs that stand: 0." in ok(settings, "optout", SPACE, "--list")


def keep(settings: Settings, text: str) -> None:
    file = settings.policies_folder / SPACE / "district.toml"
    file.write_text(f"{file.read_text()}\n[retention]\n{text}\n")


def test_retention_says_what_would_go_then_deletes_it_and_enters_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.acting.now", lambda: worlds.NOW)
    keep(settings, "Grade = 0\nSection = 0\nSchool = 3")
    before = mark(settings)
    tried = ok(settings, "retention", SPACE, "--dry-run")
    assert "grades, kept 0 school years after their own: 2 too old" in tried
    assert "sections, kept 0 school years after their own: 0 too old; 1 more are, but a record that stays" in tried
    assert "schools, kept 3 school years after their own: 0 too old; 3 kept, for no date" in tried
    assert tried.endswith("This would delete: 2 grades.\n")
    assert mark(settings) == before
    assert ok(settings, "retention", SPACE).endswith("Deleted: 2 grades.\n")
    assert mark(settings) != before
    assert listed(settings)[0] == "Deleted at the end of their retention: 2 grades."
    assert listed(settings, "--student", "gus") == ["Deleted at the end of their retention: 2 grades."]
    again = json.loads(ok(settings, "retention", SPACE, form="json"))
    assert again["deleted"] == {}
    assert again["classes"]["Section"] == {"years": 0, "gone": 0, "held": 1, "undated": 1}
    assert len([line for line in listed(settings) if line.startswith("Deleted")]) == 1


def test_without_a_policy_that_says_so_nothing_is_deleted(settings: Settings) -> None:
    assert "everything is kept.\nDeleted: nothing." in ok(settings, "retention", SPACE)
    keep(settings, "Pupil = 1\nGrade = 0")
    error = failure(run(settings, "retention", SPACE))
    assert isinstance(error, ConfigurationError)
    assert re.search(r"district\.toml:\d+: retention\.Pupil: There is no such class", error.message)
    (settings.policies_folder / SPACE / "district.toml").write_text("name = ")
    assert isinstance(failure(run(settings, "retention", SPACE)), ConfigurationError)
    assert isinstance(failure(run(settings, "retention", "tx/none")), UsageError)


def test_an_erased_student_is_gone_and_their_past_disclosures_are_still_answered(settings: Settings) -> None:
    ok(settings, "optout", SPACE, "max")
    asked = run(settings, "erase", SPACE, "max", answer="n\n")
    assert isinstance(asked.exception, click.Abort)
    everything = "1 student, 1 school enrollment, 1 section enrollment, 1 grade, 1 contact, 1 attendance event"
    assert f"This takes {everything}" in asked.stderr
    assert "1 opt-out out of tx/larkspur, and cannot be undone" in asked.stderr
    assert "Opt-outs that stand: 1." in ok(settings, "optout", SPACE, "--list")
    told = ok(settings, "erase", SPACE, "600000005", "--yes")
    assert told.startswith(f"Erased: {everything}")
    assert "Opt-outs that stand: 0." in ok(settings, "optout", SPACE, "--list")
    for key in ("max", "600000005"):
        page = ok(settings, "disclosures", "student", SPACE, key)
        assert "readwell" in page
        assert "student: first name" in page
    assert listed(settings, "--student", "max")[0].startswith("Erased, a student with everything of theirs: 1 student")
    assert "Huber" not in "".join(listed(settings))
    assert isinstance(failure(run(settings, "erase", SPACE, "max", "--yes")), UsageError)
    assert isinstance(failure(run(settings, "disclosures", "student", SPACE, "nobody")), UsageError)


def test_an_erased_student_is_readmitted_only_by_name(settings: Settings) -> None:
    done = json.loads(ok(settings, "erase", SPACE, "max", "--yes", form="json"))
    assert done["erased"]["Student"] == 1
    assert isinstance(failure(run(settings, "erase", SPACE, "ana", "--readmit")), UsageError)
    assert "as a new record and without opt-outs" in ok(settings, "erase", SPACE, "max", "--readmit")
    assert listed(settings)[0] == "An erased student may be imported again."
    assert isinstance(failure(run(settings, "erase", SPACE, "max", "--readmit", form="json")), UsageError)


def test_the_ledgers_entries_of_acts_are_told_to_other_programs(settings: Settings) -> None:
    ok(settings, "erase", SPACE, "max", "--yes")
    [found, _] = json.loads(ok(settings, "disclosures", "list", SPACE, form="json"))
    assert (found["kind"], found["disclosed"]) == ("erasure", [])
    assert {"coordinates": ["Grade"], "students": 1, "records": 1} in found["concerned"]
