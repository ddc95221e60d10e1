"""An archive is its owner's alone, is whole or refused, and overwrites nothing where it is restored."""

import io
import json
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from app.archive.backup import back_up
from app.archive.restore import restore
from app.errors import ConfigurationError, HomeroomError, Unavailable, UsageError
from app.installing import add_space, create
from app.settings import Settings, read_settings
from app.spaces.returned import GAP
from app.spaces.tables import student
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from tests import worlds
from tests.postgres import Server as Postgres

pytestmark = pytest.mark.anyio


async def installation(home: Path, database: str | None = None) -> Settings:
    settings = create(home)
    settings = await add_space(settings, worlds.SPACE, "Larkspur", worlds.TIME_ZONE, database=database)
    engine = open_engine(settings.database_url(settings.spaces[worlds.SPACE].database))
    await worlds.build(engine)
    await engine.dispose()
    control = open_engine(settings.database_url(settings.control))
    await migrate(control, "control")
    await control.dispose()
    return settings


async def archived(settings: Settings, file: Path) -> Path:
    await back_up(settings, settings.home / "homeroom.toml", file)
    return file


@pytest.fixture
async def archive(tmp_path: Path) -> Path:
    return await archived(await installation(tmp_path / "home"), tmp_path / "backup.tar")


def rewritten(archive: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with its files changed."""
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    change(files)
    with tarfile.open(archive, "w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return archive


async def refusal(archive: Path, folder: Path, databases: dict[str, str] | None = None) -> HomeroomError:
    with pytest.raises(HomeroomError) as told:
        await restore(archive, folder, databases or {})
    assert not folder.exists() or not list(folder.iterdir())
    return told.value


async def test_an_archive_is_its_owners_alone_and_nothing_lies_beside_it(tmp_path: Path, archive: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["backup.tar", "home"]
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert {"homeroom.toml", "databases/control.db", "databases/tx/larkspur.db", "keys/ledger.json"} <= set(names)
    assert names[-1] == "manifest.json"


async def test_a_backup_overwrites_nothing(tmp_path: Path, archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        await archived(read_settings(tmp_path / "home" / "homeroom.toml"), archive)
    assert archive.read_bytes() == before


async def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    settings = await installation(tmp_path / "home")
    (settings.home / "spaces" / worlds.SPACE / "space.db").unlink()
    (tmp_path / "out").mkdir()
    with pytest.raises(Unavailable, match="cannot be copied"):
        await archived(settings, tmp_path / "out" / "backup.tar")
    with pytest.raises(Unavailable, match="cannot be written"):
        await archived(settings, tmp_path / "gone" / "backup.tar")
    assert not list((tmp_path / "out").iterdir())


async def test_a_restored_installation_is_as_it_was(tmp_path: Path, archive: Path) -> None:
    restored = await restore(archive, tmp_path / "new", {})
    for name in (
        "homeroom.toml",
        "keys/ledger.json",
        "keys/spaces/tx-larkspur.key",
        "policies/tx/larkspur/district.toml",
    ):
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "home" / name).read_bytes()
    engine = open_engine(restored.settings.database_url(restored.settings.spaces[worlds.SPACE].database))
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT row, first_name FROM student ORDER BY row"))).all()
    await engine.dispose()
    assert [tuple(row) for row in rows] == [(it["row"], it["first_name"]) for it in worlds.STUDENTS]
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert all(not it.stat().st_mode & 0o077 for it in (tmp_path / "new").rglob("*") if it.is_file())


async def test_numbers_given_out_after_the_backup_never_name_another_record(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    sqlite = database_url.startswith("sqlite")
    if not sqlite:
        request.getfixturevalue("pg_dump")
    settings = await installation(tmp_path / "home", None if sqlite else database_url)
    url = settings.database_url(settings.spaces[worlds.SPACE].database)
    archive = await archived(settings, tmp_path / "backup.tar")
    after = await first_new_student(url)
    assert after == len(worlds.STUDENTS) + 1
    elsewhere = {} if sqlite else {worlds.SPACE: request.getfixturevalue("postgres").fresh()}
    restored = await restore(archive, tmp_path / "new", elsewhere)
    moved = restored.settings.database_url(restored.settings.spaces[worlds.SPACE].database)
    assert await first_new_student(moved) > after + GAP // 2
    engine = open_engine(moved)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT mark FROM space_state")) is not None
    await engine.dispose()


async def first_new_student(url: str) -> int:
    engine = open_engine(url)
    async with engine.begin() as connection:
        added = await connection.execute(insert(student).values(source_key="new").returning(student.c.row))
        number = int(added.scalar_one())
    await engine.dispose()
    return number


async def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, archive: Path) -> None:
    home = tmp_path / "home"
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    with pytest.raises(UsageError, match="not empty"):
        await restore(archive, home, {})
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == before


async def test_a_volume_that_is_new_may_be_restored_to(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "new" / "lost+found").mkdir(parents=True)
    await restore(archive, tmp_path / "new", {})
    assert read_settings(tmp_path / "new" / "homeroom.toml").spaces


def cut_off(files: dict[str, bytes]) -> None:
    del files["manifest.json"]


def one_bit(files: dict[str, bytes]) -> None:
    files["databases/tx/larkspur.db"] = files["databases/tx/larkspur.db"][:-1] + b"\xff"


def other_config(files: dict[str, bytes]) -> None:
    files["homeroom.toml"] += b"\n"


def more(files: dict[str, bytes]) -> None:
    files["keys/more.json"] = b"{}"


def climbing(files: dict[str, bytes]) -> None:
    files["keys/../../outside"] = files.pop("keys/ledger.json")
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["keys/../../outside"] = manifest["files"].pop("keys/ledger.json")
    files["manifest.json"] = json.dumps(manifest).encode()


def strange(files: dict[str, bytes]) -> None:
    files["elsewhere/ledger.json"] = files.pop("keys/ledger.json")
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["elsewhere/ledger.json"] = manifest["files"].pop("keys/ledger.json")
    files["manifest.json"] = json.dumps(manifest).encode()


def of_the_future(files: dict[str, bytes]) -> None:
    files["manifest.json"] = files["manifest.json"].replace(b'"format": 1', b'"format": 2')


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (cut_off, "no manifest"),
        (one_bit, "not what was backed up"),
        (other_config, "homeroom.toml is not what was backed up"),
        (more, "does not hold what its manifest lists"),
        (climbing, "something else than files of its own"),
        (strange, "nobody knows what"),
        (of_the_future, "or a newer one"),
    ],
)
async def test_an_archive_that_is_not_whole_is_refused_and_leaves_nothing(
    tmp_path: Path, archive: Path, change: Callable[[dict[str, bytes]], None], word: str
) -> None:
    error = await refusal(rewritten(archive, change), tmp_path / "new")
    assert word in error.message
    assert error.message.endswith(".")
    assert not (tmp_path / "outside").exists()


async def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "backup.tar").write_bytes(b"x" * 5000)
    assert "damaged" in (await refusal(tmp_path / "backup.tar", tmp_path / "new")).message


async def test_what_lay_elsewhere_is_taken_in(tmp_path: Path) -> None:
    settings = await installation(tmp_path / "home")
    for name in ("keys", "policies"):
        shutil.move(tmp_path / "home" / name, tmp_path / f"far-{name}")
    shutil.move(tmp_path / "home" / "control.db", tmp_path / "far.db")
    config = tmp_path / "home" / "homeroom.toml"
    changed = config.read_text().replace('= "keys"', f"= '{tmp_path}/far-keys'")
    changed = changed.replace('= "policies"', '= "../far-policies"').replace("///control.db", f"///{tmp_path}/far.db")
    config.write_text(changed)
    archive = await archived(read_settings(config), tmp_path / "backup.tar")
    restored = await restore(archive, tmp_path / "new", {})
    assert (restored.settings.keys, restored.settings.policies) == ("keys", "policies")
    assert (tmp_path / "new" / "keys" / "ledger.json").exists()
    assert (tmp_path / "new" / "databases" / "control.db").exists()
    assert "signing keys" in (tmp_path / "new" / "homeroom.toml").read_text()  # its comments are kept
    assert settings.spaces == restored.settings.spaces


async def test_a_place_that_cannot_be_rewritten_is_named(tmp_path: Path) -> None:
    settings = await installation(tmp_path / "home")
    shutil.move(tmp_path / "home" / "policies", tmp_path / "far")
    config = settings.home / "homeroom.toml"
    config.write_text(config.read_text().replace('= "policies"', '= """\\\n  ../far"""'))
    archive = await archived(read_settings(config), tmp_path / "backup.tar")
    with pytest.raises(ConfigurationError, match=r"homeroom.toml:\d+: policies: .*on one line"):
        await restore(archive, tmp_path / "new", {})


@pytest.mark.usefixtures("pg_dump")
async def test_postgresql_is_restored_where_nothing_is(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.fresh()
    settings = await installation(tmp_path / "home", f"{url}?schema=gb")
    archive = await archived(settings, tmp_path / "backup.tar")
    error = await refusal(archive, tmp_path / "new")
    assert "--database tx/larkspur=" in error.message
    assert postgres.password not in error.message
    for named, word in (
        ({"tx/oakdale": url}, "no PostgreSQL database of that name"),
        ({"tx/larkspur": f"{url}?schema=other"}, "keeps its schema"),
        ({"tx/larkspur": "postgresql://nobody@127.0.0.1:1/none"}, "does not answer"),
    ):
        assert word in (await refusal(archive, tmp_path / "new", named)).message
    restored = await restore(archive, tmp_path / "new", {"tx/larkspur": postgres.fresh()})
    assert restored.settings.spaces[worlds.SPACE].ledger.endswith("?schema=gb_ledger")


async def test_postgresql_may_be_left_to_its_own_backups(tmp_path: Path, postgres: Postgres) -> None:
    settings = await installation(tmp_path / "home", postgres.fresh())
    config = settings.home / "homeroom.toml"
    made = await back_up(settings, config, tmp_path / "backup.tar", skip_postgresql=True)
    assert made.databases[worlds.SPACE] is None
    assert made.databases["control"] is not None
    empty = {worlds.SPACE: postgres.fresh()}
    assert "restore that first" in (await refusal(tmp_path / "backup.tar", tmp_path / "new", empty)).message
    restored = await restore(tmp_path / "backup.tar", tmp_path / "new", {})
    url = restored.settings.database_url(restored.settings.spaces[worlds.SPACE].database)
    assert await first_new_student(url) > GAP


async def test_without_pg_dump_it_is_said_what_to_run(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = await installation(tmp_path / "home", postgres.fresh())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError) as told:
        await archived(settings, tmp_path / "backup.tar")
    assert "pg_dump --format=custom" in told.value.message
    assert "--skip-postgresql" in told.value.message
    assert postgres.password not in told.value.message
