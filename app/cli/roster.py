"""`homeroom import`: load a district's roster into its space."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from app.cli.main import Context
from app.errors import UsageError
from app.names import SpaceId
from app.settings import Settings

REJECTED = 5


@click.command("import")
@click.argument("space")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["oneroster", "edfi"]), help="Found out if left out.")
@click.option("--dry-run", is_flag=True, help="Do everything but store it.")
@click.pass_obj
def import_command(context: Context, space: str, source: Path, form: str | None, dry_run: bool) -> int:
    """Load a roster, a OneRoster CSV or Ed-Fi XML folder or zip archive, into SPACE from SOURCE."""
    import json

    from app.importers.report import Report
    from app.importers.roster import import_roster
    from app.opening import space_secret
    from app.storage.engines import open_engine
    from app.storage.migrate import migrate

    settings = context.settings()
    if space not in settings.spaces:
        raise UsageError(f"There is no space {space!r}. Add it with `homeroom space add`, or name one that is there.")
    policy = _ssn_and_zone(settings, SpaceId(space))

    async def run() -> Report:
        engine = open_engine(settings.database_url(settings.spaces[space].database))
        try:
            await migrate(engine, "space")
            with _progress() as progress:
                return await import_roster(
                    engine,
                    source,
                    form,  # type: ignore[arg-type]
                    secret=space_secret(settings, SpaceId(space)),
                    ssn=policy[0],  # type: ignore[arg-type]
                    dry_run=dry_run,
                    progress=progress,
                    today=datetime.now(UTC).astimezone(policy[1]).date(),
                )
        finally:
            await engine.dispose()

    report = asyncio.run(run())
    click.echo(json.dumps(report.as_dict(), indent=2) if context.json else report.as_text())
    return REJECTED if report.rejections else 0


def _ssn_and_zone(settings: Settings, space: SpaceId) -> tuple[str, ZoneInfo]:
    """What the district's policy says of social security numbers, and its time zone; silence leaves the numbers out."""
    from app.policy.reading import read_folder, read_policies

    found = read_policies(read_folder(settings.policies_folder)).spaces.get(space)
    if found is None or found.district is None:
        return "leave-out", ZoneInfo("UTC")
    return str(found.district.ssn), ZoneInfo(found.district.time_zone)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on a terminal; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading")

        def told(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total)

        yield told
