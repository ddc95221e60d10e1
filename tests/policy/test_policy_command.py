"""`homeroom policy` on the command line, over a folder of policies and real databases."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.main import homeroom
from app.errors import UsageError
from app.ledger import Ledger
from app.names import Scope
from app.oauth.clients import State, add_client, set_state
from app.policy.documents import FORMS, schema_text
from app.requests.model import Deed, Done
from app.requests.store import noting
from app.spaces import tables
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.storage.published import publish, revision_of
from tests import worlds
from tests.ledger.samples import an_entry, checkpoints_in, disclosed
from tests.policy.texts import DISTRICT_FILE, GRANT, GRANT_FILE, READWELL, SCOPES, SPACE, STATE_FILE, files


def write(home: Path, tree: dict[str, bytes]) -> None:
    for name, data in tree.items():
        (home / "policies" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "policies" / name).write_bytes(data)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write(tmp_path, files())
    space = '[spaces."tx/grand-bend"]\ndatabase = "sqlite:///space.db"\nledger = "sqlite:///ledger.db"\n'
    (tmp_path / "homeroom.toml").write_text(space)
    return tmp_path


def run(home: Path, *arguments: str, form: str = "text") -> Result:
    whole = ["--config", str(home / "homeroom.toml"), "--format", form, "policy", *arguments]
    return CliRunner().invoke(homeroom, whole)


def register(home: Path, state: State, *scopes: str) -> None:
    async def fill(control: AsyncEngine) -> None:
        await migrate(control, "control")
        await add_client(control, "readwell", scopes=map(Scope, scopes), now=0)
        await set_state(control, "readwell", state)
        await control.dispose()

    asyncio.run(fill(open_engine(f"sqlite+aiosqlite:///{home / 'control.db'}")))


def disclose(home: Path, coordinates: tuple[str, ...], *, days_ago: int) -> None:
    """Let the ledger say that something left."""

    async def fill(ledger: AsyncEngine) -> None:
        await migrate(ledger, "ledger")
        folder = home / f"checkpoints-{days_ago}"
        kept = Ledger(ledger, SPACE, checkpoints_in(folder))
        at = datetime.now(UTC) - timedelta(days=days_ago)
        await kept.record(an_entry(at=at, disclosed=disclosed(1, coordinates=coordinates)))
        await kept.close()
        await ledger.dispose()

    asyncio.run(fill(open_engine(f"sqlite+aiosqlite:///{home / 'ledger.db'}")))


def store_school(home: Path, key: str) -> None:
    async def fill(space: AsyncEngine) -> None:
        await migrate(space, "space")
        async with space.begin() as connection:
            await connection.execute(insert(tables.school).values(source_key=key))
        await space.dispose()

    asyncio.run(fill(open_engine(f"sqlite+aiosqlite:///{home / 'space.db'}")))


def test_a_sound_folder_has_no_findings_and_makes_no_databases(home: Path) -> None:
    ran = run(home, "lint")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert "tx/grand-bend: its database could not be asked" in ran.stderr
    assert "0 findings in 1 space with 1 grant." in ran.stderr
    assert not list(home.glob("*.db"))


def test_findings_end_with_one_and_name_their_place(home: Path) -> None:
    write(home, files(grant=GRANT.replace('"races"', '"nickname"')))
    ran = run(home, "lint")
    assert ran.exit_code == 1
    assert f"{GRANT_FILE}:18: fields.Student: The graph has no Student.nickname" in ran.stdout
    told = json.loads(run(home, "lint", form="json").stdout)
    assert {(one["file"], one["line"], one["key"]) for one in told["findings"]} == {
        (GRANT_FILE, 18, "fields.Student"),
        (GRANT_FILE, 22, "approval"),
        (GRANT_FILE, 28, "approval"),
    }


def test_what_an_officer_revoked_is_no_finding(home: Path) -> None:
    ended = files(grant=GRANT.replace("2027-06-30", "2026-08-14"))
    write(home, ended)
    assert "never in force" in run(home, "lint").stdout

    async def revoke(control: AsyncEngine) -> None:
        await migrate(control, "control")
        await add_client(control, "readwell", scopes=SCOPES, now=0)
        file, revision = GRANT_FILE, str(revision_of(ended[GRANT_FILE]))
        at = datetime.now(UTC)
        done = Done(READWELL, "instruction", at, "o@x.example", "steward", Deed.REVOKE, "Over.", None, file, revision)
        async with noting(control, SPACE, lambda: asyncio.sleep(0)) as keep:
            await keep(done)
        await control.dispose()

    asyncio.run(revoke(open_engine(f"sqlite+aiosqlite:///{home / 'control.db'}")))
    ran = run(home, "lint")
    assert (ran.exit_code, ran.stdout) == (0, "")


def test_schools_and_clients_are_compared_with_the_databases(home: Path) -> None:
    write(home, files(grant=GRANT + '[rows]\nschools = ["255901107", "255901108"]\n'))
    store_school(home, "255901107")
    register(home, State.ACTIVE, "student/name.read")
    ran = run(home, "lint")
    assert "255901108" in ran.stdout
    assert "key 255901107" not in ran.stdout
    assert "readwell is not registered for enrollment/school.read" in ran.stdout
    assert "its database could not be asked" not in ran.stderr


def test_what_left_of_sensitive_fields_is_looked_up_in_the_ledger(home: Path) -> None:
    today = datetime.now(UTC).date()
    long_ago = f"not_before = {today - timedelta(days=200)}\nnot_after = {today + timedelta(days=100)}"
    grant = GRANT.replace("not_before = 2026-08-15\nnot_after = 2027-06-30", long_ago)
    grant = grant.replace("2026-07-", "2020-07-")
    write(home, files(grant=grant))
    disclose(home, ("Student.firstName",), days_ago=95)
    ran = run(home, "lint")
    assert ran.exit_code == 1
    assert ran.stdout == (
        f"{GRANT_FILE}:18: warning: fields.Student: Student.races is sensitive and was not used for 90 days. "
        "Take it out, or ask what it is for.\n"
    )
    assert "ledger could not be asked" not in ran.stderr
    assert run(home, "lint", "--errors").exit_code == 0
    disclose(home, ("Student.firstName", "Student.races"), days_ago=10)
    assert run(home, "lint").exit_code == 0


def test_a_ledger_that_is_young_tells_nothing_of_use(home: Path) -> None:
    today = datetime.now(UTC).date()
    write(
        home, files(grant=GRANT.replace("2026-08-15", str(today - timedelta(days=200))).replace("2026-07", "2020-07"))
    )
    disclose(home, ("Student.firstName",), days_ago=89)
    assert "not used" not in run(home, "lint").stdout


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "homeroom.toml").write_text("")
    assert run(tmp_path, "lint").exception.exit_status == 3  # type: ignore[union-attr]


def test_a_disclosed_field_is_explained_with_its_line(home: Path) -> None:
    ran = run(home, "explain", "readwell", "tx/grand-bend", "Student.firstName", "--on", "2026-09-15")
    assert ran.exit_code == 0
    assert ran.stdout.startswith("Student.firstName is disclosed to readwell.")
    assert f"({GRANT_FILE}:15)" in ran.stdout
    assert "not registered here" in ran.stderr
    ran = run(home, "explain", "readwell", "tx/grand-bend", "Student.lastSurname", "--on", "2026-09-15")
    assert ran.stdout.startswith("Student.lastSurname is disclosed to readwell as initial.")


ROWS = '[rows]\nschools = ["elm", "middle"]\ngrade_levels = ["05"]\nsubjects = ["Art"]\nenrollment = "active"\n'


def settle(home: Path) -> None:
    """Store the hand-written district in the space."""

    async def fill(space: AsyncEngine) -> None:
        await migrate(space, "space")
        await worlds.build(space)
        await space.dispose()

    asyncio.run(fill(open_engine(f"sqlite+aiosqlite:///{home / 'space.db'}")))


def test_whose_records_are_given_is_explained_with_lines(home: Path) -> None:
    write(home, files(grant=GRANT + ROWS))
    ran = run(home, "explain", "readwell", "tx/grand-bend", "Student.birthDate", "--on", "2026-10-15")
    assert ran.stdout.startswith(f"Student.birthDate is withheld from readwell: NOT_GRANTED.  ({GRANT_FILE}:13)\n")
    assert f"Of these records:\n      of schools elm and middle  ({GRANT_FILE}:34)\n" in ran.stdout
    write(home, files())
    ran = run(home, "explain", "readwell", "tx/grand-bend", "Student.birthDate", "--on", "2026-10-15")
    assert ran.stdout.endswith(
        "Of these records:\n      every one of the district\n"
        f"      none of a pupil whose family opted out  ({DISTRICT_FILE}:1)\n"
    )


def test_a_student_who_is_not_seen_is_explained(home: Path) -> None:
    settle(home)
    write(home, files(grant=GRANT + ROWS))

    def told(key: str) -> list[str]:
        told = ("explain", "readwell", "tx/grand-bend", "Student.firstName", "--on", "2026-10-15", "--student", key)
        return run(home, *told).stdout.partition("Of these records:\n")[2].splitlines()

    assert told("ana") == [
        f"  yes of schools elm and middle  ({GRANT_FILE}:34)",
        f"  yes in grade level 05  ({GRANT_FILE}:35)",
        f"      in the subject Art  ({GRANT_FILE}:36)",
        f"  yes enrolled today  ({GRANT_FILE}:37)",
        f"      none of a pupil whose family opted out  ({DISTRICT_FILE}:1)",
        "The student is in the rows.",
    ]
    assert told("kim")[0] == f"  NO  of schools elm and middle  ({GRANT_FILE}:34)"
    assert told("kim")[-1] == "The student is outside the rows."
    assert told("leo")[-1] == "The student is outside the rows: no one enrollment meets all of them."


def test_machines_are_told_of_a_student_too(home: Path) -> None:
    settle(home)
    write(home, files(grant=GRANT + ROWS))
    asked = (
        "explain",
        "readwell",
        "tx/grand-bend",
        "Student.firstName",
        "--on",
        "2026-10-15",
        "--student",
        "600000004",
    )
    told = json.loads(run(home, *asked, form="json").stdout)
    assert told["decided_at"] == {"file": GRANT_FILE, "line": 15}
    assert told["student_in_rows"] is False
    assert [(one["key"], one["line"], one["met"]) for one in told["records"]] == [
        ("schools", 34, False),
        ("grade_levels", 35, True),
        ("subjects", 36, None),
        ("enrollment", 37, True),
        ("opt_out", 1, None),
    ]


def test_a_student_of_whom_nothing_is_known_is_a_usage_error(home: Path) -> None:
    settle(home)
    asked = ("explain", "readwell", "tx/grand-bend", "Student.firstName", "--student", "nobody")
    assert isinstance(run(home, *asked).exception, UsageError)
    (home / "homeroom.toml").write_text("")
    assert isinstance(run(home, *asked).exception, UsageError)


def test_a_withheld_field_is_explained_for_machines(home: Path) -> None:
    arguments = ("explain", "readwell", "tx/grand-bend", "Student.birthDate", "--on", "2027-07-01")
    told = json.loads(run(home, *arguments, form="json").stdout)
    assert (told["disclosed"], told["reason"]) == (False, "GRANT_EXPIRED")
    failed = next(step for step in told["steps"] if not step["holds"])
    assert (failed["file"], failed["line"]) == (GRANT_FILE, 6)
    assert "renew" in told["advice"]


def test_the_clients_registration_counts(home: Path) -> None:
    register(home, State.ACTIVE, "student/demographics.read")
    told = ("explain", "readwell", "tx/grand-bend", "Student.firstName", "--on", "2026-09-15")
    assert "SCOPE_MISSING" in run(home, *told).stdout


def test_a_suspended_client_is_explained(home: Path) -> None:
    register(home, State.SUSPENDED, "student/name.read")
    ran = run(home, "explain", "readwell", "tx/grand-bend", "Student.firstName")
    assert "CLIENT_SUSPENDED" in ran.stdout


def test_an_explanation_shows_which_file_is_broken(home: Path) -> None:
    write(home, {STATE_FILE: b"max_days = "})
    ran = run(home, "explain", "readwell", "tx/grand-bend", "Student.firstName")
    assert "NO_GRANT" in ran.stdout
    assert f"{STATE_FILE}:1: " in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("read well", "tx/grand-bend", "Student.firstName"), "client_id"),
        (("readwell", "tx/nowhere", "Student.firstName"), "tx/grand-bend"),
        (("readwell", "tx/grand-bend", "Student.nickname"), "coordinate"),
        (("readwell", "tx/grand-bend", "Student.firstName"), "instruction, rostering"),
    ],
)
def test_what_cannot_be_explained_is_a_usage_error(home: Path, arguments: tuple[str, ...], words: str) -> None:
    write(home, {GRANT_FILE.replace("readwell", "readwell-2"): GRANT.replace('"instruction"', '"rostering"').encode()})
    ran = run(home, "explain", *arguments)
    assert isinstance(ran.exception, UsageError)
    assert words in ran.exception.message


def test_schemas_are_printed_alone_and_together(home: Path) -> None:
    together = json.loads(run(home, "schema").stdout)
    assert set(together) == set(FORMS)
    assert json.loads(run(home, "schema", "district").stdout) == together["district"]


def test_schemas_are_written_for_editors(home: Path) -> None:
    folder = home / "policies" / "schemas"
    assert run(home, "schema", "--into", str(folder)).exit_code == 0
    assert {file.stem: file.read_text() for file in folder.iterdir()} == {form: schema_text(form) for form in FORMS}
    assert isinstance(run(home, "schema", "--into", str(home / "homeroom.toml" / "no")).exception, UsageError)
    assert run(home, "lint").exit_code == 0


def test_where_a_file_is_broken_the_revision_in_force_is_explained(home: Path) -> None:
    async def publish_and_close(control: AsyncEngine) -> None:
        await migrate(control, "control")
        await publish(control, files())
        await control.dispose()

    asyncio.run(publish_and_close(open_engine(f"sqlite+aiosqlite:///{home / 'control.db'}")))
    write(home, {GRANT_FILE: GRANT.encode() + b"\n[rows\n"})
    result = run(home, "explain", "readwell", "tx/grand-bend", "Student.firstName", "--on", "2026-10-01")
    assert "Student.firstName is disclosed to readwell." in result.stdout
    assert "The revision before it is in force" in result.stderr
