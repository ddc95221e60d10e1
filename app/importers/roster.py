"""Import a roster: open it, read it, store it, report it. All or nothing."""

from datetime import date
from pathlib import Path
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncEngine

from app.importers.edfi.read import read_edfi
from app.importers.oneroster.read import read_oneroster
from app.importers.report import Report
from app.importers.sink import Sink
from app.importers.source import INNER, Progress, RosterError, Source, opened
from app.spaces.store import storing

Form = Literal["oneroster", "edfi"]


async def import_roster(
    engine: AsyncEngine,
    source: Path,
    form: Form | None = None,
    *,
    secret: bytes,
    ssn: Literal["leave-out", "store"] = "leave-out",
    dry_run: bool = False,
    progress: Progress | None = None,
    today: date,
) -> Report:
    """Load a district's files into its space, and say what became of every row.

    One transaction: a failure, or a dry run, leaves the space as it was. A second import of the same files writes
    nothing. Students whom the district erased are left out; `secret`, the space's, tells their keys.
    Raises: HomeroomError when the source cannot be read; Unavailable when the database fails.
    """
    report = Report(dry_run=dry_run)
    with opened(source, report, progress) as files:
        read = read_oneroster if (form or _form(files)) == "oneroster" else read_edfi
        if read is read_edfi:
            files.unfold(report)
        for archive in files.archives:
            report.note(archive.name, 0, None, INNER)
        async with storing(engine, secret=secret, dry_run=dry_run) as store:
            sink = Sink(store, report, keep_ssn=ssn == "store")
            await read(files, sink)
            await sink.close()
            report.add(await store.merge())
            await store.note_ssns(at=today.isoformat(), met=report.ssns_met, stored=report.ssns_stored)
    return report


def _form(source: Source) -> Form:
    """Which of the two forms the files have, by their names alone."""
    if any(file.name.lower() == "manifest.csv" for file in source.files):
        return "oneroster"
    if any(file.name.lower().endswith(".xml") for file in source.files):
        return "edfi"
    raise RosterError(
        "The source holds neither a OneRoster manifest.csv nor Ed-Fi XML files. "
        "Name the folder or archive that does, and its form with --format."
    )
