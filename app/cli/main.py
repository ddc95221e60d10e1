"""The command line: every command by name, read only when it is run.

Exit status: 0 ok · 1 a check failed or found something · 2 usage · 3 configuration or policy unreadable ·
4 a database or subgraph unavailable · 5 import with rejected rows · 130 interrupted.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from app import __version__
from app.errors import HomeroomError
from app.settings import Settings, read_settings

COMMANDS = {
    "backup": "app.cli.backup:backup",
    "check": "app.cli.check:check",
    "client": "app.cli.client:client",
    "compose": "app.cli.compose:compose",
    "demo": "app.cli.demo:demo",
    "disclosures": "app.cli.disclosures:disclosures",
    "erase": "app.cli.erase:erase",
    "federate": "app.cli.federate:federate",
    "import": "app.cli.roster:import_command",
    "init": "app.cli.init:init",
    "keys": "app.cli.keys:keys",
    "officer": "app.cli.officer:officer",
    "optout": "app.cli.optout:optout",
    "plan": "app.cli.plan:plan_command",
    "policy": "app.cli.policy:policy",
    "registry": "app.cli.registry:registry",
    "request": "app.cli.request:request",
    "restore": "app.cli.backup:restore",
    "retention": "app.cli.retention:retention",
    "schema": "app.cli.schema:schema",
    "serve": "app.cli.serve:serve",
    "space": "app.cli.space:space",
    "subgraph": "app.cli.subgraph:subgraph",
    "token": "app.cli.client:token",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What every command is told: where the configuration lies, and whether to print JSON."""

    config: Path
    json: bool

    def settings(self) -> Settings:
        """The installation's settings. Raises: ConfigurationError."""
        return read_settings(self.config)


class Commands(click.Group):
    """Commands that are imported when they are asked for, so that `homeroom --help` starts at once."""

    def __init__(self, *arguments: Any, found: Mapping[str, str] = COMMANDS, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.found = found

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, sorted."""
        return sorted(self.found)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in self.found:
            return None
        module, _, name = self.found[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.found[cmd_name]} is no command")
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("homeroom.toml"),
    show_default=True,
    help="The installation's configuration.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How results are printed.")
@click.version_option(__version__, message="homeroom %(version)s")
@click.pass_context
def homeroom(ctx: click.Context, config: Path, form: str) -> None:
    """Homeroom: a vendor fetches exactly what a district granted."""
    ctx.obj = Context(config=config, json=form == "json")


def main() -> None:
    """Run one command; every failure is a sentence and an exit status, never a traceback."""
    try:
        status = homeroom.main(standalone_mode=False, prog_name="homeroom")
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except HomeroomError as error:
        click.echo(f"homeroom: {error.message}", err=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # INVARIANT: an exception's text may quote a record, so only its kind is shown
        click.echo(f"homeroom: something unforeseen failed ({type(error).__name__}). Please report it.", err=True)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
