"""An import, from its source to its report: all that can be taken in one transaction, and every row that cannot."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from app.registry.bounds import UnfitError
from app.registry.reading import Form, Row, read
from app.registry.resource import Resource
from app.registry.store import Stored, remove_others, store, writing

SHOWN = 1_000
TOLD = 50
BATCH = 2_000


@dataclass(slots=True)
class Report:
    """What an import met and what became of it, in numbers and places."""

    rows: int = 0
    stored: Stored = field(default_factory=Stored)
    rejections: int = 0
    rejected: list[tuple[str, int, str | None, str]] = field(default_factory=list)  # file, line, column, reason
    kept: bool = False  # that nothing was removed, since rows were rejected
    dry_run: bool = False

    def reject(self, row: Row, column: str | None, reason: str) -> None:
        """List a row that is not taken."""
        self.rejections += 1
        if len(self.rejected) < SHOWN:
            self.rejected.append((row.file, row.line, column, reason))

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        keys = ("file", "line", "column", "reason")
        return {
            "read": self.rows,
            "created": self.stored.created,
            "updated": self.stored.updated,
            "unchanged": self.stored.unchanged,
            "removed": self.stored.removed,
            "rejections": self.rejections,
            "rejected": [dict(zip(keys, one, strict=True)) for one in self.rejected],
            "dryRun": self.dry_run,
        }

    def as_text(self) -> str:
        """The report as a person reads it."""
        done = self.stored
        lines = [
            f"{self.rows:,} {'row' if self.rows == 1 else 'rows'} read: {done.created:,} created, "
            f"{done.updated:,} updated, {done.unchanged:,} unchanged, {done.removed:,} removed."
        ]
        if self.rejections:
            lines.append(f"{self.rejections:,} {'row' if self.rejections == 1 else 'rows'} rejected:")
            for file, line, column, reason in self.rejected[:TOLD]:
                lines.append(f"  {file}:{line}: {column}: {reason}" if column else f"  {file}:{line}: {reason}")
            if self.rejections > TOLD:
                lines.append(f"  … and {self.rejections - TOLD:,} more; `--format json` lists the first {SHOWN:,}.")
        if self.kept:
            lines.append("Nothing was removed: a rejected row may be of a resource that is there. Mend the rows first.")
        if self.dry_run:
            lines.append("This was a dry run: the index is as it was.")
        return "\n".join(lines)


async def import_resources(
    engine: AsyncEngine, source: Path, form: Form | None = None, *, replace: bool = False, dry_run: bool = False
) -> Report:
    """Take a source into the index. `replace`: what the source does not hold is removed.

    Raises: UsageError, SourceError, Unavailable; nothing was stored then.
    """
    report = Report(dry_run=dry_run)
    seen: dict[str, tuple[str, int]] = {}
    waiting: dict[str, Resource] = {}
    async with writing(engine, dry_run=dry_run) as connection:
        for row in read(source, form):
            report.rows += 1
            if isinstance(row.read, UnfitError):
                report.reject(row, row.read.column, row.read.reason)
                continue
            id_ = row.read.id
            if id_ in seen:
                file, line = seen[id_]
                report.reject(row, "url", f"The same resource stands in {file}:{line} already. Keep one of them.")
                continue
            seen[id_] = (row.file, row.line)
            waiting[id_] = row.read
            if len(waiting) >= BATCH:
                await store(connection, waiting, report.stored)
                waiting.clear()
        await store(connection, waiting, report.stored)
        report.kept = replace and bool(report.rejections)
        if replace and not report.rejections:
            await remove_others(connection, seen, report.stored)
    return report
