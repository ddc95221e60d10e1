"""`homeroom backup` and `homeroom restore`: an installation as one file, and an installation from it."""

import asyncio
from pathlib import Path

import click
import msgspec

from app.archive.backup import back_up
from app.archive.restore import restore as restore_archive
from app.cli.check import examine, tell
from app.cli.disclosures import print_json, print_verdict, verdict_as_json
from app.cli.finding import opened
from app.cli.main import Context
from app.errors import UsageError
from app.ledger.checkpoints import Checkpoints
from app.ledger.verify import Verdict, verify
from app.names import SpaceId
from app.settings import Settings

TAR = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", metavar="FILE.tar", type=TAR)
@click.option(
    "--skip-postgresql", is_flag=True, help="Leave PostgreSQL's databases to back-ups of their own; take all the rest."
)
@click.pass_obj
def backup(context: Context, file: Path, *, skip_postgresql: bool) -> None:
    """Copy the whole installation into one new file, while serving goes on.

    It holds everything: databases, policies, checkpoints, and the keys. Keep it where only you can read it.
    """
    made = asyncio.run(back_up(context.settings(), context.config, file, skip_postgresql=skip_postgresql))
    size = file.stat().st_size
    left = [name for name, copy in made.databases.items() if copy is None]
    if context.json:
        print_json({"file": str(file), "bytes": size, "at": made.at, "databases": made.databases})
        return
    click.echo(f"{file} holds the installation as of {made.at.isoformat(timespec='seconds')} ({size:,} bytes).")
    click.echo("Whoever can read it can read every record, and sign as this installation. Keep it accordingly.")
    if left:
        click.echo(
            f"Not in it, by your wish: {', '.join(left)}. Back them up just after it, by PostgreSQL's own means."
        )


@click.command()
@click.argument("file", metavar="FILE.tar", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--database",
    "databases",
    metavar="NAME=URL",
    multiple=True,
    help="Where PostgreSQL data goes instead: NAME is a space (its ledger follows), or `control`. May be repeated.",
)
@click.pass_context
def restore(ctx: click.Context, file: Path, folder: Path, databases: tuple[str, ...]) -> None:
    """Make an installation in DIR, which is empty, from a back-up; then check it and verify its ledgers."""
    context: Context = ctx.obj
    addresses = dict(_named(text) for text in databases)
    restored = asyncio.run(restore_archive(file, folder, addresses))
    settings = restored.settings
    verdicts = asyncio.run(_verify(settings))
    report = examine(settings)
    sound = all(verdict.sound for verdict in verdicts.values())
    if context.json:
        ledgers = {name: {"sound": verdict.sound, **verdict_as_json(verdict)} for name, verdict in verdicts.items()}
        at, config = restored.manifest.at, str(settings.home / "homeroom.toml")
        print_json({"config": config, "at": at, "ledgers": ledgers, **msgspec.to_builtins(report)})
    else:
        click.echo(f"{settings.home} is as of {restored.manifest.at.isoformat(timespec='seconds')}.")
        for name, verdict in verdicts.items():
            print_verdict(verdict, name)
        tell(report)
        click.echo(
            "What happened since is not in it: rosters, opt-outs, erasures, clients that were suspended or revoked. "
            "Do those again before you serve."
        )
    ctx.exit(0 if sound and not report.findings else 1)


def _named(text: str) -> tuple[str, str]:
    name, equals, url = text.partition("=")
    if not equals or not name or not url:
        raise UsageError("Write --database NAME=URL, where NAME is a space or `control`.")
    return name, url


async def _verify(settings: Settings) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    for name, place in settings.spaces.items():
        async with opened(settings, place.ledger) as ledger:
            verdicts[name] = await verify(ledger, Checkpoints.of(settings, SpaceId(name)))
    return verdicts
