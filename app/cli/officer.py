"""`homeroom officer`: who may sign in to a district's console with a password."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.finding import known
from app.cli.main import Context
from app.errors import Unavailable
from app.officers import accounts, sessions
from app.officers.passwords import new_password
from app.settings import Settings
from app.signing_in import ROLES
from app.storage.engines import open_engine
from app.storage.migrate import migrate

T = TypeVar("T")

ASK = click.option("--ask", is_flag=True, help="Type the password, rather than have one made and printed once.")


@click.group()
def officer() -> None:
    """Who may sign in to a district's console with a password."""


@officer.command()
@click.argument("space")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    required=True,
    help="reader looks; steward decides; privacy-officer gives the second approval.",
)
@ASK
@click.pass_obj
def add(context: Context, space: str, email: str, role: str, ask: bool) -> None:
    """Make an account for EMAIL in SPACE, and print its password once."""

    async def work(control: AsyncEngine, password: str) -> None:
        await accounts.add_officer(control, space, email, role, password, now=time.time())

    _give(context, space, email, work, ask=ask)


@officer.command()
@click.argument("space")
@click.argument("email")
@ASK
@click.pass_obj
def password(context: Context, space: str, email: str, ask: bool) -> None:
    """Give the account another password; whatever it is signed in with ends."""

    async def work(control: AsyncEngine, new: str) -> None:
        await accounts.set_password(control, space, email, new)

    _give(context, space, email, work, ask=ask)


@officer.command()
@click.argument("space")
@click.argument("email")
@click.pass_obj
def remove(context: Context, space: str, email: str) -> None:
    """Take the account away; whatever it is signed in with ends at once."""
    settings = context.settings()
    known(settings, space)
    _run(settings, lambda control: accounts.remove_officer(control, space, email))
    _print(context, {"removed": email.lower()}, f"{email.lower()} is no officer of {space} any more.")


@officer.command("sign-out")
@click.argument("space")
@click.argument("name")
@click.pass_obj
def sign_out(context: Context, space: str, name: str) -> None:
    """End whatever NAME is signed in with in SPACE, be it by a password or by the district's own provider."""
    settings = context.settings()
    known(settings, space)
    ended = _run(settings, lambda control: sessions.end_all(control, space, name))
    where = f"{ended} browser{'' if ended == 1 else 's'}" if ended else "no browser: nobody of that name was signed in"
    _print(context, {"signed_out": name.lower(), "browsers": ended}, f"{name.lower()} is signed out of {where}.")


@officer.command("list")
@click.argument("space")
@click.pass_obj
def list_command(context: Context, space: str) -> None:
    """List the accounts of SPACE."""
    settings = context.settings()
    known(settings, space)
    found = _run(settings, lambda control: accounts.list_officers(control, space))
    rows = [
        {"email": one.email, "role": one.role, "since": datetime.fromtimestamp(one.created, UTC).date().isoformat()}
        for one in found
    ]
    text = [f"{row['email']}  {row['role']}  since {row['since']}" for row in rows]
    _print(context, {"officers": rows}, "\n".join(text) or f"{space} has no officer yet. Add one: homeroom officer add")


def _give(
    context: Context,
    space: str,
    email: str,
    work: Callable[[AsyncEngine, str], Coroutine[Any, Any, None]],
    *,
    ask: bool,
) -> None:
    """Set a password that was typed, or one that is made and printed."""
    settings = context.settings()
    known(settings, space)
    chosen = click.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else new_password()
    _run(settings, lambda control: work(control, chosen))
    facts = {"space": space, "email": email.lower()} | ({} if ask else {"password": chosen})
    shown = "" if ask else f"\nTheir password, which nobody can be told again: {chosen}"
    _print(context, facts, f"{email.lower()} signs in at {settings.console_address}/console?space={space}{shown}")


def _print(context: Context, facts: dict[str, Any], text: str) -> None:
    click.echo(json.dumps(facts, indent=2) if context.json else text)


def _run(settings: Settings, work: Callable[[AsyncEngine], Coroutine[Any, Any, T]]) -> T:
    """Work on the control database. Raises: UsageError, Unavailable."""

    async def done() -> T:
        async with _control(settings) as control:
            try:
                return await work(control)
            except (SQLAlchemyError, OSError) as error:
                raise Unavailable(f"The control database does not answer ({type(error).__name__}).") from error

    return asyncio.run(done())


@asynccontextmanager
async def _control(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(settings.database_url(settings.control))
    try:
        await migrate(engine, "control")
        yield engine
    finally:
        await engine.dispose()
