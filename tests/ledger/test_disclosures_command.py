"""`homeroom disclosures`, as an officer runs it."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.main import homeroom
from app.errors import HomeroomError, Unavailable, UsageError
from app.ledger import Checkpoints, Kind, Ledger
from app.ledger.checkpoints import create_key
from app.ledger.store import entry
from app.settings import Settings, read_settings
from app.spaces.tables import student
from app.storage import control
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from tests.ledger.samples import SPACE, an_entry, disclosed

CONFIGURATION = """
[spaces."tx/grand-bend"]
database = "sqlite:///tx.db"
ledger = "sqlite:///tx-ledger.db"
"""
DISTRICT = """
name = "Grand Bend ISD"
time_zone = "America/Chicago"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation with one space, two students and three disclosures."""
    (tmp_path / "homeroom.toml").write_text(CONFIGURATION)
    district = tmp_path / "policies" / "tx" / "grand-bend" / "district.toml"
    district.parent.mkdir(parents=True)
    district.write_text(DISTRICT)
    settings = read_settings(tmp_path / "homeroom.toml")
    create_key(settings.keys_folder / "ledger.json")
    (settings.keys_folder / "spaces").mkdir()
    (settings.keys_folder / "spaces" / "tx-grand-bend.key").write_text("ab" * 32)
    asyncio.run(fill(settings))
    return settings


async def fill(settings: Settings) -> None:
    control_db, space, ledger_db = (
        open_engine(settings.database_url(url))
        for url in (settings.control, settings.spaces[SPACE].database, settings.spaces[SPACE].ledger)
    )
    await migrate(control_db, "control")
    await migrate(space, "space")
    await migrate(ledger_db, "ledger")
    async with control_db.begin() as connection:
        values = {"id": "readwell", "name": "ReadWell", "standing": "active", "scopes": [], "created": 0}
        await connection.execute(insert(control.client), values)
    async with space.begin() as connection:
        rows = [
            {"row": 1, "source_key": "one", "student_unique_id": "604821"},
            {"row": 2, "source_key": "two", "student_unique_id": "604822"},
        ]
        await connection.execute(insert(student), rows)
    ledger = Ledger(ledger_db, SPACE, Checkpoints.of(settings, SPACE))
    await ledger.record(an_entry(request="a", disclosed=disclosed(1, 2)))
    await ledger.record(an_entry(request="b", client="mathly", operation=None, disclosed=disclosed(2)))
    await ledger.record(
        an_entry(request="c", kind=Kind.CHUNK, purpose="\x1b[2Jrostering", denied=(), disclosed=(), complete=False)
    )
    await ledger.close()
    await each_disposed(control_db, space, ledger_db)


async def each_disposed(*engines: AsyncEngine) -> None:
    for engine in engines:
        await engine.dispose()


def run(settings: Settings, *arguments: str, form: str = "text") -> Result:
    config = str(settings.home / "homeroom.toml")
    return CliRunner().invoke(homeroom, ["--config", config, "--format", form, "disclosures", *arguments])


def failure(result: Result) -> HomeroomError:
    assert isinstance(result.exception, HomeroomError)
    return result.exception


def test_list_shows_the_newest_first_in_the_districts_time(settings: Settings) -> None:
    chunk, mathly, readwell = run(settings, "list", SPACE).output.splitlines()
    assert (
        "2026-09-01 07:00:00-05:00  answer   readwell  instruction  Roster  2 students  Student.firstName" in readwell
    )
    assert "denied: Student.birthDate NOT_GRANTED" in readwell
    assert "mathly  instruction  -  1 student  " in mathly
    assert chunk.endswith("incomplete")
    assert "\x1b" not in chunk


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--client", "mathly"], ["b"]),
        (["--student", "one"], ["a"]),
        (["--student", "604822"], ["b", "a"]),
        (["--limit", "1"], ["c"]),
        (["--since", "2026-09-01", "--until", "2026-09-01"], ["c", "b", "a"]),
        (["--since", "2026-09-02"], []),
        (["--until", "2026-08-31"], []),
    ],
)
def test_list_filters(settings: Settings, options: list[str], expected: list[str]) -> None:
    found = json.loads(run(settings, "list", SPACE, *options, form="json").output)
    assert [each["request"] for each in found] == expected


def test_list_as_json_says_how_many_students_and_not_which(settings: Settings) -> None:
    [found] = json.loads(run(settings, "list", SPACE, "--student", "one", form="json").output)
    assert found["disclosed"] == [{"coordinates": ["Student.firstName"], "students": 2, "records": 2}]
    assert found["denied"] == [{"coordinate": "Student.birthDate", "reason": "NOT_GRANTED"}]


def test_list_says_so_when_nothing_fits(settings: Settings) -> None:
    assert run(settings, "list", SPACE, "--client", "nobody").output == "Nothing is recorded that fits.\n"


def test_student_answers_a_parent(settings: Settings) -> None:
    output = run(settings, "student", SPACE, "604821").output
    assert output.startswith("Who received data about student 604821\nGrand Bend ISD, ")
    assert "ReadWell (readwell)" in output
    assert "mathly" not in output


def test_student_as_json(settings: Settings) -> None:
    found = json.loads(run(settings, "student", SPACE, "two", form="json").output)
    assert [(each["client"], each["days"], each["count"]) for each in found] == [
        ("mathly", ["2026-09-01"], 1),
        ("readwell", ["2026-09-01"], 1),
    ]


def test_student_does_without_the_vendors_names_and_the_districts(settings: Settings) -> None:
    (settings.home / "control.db").unlink()
    (settings.policies_folder / "tx" / "grand-bend" / "district.toml").write_text("name = ")
    output = run(settings, "student", SPACE, "one").output
    assert "tx/grand-bend, from its record" in output
    assert "\nreadwell\n" in output


def test_a_student_that_is_unknown_is_said_to_be_without_repeating_the_key(settings: Settings) -> None:
    error = failure(run(settings, "student", SPACE, "nobody"))
    assert isinstance(error, UsageError)
    assert "nobody" not in error.message


def test_a_space_that_is_unknown_is_said_to_be(settings: Settings) -> None:
    for command in (["list", "tx/none"], ["student", "tx/none", "one"], ["verify", "tx/none"]):
        assert (
            "There is no such space. The spaces of this installation: tx/grand-bend."
            in failure(run(settings, *command)).message
        )


def test_a_space_that_cannot_be_read_is_unavailable(settings: Settings) -> None:
    (settings.home / "tx.db").write_bytes(b"no database" * 1000)
    assert isinstance(failure(run(settings, "student", SPACE, "one")), Unavailable)


def test_summarize_makes_the_summary_anew(settings: Settings) -> None:
    assert "made anew from 3 entries" in run(settings, "summarize", SPACE).output
    assert json.loads(run(settings, "summarize", SPACE, form="json").output) == {"entries": 3}


def test_verify_ends_with_0_for_a_sound_ledger(settings: Settings) -> None:
    result = run(settings, "verify", SPACE)
    assert result.exit_code == 0
    assert "request c: interrupted after 0 records" in result.output
    assert "The ledger of tx/grand-bend is as it was recorded: 3 entries, " in result.output
    assert json.loads(run(settings, "verify", SPACE, form="json").output)["sound"] is True


@pytest.fixture
def cut(settings: Settings) -> Settings:
    """The same, with its last entry removed and many lines of nonsense among the checkpoints."""

    async def tamper() -> None:
        engine = open_engine(settings.database_url(settings.spaces[SPACE].ledger))
        async with engine.begin() as connection:
            await connection.execute(delete(entry).where(entry.c.sequence == 3))
        await engine.dispose()

    asyncio.run(tamper())
    with open(settings.home / "checkpoints" / "tx-grand-bend.jsonl", "a") as file:
        file.write("{}\n" * 105)
    return settings


def test_verify_ends_with_1_for_a_ledger_that_was_cut(cut: Settings) -> None:
    result = run(cut, "verify", SPACE)
    assert result.exit_code == 1
    assert "... and 6 findings more." in result.output
    assert "The ledger of tx/grand-bend is not as it was recorded: 2 entries, " in result.output
    assert json.loads(run(cut, "verify", SPACE, form="json").output)["sound"] is False


def test_list_says_when_there_is_more_than_it_shows(settings: Settings) -> None:
    assert "there are more" in run(settings, "list", "tx/grand-bend", "--limit", "1").stderr
    assert "there are more" not in run(settings, "list", "tx/grand-bend").stderr


def test_student_reads_the_districts_sentence_for_a_purpose(settings: Settings) -> None:
    policy = settings.home / "policies/tx/grand-bend/district.toml"
    policy.parent.mkdir(parents=True, exist_ok=True)
    purposes = 'purposes = { instruction = "Instruction in the classroom" }'
    policy.write_text(f'name = "Grand Bend ISD"\ntime_zone = "America/Chicago"\n{purposes}\n')
    assert "Purpose: Instruction in the classroom" in run(settings, "student", "tx/grand-bend", "604821").stdout
