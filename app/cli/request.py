"""`homeroom request`: ask a district for data in a vendor's name, by the same form as over HTTP."""

import asyncio
from pathlib import Path

import click
import msgspec

from app.cli.acting import now
from app.cli.finding import known
from app.cli.main import Context
from app.errors import RequestError, UsageError
from app.federation.remotes import read_vocabulary
from app.names import ClientId, SpaceId
from app.policy.authority import NOTHING, day_of
from app.policy.reading import read_policies
from app.requests.form import Form, check_form, read_form
from app.requests.model import AccessRequest
from app.requests.store import ask
from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate
from app.storage.published import current


@click.command()
@click.argument("space")
@click.argument("client")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def request(context: Context, space: str, client: str, file: Path) -> None:
    """Ask SPACE for data in CLIENT's name, with the form in FILE. It grants nothing: an officer decides."""
    settings = context.settings()
    known(settings, space)
    try:
        form = read_form(file.read_bytes())
        made = asyncio.run(keep(settings, SpaceId(space), ClientId(client), form))
    except RequestError as error:
        problems = error.extensions.get("problems", [error.message])
        raise UsageError("\n".join(problems if isinstance(problems, list) else [error.message])) from None
    if context.json:
        click.echo(msgspec.json.format(msgspec.json.encode(made.presented())))
        return
    click.echo(f"Request {made.number} of {space} is kept, {made.id}. It grants nothing until an officer has decided.")


async def keep(settings: Settings, space: SpaceId, client: ClientId, form: Form) -> AccessRequest:
    """Check a form against the policy that is in force, and keep it. Raises: RequestError, Unavailable."""
    control = open_engine(settings.database_url(settings.control), pool_size=1)
    try:
        await migrate(control, "control")
        policy = read_policies((await current(control)).files).spaces.get(space, NOTHING)
        vocabulary = read_vocabulary(settings)
        check_form(form, vocabulary.facts, policy, client, day_of(now(), policy.district)[0])
        return await ask(control, space, client, form, now=now())
    finally:
        await control.dispose()
