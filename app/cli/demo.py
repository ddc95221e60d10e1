"""`homeroom demo`: the sandbox, made at the first start and served at every one."""

import asyncio
import json
import shlex
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from select import select

import click
import uvicorn
from rich.console import Console
from rich.markup import escape

from app.cli.main import Context
from app.cli.sandbox import REGISTRY, Sandbox, Vendor, find_sandbox, set_issuer
from app.errors import UsageError
from app.importers.sandbox.calendar import current_year
from app.names import ClientId
from app.settings import Settings

HOST = "127.0.0.1"
ADDRESSES = (
    ("console", "/console"),
    ("graphiql", "/graphiql"),
    ("graph", "/graphql"),
    ("schema", "/schema.graphql"),
    ("tokens", "/oauth/token"),
)
QUERY = "{ students(first: 3) { nodes { firstName lastSurname birthDate schoolEnrollments { gradeLevel } } } }"
TOKEN = 'sed \'s/.*"access_token": *"\\([^"]*\\)".*/\\1/\''  # noqa: S105  (how to cut one out of the answer)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any that is free.")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".homeroom"),
    envvar="HOMEROOM_SANDBOX",
    help="The sandbox's folder.  [default: .homeroom]",
)
@click.option(
    "--students",
    type=click.IntRange(1, 200_000),
    default=1200,
    show_default=True,
    help="Students of each district, when the sandbox is made.",
)
@click.pass_context
def demo(ctx: click.Context, port: int, home: Path, students: int) -> None:
    """Serve a sandbox: two invented districts, three vendors, on this machine alone."""
    from app.cli.serve import listen

    context: Context = ctx.obj
    out = Console(highlight=False, soft_wrap=True, stderr=context.json)
    today = datetime.now(UTC).date()
    home = home.resolve()
    port = free_port(port)
    issuer = f"http://{HOST}:{port}"
    sandbox = find_sandbox(home)
    if sandbox is None:
        from app.cli.make_sandbox import make_sandbox

        with out.status("making the sandbox (once)") as status:
            say = status.update if out.is_terminal else lambda text: out.print(f"sandbox: {text}")
            making = make_sandbox(home, issuer=issuer, students=students, today=today, say=say)
            sandbox = asyncio.run(making)
    elif ctx.get_parameter_source("students") is not click.core.ParameterSource.DEFAULT:
        remark_on_size(out, sandbox, students, home)
    with registry_beside(home) as registry:
        settings = set_issuer(home, issuer, registry)
        greet(out, sandbox, issuer, home, today)
        sys.stdout.flush()
        vendors = {ClientId(vendor.client_id): vendor.about for vendor in sandbox.vendors}
        listen(settings, host=HOST, port=port, vendors=vendors)


@contextmanager
def registry_beside(home: Path) -> Iterator[str | None]:
    """The learning registry, served as long as the sandbox is; gives its address. None where there is no index."""
    url = Settings(home=home).database_url(REGISTRY)
    if not Path(url.partition(":///")[2]).exists():
        yield None
        return
    from app.cli.serve import bind

    listener, (end, ends) = bind(HOST, 0), socket.socketpair()
    servers: list[uvicorn.Server] = []

    def run() -> None:
        asked, _, _ = select([listener, ends], [], [])
        if ends not in asked:
            from app.cli.registry import configuration  # once it is asked: the sandbox starts the sooner
            from app.registry_site import registry_site

            servers.append(uvicorn.Server(configuration(registry_site(url))))
            servers[0].run(sockets=[listener])

    # INVARIANT: a thread, and no process of its own: however the sandbox ends, the registry ends with it.
    thread = threading.Thread(target=run, name="registry", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{listener.getsockname()[1]}/graphql"
    finally:
        end.close()
        for server in servers:
            server.should_exit = True
        thread.join(5)
        ends.close()
        listener.close()


def free_port(port: int) -> int:
    """The port that the sandbox is served on, found to be free. Raises: UsageError."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError:
            raise UsageError(f"Port {port} of {HOST} is taken. Name another: homeroom demo --port {port + 1}") from None
        return int(trial.getsockname()[1])


def remark_on_size(out: Console, sandbox: Sandbox, students: int, home: Path) -> None:
    """Say that a sandbox keeps the size that it was made with."""
    if sandbox.students != students:
        out.print(
            f"The sandbox holds {sandbox.students:,} students in each district. "
            f"To make one of {students:,}, remove {escape(str(home))} first, or name another folder with --home."
        )


def greet(out: Console, sandbox: Sandbox, issuer: str, home: Path, today: date) -> None:
    """Everything that a developer needs for the first answer."""
    out.print()
    out.print(f"[bold]Homeroom[/] sandbox · two invented districts of {sandbox.students:,} students each")
    out.print()
    for name, path in ADDRESSES:
        out.print(f"  {name:<10}{issuer}{path}")
    out.print()
    for vendor in sandbox.vendors:
        out.print(f"  [bold]{vendor.client_id:<12}[/]{vendor.about}")
        for access in vendor.access:
            out.print(f"  {'':<12}[dim]in[/] {access.space} [dim]for[/] {access.purpose}")
    out.print()
    for space, officers in groupby(sandbox.officers, key=lambda one: one.space):
        out.print(f"  officers of {space} [dim]sign in at[/] {issuer}/console?space={space}")
        for one in officers:
            out.print(f"  {'':<12}{one.role:<17}{one.email:<30}{one.password}")
    if sandbox.officers:
        out.print()
    out.print(f"  secrets  {escape(str(home / 'vendors.toml'))}")
    out.print(f"  grants   {escape(str(home / 'policies'))} [dim](edit one: it is in force within a second)[/]")
    out.print()
    out.print("[bold]Ask as readwell[/] [dim](birthDate is not granted: null, and one error that says why)[/]")
    out.print()
    click.echo(curl(sandbox.vendors[0], issuer), err=out.stderr)
    out.print()
    if current_year(sandbox.made) != current_year(today):
        out.print(
            f"The sandbox is of last school year, so its grants are over. Remove {escape(str(home))} to make a new one."
        )
        out.print()
    out.print("[dim]Ctrl+C stops it.[/]")


def curl(vendor: Vendor, issuer: str) -> str:
    """One line that gets a token and asks the graph, good to be pasted into any shell."""
    resource = f"{issuer}/spaces/{vendor.access[0].space}"
    token = (
        f"curl -s -u {vendor.client_id}:{vendor.client_secret} -d grant_type=client_credentials "
        f"-d resource={resource} {issuer}/oauth/token | {TOKEN}"
    )
    body = shlex.quote(json.dumps({"query": QUERY}))
    ask = f"curl -s {issuer}/graphql -H 'Content-Type: application/json'"
    return f'{ask} -H "Authorization: Bearer $({token})" -d {body}'
