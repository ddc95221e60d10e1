"""What a source may not do: unfold without end, point outside itself, hide entities, or say less than it promises."""

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import HomeroomError, Unavailable
from app.importers import source as sources
from app.spaces.merging import Merging
from tests.importers.rosters import ONEROSTER, archive, bring, changed, everything, folder, manifest, rows, space

pytestmark = pytest.mark.anyio
CSV: dict[str, str | bytes] = {
    f"{name}.csv": text for name, text in {**ONEROSTER, "manifest": manifest(ONEROSTER)}.items()
}


async def test_an_archive_is_read_wherever_its_folder_lies(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    inside: dict[str, str | bytes] = {f"Export 2026/{name}": text for name, text in CSV.items()}
    report = await bring(sqlite_space, archive(tmp_path / "r.zip", {**inside, "__MACOSX/._users.csv": b"\0\1"}))
    assert (report.rejected, report.counts_in["Student"]) == ([], 2)


async def test_threat_32_an_entry_that_points_outside_is_refused(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    bad: dict[str, str | bytes] = {
        "../evil.csv": "x",
        "/etc/evil.csv": "x",
        "a/../../evil.xml": "x",
        "C:\\evil.csv": "x",
    }
    report = await bring(sqlite_space, archive(tmp_path / "r.zip", {**CSV, **bad}))
    assert len(report.rejected) == 4
    assert report.counts_in["Student"] == 2


async def test_a_nested_archive_is_not_opened(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", CSV).read_bytes()
    report = await bring(sqlite_space, archive(tmp_path / "r.zip", {**CSV, "more.zip": inner}))
    assert [one.file for one in report.noted] == ["more.zip"]


async def test_threat_32_a_zip_bomb_is_refused_before_it_is_read(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    with pytest.raises(HomeroomError, match="times its size"):
        await bring(sqlite_space, archive(tmp_path / "r.zip", {**CSV, "users.csv": b"," * 30_000_000}))


async def test_threat_32_an_archive_that_unfolds_too_far_is_refused(
    sqlite_space: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_BYTES", 1_000)
    with pytest.raises(HomeroomError, match="unfolds to more"):
        await bring(sqlite_space, archive(tmp_path / "r.zip", CSV))


async def test_an_archive_that_lies_about_a_file_is_refused(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    path = archive(tmp_path / "r.zip", {**CSV, "results.csv": ONEROSTER["results"] * 100})
    data = bytearray(path.read_bytes())
    at = data.index(b"\x78\x9c") if b"\x78\x9c" in data else len(data) // 3
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(HomeroomError):
        await bring(sqlite_space, path)
    assert await rows(sqlite_space, "School", "source_key") == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"not an archive"])
async def test_what_is_no_archive_is_said_to_be_none(sqlite_space: AsyncEngine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.zip").write_bytes(content)
    with pytest.raises(HomeroomError, match="neither a folder nor a zip"):
        await bring(sqlite_space, tmp_path / "r.zip")


async def test_a_source_that_is_not_there_is_said_so(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    with pytest.raises(HomeroomError, match="no such file"):
        await bring(sqlite_space, tmp_path / "nowhere")


async def test_threat_32_a_link_out_of_the_folder_is_not_followed(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    source = folder(tmp_path / "r", ONEROSTER)
    (tmp_path / "secret.csv").write_text("secret")
    (source / "more.csv").symlink_to(tmp_path / "secret.csv")
    report = await bring(sqlite_space, source)
    assert [one.file for one in report.rejected] == ["more.csv"]


async def test_a_manifest_keeps_its_promises(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    source = folder(tmp_path / "r", ONEROSTER)
    (source / "results.csv").unlink()
    with pytest.raises(HomeroomError, match=r"results\.csv is promised"):
        await bring(sqlite_space, source)
    (source / "manifest.csv").write_text("propertyName,value\noneroster.version,1.0\n")
    with pytest.raises(HomeroomError, match=r"oneroster\.version"):
        await bring(sqlite_space, source)


async def test_a_database_that_fails_in_the_middle_leaves_the_space_as_it_was(
    database: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await space(database)
    await bring(database, folder(tmp_path / "r", ONEROSTER))
    before = await everything(database)
    doom = Merging._doom

    async def failing(self: Merging, type_: str, *rest: object) -> None:
        if type_ == "SectionEnrollment":
            await self._connection.exec_driver_sql("SELECT * FROM no_such_table")
        await doom(self, type_, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Merging, "_doom", failing)
    with pytest.raises(Unavailable, match="Nothing was stored") as failure:
        await bring(database, folder(tmp_path / "s", changed("users", s1=None)))
    assert "no_such_table" not in failure.value.message
    assert await everything(database) == before
    monkeypatch.undo()
    assert (await bring(database, folder(tmp_path / "s", ONEROSTER))).changed is False


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from app.spaces import merging
from app.storage.engines import open_engine
from tests.importers.rosters import bring
doom = merging.Merging._doom
async def dying(self, type_, *rest):
    await doom(self, type_, *rest)
    if type_ == "SectionEnrollment":
        os.kill(os.getpid(), signal.SIGKILL)
merging.Merging._doom = dying
asyncio.run(bring(open_engine(sys.argv[1]), Path(sys.argv[2])))
"""


async def test_a_killed_import_leaves_the_space_as_it_was(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    await bring(sqlite_space, folder(tmp_path / "r", ONEROSTER))
    before = await everything(sqlite_space)
    source = folder(tmp_path / "s", changed("users", s1=None))
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(sqlite_space.url), str(source)],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert await everything(sqlite_space) == before


async def test_a_report_never_quotes_a_value(sqlite_space: AsyncEngine, tmp_path: Path) -> None:
    secret = "Zebulon"
    files = changed("users", s1=f"s1,{secret},,{secret},{secret},{secret},{secret},{secret},,,,,,,{secret},,")
    files["demographics"] += f"s9,,,{secret},{secret},{secret},{secret},{secret}\n{secret},,,{secret},,,,\n"
    files["enrollments"] += f"{secret},,,{secret},{secret},{secret},{secret},{secret},{secret},{secret}\n"
    report = await bring(sqlite_space, folder(tmp_path / "r", files))
    assert report.rejections >= 4
    assert secret not in report.as_text() + str(report.as_dict())


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("users.csv")
    info.flag_bits |= 1
    with pytest.raises(HomeroomError, match="encrypted"):
        sources._refuse_bombs(info, "users.csv")
